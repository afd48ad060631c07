package chart

import (
	"image/color"

	"pushbench/results"
	"pushbench/results/summary"
)

// DPI is the resolution of the PNGs.
const DPI = dpi

// Vectors is Draw without the PNGs, which take the race detector seconds each.
func Vectors(run *results.Run, sum summary.Summary, worth string, _ ...string) ([]Chart, error) {
	var figures []Chart
	for _, c := range cards(run, sum, basis(run, sum), worth) {
		svg, err := c.vector()
		if err != nil {
			return nil, err
		}
		f := c.Chart
		f.SVG, f.Panels = svg, c.data()
		figures = append(figures, f)
	}
	return figures, nil
}

// Shades are the distinct colours of each transport's rows.
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
