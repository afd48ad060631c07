package results

import (
	"errors"
	"fmt"
	"slices"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// VerdictRepetitions is the number of valid repetitions that a verdict requires. Six comparisons
// under Holm's correction need p < .05/6 = .0083, and the smallest two-sided p of a sign-flip test
// over n repetitions is 2/2^n: .0156 for 7, .0078 for 8.
const VerdictRepetitions = 8

// Declared is the plan of a run's comparisons. It is recorded before the first trial, so that the
// results cannot influence it.
//
// Four transports, each compared with one of them by two metrics, make six comparisons: the most that
// 8 repetitions can decide. The other pairs get ratios and intervals, and no verdict.
type Declared struct {
	Primary []string `json:"primary"`           // metrics with verdicts; metrics × pairs are the family of comparisons
	Against string   `json:"against,omitempty"` // transport with which each other one is compared; absent: every pair is compared
	Margin  float64  `json:"margin"`            // relative difference that matters: 0.05 is 5 %
}

// DefaultDeclared applies to a run whose manifest declares nothing.
var DefaultDeclared = Declared{Primary: []string{metric.P50, metric.P99, metric.ServerCPUPerMessage}, Margin: 0.05}

// OrDefault returns d, or DefaultDeclared if the manifest is older than this declaration.
func (d Declared) OrDefault() Declared {
	if d.Primary == nil && d.Margin == 0 {
		return DefaultDeclared
	}
	return d
}

// check returns an error for a declaration without a valid margin or metric.
func (d Declared) check() error {
	d = d.OrDefault()
	if !(d.Margin > 0 && d.Margin <= 1) {
		return fmt.Errorf("compare: margin %v; allowed: above 0, at most 1", d.Margin)
	}
	if _, ok := transports.Find(d.Against); d.Against != "" && !ok {
		return fmt.Errorf("compare: %q is no transport to compare with", d.Against)
	}
	if len(d.Primary) == 0 {
		return errors.New("compare: no primary metric")
	}
	for i, name := range d.Primary {
		known := slices.ContainsFunc(metric.All, func(m metric.Metric) bool { return m.Name == name && m.Better != metric.Neither })
		if !known || slices.Contains(d.Primary[:i], name) {
			return fmt.Errorf("compare: primary metric %q is unknown, has no better direction, or is listed twice", name)
		}
	}
	return nil
}
