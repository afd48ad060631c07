package chart

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// The size of every chart, and the resolution of its PNG.
const (
	width  = 9 * vg.Inch
	height = 4.6 * vg.Inch
)

// Draw draws every chart for which the run's valid trials, summarized in s, have values, in the
// order of the report; or only the named ones, in the given order. badge is the state of the run:
// each chart shows it, except a VERDICT. An unknown name is an *UnknownError.
func Draw(run *results.Run, s summary.Summary, badge string, only ...string) ([]Chart, error) {
	return drawAll(cards(run, s, basis(run, s), badge), only)
}

// UnknownError reports that a run has no chart with a name.
type UnknownError struct {
	Name string
	Has  []string // the available charts
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no chart %q; available: %s", e.Name, strings.Join(e.Has, ", "))
}

// drawAll renders cards concurrently, as each picture is expensive.
func drawAll(all []card, only []string) ([]Chart, error) {
	if len(only) > 0 {
		var has []string
		for _, c := range all {
			has = append(has, c.Name)
		}
		var kept []card
		for _, name := range only {
			i := slices.Index(has, name)
			if i < 0 {
				return nil, &UnknownError{name, has}
			}
			kept = append(kept, all[i])
		}
		all = kept
	}
	charts, errs := make([]Chart, len(all)), make([]error, len(all))
	var drawing sync.WaitGroup
	for i, c := range all {
		drawing.Go(func() { charts[i], errs[i] = c.render() })
	}
	drawing.Wait()
	return charts, errors.Join(errs...)
}

// A layout is a chart of runs; card reports whether a run has values for it.
type layout struct {
	name string
	card func(*results.Run, summary.Summary) (card, bool)
}

// layouts lists every chart of runs, in the order of the report.
func layouts() []layout {
	all := []layout{{latency.name, latency.card}, {age.name, age.card}}
	for _, a := range axes {
		all = append(all, layout{a.chart, a.card})
	}
	return append(all, layout{"crossover", crossover}, layout{"timeline", timeline}, layout{"cost", cost}, layout{"writes", writes}, layout{"memory", memory}, layout{"connect", connect})
}

// Names lists the charts that Draw and Several can draw, in the order of the report.
func Names() (names []string) {
	for _, l := range layouts() {
		names = append(names, l.name)
	}
	return names
}

// cards returns the layout of every chart, with its basis. badge is its mark, except VERDICT.
func cards(run *results.Run, s summary.Summary, basis, badge string) (all []card) {
	for _, l := range layouts() {
		if c, ok := l.card(run, s); ok {
			c.Name = l.name
			c.Basis, c.mark = basis, strings.TrimPrefix(badge, "VERDICT")
			all = append(all, c)
		}
	}
	return all
}

// render renders the card in both formats.
func (c card) render() (Chart, error) {
	f := c.Chart
	f.Panels = c.data()
	var errs [2]error
	f.SVG, errs[0] = c.vector()
	f.PNG, errs[1] = c.raster()
	if err := errors.Join(errs[:]...); err != nil {
		return f, fmt.Errorf("draw %s: %w", c.Name, err)
	}
	return f, nil
}

func (c card) vector() ([]byte, error) {
	var b bytes.Buffer
	svg := &widths{Canvas: vgsvg.New(width, height)}
	c.draw(draw.New(svg))
	_, err := svg.WriteTo(&b)
	return svg.fitted(b.Bytes()), err
}

func (c card) raster() ([]byte, error) {
	var b bytes.Buffer
	png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
	c.draw(draw.New(png))
	_, err := png.WriteTo(&b)
	return b.Bytes(), err
}

// widths is an SVG canvas that records the width of each text in the font of the layout.
type widths struct {
	*vgsvg.Canvas
	of []vg.Length
}

// FillString implements vg.Canvas.
func (w *widths) FillString(f plotfont.Face, at vg.Point, text string) {
	w.of = append(w.of, f.Width(text))
	w.Canvas.FillString(f, at, text)
}

// styles are the style attributes of a drawing. Text cannot match, because its quotes are escaped.
var styles = regexp.MustCompile(`style="([^"]*)"`)

// fitted adds fallback fonts for machines without Liberation Sans, and fits each text to its width in
// the layout, in any font: SVG 2, section 11.5, textLength. It replaces styles with presentation
// attributes: a content security policy such as style-src 'self' ignores styles, and all shapes would be
// black.
func (w *widths) fitted(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arimo,Arial,Helvetica,sans-serif;"))
	svg = styles.ReplaceAllFunc(svg, func(style []byte) []byte {
		var attributes []string
		for declaration := range strings.SplitSeq(string(styles.FindSubmatch(style)[1]), ";") {
			if name, value, ok := strings.Cut(declaration, ":"); ok {
				attributes = append(attributes, fmt.Sprintf("%s=%q", name, value))
			}
		}
		return []byte(strings.Join(attributes, " "))
	})
	var b bytes.Buffer
	for i, part := range bytes.SplitAfter(svg, []byte("<text ")) {
		if i > 0 && w.of[i-1] > 0 {
			fmt.Fprintf(&b, `textLength="%.4g" lengthAdjust="spacingAndGlyphs" `, w.of[i-1].Points())
		}
		b.Write(part)
	}
	return b.Bytes()
}

// basis returns the line below each chart: the evidence for it.
func basis(run *results.Run, s summary.Summary) string {
	m := run.Manifest
	lowest, highest := m.Deliveries()
	var fewest, most int64 // publishes of any row
	for i, r := range s.Rows {
		n := r.Pooled.Publishes.Planned
		if i == 0 || n < fewest {
			fewest = n
		}
		most = max(most, n)
	}
	row := "transport"
	if m.Sweeps() {
		row = "configuration"
	}
	return fmt.Sprintf("%s · %s deliveries/s offered · n = %s publishes per %s · %d of %d repetitions valid · validity checks %s of %s passed · seed %d · commit %s",
		results.Plain(m.Workload.Scenario), between(metric.Number(lowest), metric.Number(highest)),
		between(metric.Count(fewest), metric.Count(most)), row, s.ValidRepetitions, s.Repetitions,
		metric.Count(int64(s.ChecksPassed)), metric.Count(int64(s.Checks)), m.Seed, shortCommit(m.Tool.Commit))
}

// shortCommit returns the beginning of a commit's hash.
func shortCommit(commit string) string {
	commit = results.Plain(commit)
	return commit[:min(10, len(commit))]
}

// between returns a range, or its single value.
func between(lo, hi string) string {
	if lo == hi {
		return hi
	}
	return lo + "–" + hi
}

// describe returns the alternative text for rows: a clause per row, with its name and the metrics in
// the order of the format.
func describe(rows []summary.Row, format string, metrics ...string) string {
	var clauses []string
	for _, r := range rows {
		values := []any{r.Name}
		for _, m := range metrics {
			values = append(values, r.Value(m))
		}
		clauses = append(clauses, fmt.Sprintf(format, values...))
	}
	return strings.Join(clauses, "; ") + "."
}

// estimate is the badge of a run that supports no verdict.
const estimate = "ESTIMATE"
