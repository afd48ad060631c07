package results

import "fmt"

// Published is what somebody else has published of the question that the run asks.
type Published struct {
	Source  string            `json:"source"`
	Missing string            `json:"missing,omitempty"` // what of it was not available
	Figures []PublishedFigure `json:"figures"`
}

// A PublishedFigure stands beside a figure of the run: that of a case, or its ratio to another,
// times a number.
type PublishedFigure struct {
	What       string  `json:"what"`
	Says       string  `json:"says"`
	Case       string  `json:"case"`
	Metric     string  `json:"metric"`
	OverCase   string  `json:"over_case,omitempty"` // "": nothing
	OverMetric string  `json:"over_metric,omitempty"`
	Times      float64 `json:"times"`
	Unit       string  `json:"unit,omitempty"`
	Predicted  string  `json:"predicted,omitempty"` // "": what the run predicts
}

// Measured is the figure of a run, and Foreseen what its theory says.
func (f PublishedFigure) Measured(s Summary) Value {
	return f.combine(func(name, metric string) (Value, bool) {
		r, ok := s.Row(name)
		if !ok {
			return Value{Known: NotShown}, false
		}
		m, ok := FigureByName(metric)
		if !ok {
			return Value{Known: NotShown}, false
		}
		return m.Of(r.Pooled), true
	})
}

// Foreseen is what the run's theory says of the figure.
func (f PublishedFigure) Foreseen(s Summary) Value {
	return f.combine(func(name, metric string) (Value, bool) {
		r, ok := s.Row(name)
		if !ok {
			return Value{Known: NotShown}, false
		}
		p, ok := r.Theory(metric)
		return Value{X: p.Value}, ok
	})
}

func (f PublishedFigure) combine(of func(name, metric string) (Value, bool)) Value {
	v, ok := of(f.Case, f.Metric)
	if !ok || v.Known != Shown {
		return unknownUnless(ok, v)
	}
	if f.OverCase != "" {
		under, ok := of(f.OverCase, f.OverMetric)
		if !ok || under.Known != Shown {
			return unknownUnless(ok, under)
		}
		v = ratio(v.X, under.X)
	}
	v.X *= f.Times
	return v
}

func unknownUnless(ok bool, v Value) Value {
	if !ok {
		return Value{Known: NotShown}
	}
	return v
}

// check finds what no run can have.
func (p Published) check() error {
	for _, f := range p.Figures {
		for _, metric := range []string{f.Metric, f.OverMetric} {
			if _, ok := FigureByName(metric); metric != "" && !ok {
				return fmt.Errorf("published figure %q: no figure is called %q", f.What, metric)
			}
		}
	}
	return nil
}
