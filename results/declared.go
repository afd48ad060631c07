package results

import (
	"errors"
	"fmt"
	"slices"

	"pushbench/results/metric"
)

// VerdictBlocks is how many valid blocks a judgement needs. Six pairs of four
// transports under Holm's correction need p < .05/6 = .0083, and the smallest
// two-sided p of a sign-flip test over n blocks is 2/2^n: .0156 for 7, .0078 for 8.
const VerdictRepetitions = 8

// Declared is what a run is judged by. It is written down before the first
// trial, so that nobody chooses by what the figures look like.
type Declared struct {
	Primary []string `json:"primary"` // metrics that get verdicts; with the pairs they make the family of comparisons
	Margin  float64  `json:"margin"`  // relative difference that matters: 0.05 is 5 %
}

// DefaultDeclared is what judges a run whose manifest declares nothing.
var DefaultDeclared = Declared{Primary: []string{metric.P50, metric.P99, metric.ServerCPUPerMessage}, Margin: 0.05}

// OrDefault is d, or DefaultDeclared when the manifest has none: it was written
// before manifests declared it.
func (d Declared) OrDefault() Declared {
	if d.Primary == nil && d.Margin == 0 {
		return DefaultDeclared
	}
	return d
}

// check refuses what cannot judge.
func (d Declared) check() error {
	d = d.OrDefault()
	if !(d.Margin > 0 && d.Margin <= 1) {
		return fmt.Errorf("compare: a margin of %v; allowed: above 0, at most 1", d.Margin)
	}
	if len(d.Primary) == 0 {
		return errors.New("compare: no primary metric")
	}
	for i, name := range d.Primary {
		known := slices.ContainsFunc(metric.All, func(m metric.Metric) bool { return m.Name == name && m.Better != metric.Neither })
		if !known || slices.Contains(d.Primary[:i], name) {
			return fmt.Errorf("compare: primary metric %q is unknown, is neither better high nor low, or is listed twice", name)
		}
	}
	return nil
}
