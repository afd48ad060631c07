package browser

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/report"
)

// recorder records the texts that a page draws in each canvas, with their positions.
const recorder = `{
	const p = CanvasRenderingContext2D.prototype, {fillText, clearRect} = p;
	p.clearRect = function (...a) { this.canvas.texts = []; return clearRect.apply(this, a); };
	p.fillText = function (text, x, y) {
		const m = this.getTransform();
		(this.canvas.texts ||= []).push({text, x: m.a * x + m.c * y + m.e, y: m.b * x + m.d * y + m.f, upright: m.b !== 0, width: m.a * this.measureText(text).width});
		return fillText.call(this, text, x, y);
	};
}`

// A drawnPanel is a panel as the page has drawn it.
type drawnPanel struct {
	Chart        string
	Data         [][]*float64 // of uPlot: the positions, then the values of each series
	X, Y         [2]float64   // bounds of the axes
	Left, Bottom float64      // of the plot, in pixels of the canvas
	Width        float64
	Height       float64
	Texts        []drawnText
}

type drawnText struct {
	Text    string
	X, Y    float64
	Width   float64
	Upright bool
}

const drawnPanels = `[...document.querySelectorAll('.frame')].map(f => {
	const u = f.plot, b = u.bbox, s = u.scales;
	return {
		chart: f.closest('figure').id, data: u.data.map(a => [...a].map(v => v === undefined ? null : v)),
		x: [s.x.min, s.x.max], y: [s.y.min, s.y.max], left: b.left, bottom: b.top + b.height, width: b.width, height: b.height,
		texts: u.ctx.canvas.texts,
	};
})`

// The page and the picture of every chart have the same data, bounds and labels, at the positions of the data.
func TestPictureAndPageShowTheSameNumbers(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	if _, err := chromedp.Call(b.Context, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: recorder}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, page := range everyChart(t) {
		b.do(t, chromedp.Navigate(written(t, page.write)))
		evaluate[bool](t, b, `document.querySelectorAll('details').forEach(d => { d.open = true; }) || true`)
		b.redrawn(t, page.name)
		if !evaluate[bool](t, b, `[...document.querySelectorAll('.frame')].every(f => f.tabIndex === 0 && f.getAttribute('role') && f.getAttribute('aria-label').length > 20)`) {
			t.Errorf("%s: a chart has no label for screen readers, or the keyboard does not reach it", page.name)
		}
		drawn := evaluate[[]drawnPanel](t, b, drawnPanels)
		for _, c := range page.charts {
			seen[c.Name] = true
			picture := parsePicture(t, c.SVG)
			for i, p := range c.Panels {
				at := slices.IndexFunc(drawn, func(d drawnPanel) bool { return d.Chart == c.Name })
				if at < 0 {
					t.Fatalf("%s: the page has no panel %d of %s", page.name, i, c.Name)
				}
				where := fmt.Sprintf("%s: %s %q", page.name, c.Name, p.Title)
				compareData(t, where, p, drawn[at])
				compareLabels(t, where, p, drawn[at], picture)
				drawn = slices.Delete(drawn, at, at+1)
			}
		}
		if len(drawn) > 0 {
			t.Errorf("%s: the page has %d panels that no chart has", page.name, len(drawn))
		}
		if len(page.charts) > 2 || page.name == "capacity" || page.name == "comparison" {
			b.looks(t, page.name)
		}
	}
	for _, name := range append(chart.Names(), "capacity", "compared") {
		if !seen[name] {
			t.Errorf("the chart %s is not compared", name)
		}
	}
	if problems := b.found(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
}

// looks keeps screenshots of each chart above its picture, light and dark, and checks that the page does not
// overflow a narrow window.
func (b *browser) looks(t *testing.T, name string) {
	t.Helper()
	evaluate[bool](t, b, `document.querySelectorAll('.picture').forEach(p => { p.style.display = 'block'; }) || document.documentElement.scrollHeight > 0`)
	b.keep(t, name+".png", chromedp.FullScreenshot(100))
	b.media(t, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	b.keep(t, name+"-dark.png", chromedp.FullScreenshot(100))
	b.media(t, emulation.SetEmulatedMediaParams{})
	b.do(t, chromedp.EmulateViewport(390, 800))
	if _, err := chromedp.Run(b.Context, chromedp.Poll[bool](`document.documentElement.scrollWidth <= 390`, chromedp.WithPollingTimeout(10*time.Second))); err != nil {
		t.Errorf("%s: %d pixels wide in a window of 390: %v", name, evaluate[int](t, b, `document.documentElement.scrollWidth`), err)
	}
	b.redrawn(t, name)
	drawn := evaluate[[]drawnPanel](t, b, drawnPanels)
	ticksAreApart(t, name, drawn)
	verticalTextHasRoom(t, name, drawn)
	b.do(t, chromedp.EmulateViewport(1200, 900))
}

// redrawn waits until the charts have the width of the page.
func (b *browser) redrawn(t *testing.T, page string) {
	t.Helper()
	if _, err := chromedp.Run(b.Context, chromedp.Poll[bool](`[...document.querySelectorAll('.frame')].every(f => f.plot.width === Math.max(260, f.clientWidth))`, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		t.Fatalf("%s: the charts do not get the width of the page: %v", page, err)
	}
}

// ticksAreApart checks that no two labels of a horizontal axis overlap.
func ticksAreApart(t *testing.T, page string, all []drawnPanel) {
	t.Helper()
	for _, d := range all {
		var ticks []drawnText // below the plot
		for _, text := range d.Texts {
			if text.Y > d.Bottom && !text.Upright && text.Text != "" {
				ticks = append(ticks, text)
			}
		}
		slices.SortFunc(ticks, func(a, b drawnText) int { return cmp.Compare(a.X, b.X) })
		for i := 1; i < len(ticks); i++ {
			if a, b := ticks[i-1], ticks[i]; a.Y == b.Y && a.X+a.Width/2 > b.X-b.Width/2 {
				t.Errorf("%s: %q and %q overlap on the horizontal axis of %s in a narrow window", page, a.Text, b.Text, d.Chart)
			}
		}
	}
}

// verticalTextHasRoom checks that no two vertical labels of values overlap, and that vertical names take no height
// from the plot.
func verticalTextHasRoom(t *testing.T, page string, all []drawnPanel) {
	t.Helper()
	for _, d := range all {
		if d.Height < 200 {
			t.Errorf("%s: a plot of %s is %.0f pixels high in a narrow window", page, d.Chart, d.Height)
		}
		var at []float64
		for _, text := range d.Texts {
			if text.Upright && text.Y < d.Bottom {
				at = append(at, text.X)
			}
		}
		slices.Sort(at)
		for i := 1; i < len(at); i++ {
			if at[i]-at[i-1] < 8 {
				t.Errorf("%s: vertical labels of %s are %.1f pixels apart in a narrow window", page, d.Chart, at[i]-at[i-1])
				break
			}
		}
	}
}

// compareData checks that uPlot holds the values of the panel, in the same bounds.
func compareData(t *testing.T, where string, p chart.Panel, d drawnPanel) {
	t.Helper()
	if d.X != [2]float64{p.X.Min, p.X.Max} || d.Y != [2]float64{p.Y.Min, p.Y.Max} {
		t.Errorf("%s: the bounds are %v and %v, want %v to %v and %v to %v", where, d.X, d.Y, p.X.Min, p.X.Max, p.Y.Min, p.Y.Max)
	}
	if len(d.Data) != len(p.Series)+1 {
		t.Fatalf("%s: uPlot has %d series, want %d", where, len(d.Data)-1, len(p.Series))
	}
	for i, s := range p.Series {
		want, got := map[float64]float64{}, map[float64]float64{}
		for k, x := range s.X {
			want[x] = s.Y[k]
		}
		for k, y := range d.Data[i+1] {
			if y != nil {
				got[*d.Data[0][k]] = *y
			}
		}
		if len(want) != len(s.X) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: uPlot holds %v for %s %s, want %v", where, got, s.Configuration, s.Kind, want)
		}
	}
}

// compareLabels checks that page and picture have each label of the panel at the position of its value, and
// that a line of the picture passes through its values.
func compareLabels(t *testing.T, where string, p chart.Panel, d drawnPanel, picture picture) {
	t.Helper()
	var want []label
	for _, s := range p.Series {
		if s.Kind == "line" && len(s.X) > 2 && !picture.hasLine(p, s) {
			t.Errorf("%s: no line of the picture passes through the %d values of %s", where, len(s.X), s.Configuration)
		}
		for i, text := range s.Labels {
			if text == "" {
				continue
			}
			top := s.Y[i]
			if len(s.From) > 0 {
				top += s.From[i]
			}
			if len(s.Hi) > 0 {
				top = max(top, s.Hi[i])
			}
			l := label{strings.Split(text, "\n"), p.X.Share(s.X[i]), s.Kind == "cells", s.Inside}
			want = append(want, l)
			if x, y := d.Left+d.Width*l.share, d.Bottom-d.Height*p.Y.Share(top); !slices.ContainsFunc(d.Texts, func(got drawnText) bool { return l.isAt(got, x, y) }) {
				t.Errorf("%s: the page has no label %q of %s at %.0f, %.0f: %v", where, text, s.Configuration, x, y, d.Texts)
			}
		}
	}
	if len(want) == 0 {
		return
	}
	for from := range picture.texts {
		if at, ok := labels(picture.texts[from:], want); ok && affine(at, 1.5) {
			return
		}
	}
	t.Errorf("%s: the picture has not the labels %v at their values", where, want)
}

// A label is a text that a panel shows at a share of the horizontal axis. One inside a bar is below its top, any
// other above its value. One in a cell is wrapped.
type label struct {
	lines          []string
	share          float64
	inCell, inside bool
}

// isAt reports whether the page has drawn the label's first line above a position, or anywhere in a cell.
func (l label) isAt(got drawnText, x, y float64) bool {
	if l.inCell {
		return strings.HasPrefix(l.lines[0], got.Text)
	}
	if l.inside {
		y += 20
	}
	return (got.Text == l.lines[0] || got.Text == strings.Join(l.lines, " ")) && math.Abs(got.X-x) < 8 && got.Y < y+1 && got.Y > y-40
}

// labels returns the positions of the labels in the texts of a picture, in the order of drawing. ok is false if
// the texts do not begin with the labels.
func labels(texts []drawnText, want []label) (at []point, ok bool) {
	for _, l := range want {
		lines := l.lines
		for i := 0; len(lines) > 0; i++ {
			switch {
			case len(texts) > 0 && (texts[0].Text == lines[0] || texts[0].Text == strings.Join(lines, " ")):
				if i == 0 && !texts[0].Upright && !l.inCell {
					at = append(at, point{l.share, texts[0].X})
				}
				if texts[0].Text != lines[0] {
					lines = lines[:1]
				}
				lines, texts = lines[1:], texts[1:]
			case len(texts) > 0 && l.inCell && strings.HasPrefix(lines[0], texts[0].Text+" "):
				lines = append([]string{strings.TrimPrefix(lines[0], texts[0].Text+" ")}, lines[1:]...)
				texts = texts[1:]
			default:
				return nil, false
			}
		}
	}
	return at, true
}

// A point is the share of an axis and the position in a drawing.
type point struct{ share, at float64 }

// affine reports whether the positions are proportional to the shares, within a tolerance.
func affine(all []point, tolerance float64) bool {
	if len(all) < 3 {
		return true
	}
	by := func(a, b point) int { return int(math.Copysign(1, a.share-b.share)) }
	first, last := slices.MinFunc(all, by), slices.MaxFunc(all, by)
	if first.share == last.share {
		return true
	}
	for _, p := range all {
		want := first.at + (p.share-first.share)*(last.at-first.at)/(last.share-first.share)
		if math.Abs(p.at-want) > tolerance {
			return false
		}
	}
	return true
}

// A picture has the texts and the polylines of an SVG chart, in points.
type picture struct {
	texts []drawnText // positions are those of their middle
	lines [][][2]float64
}

var (
	svgText  = regexp.MustCompile(`<text textLength="([0-9.]+)"[^>]* x="([-0-9.]+)" y="([-0-9.]+)" (transform="scale\(1, -1\)")?[^>]*>([^<]*)</text>|<g transform="rotate\(([0-9]+)\)|</g>`)
	svgPath  = regexp.MustCompile(`<path d="M([-0-9.,Le]+)" fill="none"`)
	newLines = strings.NewReplacer("\n", " ", "\t", " ")
)

func parsePicture(t *testing.T, svg []byte) (p picture) {
	t.Helper()
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	text := newLines.Replace(string(svg))
	upright := false
	for _, m := range svgText.FindAllStringSubmatch(text, -1) {
		switch {
		case m[6] != "":
			upright = m[6] != "0"
		case m[5] == "":
			upright = false
		default:
			p.texts = append(p.texts, drawnText{html.UnescapeString(m[5]), number(m[2]) + number(m[1])/2, -number(m[3]), number(m[1]), upright})
		}
	}
	for _, m := range svgPath.FindAllStringSubmatch(text, -1) {
		var line [][2]float64
		for _, pair := range strings.Split(m[1], "L") {
			x, y, _ := strings.Cut(pair, ",")
			line = append(line, [2]float64{number(x), number(y)})
		}
		p.lines = append(p.lines, line)
	}
	return p
}

// hasLine reports whether a polyline passes through the values of a series.
func (p picture) hasLine(panel chart.Panel, s chart.Series) bool {
	return slices.ContainsFunc(p.lines, func(line [][2]float64) bool {
		if len(line) != len(s.X) {
			return false
		}
		var xs, ys []point
		for i, at := range line {
			xs, ys = append(xs, point{panel.X.Share(s.X[i]), at[0]}), append(ys, point{panel.Y.Share(s.Y[i]), at[1]})
		}
		return affine(xs, 0.2) && affine(ys, 0.2)
	})
}

// A drawnPage is a page with its charts.
type drawnPage struct {
	name   string
	charts []chart.Chart
	write  func(io.Writer) error
}

// everyChart returns pages that have every chart: of the committed run, and of runs made from it, in which
// each axis is swept.
func everyChart(t *testing.T) (all []drawnPage) {
	t.Helper()
	for _, one := range []struct {
		name  string
		only  []string
		sweep func(int, *results.Configuration) string
	}{
		{"plain", nil, nil},
		{"delays", nil, func(i int, c *results.Configuration) string {
			c.BatchingDelay = []time.Duration{0, 2 * time.Millisecond, 10 * time.Millisecond}[i]
			return "batching_delay=" + c.BatchingDelay.String()
		}},
		{"distances", []string{"distance"}, func(i int, c *results.Configuration) string {
			c.RTT = time.Duration(40*i) * time.Millisecond
			return "rtt=" + c.RTT.String()
		}},
		{"loads", []string{"by-rate"}, func(i int, c *results.Configuration) string {
			c.PublishRate, c.DeliveryRate = float64(int(50)<<i), 1000*float64(int(1)<<i)
			return fmt.Sprintf("rate=%g", c.PublishRate)
		}},
		{"crowds", []string{"by-clients"}, func(i int, c *results.Configuration) string {
			c.Clients = 10 << (3 * i)
			return fmt.Sprintf("clients=%d", c.Clients)
		}},
		{"payloads", []string{"by-payload"}, func(i int, c *results.Configuration) string {
			c.PayloadBytes = float64(128 + 100*i)
			return fmt.Sprintf("payload=%gB", c.PayloadBytes)
		}},
		{"intervals", []string{"by-interval", "crossover"}, func(i int, c *results.Configuration) string {
			if c.Transport != "shortpoll" {
				return ""
			}
			c.Interval = time.Second << i
			return "interval=" + c.Interval.String()
		}},
	} {
		run, err := results.Open(chat)
		if err != nil {
			t.Fatal(err)
		}
		const enough = 4 // repetitions: a page with all of them takes minutes
		run.Trials = slices.DeleteFunc(run.Trials, func(t results.Trial) bool { return t.Repetition > enough })
		run.Intervals = slices.DeleteFunc(run.Intervals, func(i results.Interval) bool { return i.Repetition > enough })
		if one.sweep != nil {
			multiply(run, one.sweep)
		}
		for i := range min(4, len(run.Trials)) {
			run.Trials[i].Events = []results.Event{{At: 2 * time.Second, Took: time.Duration(20-i) * time.Millisecond, What: "core 0 stalled"}, {At: 2100 * time.Millisecond, Took: 9 * time.Millisecond, What: "core 1 stalled"}}
		}
		r := report.New(run)
		charts, err := chart.Draw(run, r.Summary, r.Badge(), one.only...)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, drawnPage{one.name, charts, func(w io.Writer) error { return r.Document().HTML(w, charts) }})
	}
	return append(all, searched(t), comparedPage(t))
}

// multiply replaces each configuration of a run by three, whose costs and latencies differ.
func multiply(run *results.Run, of func(int, *results.Configuration) string) {
	m := &run.Manifest
	var configurations []results.Configuration
	var trials []results.Trial
	var intervals []results.Interval
	for _, c := range m.AllConfigurations() {
		for i := range 3 {
			one := c
			if added := of(i, &one); added != "" {
				one.Name += " " + added
			} else if i > 0 {
				continue
			}
			configurations = append(configurations, one)
			for _, trial := range run.Trials {
				if trial.ConfigurationName() == c.Name {
					trial.Configuration, trial.BatchingDelay = one.Name, one.BatchingDelay
					trial.Cost.Server.CPU += time.Duration(i) * trial.Cost.Server.CPU / 3
					trials = append(trials, trial)
				}
			}
			for _, interval := range run.Intervals {
				if interval.ConfigurationName() == c.Name {
					interval.Configuration = one.Name
					intervals = append(intervals, interval)
				}
			}
		}
	}
	m.Configurations, run.Trials, run.Intervals = configurations, trials, intervals
}

// searched is the page of a capacity search, with a limit as long as one can be.
func searched(t *testing.T) drawnPage {
	t.Helper()
	found := results.Capacity{
		Schema: results.Schema, Scenario: "chat", Axis: "rate", Within: 0.05, Host: results.Host{CPUModel: "Example CPU", Cores: 2},
		Limit: []string{"p(99)<200ms", "lost==0", "server_cpu_per_message<40us", "server_memory_per_client<64", "age_p(99.9)<1200ms"},
	}
	for i, transport := range []string{"shortpoll", "longpoll", "sse", "httpstream", "websocket"} {
		h := results.Highest{Transport: transport, Load: float64(800 + 130*i), Beyond: 2000, Confirmed: 3}
		for k := range 4 {
			h.Probes = append(h.Probes, results.Probe{Load: float64(100*(k+1) + 20*i), P50: 1, P99: float64((k + 1) * (k + i + 1)), Held: true})
		}
		found.Found = append(found.Found, h)
	}
	c, err := chart.Capacity(found)
	if err != nil {
		t.Fatal(err)
	}
	charts := []chart.Chart{c}
	return drawnPage{"capacity", charts, func(w io.Writer) error { return report.Capacity{Capacity: found}.Document().HTML(w, charts) }}
}

// comparedPage is the page of a comparison of a run with a slower one.
func comparedPage(t *testing.T) drawnPage {
	t.Helper()
	var runs [2]*results.Run
	for i := range runs {
		run, err := results.Open(chat)
		if err != nil {
			t.Fatal(err)
		}
		runs[i] = run
	}
	for i := range runs[1].Trials {
		cost := &runs[1].Trials[i].Cost
		cost.Server.CPU += cost.Server.CPU / 4
	}
	comparison, err := report.Compare(runs[0], runs[1])
	if err != nil {
		t.Fatal(err)
	}
	c, err := chart.Compared(runs[0], runs[1], comparison.Analysis, comparison.Document().Badge)
	if err != nil {
		t.Fatal(err)
	}
	charts := []chart.Chart{c}
	return drawnPage{"comparison", charts, func(w io.Writer) error { return comparison.Document().HTML(w, charts) }}
}
