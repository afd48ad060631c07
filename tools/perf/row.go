//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"pushbench/results/metric"
)

// A row is one comparison: the first side is pushbench.
type row struct {
	name  string
	load  string // what is offered, to every side the same
	unit  string
	sides []side
}

// A side is one of those compared in a row.
type side struct {
	name    string
	missing string // why it cannot be measured on this machine; empty: it can

	// bar is the most that pushbench may cost: of the first side in the unit, of another
	// as a ratio to it; 0: there is no bar.
	bar float64

	once figureFunc
}

// A figureFunc measures one figure. It returns soon after the context is done, and
// everything that it has started ends before it returns.
type figureFunc func(context.Context) (float64, error)

// timeLimit is how long a side may take for one figure. The slowest takes half a minute; a
// child that never answers must not keep the other rows from being measured.
const timeLimit = 3 * time.Minute

// measure takes one figure within the time limit.
func (s side) measure(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, fmt.Errorf("timed out after %v", timeLimit))
	defer cancel()
	x, err := s.once(ctx)
	switch {
	case err == nil && !(x > 0 && x <= math.MaxFloat64): // NaN as well
		return 0, fmt.Errorf("measured %g, which is not a cost", x)
	case err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)):
		return 0, fmt.Errorf("%w (%w)", context.Cause(ctx), err) // that a child was killed is a consequence
	}
	return x, err
}

// maxFailures ends a side for its row. One failure may be the machine's. Two of a few pairs
// are not, and figures of the others would be a selection.
const maxFailures = 2

// interrupted is why a row ended that a signal has ended.
const interrupted = "interrupted"

// A finding is what was measured of a row.
type finding struct {
	row   row
	pairs int    // to measure
	done  int    // measured, of every side that could be
	ended string // why its figures decide no bar; empty: it is complete
	sides []samples
}

// samples are the figures of one side.
type samples struct {
	values map[int]float64 // by pair
	failed int             // pairs
	reason string          // of the last failure, or why there is no figure
}

// decided reports whether the figures can decide a bar.
func (s samples) decided() bool { return len(s.values) > 0 && s.failed < maxFailures }

// pending is a row of which nothing was measured, and why.
func pending(r row, pairs int, why string) finding {
	f := finding{row: r, pairs: pairs, ended: why, sides: make([]samples, len(r.sides))}
	for i, s := range r.sides {
		f.sides[i] = samples{values: map[int]float64{}, reason: s.missing}
	}
	return f
}

// measured reports whether pushbench has a figure that decides.
func (f finding) measured() bool { return f.ended == "" && f.sides[0].decided() }

// measure measures all sides in turns, pair by pair, until the context is done.
func (r row) measure(ctx context.Context, pairs int, progress io.Writer) finding {
	f := pending(r, pairs, "")
	for ; f.done < pairs; f.done++ {
		for i := range r.sides {
			i = (i + f.done) % len(r.sides) // no side is always first
			if !f.take(ctx, i, progress) {
				f.ended = interrupted
				return f
			}
		}
	}
	return f
}

// take measures one side for the pair under way, and reports whether the row goes on.
func (f *finding) take(ctx context.Context, i int, progress io.Writer) bool {
	measured, s := f.row.sides[i], &f.sides[i]
	if ctx.Err() != nil {
		return false
	}
	if measured.missing != "" || s.failed == maxFailures {
		return true
	}
	x, err := measured.measure(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return false // the interruption made it fail
		}
		s.failed, s.reason = s.failed+1, err.Error()
		fmt.Fprintf(progress, "  %d %s failed: %v\n", f.done+1, measured.name, err)
		return true
	}
	s.values[f.done] = x
	fmt.Fprintf(progress, "  %d %s %s %s\n", f.done+1, measured.name, figure(x), f.row.unit)
	return true
}

// ratios are of pushbench to another side, of the pairs in which both have a figure.
func (f finding) ratios(i int) (ratios []float64) {
	for pair := range f.pairs {
		own, measured := f.sides[0].values[pair]
		other, too := f.sides[i].values[pair]
		if measured && too {
			ratios = append(ratios, own/other)
		}
	}
	return ratios
}

// An outcome is what became of a bar.
type outcome int

const (
	notMeasured outcome = iota
	met
	missed
)

func (o outcome) String() string {
	return [...]string{notMeasured: "not measured", met: "met", missed: "missed"}[o]
}

// judge compares the median with the bar of a side. The reason is empty where the figures
// of that side give it.
func (f finding) judge(i int) (o outcome, why string) {
	got := f.ratios(i)
	if i == 0 {
		got = f.sides[0].sorted()
	}
	switch {
	case f.ended != "":
		return notMeasured, f.ended
	case !f.sides[i].decided():
		return notMeasured, ""
	case !f.sides[0].decided():
		return notMeasured, "no figure of " + f.row.sides[0].name
	case len(got) == 0:
		return notMeasured, "no pair in which both sides were measured"
	case rounded(median(got)) <= f.row.sides[i].bar:
		return met, ""
	default:
		return missed, ""
	}
}

// sorted are the figures, the least first.
func (s samples) sorted() []float64 { return slices.Sorted(maps.Values(s.values)) }

// unreached is the error of a side that did not reach its load.
func unreached(got, want float64, unit string) error {
	return fmt.Errorf("reached %s of %s%s", metric.Count(int64(math.Round(got))), metric.Count(int64(math.Round(want))), unit)
}
