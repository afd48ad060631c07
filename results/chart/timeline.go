package chart

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// timeline has the deliveries per second and the latency over a trial, as medians of the repetitions, with the
// disturbances.
func timeline(run *results.Run, s summary.Summary) Chart {
	lowest, offered := run.Manifest.Deliveries()
	window := run.Manifest.Workload.Window.Seconds()
	x := Axis{Title: "seconds since the start of the window", Scale: linear, Max: window}
	rates := Panel{Title: "Throughput", X: x, Y: Axis{Title: "deliveries per second, all clients", Scale: linear}}
	times := Panel{Title: "Latency p50 of the messages delivered in each second", X: x, Y: Axis{Title: "ms (log scale)", Scale: logarithmic}}
	var with []summary.Row
	var stalled []Event
	for _, r := range s.Rows {
		look := lookIn(s.Rows, r)
		rate, median := seriesOf(r, line, look), seriesOf(r, line, look)
		overTrial(&rate, run, r, func(i results.Interval) (float64, bool) { return perSecond(i), true })
		if len(rate.X) == 0 {
			continue
		}
		overTrial(&median, run, r, func(i results.Interval) (float64, bool) {
			return positive(metric.Milliseconds(i.Latency.Quantile(0.5))), i.Latency.Count() > 0
		})
		rates.Series = append(rates.Series, rate, marked(rate, len(with)))
		times.Series = append(times.Series, median, marked(median, len(with)))
		with = append(with, r)
		x.Min, x.Max = min(x.Min, slices.Min(rate.X)), max(x.Max, slices.Max(rate.X))
		stalled = append(stalled, stalls(run, r, rate)...)
	}
	if offered <= 0 {
		return Chart{}
	}
	room := (x.Max - x.Min) / 50 // for markers
	x.Min, x.Max = x.Min-room, x.Max+room
	rates.X, times.X = x, x
	edges, edge := []Guide{{X: []float64{0, 0}, Kind: solid}}, "start of the window"
	if window > 0 {
		edges, edge = append(edges, Guide{X: []float64{window, window}, Kind: solid}), "start and end of the window"
	}
	rates.Guides = append(slices.Clone(edges), Guide{Y: []float64{lowest, lowest}, Kind: dotted}, Guide{Y: []float64{offered, offered}, Kind: dotted})
	times.Guides = edges
	c := Chart{Title: "Deliveries over a trial, median of the repetitions", Panels: []Panel{rates, times}}
	c.Events = append(stalled[:min(len(stalled), 6)], events(run)...)
	slices.SortStableFunc(c.Events, func(a, b Event) int { return cmp.Compare(a.X, b.X) })
	c.Keys = append(rowKeys(s.Rows, with, line), Key{"offered", dotted, plain}, Key{edge, solid, plain})
	c.Alt = fmt.Sprintf("Deliveries per second since the start of the window, with %s per second offered.", metric.Number(offered))
	return c
}

// marked returns the markers of about twelve points of the line with index i. Lines have theirs at different
// points, so that markers of equal lines remain visible.
func marked(over Series, i int) Series {
	s := over
	s.Kind, s.Dash, s.X, s.Y = points, nil, nil, nil
	n := max(5, int(math.Ceil(float64(len(over.X))/12)))
	for k := (n/2 + i) % n; k < len(over.X); k += n {
		s.X, s.Y = append(s.X, over.X[k]), append(s.Y, over.Y[k])
	}
	return s
}

func perSecond(i results.Interval) float64 { return float64(i.Delivered) / i.Length.Seconds() }

// overTrial adds a value per interval, at its middle: the median over the trials of the row. It leaves out an
// interval shorter than half of the usual length, such as the rest of the window: its rate is noise.
func overTrial(s *Series, run *results.Run, r summary.Row, of func(results.Interval) (float64, bool)) {
	byTime := map[time.Duration][]float64{}
	var usual time.Duration
	for _, i := range run.Intervals {
		usual = max(usual, i.Length)
	}
	for _, i := range run.Intervals {
		if i.Length <= 0 || 2*i.Length < usual || !r.Has(i) {
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
func stalls(run *results.Run, r summary.Row, rates Series) (all []Event) {
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
			all = append(all, Event{fourDigits(middle.Seconds()), fmt.Sprintf("%s stalled, repetition %d", results.Plain(r.Label()), i.Repetition)})
		}
	}
	return all
}

// events returns the longest disturbances of any trial by the machine, valid or not.
func events(run *results.Run) (all []Event) {
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
		all = append(all, Event{fourDigits(e.At.Seconds()), e.What})
	}
	return all
}
