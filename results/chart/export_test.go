package chart

import (
	"pushbench/results"
	"pushbench/results/summary"
)

// DPI is the resolution of the PNGs.
const DPI = dpi

// Vectors is Draw without the PNGs, which take seconds each under the race detector.
func Vectors(run *results.Run, sum summary.Summary, badge string, _ ...string) ([]Chart, error) {
	all := charts(run, sum, basis(run, sum), badge)
	for i := range all {
		var err error
		if all[i].SVG, err = all[i].vector(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Shades returns the distinct strengths of each transport's rows.
func Shades(run *results.Run) map[string]map[float64]bool {
	shades := map[string]map[float64]bool{}
	rows := summary.Of(run).Rows
	for _, r := range rows {
		if shades[r.Transport] == nil {
			shades[r.Transport] = map[float64]bool{}
		}
		shades[r.Transport][lookIn(rows, r).Strength] = true
	}
	return shades
}
