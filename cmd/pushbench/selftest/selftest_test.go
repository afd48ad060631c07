package selftest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench"
	"pushbench/results"
)

func TestEveryCheckHasAUniqueName(t *testing.T) {
	names := Names()
	if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) != len(names) {
		t.Errorf("duplicate names in %q", names)
	}
	for _, c := range checks {
		if c.title == "" || c.run == nil {
			t.Errorf("%s has no title or no function", c.name)
		}
	}
}

func TestDeprecatedNamesAreAcceptedWithOneWarning(t *testing.T) {
	for _, test := range []struct {
		only, want []string
		warning    string
	}{
		{nil, nil, ""},
		{[]string{"recorder", "faults"}, []string{"recorder", "faults"}, ""},
		{[]string{"answers"}, []string{"replies"}, "deprecated: --only answers is now replies"},
		{[]string{"freeze"}, []string{"server-stall"}, "deprecated: --only freeze is now server-stall"},
		{[]string{"gates"}, []string{"checks"}, "deprecated: --only gates is now checks"},
		{[]string{"generator-freeze"}, []string{"generator-stall"}, "deprecated: --only generator-freeze is now generator-stall"},
		{[]string{"hiccups"}, []string{"stalls"}, "deprecated: --only hiccups is now stalls"},
		{[]string{"lies"}, []string{"faults"}, "deprecated: --only lies is now faults"},
		{[]string{"service"}, []string{"small-difference"}, "deprecated: --only service is now small-difference"},
		{[]string{"step"}, []string{"longpoll-periodic"}, "deprecated: --only step is now longpoll-periodic"},
		{[]string{"survivors"}, []string{"lost-messages"}, "deprecated: --only survivors is now lost-messages"},
		{[]string{"visitors"}, []string{"short-lived"}, "deprecated: --only visitors is now short-lived"},
		{
			[]string{"freeze", "recorder", "lies"},
			[]string{"server-stall", "recorder", "faults"},
			"deprecated: --only freeze is now server-stall, lies is now faults",
		},
	} {
		o := Options{Only: test.only}
		warning, err := o.Resolve()
		if err != nil || warning != test.warning || !slices.Equal(o.Only, test.want) {
			t.Errorf("%q: got %q, %q, %v; want %q, %q", test.only, o.Only, warning, err, test.want, test.warning)
		}
	}
	for old := range renamed {
		if slices.Contains(Names(), old) {
			t.Errorf("%s is both a current and a deprecated name", old)
		}
	}
}

func TestUnknownCheckIsRefused(t *testing.T) {
	_, err := Run(t.Context(), Options{Only: []string{"wishes"}, Out: io.Discard})
	if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "recorder") {
		t.Errorf("got %v, want %v and the allowed names", err, ErrUnknown)
	}
}

func TestFailedRowsAndChecksAreCountedAndNamed(t *testing.T) {
	defer func(saved []check) { checks = saved }(checks)
	checks = []check{
		{name: "one", title: "title", run: func(*lab) ([]Result, error) { return []Result{exactly("a", 1, 1), exactly("b", 1, 2)}, nil }},
		{name: "two", title: "title", run: func(*lab) ([]Result, error) { return nil, errors.New("no server") }},
		{name: "slow", title: "title", slow: true, run: func(*lab) ([]Result, error) { return []Result{exactly("c", 1, 1)}, nil }},
	}
	var out strings.Builder
	v, err := Run(t.Context(), Options{Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"one: b", "two: the check"}; v.Rows != 3 || !slices.Equal(v.Failed, want) {
		t.Errorf("got %d rows, failed %q, want 3 and %q", v.Rows, v.Failed, want)
	}
	for _, want := range []string{"expected          measured", "pass  a", "FAIL  b", "no server", "1 of 3 comparisons passed", "failed: one: b"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, out.String())
		}
	}
	if v, err = Run(t.Context(), Options{Out: io.Discard, Long: true, Only: nil}); err != nil || v.Rows != 4 {
		t.Errorf("with slow checks: %d rows, %v, want 4", v.Rows, err)
	}
}

func TestCheckThatTheSystemDoesNotSupportIsSkipped(t *testing.T) {
	defer func(savedChecks []check, savedSystem string) { checks, system = savedChecks, savedSystem }(checks, system)
	checks = []check{
		{name: "one", title: "title", run: func(*lab) ([]Result, error) { return []Result{exactly("a", 1, 1)}, nil }},
		{name: "two", title: "title", on: "linux", run: func(*lab) ([]Result, error) { return []Result{exactly("b", 1, 2)}, nil }},
	}
	for _, system = range []string{"linux", "darwin"} {
		var out strings.Builder
		v, err := Run(t.Context(), Options{Out: &out})
		here := system == "linux"
		if err != nil || here != (len(v.Failed) == 1) || here != (len(v.Hidden) == 0) || here == strings.Contains(out.String(), "skipped: requires linux") {
			t.Errorf("%s: %+v, %v\n%s", system, v, err, out.String())
		}
	}
}

func TestInterruptedSelfTestReturnsTheCause(t *testing.T) {
	defer func(saved []check) { checks = saved }(checks)
	ctx, cancel := context.WithCancel(t.Context())
	checks = []check{{name: "one", title: "title", run: func(*lab) ([]Result, error) { cancel(); return nil, nil }}}
	if _, err := Run(ctx, Options{Out: io.Discard}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestRowsFailBeyondTheAllowedDifference(t *testing.T) {
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

// Both goodness-of-fit tests accept the right distribution. They reject pollers that all
// poll at the same time, and gaps that are not exponential.
func TestFitRejectsOtherDistributions(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	const n, interval = 5000, 200 * time.Millisecond
	var exact, late, inPhase results.Histogram
	u, bursty := make([]float64, n), make([]float64, n)
	for i := range n {
		d := time.Duration(random.Float64() * float64(interval))
		exact.Record(d)
		late.Record(d + 15*time.Millisecond)
		inPhase.Record(70 * time.Millisecond)
		u[i], bursty[i] = random.Float64(), random.Float64()*0.95
	}
	limit := kolmogorovLimit(n, interval)
	if got := kolmogorov(exact, uniform(0, interval)); got > limit {
		t.Errorf("uniform latencies are %.4f from uniform, allowed %.4f", got, limit)
	}
	for name, h := range map[string]results.Histogram{"15 ms late": late, "in phase": inPhase, "empty": {}} {
		if got := kolmogorov(h, uniform(0, interval)); got <= limit {
			t.Errorf("%s: %.4f from uniform, allowed %.4f: not rejected", name, got, limit)
		}
	}
	if got := andersonDarling(u); got > 3.857 {
		t.Errorf("A² of uniform values is %.2f", got)
	}
	if got := andersonDarling(bursty); got <= 3.857 {
		t.Errorf("A² of values in (0, 0.95) is %.2f", got)
	}
}

// A self-test that other load disturbed says so: its failures need not be those of the machine.
func TestDisturbedSelfTestNamesTheCause(t *testing.T) {
	for want, v := range map[string]Outcome{
		"": {Rows: 3, Disturbed: 2},
		"1 of 3 comparisons failed: do not trust measurements on this machine":                                                                      {Rows: 3, Failed: []string{"a: b"}},
		"1 of 3 comparisons failed, and other load disturbed 2 trials: stop other programs (pushbench doctor names them), and repeat the self-test": {Rows: 3, Failed: []string{"a: b"}, Disturbed: 2},
	} {
		if err := v.Err(); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The help promises about 3 minutes on an idle machine: the experiments take most of them, the other checks 20 s.
func TestSelfTestTakesAboutThreeMinutes(t *testing.T) {
	var total time.Duration
	l := &lab{ctx: t.Context(), options: Options{Out: io.Discard}, planned: func(e experiment) *results.Run {
		s, err := e.read("planned")
		if err != nil {
			t.Fatal(err)
		}
		total += bench.Estimate(s)
		return &results.Run{Trials: []results.Trial{{Transport: string(s.Transports[0]), Status: cmp.Or(e.expects, results.Complete)}}}
	}}
	for _, c := range slices.Concat(faults, models, linkChecks, clientChecks) {
		if c.slow || c.name == "closed-loop" || c.name == "stalls" { // these start processes themselves
			continue
		}
		before := total
		if _, err := c.run(l); err != nil || total == before {
			t.Errorf("%s plans %v of experiments, %v", c.name, total-before, err)
		}
	}
	if total += 20 * time.Second; total < 150*time.Second || total > 210*time.Second {
		t.Errorf("a self-test takes %v, want about 3 minutes", total)
	}
}
