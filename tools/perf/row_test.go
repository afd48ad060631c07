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

// returns yields the values of a side in turn; an error represents a failure.
func returns(values ...any) measureFunc {
	return func(context.Context) (float64, error) {
		next := values[0]
		values = values[1:]
		if err, failed := next.(error); failed {
			return 0, err
		}
		return next.(float64), nil
	}
}

// twoSides returns a row whose first side never fails.
func twoSides(other measureFunc) row {
	return row{name: "row", sides: []side{{name: ownSide, once: returns(2.0, 2.0, 2.0)}, {name: "peer", bar: 1, once: other}}}
}

func TestMedianDecidesTheBar(t *testing.T) {
	failed := errors.New("does not start")
	for name, c := range map[string]struct {
		row  row
		want outcome
		why  string
	}{
		"below":                      {twoSides(returns(4.0, 4.0, 4.0)), met, ""},
		"equal":                      {twoSides(returns(2.0, 2.0, 2.0)), met, ""},
		"above":                      {twoSides(returns(1.0, 1.0, 1.0)), missed, ""},
		"median of the pairs":        {twoSides(returns(1.0, 4.0, 4.0)), met, ""},
		"above by less than printed": {twoSides(returns(1.9999, 1.9999, 1.9999)), met, ""},
		"one failure":                {twoSides(returns(failed, 4.0, 4.0)), met, ""},
		"two failures":               {twoSides(returns(4.0, failed, failed)), notMeasured, ""},
		"only failures":              {twoSides(returns(failed, failed)), notMeasured, ""},
		"missing":                    {row{sides: []side{{name: ownSide, once: returns(2.0, 2.0, 2.0)}, {name: "peer", missing: "not installed", bar: 1}}}, notMeasured, ""},
		"pushbench failed":           {row{sides: []side{{name: ownSide, once: returns(failed, failed)}, {name: "peer", bar: 1, once: returns(1.0, 1.0, 1.0)}}}, notMeasured, "no value of pushbench"},
		"never both of a pair":       {row{sides: []side{{name: ownSide, once: returns(2.0, failed, failed)}, {name: "peer", bar: 1, once: returns(failed, 1.0, 1.0)}}}, notMeasured, "no value of pushbench"},
		"a value that is not a cost": {twoSides(returns(0.0, math.NaN())), notMeasured, ""},
	} {
		if got, why := c.row.measure(t.Context(), 3, io.Discard).judge(1); got != c.want || why != c.why {
			t.Errorf("%s: got %v (%q), want %v (%q)", name, got, why, c.want, c.why)
		}
	}
}

// A bar is not measured if no pair has values of both sides.
func TestBarRequiresAPairOfBothSides(t *testing.T) {
	failed := errors.New("does not start")
	r := row{sides: []side{{name: ownSide, once: returns(2.0, failed)}, {name: "peer", bar: 1, once: returns(failed, 1.0)}}}
	if got, why := r.measure(t.Context(), 2, io.Discard).judge(1); got != notMeasured || !strings.Contains(why, "no pair") {
		t.Errorf("got %v (%q), want the reason that no pair has both sides", got, why)
	}
}

// A side that failed twice is omitted: an unresponsive child costs the time limit twice, not
// once per pair. (returns panics without further values.)
func TestSideIsOmittedAfterTwoFailures(t *testing.T) {
	failed := errors.New("does not start")
	f := twoSides(returns(failed, failed)).measure(t.Context(), 3, io.Discard)
	if f.done != 3 || len(f.sides[0].values) != 3 || f.sides[1].failed != 2 {
		t.Errorf("got %d pairs, %d values of pushbench and %d failures of its peer, want 3, 3 and 2", f.done, len(f.sides[0].values), f.sides[1].failed)
	}
}

func TestSidesAlternate(t *testing.T) {
	var order []string
	notes := func(name string) side {
		return side{name: name, once: func(context.Context) (float64, error) { order = append(order, name); return 1, nil }}
	}
	row{sides: []side{notes("a"), notes("b"), notes("c")}}.measure(t.Context(), 3, io.Discard)
	if got, want := strings.Join(order, ""), "abcbcacab"; got != want {
		t.Errorf("got the order %s, want %s", got, want)
	}
}

// A failure caused by an interruption does not count.
func TestInterruptedSideHasNotFailed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := twoSides(func(context.Context) (float64, error) { cancel(); return 0, errors.New("killed") }).measure(ctx, 3, io.Discard)
	if f.ended != interrupted || f.sides[1].failed != 0 || len(f.sides[0].values) != 1 {
		t.Errorf("got %q with %d failures and %d values of pushbench, want interrupted, 0 and 1", f.ended, f.sides[1].failed, len(f.sides[0].values))
	}
}

// An interrupted row keeps its values.
func TestInterruptedRowKeepsItsValues(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := twoSides(func(context.Context) (float64, error) { cancel(); return 4, nil }).measure(ctx, 3, io.Discard)
	if len(f.sides[1].values) != 1 || f.ended != interrupted {
		t.Errorf("got %d values and %q, want 1 and interrupted", len(f.sides[1].values), f.ended)
	}
}

// Rows have unique names, by which they are selected, and every side can be measured.
func TestRowsAreValid(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows("pushbench") {
		if seen[r.name] {
			t.Errorf("two rows are named %q", r.name)
		}
		seen[r.name] = true
		for _, s := range r.sides {
			if s.once == nil && s.missing == "" {
				t.Errorf("%s: %s has neither a measurement nor a reason", r.name, s.name)
			}
			if s.bar < 0 {
				t.Errorf("%s: %s has the bar %g", r.name, s.name, s.bar)
			}
		}
	}
}
