package summary

import "pushbench/results/metric"

// Measured is the value of a run that stands beside a published figure.
func (s Summary) Measured(f metric.PublishedValue) Value {
	return combine(f, func(name, metric string) Value {
		r, ok := s.Row(name)
		if !ok {
			return Value{Known: NotShown}
		}
		return Measure(metric, r.Pooled)
	})
}

// Predicted is what the run's arithmetic says of it.
func (s Summary) Predicted(f metric.PublishedValue) Value {
	return combine(f, func(name, metric string) Value {
		r, _ := s.Row(name)
		p, ok := r.Predicted(metric)
		if !ok {
			return Value{Known: NotShown}
		}
		return Value{X: p.Value}
	})
}

func combine(f metric.PublishedValue, of func(name, metric string) Value) Value {
	v := of(f.Configuration, f.Metric)
	if v.Known == Shown && f.OverConfiguration != "" {
		under := of(f.OverConfiguration, f.OverMetric)
		if under.Known != Shown {
			return under
		}
		v = ratio(v.X, under.X)
	}
	v.X *= f.Times
	return v
}
