package chart

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// timeline draws deliveries per second over a trial, the median of the repetitions. The page also has
// the latency, and marks disturbances.
func timeline(run *results.Run, s summary.Summary) (card, bool) {
	const x, y = "seconds since the start of the window", "deliveries per second, all clients"
	lowest, offered := run.Manifest.Deliveries()
	window := run.Manifest.Workload.Window
	first, last, top := 0.0, window.Seconds(), offered
	var rates, times []line
	var with []summary.Row
	marks := []Mark{{X: 0, Text: "window starts"}, {X: last, Text: "window ends"}}
	for _, r := range s.Rows {
		rate, median := newLine(lookIn(s.Rows, r), r), newLine(lookIn(s.Rows, r), r)
		overTrial(&rate.Series, run, r, func(i results.Interval) (float64, bool) { return perSecond(i), true })
		if len(rate.X) == 0 {
			continue
		}
		n := max(5, int(math.Ceil(float64(len(rate.X))/12))) // every nth point carries a marker
		for i := n / 2; i < len(rate.X); i += n {
			rate.marks.add(rate.X[i], exactly(rate.Y[i]))
		}
		overTrial(&median.Series, run, r, func(i results.Interval) (float64, bool) {
			return positive(metric.Milliseconds(i.Latency.Quantile(0.5))), i.Latency.Count() > 0
		})
		rates, times, with = append(rates, rate), append(times, median), append(with, r)
		first, last, top = min(first, slices.Min(rate.X)), max(last, slices.Max(rate.X)), max(top, slices.Max(rate.Y))
		marks = append(marks, stalls(run, r, rate.Series)...)
	}
	if len(with) == 0 || top <= 0 {
		return card{}, false
	}
	marks = append(marks[:min(len(marks), 2+12)], events(run)...)
	rated := linePanel(Panel{Title: "Throughput", X: x, Y: y, XScale: "linear", YScale: "linear", Marks: marks}, rates,
		span{window.Seconds(), []float64{lowest, offered}})
	upTo(rated.plot, top)
	rated.plot.X.Min, rated.plot.X.Max, rated.plot.X.Tick.Marker = first, last, plot.DefaultTicks{}
	timed := linePanel(Panel{Title: "Latency p50 of the messages delivered in each second", X: x, Y: "ms (log scale)", XScale: "linear", YScale: "log", Marks: marks}, times)
	c := card{Chart: Chart{Title: "Deliveries over a trial, median of the repetitions"}}
	c.panels = []panel{{plot: rated.plot, x: x, y: y}, {Panel: rated.Panel}, {Panel: timed.Panel}}
	c.keys = append(rowKeys(with, lineKey), key{name: "offered", line: offeredStyle}, key{name: "start and end of the window", line: windowStyle})
	c.Alt = fmt.Sprintf("Deliveries per second over the window of %s s, with %s per second offered.", metric.Number(window.Seconds()), metric.Number(offered))
	return c, true
}

var (
	offeredStyle = draw.LineStyle{Color: soft, Width: 1, Dashes: []vg.Length{1, 2}}
	windowStyle  = draw.LineStyle{Color: soft, Width: 1}
)

func perSecond(i results.Interval) float64 { return float64(i.Delivered) / i.Length.Seconds() }

// overTrial adds a value per interval, at its middle: the median over the trials of the row.
func overTrial(s *Series, run *results.Run, r summary.Row, of func(results.Interval) (float64, bool)) {
	byTime := map[time.Duration][]float64{}
	for _, i := range run.Intervals {
		if i.Length <= 0 || !r.Has(i) {
			continue
		}
		if v, ok := of(i); ok {
			at := (i.Start + i.Length/2).Round(100 * time.Millisecond)
			byTime[at] = append(byTime[at], v)
		}
	}
	for _, at := range slices.Sorted(maps.Keys(byTime)) {
		s.add(at.Seconds(), exactly(summary.Median(byTime[at])))
	}
}

// stalls returns the seconds of the window in which a trial delivered less than a tenth of the median
// rate of its configuration.
func stalls(run *results.Run, r summary.Row, rates Series) (all []Mark) {
	window := run.Manifest.Workload.Window
	var usual []float64
	for i, x := range rates.X {
		if x > 0 && x < window.Seconds() {
			usual = append(usual, rates.Y[i])
		}
	}
	low := summary.Median(usual) / 10 // NaN without rates; no rate is below it
	for _, i := range run.Intervals {
		middle := i.Start + i.Length/2
		if i.Length >= time.Second/2 && r.Has(i) && middle > 0 && middle < window && perSecond(i) < low {
			all = append(all, Mark{fourDigits(middle.Seconds()), fmt.Sprintf("%s stalled, repetition %d", results.Plain(r.Name), i.Repetition)})
		}
	}
	return all
}

// events returns the longest disturbances of any trial by the machine, valid or not.
func events(run *results.Run) (all []Mark) {
	const limit = 6
	var found []results.Event
	for _, t := range run.Trials {
		invalid := ""
		if !t.Valid() {
			invalid = ", invalid"
		}
		for _, e := range t.Events {
			e.What = fmt.Sprintf("%s for %s ms: %s, repetition %d%s", results.Plain(e.What), metric.Number(metric.Milliseconds(e.Took)), results.Plain(t.ConfigurationName()), t.Repetition, invalid)
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b results.Event) int { return cmp.Compare(b.Took, a.Took) })
	for _, e := range found[:min(limit, len(found))] {
		all = append(all, Mark{fourDigits(e.At.Seconds()), e.What})
	}
	return all
}

// A span marks the window and the offered rates.
type span struct {
	window  float64
	offered []float64 // the lowest and the highest of any configuration
}

// Plot implements plot.Plotter.
func (s span) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.StrokeLine2(windowStyle, x(0), c.Min.Y, x(0), c.Max.Y)
	c.StrokeLine2(windowStyle, x(s.window), c.Min.Y, x(s.window), c.Max.Y)
	for _, rate := range s.offered {
		c.StrokeLine2(offeredStyle, c.Min.X, y(rate), c.Max.X, y(rate))
	}
}
