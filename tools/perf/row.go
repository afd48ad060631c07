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
	load  string // offered load, the same for every side
	unit  string
	sides []side
}

// A side is one of the programs that a row compares.
type side struct {
	name    string
	missing string // why it cannot be measured on this machine, or ""

	// bar is the highest allowed cost of pushbench: in the unit for the first side, as a ratio
	// to the side for others; 0: no bar.
	bar float64

	once measureFunc
}

// A measureFunc measures one value. It returns soon after the context is done. All processes
// that it has started end before it returns.
type measureFunc func(context.Context) (float64, error)

// timeLimit is the time limit of one measurement. The slowest takes half a minute. A child that
// never responds must not prevent the measurement of other rows.
const timeLimit = 3 * time.Minute

// measure measures one value within the time limit.
func (s side) measure(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, fmt.Errorf("timed out after %v", timeLimit))
	defer cancel()
	x, err := s.once(ctx)
	switch {
	case err == nil && !(x > 0 && x <= math.MaxFloat64): // NaN as well
		return 0, fmt.Errorf("measured %g, which is not a cost", x)
	case err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)):
		return 0, fmt.Errorf("%w (%w)", context.Cause(ctx), err) // the killed child is a consequence
	}
	return x, err
}

// maxFailures is the number of failures after which a row omits a side. The machine may cause one
// failure, but not two in a few pairs; the remaining values would be a biased selection.
const maxFailures = 2

// interrupted is the reason of a row that a signal has ended.
const interrupted = "interrupted"

// A finding contains the measurements of a row.
type finding struct {
	row   row
	pairs int    // to measure
	done  int    // measured, for every measurable side
	ended string // why its values decide no bar; empty: complete
	sides []samples
}

// samples are the values of one side.
type samples struct {
	values map[int]float64 // by pair
	failed int             // pairs
	reason string          // of the last failure, or why there is no value
}

// decided reports whether the values can decide a bar.
func (s samples) decided() bool { return len(s.values) > 0 && s.failed < maxFailures }

// pending returns the finding of a row without measurements, with the reason.
func pending(r row, pairs int, why string) finding {
	f := finding{row: r, pairs: pairs, ended: why, sides: make([]samples, len(r.sides))}
	for i, s := range r.sides {
		f.sides[i] = samples{values: map[int]float64{}, reason: s.missing}
	}
	return f
}

// measured reports whether pushbench has a decisive value.
func (f finding) measured() bool { return f.ended == "" && f.sides[0].decided() }

// measure measures all sides alternately, pair by pair, until the context is done.
func (r row) measure(ctx context.Context, pairs int, progress io.Writer) finding {
	f := pending(r, pairs, "")
	for ; f.done < pairs; f.done++ {
		for i := range r.sides {
			i = (i + f.done) % len(r.sides) // the first side rotates
			if !f.take(ctx, i, progress) {
				f.ended = interrupted
				return f
			}
		}
	}
	return f
}

// take measures one side for the current pair, and reports whether the row continues.
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
			return false // the interruption caused the failure
		}
		s.failed, s.reason = s.failed+1, err.Error()
		fmt.Fprintf(progress, "  %d %s failed: %v\n", f.done+1, measured.name, err)
		return true
	}
	s.values[f.done] = x
	fmt.Fprintf(progress, "  %d %s %s %s\n", f.done+1, measured.name, format(x), f.row.unit)
	return true
}

// ratios returns the ratios of pushbench to another side in the pairs in which both have a
// value.
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

// An outcome is the result of a bar.
type outcome int

const (
	notMeasured outcome = iota
	met
	missed
)

func (o outcome) String() string {
	return [...]string{notMeasured: "not measured", met: "met", missed: "missed"}[o]
}

// judge compares the median with the bar of a side. The reason is empty if the values of that
// side show it.
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
		return notMeasured, "no value of " + f.row.sides[0].name
	case len(got) == 0:
		return notMeasured, "no pair in which both sides were measured"
	case rounded(median(got)) <= f.row.sides[i].bar:
		return met, ""
	default:
		return missed, ""
	}
}

// sorted returns the values in ascending order.
func (s samples) sorted() []float64 { return slices.Sorted(maps.Values(s.values)) }

// notReached returns the error of a side that did not reach its load.
func notReached(got, want float64, unit string) error {
	return fmt.Errorf("reached %s of %s%s", metric.Count(int64(math.Round(got))), metric.Count(int64(math.Round(want))), unit)
}
