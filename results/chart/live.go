package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot/plotter"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// What is drawn here is drawn again, from data, where a reader may point at it.

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// figures is a number of four significant digits: a page has thousands of them.
func figures(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-3)
	return math.Round(x/unit) * unit
}

// series begins a case's series.
func (l look) series(r summary.Row, kind string) results.Series {
	s := results.Series{Case: r.Name, Transport: r.Transport, Kind: kind, Color: hex(l.color), X: []float64{}, Y: []float64{}} // JSON lists, where there is nothing, too
	for _, d := range l.dashes {
		s.Dash = append(s.Dash, float64(d))
	}
	return s
}

// drawn is a series of points.
func drawn(s results.Series, points plotter.XYs) results.Series {
	for _, xy := range points {
		s.X, s.Y = append(s.X, figures(xy.X)), append(s.Y, figures(xy.Y))
	}
	return s
}

// add appends one value with its range over the blocks, where it has a figure.
func add(s *results.Series, r summary.Row, x float64, metric string) {
	v := r.Value(metric)
	if v.Known != summary.Shown || math.IsNaN(v.X) {
		return
	}
	lo, hi := v.X, v.X
	if over, ok := r.Range(metric); ok && over.Hi.Known == summary.Shown {
		lo, hi = over.Lo.X, over.Hi.X
	}
	s.X, s.Y = append(s.X, x), append(s.Y, figures(v.X))
	s.Lo, s.Hi = append(s.Lo, figures(lo)), append(s.Hi, figures(hi))
}

// grouped is a panel of bars: a group a name, in it a bar a case. value adds what a case has
// in a group, at the place where its bar stands.
func grouped(title, y string, names []string, rows []summary.Row, value func(s *results.Series, r summary.Row, group int, x float64)) results.Panel {
	p := results.Panel{Title: title, Y: y, XScale: "names", YScale: "linear", Names: names, Series: []results.Series{}}
	each := 0.8 / float64(len(rows))
	for i, r := range rows {
		s := lookIn(rows, r).series(r, "bars")
		for group := range names {
			value(&s, r, group, float64(group)+each*(float64(i)-float64(len(rows)-1)/2))
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// byMetric is grouped where each group is a metric.
func byMetric(metrics ...string) func(*results.Series, summary.Row, int, float64) {
	return func(s *results.Series, r summary.Row, group int, x float64) { add(s, r, x, metrics[group]) }
}

func costPanels(rows []summary.Row) []results.Panel {
	var parts []string
	for _, k := range wireParts {
		parts = append(parts, k.name)
	}
	return []results.Panel{
		grouped("CPU", "µs a message", []string{"server", "generator", "both"}, rows,
			byMetric(metric.ServerCPUPerMessage, metric.GeneratorCPUPerMessage, metric.CPUPerMessage)),
		grouped("Bytes on the wire, both ways", "B a message, TCP/IP headers not counted", parts, rows,
			func(s *results.Series, r summary.Row, group int, x float64) {
				c, k := r.Pooled.Cost, wireParts[group]
				s.X = append(s.X, x)
				s.Y = append(s.Y, figures(float64(k.of(c.Wire.Up)+k.of(c.Wire.Down))/float64(c.Delivered)))
			}),
		grouped("HTTP requests", "requests a message, publishes included", []string{"requests"}, rows, byMetric(metric.RequestsPerMessage)),
	}
}

func memoryPanels(rows []summary.Row) []results.Panel {
	return []results.Panel{grouped("", "KiB a client, resident, all connected and nothing published yet", []string{"server", "generator (simulated clients)"},
		rows, byMetric(metric.ServerMemoryPerClient, metric.GeneratorMemoryPerClient))}
}

func connectPanels(rows []summary.Row) []results.Panel {
	var stages, names []string
	for _, stage := range results.Stages {
		if slices.ContainsFunc(rows, func(r summary.Row) bool { return r.Pooled.Connect.Stages[stage].Count() > 0 }) {
			stages, names = append(stages, stage), append(names, stageNames[stage])
		}
	}
	return []results.Panel{
		grouped("Time by stage, p50", "milliseconds", names, rows, func(s *results.Series, r summary.Row, group int, x float64) {
			v := summary.StageQuantile(r.Pooled, stages[group], 0.5)
			if v.Known != summary.Shown {
				return
			}
			lo, hi := v.X, v.X
			for _, t := range r.Trials {
				if one := summary.StageQuantile(t, stages[group], 0.5); one.Known == summary.Shown {
					lo, hi = min(lo, one.X), max(hi, one.X)
				}
			}
			s.X, s.Y = append(s.X, x), append(s.Y, figures(v.X))
			s.Lo, s.Hi = append(s.Lo, figures(lo)), append(s.Hi, figures(hi))
		}),
		grouped("Bytes", "B a client, until subscribed", []string{"up", "down"}, rows, byMetric(metric.ConnectBytesUp, metric.ConnectBytesDown)),
		grouped("Server CPU", "µs a client", []string{"user", "kernel"}, rows, byMetric(metric.ConnectServerUser, metric.ConnectServerSystem)),
	}
}

// percentilePanel is a distribution a case: the line, what is predicted, and at the named
// percentiles the range over the blocks.
func percentilePanel(x, y string, rows []summary.Row, curves []curve, at map[float64]string) results.Panel {
	p := results.Panel{X: x, Y: y, XScale: "percentile", YScale: "log"}
	for i, r := range rows {
		p.Series = append(p.Series, drawn(curves[i].look.series(r, "line"), curves[i].points))
		if len(curves[i].theory) > 0 {
			p.Series = append(p.Series, drawn(curves[i].look.series(r, "theory"), curves[i].theory))
		}
		named := curves[i].look.series(r, "points")
		for _, q := range []float64{0.5, 0.99, 0.999} {
			if metric := at[q]; metric != "" {
				add(&named, r, figures(1/(1-q)), metric)
			}
		}
		p.Series = append(p.Series, named)
	}
	return p
}

// timelinePanels are throughput and latency second by second, with what went wrong.
func timelinePanels(run *results.Run, rows []summary.Row) []results.Panel {
	const x = "seconds since the window opened"
	rates := results.Panel{Title: "Throughput", X: x, Y: "messages delivered a second, all clients together", XScale: "linear", YScale: "linear"}
	times := results.Panel{Title: "Latency p50, of what arrived in each second", X: x, Y: "ms (log scale)", XScale: "linear", YScale: "log"}
	for _, r := range rows {
		l := lookIn(rows, r)
		rates.Series = append(rates.Series, drawn(l.series(r, "line"), medianRates(run, r)))
		times.Series = append(times.Series, drawn(l.series(r, "line"), medianTimes(run, r)))
	}
	window := run.Manifest.Workload.Window.Seconds()
	rates.Marks = slices.Concat([]results.Mark{{X: 0, Text: "window opens"}, {X: window, Text: "closes"}}, stalls(run, rows), events(run))
	times.Marks = rates.Marks
	return []results.Panel{rates, times}
}

// stalls are the seconds of the window in which a trial delivered less than a tenth of what
// its case delivers in a second of the median: at most twelve of them.
func stalls(run *results.Run, rows []summary.Row) (all []results.Mark) {
	const most = 12
	for _, r := range rows {
		var usual []float64
		for _, xy := range medianRates(run, r) {
			if xy.X > 0 && xy.X < run.Manifest.Workload.Window.Seconds() {
				usual = append(usual, xy.Y)
			}
		}
		if len(usual) == 0 {
			continue
		}
		low := summary.Median(usual) / 10
		for _, i := range run.Intervals {
			middle := i.Start + i.Length/2
			if i.CaseName() == r.Name && i.Length >= time.Second/2 && ofValid(r, i) && middle > 0 && middle < run.Manifest.Workload.Window &&
				float64(i.Delivered)/i.Length.Seconds() < low && len(all) < most {
				all = append(all, results.Mark{X: figures(middle.Seconds()), Text: fmt.Sprintf("%s stands still, block %d", results.Plain(r.Name), i.Block)})
			}
		}
	}
	return all
}

// events are the longest of what the machine did to any trial, whatever became of it.
func events(run *results.Run) (all []results.Mark) {
	const most = 6
	type event struct {
		results.Event
		where string
	}
	var found []event
	for _, t := range run.Trials {
		where := fmt.Sprintf("%s, block %d", results.Plain(t.CaseName()), t.Block)
		if !t.Valid() {
			where += ", void"
		}
		for _, e := range t.Events {
			found = append(found, event{e, where})
		}
	}
	slices.SortStableFunc(found, func(a, b event) int { return cmp.Compare(b.Took, a.Took) })
	for _, e := range found[:min(most, len(found))] {
		all = append(all, results.Mark{X: figures(e.At.Seconds()), Text: fmt.Sprintf("%s for %s ms: %s", results.Plain(e.What), metric.Number(metric.Milliseconds(e.Took)), e.where)})
	}
	return all
}

// medianTimes are the medians of each second, the median over the row's trials.
func medianTimes(run *results.Run, r summary.Row) plotter.XYs {
	return medians(run, r, func(i results.Interval) (float64, bool) {
		return positive(metric.Milliseconds(i.Latency.Quantile(0.5))), i.Latency.Count() > 0
	})
}
