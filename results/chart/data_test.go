package chart

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/price"
	"pushbench/results/summary"
)

// chartOf returns a complete chart of a run.
func chartOf(run *results.Run, of func(*results.Run, summary.Summary) Chart) Chart {
	return of(run, summary.Of(run)).complete()
}

// Only the renderer draws: no other file imports the library for it.
func TestChartsAreData(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		renders := slices.Contains([]string{"picture.go", "panel.go", "svg.go", "data_test.go"}, name)
		if !renders && strings.Contains(string(source), "gonum.org") {
			t.Errorf("%s draws", name)
		}
	}
}

// valueOf returns the value of a series at a position.
func valueOf(t *testing.T, p Panel, configuration, part, kind string) (y float64, s Series) {
	t.Helper()
	i := slices.IndexFunc(p.Series, func(s Series) bool {
		return s.Configuration == configuration && s.Part == part && s.Kind == kind
	})
	if i < 0 {
		t.Fatalf("%q has no %s of %s %s", p.Title, kind, configuration, part)
	}
	return p.Series[i].Y[0], p.Series[i]
}

// Bars show what the table shows: medians of the repetitions. Stacked parts stand on each other, in proportion
// to their medians.
func TestCostIsThatOfTheTable(t *testing.T) {
	run := synthetic.Run(4, time.Second)
	run.Trials[0].Cost.Server.CPU *= 10 // the pool would differ from the median
	c, rows := chartOf(run, cost), summary.Of(run).Rows
	for _, r := range rows {
		server, bar := valueOf(t, c.Panels[0], r.Name, "server", bars)
		generator, upper := valueOf(t, c.Panels[0], r.Name, "generator", bars)
		total, sum := valueOf(t, c.Panels[0], r.Name, "total", points)
		if bar.From[0] != 0 || upper.From[0] != server {
			t.Errorf("%s: the bars are %v from %v and %v from %v", r.Name, server, bar.From, generator, upper.From)
		}
		if want := r.Typical(metric.GeneratorCPUPerMessage).X / r.Typical(metric.ServerCPUPerMessage).X; math.Abs(generator/server/want-1) > 0.002 {
			t.Errorf("%s: the generator's bar is %v of the server's, want %v", r.Name, generator/server, want)
		}
		if v := r.Typical(metric.CPUPerMessage); total != fourDigits(v.X) || sum.Labels[0] != v.String() || !(sum.Lo[0] <= total && total <= sum.Hi[0]) {
			t.Errorf("%s: the total is %v, %q from %v to %v, want %v", r.Name, total, sum.Labels, sum.Lo, sum.Hi, v)
		}
	}
	if keys := c.Keys; keys[0].Kind != "" || len(keys) != 1+len(layers) {
		t.Errorf("the legend is %v", keys)
	}
}

// The height of each bar, stack and part is the value of its label, although the median of totals differs from
// the sum of medians.
func TestLabelsAreTheHeightsOfTheirBars(t *testing.T) {
	run := synthetic.Run(3, time.Second)
	for i := range run.Trials {
		c := &run.Trials[i].Cost
		c.Server.CPU, c.Generator.CPU = c.Server.CPU*time.Duration(1+i%3), c.Generator.CPU*time.Duration(1+i*i%7)
		c.Wire.Down.Framing *= int64(1 + i*i%5)
		c.Wire.Down.Headers *= int64(1 + i%4)
		run.Trials[i].Connect.Server.CPU *= time.Duration(1 + i%3)
		run.Trials[i].Connect.Server.User *= time.Duration(1 + i*i%7)
	}
	labelled := 0
	for _, of := range []func(*results.Run, summary.Summary) Chart{cost, writes, memory, connect} {
		for _, p := range chartOf(run, of).Panels {
			tops := map[float64]float64{} // by position
			for _, s := range p.Series {
				top := s.Y[0]
				if len(s.From) > 0 {
					top += s.From[0]
				}
				if s.Kind == bars {
					tops[s.X[0]] = max(tops[s.X[0]], top)
				}
				if s.Kind != bars && s.Part != "total" || len(s.Labels) == 0 {
					continue
				}
				labelled++
				number, _, _ := strings.Cut(s.Labels[0], "\n")
				height := s.Y[0]
				if s.Part == "total" {
					height = tops[s.X[0]]
				}
				want, err := strconv.ParseFloat(strings.NewReplacer(",", "", " %", "").Replace(number), 64)
				if strings.HasSuffix(number, "%") {
					want /= 100
				}
				if err != nil || math.Abs(height-want) > max(0.006*want, 0.0005) {
					t.Errorf("%s: %s %s is labelled %q, its height is %v", p.Title, s.Configuration, s.Part, number, height)
				}
			}
		}
	}
	if labelled < 50 {
		t.Errorf("only %d labels", labelled)
	}
}

// A part too low or too narrow for its label has none. The page and the picture show all other labels.
func TestSmallPartsHaveNoLabel(t *testing.T) {
	part := func(from, height, width float64) Series {
		return Series{Kind: bars, Inside: true, X: []float64{0}, From: []float64{from}, Y: []float64{height}, Width: width, Labels: []string{"12.3"}}
	}
	of := func(width float64) Panel {
		return Panel{X: Axis{Scale: named, Names: []string{"sse"}}, Y: Axis{Scale: linear}, Series: []Series{part(0, 90, width), part(90, 5, width), part(95, 20, width)}}
	}
	c := Chart{Panels: []Panel{of(0.6), of(0.01)}}.complete()
	for i, want := range []int{1, 0, 1, 0, 0, 0} {
		if got := c.Panels[i/3].Series[i%3].Labels; len(got) != want {
			t.Errorf("part %d of panel %d has the labels %q", i%3, i/3, got)
		}
	}
}

// The label of a stage has the p99 and the p50, which is often too low for a label of its own.
func TestStagesHaveBothPercentiles(t *testing.T) {
	var h results.Histogram
	h.RecordMany(time.Millisecond, 1900)
	h.RecordMany(20*time.Millisecond, 100)
	one := results.Trial{Connect: results.Connect{Clients: 2000, Stages: map[string]results.Histogram{"tcp": h}}}
	all := stageBars(plain, summary.Row{Trials: []results.Trial{one}, Pooled: one}, "tcp", 0, 0.5)
	if len(all) != 2 || all[0].Labels[0] != "20\n1.00" || len(all[1].Labels) != 0 {
		t.Errorf("%+v", all)
	}
}

// Both panels of memory have one scale, so that their bars are comparable.
func TestMemoryHasOneScale(t *testing.T) {
	c := chartOf(synthetic.Run(2, time.Second), memory)
	if len(c.Panels) != 2 || c.Panels[0].Y.Max != c.Panels[1].Y.Max || !slices.Equal(c.Panels[0].Y.Ticks, c.Panels[1].Y.Ticks) {
		t.Errorf("%+v", c.Panels)
	}
}

// No two bars of a group share a position, for any number of configurations.
func TestBarsNeverCoverEachOther(t *testing.T) {
	run := synthetic.Sweep(1, time.Second, []string{"nethttp", "fasthttp"}, []time.Duration{0, time.Millisecond, 5 * time.Millisecond})
	for _, of := range []func(*results.Run, summary.Summary) Chart{cost, writes, memory, connect} {
		for _, p := range chartOf(run, of).Panels {
			type span struct {
				from, to      float64
				configuration string
			}
			var all []span
			for _, s := range p.Series {
				if s.Kind == bars {
					all = append(all, span{s.X[0] - s.Width/2, s.X[0] + s.Width/2, s.Configuration})
				}
			}
			slices.SortFunc(all, func(a, b span) int { return int(math.Copysign(1, a.from-b.from)) })
			for i := 1; i < len(all); i++ {
				if all[i].configuration != all[i-1].configuration && all[i].from < all[i-1].to {
					t.Errorf("%s: the bars of %s and %s overlap", p.Title, all[i-1].configuration, all[i].configuration)
				}
			}
			if last := all[len(all)-1]; all[0].from < p.X.Min || last.to > p.X.Max {
				t.Errorf("%s: bars from %v to %v exceed the axis from %v to %v", p.Title, all[0].from, last.to, p.X.Min, p.X.Max)
			}
		}
	}
}

func TestWritesHasNoPanelWithoutPolls(t *testing.T) {
	run := synthetic.Run(1, time.Second)
	for i := range run.Trials {
		run.Trials[i].Cost.Wire.Polls, run.Trials[i].Cost.Wire.EmptyResponses = 0, 0
	}
	if c := chartOf(run, writes); len(c.Panels) != 1 || c.Panels[0].Title != "Messages per write" {
		t.Errorf("%d panels", len(c.Panels))
	}
}

// Markers of the percentiles are the medians of the table; markers at one percentile have different shifts.
func TestPercentilesAreThoseOfTheTable(t *testing.T) {
	run := synthetic.Run(4, 10*time.Second)
	for _, d := range []distribution{latency, age} {
		c := chartOf(run, d.of)
		var shifts []float64
		for _, r := range summary.Of(run).Rows {
			_, s := valueOf(t, c.Panels[0], r.Name, "", points)
			i := slices.Index(s.X, 100)
			name := metric.P99
			if d.name == "age" {
				name = metric.AgeP99
			}
			v := r.Typical(name)
			if v.Known != summary.Shown {
				continue
			}
			if s.Y[i] != fourDigits(v.X) {
				t.Errorf("%s of %s is %v, want %v", name, r.Name, s.Y[i], v)
			}
			shifts = append(shifts, s.Shift)
		}
		slices.Sort(shifts)
		if len(shifts) < 3 || len(slices.Compact(shifts)) != len(shifts) {
			t.Errorf("%s: shifts %v", d.name, shifts)
		}
	}
}

// The rest of the window, shorter than the other intervals, is left out: its rate is noise.
func TestTimelineLeavesOutASliver(t *testing.T) {
	run := synthetic.Run(1, 3*time.Second)
	for _, r := range run.Manifest.Transports {
		run.Intervals = append(run.Intervals, results.Interval{Repetition: 1, Transport: r, Start: 3 * time.Second, Length: 30 * time.Millisecond, Delivered: 900})
	}
	c := chartOf(run, timeline)
	if len(c.Panels) != 2 || len(c.Panels[0].Guides) != 4 {
		t.Fatalf("%+v", c.Panels)
	}
	for _, s := range c.Panels[0].Series {
		if slices.ContainsFunc(s.X, func(x float64) bool { return x > 3 && x < 3.05 }) || slices.Max(s.Y) > 10_000 {
			t.Errorf("%s has %v at %v", s.Configuration, s.Y, s.X)
		}
	}
}

// The markers of equal lines are at different points.
func TestMarkersOfEqualLinesRemainVisible(t *testing.T) {
	over := Series{Kind: line, X: []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, Y: make([]float64, 10)}
	if a, b := marked(over, 0), marked(over, 1); slices.Contains(a.X, b.X[0]) || slices.Contains(b.X, a.X[0]) {
		t.Errorf("markers at %v and %v", a.X, b.X)
	}
}

// Events near each other share a label, and the chart lists them all.
func TestTimelineListsEvents(t *testing.T) {
	run := synthetic.Run(1, 2*time.Second)
	run.Trials[0].Events = []results.Event{{At: time.Second, Took: 9 * time.Millisecond, What: "core 0 stalled"}, {At: time.Second, Took: 8 * time.Millisecond, What: "core 1 stalled"}}
	c := chartOf(run, timeline)
	c.Basis = "basis"
	svg, err := c.vector()
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{">1–2<", "1: core 0 stalled for 9 ms", "2: core 1 stalled for 8 ms"} {
		if !strings.Contains(string(svg), words) {
			t.Errorf("the picture does not contain %q", words)
		}
	}
}

// A configuration is on the front if no other is at most as expensive and at most as slow.
func TestParetoFront(t *testing.T) {
	at := func(name string, x, y float64) Series {
		return Series{Configuration: name, Kind: points, X: []float64{x}, Y: []float64{y}}
	}
	all := []Series{at("fast", 9, 1), at("cheap", 1, 9), at("between", 4, 4), at("dominated", 5, 5), at("as cheap, slower", 1, 10), at("as fast, dearer", 10, 1)}
	best := front(all)
	if want := []float64{1, 4, 9}; !slices.Equal(best.X, want) {
		t.Errorf("the front is at %v, want %v", best.X, want)
	}
	if names := frontNames(all, best); !slices.Equal(names, []string{"cheap", "between", "fast"}) {
		t.Errorf("the front has %q", names)
	}
}

// pareto has the price and the p99 of the table, with their ranges; the age if only the latest message counts.
func TestParetoIsThatOfTheTable(t *testing.T) {
	run := synthetic.Run(4, 30*time.Second)
	prices := price.Default()
	prices.Currency = "CHF"
	run.Manifest.Prices = prices
	for delivery, name := range map[string]string{"every": metric.P99, "latest": metric.AgeP99} {
		run.Manifest.Workload.Delivery = delivery
		c := chartOf(run, pareto)
		if len(c.Panels) != 1 {
			t.Fatalf("%s: %d panels", delivery, len(c.Panels))
		}
		for _, r := range summary.Of(run).Rows {
			y, s := valueOf(t, c.Panels[0], r.Name, "", points)
			cost := r.Typical(metric.Price)
			if s.X[0] != fourDigits(cost.X) || y != fourDigits(r.Typical(name).X) || !(s.XLo[0] <= s.X[0] && s.X[0] <= s.XHi[0]) || !(s.Lo[0] <= y && y <= s.Hi[0]) {
				t.Errorf("%s: %s is at %v (%v–%v), %v (%v–%v); want %v, %v", delivery, r.Name, s.X, s.XLo, s.XHi, y, s.Lo, s.Hi, cost, r.Typical(name))
			}
		}
		if !strings.Contains(c.Panels[0].X.Title, "CHF") || !strings.Contains(c.Alt, "On the front: ") {
			t.Errorf("%s: %q, %q", delivery, c.Panels[0].X.Title, c.Alt)
		}
	}
}

// Configurations under different loads have no front.
func TestParetoComparesEqualLoads(t *testing.T) {
	for name, differ := range map[string]func(*results.Configuration){
		"none":    func(*results.Configuration) {},
		"clients": func(c *results.Configuration) { c.Clients = 99 },
		"rate":    func(c *results.Configuration) { c.PublishRate = 99 },
		"payload": func(c *results.Configuration) { c.PayloadBytes = 99 },
	} {
		run := synthetic.Run(4, 30*time.Second)
		run.Manifest.Configurations = run.Manifest.AllConfigurations()
		differ(&run.Manifest.Configurations[1])
		if c := chartOf(run, pareto); len(c.Panels) > 0 != (name == "none") {
			t.Errorf("%s: %d panels", name, len(c.Panels))
		}
	}
	one, two := synthetic.Run(4, 30*time.Second), synthetic.Run(4, 30*time.Second)
	two.Manifest.Workload.DeliveryRate *= 2
	if together, s, _ := merge([]*results.Run{one, two}); len(pareto(together, s).Panels) > 0 {
		t.Error("the front of two runs under different loads is drawn")
	}
}

// A chart names each configuration that it lacks.
func TestChartsNameWhatTheyLack(t *testing.T) {
	run := synthetic.Run(4, 10*time.Second)
	for i := range run.Trials {
		if one := &run.Trials[i]; one.Transport == "longpoll" {
			one.Latency = results.Latency{Infinite: one.Ledger.Expected, Independent: one.Latency.Independent}
			one.Cost.Delivered = 0
		}
	}
	names := map[string]bool{}
	for _, c := range charts(run, summary.Of(run), "basis", "ESTIMATE") {
		names[c.Name] = strings.HasPrefix(c.Basis, "not shown (") && strings.HasSuffix(c.Basis, "longpoll · basis")
		if !names[c.Name] && c.Basis != "basis" {
			t.Errorf("%s: %q", c.Name, c.Basis)
		}
	}
	for _, name := range []string{"latency", "pareto", "cost", "writes"} {
		if !names[name] {
			t.Errorf("%s does not name longpoll", name)
		}
	}
	if names["connect"] || names["timeline"] {
		t.Errorf("%v", names)
	}
}

// A cell of the map has a colour per cheapest transport; a border separates polling from pushing.
func TestCrossoverIsAMapOfCells(t *testing.T) {
	poll := summary.Row{Configuration: results.Configuration{Name: "shortpoll", Transport: "shortpoll"}, Trials: make([]results.Trial, 1)}
	push, other := poll, poll
	push.Name, push.Transport, other.Name, other.Transport = "websocket", "websocket", "sse", "sse"
	m := compare.CostMap{Cost: metric.CPUPerMessage}
	tie := boxes(m, compare.Cell{Eligible: []summary.Row{push, other}, Cheapest: 2}, 3, 0)
	if len(tie) != 2 || tie[0].X[0] != 2.75 || tie[1].X[0] != 3.25 || tie[0].Width != 0.5 || !strings.HasPrefix(tie[0].Labels[0], "websocket ≈ sse\n") || tie[1].Labels[0] != "" {
		t.Errorf("a tie is %+v", tie)
	}
	if none := boxes(m, compare.Cell{Measured: true}, 0, 0); len(none) != 1 || none[0].Color != "" || none[0].Labels[0] != "no transport meets the limit" {
		t.Errorf("an empty cell is %+v", none)
	}
	cell := func(r summary.Row) compare.Cell { return compare.Cell{Eligible: []summary.Row{r}, Cheapest: 1} }
	got := borders([][]compare.Cell{{cell(push), cell(poll)}, {cell(push), cell(push)}})
	if len(got) != 2 || !slices.Equal(got[0].X, []float64{0.5, 0.5}) || !slices.Equal(got[1].Y, []float64{0.5, 0.5}) {
		t.Errorf("borders %+v", got)
	}
}

// Differences without an interval, and those that are none, are shown as such.
func TestComparedShowsWhatIsKnown(t *testing.T) {
	run := synthetic.Run(1, time.Second)
	a := compare.Analysis{Declared: results.Declared{Margin: 0.05}, Family: []compare.Difference{
		{Metric: metric.P50, Names: [2]string{"sse (A)", "sse (B)"}, Ratio: 1.5, Lo: 1.4, Hi: 1.6, Verdict: compare.Different},
		{Metric: metric.P50, Names: [2]string{"websocket (A)", "websocket (B)"}, Ratio: 0.9, Hi: math.Inf(1)},
		{Metric: metric.P50, Names: [2]string{"longpoll (A)", "longpoll (B)"}, Ratio: math.NaN(), Verdict: compare.Incomparable},
		{Metric: metric.P99, Names: [2]string{"longpoll (A)", "longpoll (B)"}, Ratio: math.NaN(), Verdict: compare.Incomparable},
	}}
	c := compared(run, run, a, "INCONCLUSIVE").complete()
	if c.Mark != "INCONCLUSIVE" {
		t.Errorf("the mark is %q, and the badge is INCONCLUSIVE", c.Mark)
	}
	if len(c.Panels) != 2 {
		t.Fatalf("%d panels, want 2", len(c.Panels))
	}
	var labels []string
	for _, s := range c.Panels[0].Series {
		labels = append(labels, s.Labels...)
	}
	if want := []string{"1.50\n1.40–1.60", "0.900", "not comparable"}; !slices.Equal(labels, want) {
		t.Errorf("labels %q, want %q", labels, want)
	}
	if y := c.Panels[0].Y; y.Min > 0.9 || y.Max < 1.6 || y.Max > 2.5 {
		t.Errorf("the axis is from %v to %v", y.Min, y.Max)
	}
	if _, err := c.vector(); err != nil {
		t.Error(err)
	}
}

// Ratios near 1 show on which side they are, as in the table.
func TestComparedRoundsAsTheTable(t *testing.T) {
	for x, want := range map[float64]string{0.9976: "0.998", 1.0231: "1.023", 1.5: "1.50", 0.0412: "0.041"} {
		if got := times(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

// The mark of several runs has the states that restrict them, and a verdict only if all have one.
func TestMarksOfSeveralRuns(t *testing.T) {
	for want, badges := range map[string][]string{
		"": {"VERDICT", "VERDICT"}, "ESTIMATE": {"VERDICT", "ESTIMATE", "ESTIMATE"}, "ESTIMATE, INVALID": {"INVALID", "ESTIMATE"},
	} {
		if got := marks(badges); got != want {
			t.Errorf("%q: %q, want %q", badges, got, want)
		}
	}
}

// Runs with different windows have only their start in common.
func TestTimelineOfSeveralWindows(t *testing.T) {
	short, long := synthetic.Run(1, 2*time.Second), synthetic.Run(1, 4*time.Second)
	for want, runs := range map[string][]*results.Run{"start of the window": {short, long}, "start and end of the window": {short, short}} {
		run, sum, _ := merge(runs)
		c := timeline(run, sum)
		if got := c.Keys[len(c.Keys)-1].Name; got != want {
			t.Errorf("the key is %q, want %q", got, want)
		}
	}
}
