package compare

import (
	"math"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// SelfComparisons compares each row of a run with itself, by every declared metric: its first, third,
// fifth … repetition with the following one. Their differences are noise: a difference between two
// rows that is no larger is no evidence. There is no adjustment for multiple comparisons: of twenty
// self-comparisons, one has a p below 0.05 by chance.
func SelfComparisons(run *results.Run, s summary.Summary) []Difference {
	declared := run.Manifest.Compare.OrDefault()
	var all []Difference
	for _, name := range declared.Primary {
		for _, r := range s.Rows {
			all = append(all, Plan{Margin: declared.Margin}.All([]Pairing{neighbours(metric.ByName(name), r, s.Common)})[0])
		}
	}
	return all
}

// NoiseFloor returns the largest difference of a configuration from itself, for each metric, as text:
// "latency p50 2.1 %".
func NoiseFloor(self []Difference) (entries []string) {
	most := map[string]float64{}
	var order []string
	for _, d := range self {
		if d.Repetitions == 0 || d.Verdict == Incomparable || math.IsNaN(d.Ratio) || math.IsInf(d.Ratio, 0) || d.Ratio <= 0 {
			continue
		}
		if _, seen := most[d.Metric]; !seen {
			order = append(order, d.Metric)
		}
		most[d.Metric] = max(most[d.Metric], d.Ratio, 1/d.Ratio)
	}
	for _, name := range order {
		entries = append(entries, metric.ByName(name).Title+" "+metric.Percent(most[name]-1))
	}
	return entries
}

// neighbours returns a row's neighbouring repetitions as the sides of a pairing. With an odd number,
// the last one is not used.
func neighbours(m metric.Metric, r summary.Row, repetitions []int) Pairing {
	p := Pairing{Metric: m.Name, Names: [2]string{r.Name, r.Name}}
	var values []float64
	if values, p.Missing = series(m, r, repetitions); p.Missing != nil {
		return p
	}
	for i := 0; i+1 < len(values); i += 2 {
		p.A, p.B = append(p.A, values[i]), append(p.B, values[i+1])
	}
	return p
}
