package chart

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"

	"pushbench/results/metric"
)

// logTicks labels 1, 2 and 5 of each decade if they fit, else decades only. Bounds must be positive.
func logTicks(lo, hi float64) plot.ConstantTicks {
	decades := math.Log10(hi / lo)
	var ticks plot.ConstantTicks
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
			ticks = append(ticks, plot.Tick{Value: v, Label: label})
		}
	}
	return ticks
}

// logScale makes an axis logarithmic. Without values, it has arbitrary bounds.
func logScale(a *plot.Axis, lo, hi float64) {
	if hi < lo {
		lo, hi = 1, 10
	}
	a.Scale, a.Min, a.Max, a.Tick.Marker = plot.LogScale{}, lo, hi, logTicks(lo, hi)
}

// percentileTicks returns ticks at 50 %, 90 %, 99 %, … at 1/(1−q).
func percentileTicks(hi float64) plot.ConstantTicks {
	ticks := plot.ConstantTicks{{Value: 1, Label: "0 %"}, {Value: 2, Label: "50 %"}}
	for x := 10.0; x <= hi*1.001; x *= 10 {
		ticks = append(ticks, plot.Tick{Value: x, Label: short(100-100/x) + " %"})
	}
	return ticks
}

// linearTicks returns about n round steps from 0 that cover hi.
func linearTicks(hi float64, n int) plot.ConstantTicks {
	step := roundStep(hi / float64(n))
	var ticks plot.ConstantTicks
	for i := 0; float64(i)*step <= hi*1.0001; i++ {
		v := float64(i) * step
		ticks = append(ticks, plot.Tick{Value: v, Label: short(v)})
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
	return strconv.FormatFloat(math.Round(v*1e9)/1e9, 'f', -1, 64)
}
