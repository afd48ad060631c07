package chart

import (
	"image/color"

	"pushbench/results"
	"pushbench/results/summary"
)

// DPI is the resolution of the PNGs.
const DPI = dpi

// Vectors is Draw without the PNGs, which take seconds each under the race detector.
func Vectors(run *results.Run, sum summary.Summary, badge string, _ ...string) ([]Chart, error) {
	var charts []Chart
	for _, c := range cards(run, sum, basis(run, sum), badge) {
		svg, err := c.vector()
		if err != nil {
			return nil, err
		}
		f := c.Chart
		f.SVG, f.Panels = svg, c.data()
		charts = append(charts, f)
	}
	return charts, nil
}

// Shades returns the distinct colours of each transport's rows.
func Shades(run *results.Run) map[string]map[color.NRGBA]bool {
	shades := map[string]map[color.NRGBA]bool{}
	rows := summary.Of(run).Rows
	for _, r := range rows {
		if shades[r.Transport] == nil {
			shades[r.Transport] = map[color.NRGBA]bool{}
		}
		shades[r.Transport][lookIn(rows, r).color] = true
	}
	return shades
}
