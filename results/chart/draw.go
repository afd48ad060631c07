package chart

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"pushbench/results"
)

// The size of every chart, and the resolution of its PNG.
const (
	width  = 9 * vg.Inch
	height = 4.6 * vg.Inch
	dpi    = 192
)

// Draw draws every chart that the run's valid trials, summed up in s, have figures for,
// in the order of a report. Worth is what the figures are, in a word: what is less than
// a VERDICT is written on each chart.
func Draw(run *results.Run, s results.Summary, worth string) ([]results.Figure, error) {
	var figures []results.Figure
	for _, c := range cards(run, s, worth) {
		f, err := c.figure()
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", c.name, err)
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// cards lays every chart out.
func cards(run *results.Run, s results.Summary, worth string) []card {
	one := func(lay func(*results.Run, results.Summary) (card, bool)) (all []card) {
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
	svg := vgsvg.New(width, height)
	c.draw(draw.New(svg))
	_, err := svg.WriteTo(&b)
	return withFallbackFonts(b.Bytes()), err
}

func (c card) raster() ([]byte, error) {
	var b bytes.Buffer
	png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
	c.draw(draw.New(png))
	_, err := png.WriteTo(&b)
	return b.Bytes(), err
}

// withFallbackFonts names fonts of the same widths for machines without
// Liberation Sans: text was placed by its widths.
func withFallbackFonts(svg []byte) []byte {
	return bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arimo,Arial,Helvetica,sans-serif;"))
}

// basis is the line under each chart: what it rests on.
func basis(run *results.Run, s results.Summary) string {
	m := run.Manifest
	commit := results.Plain(m.Tool.Commit)
	if len(commit) > 10 {
		commit = commit[:10]
	}
	fewest, most := m.Deliveries()
	offered := results.Number(most)
	if fewest < most {
		offered = results.Number(fewest) + "–" + offered
	}
	return fmt.Sprintf("%s · %s deliveries/s offered · n = %s publishes a %s · %d of %d blocks valid · gates %s of %s passed · seed %d · commit %s",
		results.Plain(m.Workload.Scenario), offered, publishes(s), rowNoun(m), s.ValidBlocks, s.Blocks,
		results.Count(int64(s.GatesPassed)), results.Count(int64(s.Gates)), m.Seed, commit)
}

// rowNoun is what a row stands for.
func rowNoun(m results.Manifest) string {
	if m.Sweeps() {
		return "case"
	}
	return "transport"
}

// publishes is how many were planned for a case over its valid trials.
func publishes(s results.Summary) string {
	var lo, hi int64
	for i, r := range s.Rows {
		n := r.Pooled.Publishes.Planned
		if i == 0 || n < lo {
			lo = n
		}
		hi = max(hi, n)
	}
	if lo == hi {
		return results.Count(hi)
	}
	return results.Count(lo) + "–" + results.Count(hi)
}

// estimate is the mark of a run that supports no verdict.
const estimate = "ESTIMATE"
