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
func Draw(run *results.Run, s summary.Summary, worth string, only ...string) ([]results.Figure, error) {
	return drawAll(cards(run, s, worth), only)
}

// UnknownError says that a run has no chart of a name.
type UnknownError struct {
	Name string
	Has  []string // those that it has; none: nothing of it can be drawn
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no chart %q of this; there are %s", e.Name, strings.Join(e.Has, ", "))
}

// drawAll renders cards side by side: a picture takes a core a while.
func drawAll(all []card, only []string) ([]results.Figure, error) {
	if len(only) > 0 {
		var has []string
		for _, c := range all {
			has = append(has, c.name)
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
	figures, errs := make([]results.Figure, len(all)), make([]error, len(all))
	var drawing sync.WaitGroup
	for i, c := range all {
		drawing.Go(func() {
			if figures[i], errs[i] = c.figure(); errs[i] != nil {
				errs[i] = fmt.Errorf("draw %s: %w", c.name, errs[i])
			}
		})
	}
	drawing.Wait()
	return figures, errors.Join(errs...)
}

// cards lays every chart out.
func cards(run *results.Run, s summary.Summary, worth string) []card {
	one := func(lay func(*results.Run, summary.Summary) (card, bool)) (all []card) {
		if c, ok := lay(run, s); ok {
			all = append(all, c)
		}
		return all
	}
	all := slices.Concat(one(latency), one(freshness), curves(run, s), one(crossover), one(distance), one(batching), one(timeline), one(cost), one(writes), one(memory), one(connect))
	for i := range all {
		all[i].basis, all[i].mark = basis(run, s), strings.TrimPrefix(worth, "VERDICT")
	}
	return all
}

// figure renders the card in both formats.
func (c card) figure() (results.Figure, error) {
	svg, err := c.vector()
	if err != nil {
		return results.Figure{}, err
	}
	png, err := c.raster()
	return results.Figure{Name: c.name, Title: c.title, Alt: c.alt, Basis: c.basis, SVG: svg, PNG: png, Panels: c.live}, err
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
	commit := results.Plain(m.Tool.Commit)
	if len(commit) > 10 {
		commit = commit[:10]
	}
	fewest, most := m.Deliveries()
	offered := metric.Number(most)
	if fewest < most {
		offered = metric.Number(fewest) + "–" + offered
	}
	return fmt.Sprintf("%s · %s deliveries/s offered · n = %s publishes a %s · %d of %d blocks valid · gates %s of %s passed · seed %d · commit %s",
		results.Plain(m.Workload.Scenario), offered, publishes(s), rowNoun(m), s.ValidBlocks, s.Blocks,
		metric.Count(int64(s.GatesPassed)), metric.Count(int64(s.Gates)), m.Seed, commit)
}

// rowNoun is what a row stands for.
func rowNoun(m results.Manifest) string {
	if m.Sweeps() {
		return "case"
	}
	return "transport"
}

// publishes is how many were planned for a case over its valid trials.
func publishes(s summary.Summary) string {
	var lo, hi int64
	for i, r := range s.Rows {
		n := r.Pooled.Publishes.Planned
		if i == 0 || n < lo {
			lo = n
		}
		hi = max(hi, n)
	}
	if lo == hi {
		return metric.Count(hi)
	}
	return metric.Count(lo) + "–" + metric.Count(hi)
}

// estimate is the mark of a run that supports no verdict.
const estimate = "ESTIMATE"
