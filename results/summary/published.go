package summary

import "pushbench/results/metric"

// Measured returns the value of the run to compare with a published value.
func (s Summary) Measured(p metric.PublishedValue) Value {
	return combine(p, func(name, metric string) Value {
		r, ok := s.Row(name)
		if !ok {
			return Value{Known: NotShown}
		}
		return Measure(metric, r.Pooled)
	})
}

// Predicted returns the value that the model predicts for the run, to compare with a published value.
func (s Summary) Predicted(p metric.PublishedValue) Value {
	return combine(p, func(name, metric string) Value {
		r, _ := s.Row(name)
		predicted, ok := r.Predicted(metric)
		if !ok {
			return Value{Known: NotShown}
		}
		return Value{X: predicted.Value}
	})
}

func combine(p metric.PublishedValue, of func(name, metric string) Value) Value {
	v := of(p.Configuration, p.Metric)
	if v.Known == Shown && p.OverConfiguration != "" {
		divisor := of(p.OverConfiguration, p.OverMetric)
		if divisor.Known != Shown {
			return divisor
		}
		v = ratio(v.X, divisor.X)
	}
	v.X *= p.Times
	return v
}
