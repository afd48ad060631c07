//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// gives is a side's figures, in turn; an error stands for a failure.
func gives(figures ...any) figureFunc {
	return func(context.Context) (float64, error) {
		next := figures[0]
		figures = figures[1:]
		if err, failed := next.(error); failed {
			return 0, err
		}
		return next.(float64), nil
	}
}

// twoSides is a row whose first side is measured without failure.
func twoSides(other figureFunc) row {
	return row{name: "row", sides: []side{{name: ownSide, once: gives(2.0, 2.0, 2.0)}, {name: "peer", bar: 1, once: other}}}
}

func TestBars(t *testing.T) {
	failed := errors.New("does not start")
	for name, c := range map[string]struct {
		row  row
		want outcome
		why  string
	}{
		"below":                       {twoSides(gives(4.0, 4.0, 4.0)), met, ""},
		"equal":                       {twoSides(gives(2.0, 2.0, 2.0)), met, ""},
		"above":                       {twoSides(gives(1.0, 1.0, 1.0)), missed, ""},
		"median of the pairs":         {twoSides(gives(1.0, 4.0, 4.0)), met, ""},
		"above by less than printed":  {twoSides(gives(1.9999, 1.9999, 1.9999)), met, ""},
		"one failure":                 {twoSides(gives(failed, 4.0, 4.0)), met, ""},
		"two failures":                {twoSides(gives(4.0, failed, failed)), notMeasured, ""},
		"nothing but failures":        {twoSides(gives(failed, failed)), notMeasured, ""},
		"missing":                     {row{sides: []side{{name: ownSide, once: gives(2.0, 2.0, 2.0)}, {name: "peer", missing: "not installed", bar: 1}}}, notMeasured, ""},
		"pushbench failed":            {row{sides: []side{{name: ownSide, once: gives(failed, failed)}, {name: "peer", bar: 1, once: gives(1.0, 1.0, 1.0)}}}, notMeasured, "no figure of pushbench"},
		"never both of a pair":        {row{sides: []side{{name: ownSide, once: gives(2.0, failed, failed)}, {name: "peer", bar: 1, once: gives(failed, 1.0, 1.0)}}}, notMeasured, "no figure of pushbench"},
		"a figure that is not a cost": {twoSides(gives(0.0, math.NaN())), notMeasured, ""},
	} {
		if got, why := c.row.measure(t.Context(), 3, io.Discard).judge(1); got != c.want || why != c.why {
			t.Errorf("%s: got %v (%q), want %v (%q)", name, got, why, c.want, c.why)
		}
	}
}

// A bar without a pair to decide it: each side failed in the other's pair.
func TestBarNeedsAPairOfBothSides(t *testing.T) {
	failed := errors.New("does not start")
	r := row{sides: []side{{name: ownSide, once: gives(2.0, failed)}, {name: "peer", bar: 1, once: gives(failed, 1.0)}}}
	if got, why := r.measure(t.Context(), 2, io.Discard).judge(1); got != notMeasured || !strings.Contains(why, "no pair") {
		t.Errorf("got %v (%q), want that no pair has both sides", got, why)
	}
}

// A side that failed twice is left out: a child that never answers costs the time limit
// twice, not once per pair. (gives panics when it is asked for more.)
func TestSideIsLeftOutAfterTwoFailures(t *testing.T) {
	failed := errors.New("does not start")
	f := twoSides(gives(failed, failed)).measure(t.Context(), 3, io.Discard)
	if f.done != 3 || len(f.sides[0].values) != 3 || f.sides[1].failed != 2 {
		t.Errorf("got %d pairs, %d figures of pushbench and %d failures of its peer, want 3, 3 and 2", f.done, len(f.sides[0].values), f.sides[1].failed)
	}
}

func TestSidesTakeTurns(t *testing.T) {
	var order []string
	notes := func(name string) side {
		return side{name: name, once: func(context.Context) (float64, error) { order = append(order, name); return 1, nil }}
	}
	row{sides: []side{notes("a"), notes("b"), notes("c")}}.measure(t.Context(), 3, io.Discard)
	if got, want := strings.Join(order, ""), "abcbcacab"; got != want {
		t.Errorf("got the order %s, want %s", got, want)
	}
}

// What a side could not do because the row was interrupted is not its failure.
func TestInterruptedSideHasNotFailed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := twoSides(func(context.Context) (float64, error) { cancel(); return 0, errors.New("killed") }).measure(ctx, 3, io.Discard)
	if f.ended != interrupted || f.sides[1].failed != 0 || len(f.sides[0].values) != 1 {
		t.Errorf("got %q with %d failures and %d figures of pushbench, want it interrupted with 0 and 1", f.ended, f.sides[1].failed, len(f.sides[0].values))
	}
}

// A figure that is there when the row is interrupted is kept.
func TestInterruptedRowKeepsItsFigures(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := twoSides(func(context.Context) (float64, error) { cancel(); return 4, nil }).measure(ctx, 3, io.Discard)
	if len(f.sides[1].values) != 1 || f.ended != interrupted {
		t.Errorf("got %d figures and %q, want the one that was measured", len(f.sides[1].values), f.ended)
	}
}

// The names of rows select them, so they differ; bars are of sides that are measured.
func TestRowsAreSound(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows("pushbench") {
		if seen[r.name] {
			t.Errorf("two rows are named %q", r.name)
		}
		seen[r.name] = true
		for _, s := range r.sides {
			if s.once == nil && s.missing == "" {
				t.Errorf("%s: %s cannot be measured and does not say why", r.name, s.name)
			}
			if s.bar < 0 {
				t.Errorf("%s: %s has the bar %g", r.name, s.name, s.bar)
			}
		}
	}
}
