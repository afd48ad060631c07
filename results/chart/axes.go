package chart

import (
	"math"
	"strconv"

	"pushbench/results/metric"
)

// A Tick is a position of an axis with its label, which may be empty.
type Tick struct {
	At    float64 `json:"at"`
	Label string  `json:"label,omitempty"`
}

// fit sets the bounds and ticks of the axes, unless a chart has set wider bounds, and whether the panel needs
// the whole width.
func (p *Panel) fit() {
	x, y := p.X.extent(), p.Y.extent()
	for _, s := range p.Series {
		for i := range s.X {
			from := s.Y[i]
			if s.Kind == bars || s.Kind == note && p.Y.Scale == linear {
				from = 0
			}
			if len(s.From) > 0 {
				from = s.From[i]
				y.include(from + s.Y[i])
			}
			y.include(from, s.Y[i])
			x.include(s.X[i])
			if len(s.Lo) > 0 {
				y.include(s.Lo[i], s.Hi[i])
			}
			if len(s.XLo) > 0 {
				x.include(s.XLo[i], s.XHi[i])
			}
		}
	}
	p.X.fit(x, 1.15, 1.05)
	headroom := 1.15
	if p.X.Scale == named {
		p.Wide = p.Wide || p.labelled() > 16 || len(p.X.Names) > 6
		headroom = 1.2
	}
	p.Y.fit(y, 1.6, headroom)
}

// labelled returns the number of bars with a label above.
func (p *Panel) labelled() (n int) {
	for _, s := range p.Series {
		if len(s.Labels) > 0 && !s.Inside {
			n += len(s.X)
		}
	}
	return n
}

// An extent is the smallest and the largest value of an axis.
type extent struct{ lo, hi float64 }

func (e *extent) include(values ...float64) {
	for _, v := range values {
		e.lo, e.hi = min(e.lo, v), max(e.hi, v)
	}
}

// extent returns the bounds that a chart has set, or none.
func (a Axis) extent() extent {
	if a.Min < a.Max {
		return extent{a.Min, a.Max}
	}
	return extent{math.Inf(1), math.Inf(-1)}
}

// fit sets the bounds to the values and a margin: a factor on a logarithmic axis, another one at the upper end
// of a linear axis.
func (a *Axis) fit(e extent, factor, headroom float64) {
	forced := a.Min < a.Max && a.Min <= e.lo && e.hi <= a.Max
	switch {
	case a.Scale == named:
		a.Min, a.Max, a.Ticks = -0.55, float64(len(a.Names))-0.45, nil
		for i, name := range a.Names {
			a.Ticks = append(a.Ticks, Tick{float64(i), name})
		}
	case a.Scale == percentile:
		a.Min, a.Max = 1, max(e.hi, 10)*1.15
		a.Ticks = percentileTicks(a.Max)
	case a.Scale == logarithmic:
		if !forced {
			a.Min, a.Max = e.lo/factor, e.hi*factor
		}
		a.Ticks = logTicks(a.Min, a.Max)
	default:
		if !forced {
			a.Min, a.Max = min(0, e.lo), max(e.hi, 0)*headroom
			if a.Max <= 0 {
				a.Max = 1
			}
		}
		a.Ticks = linearTicks(a.Min, a.Max, 5)
	}
}

// Share returns the position of a value as a share of the axis.
func (a Axis) Share(v float64) float64 {
	if a.Scale == logarithmic || a.Scale == percentile {
		return math.Log(v/a.Min) / math.Log(a.Max/a.Min)
	}
	return (v - a.Min) / (a.Max - a.Min)
}

// logTicks labels 1, 2 and 5 of each decade if they fit, else decades only. On a short axis it labels round
// steps. Bounds must be positive.
func logTicks(lo, hi float64) (ticks []Tick) {
	decades := math.Log10(hi / lo)
	if decades < 0.8 {
		return linearTicks(lo, hi, 5)
	}
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for _, digit := range []float64{1, 2, 5} {
			v := digit * math.Pow(10, e)
			if v < lo*0.999 || v > hi*1.001 {
				continue
			}
			label := ""
			if digit == 1 || decades < 2.5 {
				label = short(v)
			}
			ticks = append(ticks, Tick{v, label})
		}
	}
	return ticks
}

// percentileTicks returns ticks at 50 %, 90 %, 99 %, … at 1/(1−q).
func percentileTicks(hi float64) []Tick {
	ticks := []Tick{{1, "0 %"}, {2, "50 %"}}
	for x := 10.0; x <= hi*1.001; x *= 10 {
		ticks = append(ticks, Tick{x, short(100-100/x) + " %"})
	}
	return ticks
}

// linearTicks returns about n round steps from lo to hi.
func linearTicks(lo, hi float64, n int) (ticks []Tick) {
	step := roundStep((hi - lo) / float64(n))
	for i := math.Ceil(lo/step - 0.0001); i*step <= hi+step*0.0001; i++ {
		ticks = append(ticks, Tick{i * step, short(i * step)})
	}
	return ticks
}

// roundStep returns the next of 1, 2, 5, 10, … at or above x.
func roundStep(x float64) float64 {
	if x <= 0 {
		return 1
	}
	decade := math.Pow(10, math.Floor(math.Log10(x)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*decade >= x*0.9999 {
			return digit * decade
		}
	}
	return 10 * decade
}

// short formats a tick label.
func short(v float64) string {
	if v >= 1000 {
		return metric.Number(v)
	}
	return strconv.FormatFloat(math.Round(v*1e9)/1e9+0, 'f', -1, 64)
}
