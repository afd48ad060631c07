package chart

import (
	"bytes"
	"errors"
	"fmt"
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

// Draw draws every chart that the run's valid trials, summed up in s, have figures for,
// in the order of a report, or only those that are named, in that order. Worth is what the
// figures are, in a word: what is less than a VERDICT is written on each chart. A name that
// no chart has is an *UnknownError.
func Draw(run *results.Run, s summary.Summary, worth string, only ...string) ([]Chart, error) {
	return drawAll(cards(run, s, basis(run, s), worth), only)
}

// UnknownError says that a run has no chart of a name.
type UnknownError struct {
	Name string
	Has  []string // those that it has; none: nothing of it can be drawn
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no chart %q; available: %s", e.Name, strings.Join(e.Has, ", "))
}

// drawAll renders cards side by side: a picture takes a core a while.
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
	figures, errs := make([]Chart, len(all)), make([]error, len(all))
	var drawing sync.WaitGroup
	for i, c := range all {
		drawing.Go(func() { figures[i], errs[i] = c.figure() })
	}
	drawing.Wait()
	return figures, errors.Join(errs...)
}

// cards lays every chart out, each with its basis. Worth is its mark, unless that is VERDICT.
func cards(run *results.Run, s summary.Summary, basis, worth string) (all []card) {
	lay := []func(*results.Run, summary.Summary) (card, bool){latency.card, freshness.card}
	for _, a := range axes {
		lay = append(lay, a.card)
	}
	for _, one := range append(lay, crossover, timeline, cost, writes, memory, connect) {
		if c, ok := one(run, s); ok {
			c.Basis, c.mark = basis, strings.TrimPrefix(worth, "VERDICT")
			all = append(all, c)
		}
	}
	return all
}

// figure renders the card in both formats.
func (c card) figure() (Chart, error) {
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

// widths is an SVG canvas that remembers how wide each text is in the font by which it was placed.
type widths struct {
	*vgsvg.Canvas
	of []vg.Length
}

// FillString implements vg.Canvas.
func (w *widths) FillString(f plotfont.Face, at vg.Point, text string) {
	w.of = append(w.of, f.Width(text))
	w.Canvas.FillString(f, at, text)
}

// fitted names fonts like ours for machines without Liberation Sans, and has each text take the width
// that there is for it in whatever font it is drawn: SVG 2, section 11.5, textLength.
func (w *widths) fitted(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arimo,Arial,Helvetica,sans-serif;"))
	var b bytes.Buffer
	for i, part := range bytes.SplitAfter(svg, []byte("<text ")) {
		if i > 0 && w.of[i-1] > 0 {
			fmt.Fprintf(&b, `textLength="%.4g" lengthAdjust="spacingAndGlyphs" `, w.of[i-1].Points())
		}
		b.Write(part)
	}
	return b.Bytes()
}

// basis is the line under each chart: what it rests on.
func basis(run *results.Run, s summary.Summary) string {
	m := run.Manifest
	fewest, most := m.Deliveries()
	var least, mostOf int64 // publishes of any row
	for i, r := range s.Rows {
		n := r.Pooled.Publishes.Planned
		if i == 0 || n < least {
			least = n
		}
		mostOf = max(mostOf, n)
	}
	row := "transport"
	if m.Sweeps() {
		row = "configuration"
	}
	return fmt.Sprintf("%s · %s deliveries/s offered · n = %s publishes per %s · %d of %d repetitions valid · validity checks %s of %s passed · seed %d · commit %s",
		results.Plain(m.Workload.Scenario), between(metric.Number(fewest), metric.Number(most)),
		between(metric.Count(least), metric.Count(mostOf)), row, s.ValidRepetitions, s.Repetitions,
		metric.Count(int64(s.ChecksPassed)), metric.Count(int64(s.Checks)), m.Seed, shortCommit(m.Tool.Commit))
}

// shortCommit is the beginning of a commit's hash.
func shortCommit(commit string) string {
	commit = results.Plain(commit)
	return commit[:min(10, len(commit))]
}

// between is a range, or its one value.
func between(lo, hi string) string {
	if lo == hi {
		return hi
	}
	return lo + "–" + hi
}

// said is the alternative text for rows: a clause for each, with its name and the metrics in
// the order of the format.
func said(rows []summary.Row, format string, metrics ...string) string {
	var all []string
	for _, r := range rows {
		values := []any{r.Name}
		for _, m := range metrics {
			values = append(values, r.Value(m))
		}
		all = append(all, fmt.Sprintf(format, values...))
	}
	return strings.Join(all, "; ") + "."
}

// estimate is the mark of a run that supports no verdict.
const estimate = "ESTIMATE"
