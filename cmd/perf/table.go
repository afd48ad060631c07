//go:build linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A side is one of those compared in a row. It measures once.
type side struct {
	name    string
	missing string // what to install, if it cannot be measured here
	once    func() (float64, error)
}

// A row is one comparison: the first side is ours.
type row struct {
	name  string
	load  string // what is offered, to every side the same
	unit  string
	sides []side
	most  string             // the most that ours may be, in the unit; empty: nothing is asked
	bars  map[string]float64 // the most that ours may be of another side
}

// measure runs all sides, as often, and adds the row to the table.
func (r *row) measure(table *strings.Builder, times int) error {
	found := make([][]float64, len(r.sides))
	for turn := range times {
		for i := range r.sides {
			i = (i + turn) % len(r.sides) // nobody is always first
			if r.sides[i].missing != "" {
				continue
			}
			x, err := r.sides[i].once()
			if err != nil {
				return fmt.Errorf("%s: %w", r.sides[i].name, err)
			}
			fmt.Fprintf(os.Stderr, "  %d %s %.3g %s\n", turn+1, r.sides[i].name, x, r.unit)
			found[i] = append(found[i], x)
		}
	}
	fmt.Fprintf(table, "\n## %s\n\n%s\n\n", r.name, r.load)
	fmt.Fprintf(table, "| side | %s | ours to it | bar |\n|---|---|---|---|\n", r.unit)
	for i, s := range r.sides {
		if s.missing != "" {
			fmt.Fprintf(table, "| %s | not measured: %s | | |\n", s.name, s.missing)
			continue
		}
		ratio, bar := "", ""
		if i == 0 && r.most != "" {
			bar = "≤ " + r.most
		}
		if i > 0 {
			var ratios []float64
			for turn := range times {
				ratios = append(ratios, found[0][turn]/found[i][turn])
			}
			ratio = spread(ratios) + " ×"
		}
		if most, set := r.bars[s.name]; set {
			bar = fmt.Sprintf("≤ %g", most)
		}
		fmt.Fprintf(table, "| %s | %s | %s | %s |\n", s.name, spread(found[i]), ratio, bar)
	}
	return nil
}

// spread is the median, and the least and most.
func spread(x []float64) string {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return fmt.Sprintf("%.3g (%.3g–%.3g)", (x[(n-1)/2]+x[n/2])/2, x[0], x[n-1])
}
