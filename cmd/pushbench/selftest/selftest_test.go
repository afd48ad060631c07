package selftest

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
)

func TestEveryProofHasANameOfItsOwn(t *testing.T) {
	names := Names()
	if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) != len(names) {
		t.Errorf("of %q some come twice", names)
	}
	for _, p := range proofs {
		if p.says == "" || p.run == nil {
			t.Errorf("%s says nothing or does nothing", p.name)
		}
	}
}

func TestUnknownProofIsRefused(t *testing.T) {
	_, err := Run(t.Context(), Options{Only: []string{"wishes"}, Out: io.Discard})
	if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "recorder") {
		t.Errorf("got %v, want %v and what is allowed", err, ErrUnknown)
	}
}

// What does not hold is counted and named, and so is a proof that cannot be made.
func TestVerdict(t *testing.T) {
	defer func(kept []claim) { proofs = kept }(proofs)
	proofs = []claim{
		{name: "one", says: "so", run: func(*lab) ([]Result, error) { return []Result{exactly("a", 1, 1), exactly("b", 1, 2)}, nil }},
		{name: "two", says: "so", run: func(*lab) ([]Result, error) { return nil, errors.New("no server") }},
		{name: "slow", says: "so", slow: true, run: func(*lab) ([]Result, error) { return []Result{exactly("c", 1, 1)}, nil }},
	}
	var out strings.Builder
	v, err := Run(t.Context(), Options{Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"one: b", "two: the proof"}; v.Rows != 3 || !slices.Equal(v.Failed, want) {
		t.Errorf("got %d rows, failed %q, want 3 and %q", v.Rows, v.Failed, want)
	}
	for _, want := range []string{"pass  a", "FAIL  b", "no server", "1 of 3 hold", "does not hold: one: b"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, out.String())
		}
	}
	if v, err = Run(t.Context(), Options{Out: io.Discard, Long: true, Only: nil}); err != nil || v.Rows != 4 {
		t.Errorf("all: %d rows, %v, want 4", v.Rows, err)
	}
}

// What a system does not show is no fault of the instrument, and is said.
func TestProofsThatThisSystemDoesNotShow(t *testing.T) {
	defer func(kept []claim, of string) { proofs, system = kept, of }(proofs, system)
	proofs = []claim{
		{name: "one", says: "so", run: func(*lab) ([]Result, error) { return []Result{exactly("a", 1, 1)}, nil }},
		{name: "two", says: "so", on: "linux", run: func(*lab) ([]Result, error) { return []Result{exactly("b", 1, 2)}, nil }},
	}
	for _, system = range []string{"linux", "darwin"} {
		var out strings.Builder
		v, err := Run(t.Context(), Options{Out: &out})
		here := system == "linux"
		if err != nil || here != (len(v.Failed) == 1) || here != (len(v.Hidden) == 0) || here == strings.Contains(out.String(), "not shown here: it takes linux") {
			t.Errorf("%s: %+v, %v\n%s", system, v, err, out.String())
		}
	}
}

func TestInterruptedSelfTestSaysSo(t *testing.T) {
	defer func(kept []claim) { proofs = kept }(proofs)
	ctx, cancel := context.WithCancel(t.Context())
	proofs = []claim{{name: "one", says: "so", run: func(*lab) ([]Result, error) { cancel(); return nil, nil }}}
	if _, err := Run(ctx, Options{Out: io.Discard}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestRowsFailBeyondWhatIsAllowed(t *testing.T) {
	for _, test := range []struct {
		row  Result
		want bool
	}{
		{exactly("", 3, 3), true},
		{exactly("", 3, 4), false},
		{within("", "", 10, 10.5, 0.5), true},
		{within("", "", 10, 10.6, 0.5), false},
		{within("", "", 10, 9.4, 0.5), false},
		{within("", "", 10, math.NaN(), 0.5), false},
		{between("", "", 1, 2, 2), true},
		{between("", "", 1, 2, 2.1), false},
		{between("", "", 1, 2, 0.9), false},
	} {
		if test.row.Passed != test.want {
			t.Errorf("%+v: passed, want %v", test.row, test.want)
		}
	}
}

// Both tests of fit accept what they should, and see what they must: pollers that
// all poll at the same instant, and gaps that are not exponential.
func TestFit(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	const n, interval = 5000, 200 * time.Millisecond
	var fair, late, inPhase results.Histogram
	u, bursty := make([]float64, n), make([]float64, n)
	for i := range n {
		d := time.Duration(random.Float64() * float64(interval))
		fair.Record(d)
		late.Record(d + 15*time.Millisecond)
		inPhase.Record(70 * time.Millisecond)
		u[i], bursty[i] = random.Float64(), random.Float64()*0.95
	}
	limit := kolmogorovLimit(n, interval)
	if got := kolmogorov(fair, uniform(0, interval)); got > limit {
		t.Errorf("uniform latencies are %.4f from uniform, allowed %.4f", got, limit)
	}
	for name, h := range map[string]results.Histogram{"15 ms late": late, "in phase": inPhase, "empty": {}} {
		if got := kolmogorov(h, uniform(0, interval)); got <= limit {
			t.Errorf("%s: %.4f from uniform, which is allowed", name, got)
		}
	}
	if got := andersonDarling(u); got > 3.857 {
		t.Errorf("A² of uniform values is %.2f", got)
	}
	if got := andersonDarling(bursty); got <= 3.857 {
		t.Errorf("A² of values that miss a twentieth is %.2f", got)
	}
}
