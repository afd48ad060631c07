package chart

import "pushbench/results"

// Vectors is Draw without the PNGs, which take the race detector seconds each.
func Vectors(run *results.Run) ([]results.Figure, error) {
	var figures []results.Figure
	for _, c := range cards(run) {
		svg, err := c.vector()
		if err != nil {
			return nil, err
		}
		figures = append(figures, results.Figure{Name: c.name, Title: c.title, Alt: c.alt, SVG: svg})
	}
	return figures, nil
}
