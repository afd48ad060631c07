package compare

import (
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
