package app

import (
	"strings"
	"testing"

	"pushbench/bench"
	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

func TestPlanDecidesFromMinDecisiveOn(t *testing.T) {
	for _, c := range []struct {
		plan    Plan
		decides bool
		refusal string // part of it
	}{
		{Plan{Repetitions: 9, Comparisons: 16, MinDecisive: 10}, false, "--repetitions 10 or more"},
		{Plan{Repetitions: 10, Comparisons: 16, MinDecisive: 10}, true, ""},
		{Plan{Repetitions: 12, Comparisons: 0, MinDecisive: 8}, false, "nothing to compare"},
	} {
		err := c.plan.Undecidable()
		if c.plan.Decides() != c.decides || (err == nil) != c.decides || err != nil && (CodeOf(err) != Usage || !strings.Contains(err.Error(), c.refusal)) {
			t.Errorf("%+v: decides: %v, refusal: %v", c.plan, c.plan.Decides(), err)
		}
	}
}

func TestPlanNamesABaselineThatIsTheSameBuild(t *testing.T) {
	for _, c := range []struct {
		a, b results.Tool
		want string
	}{
		{results.Tool{Commit: "0123456789abcdef"}, results.Tool{Commit: "0123456789abcdef"}, "commit 0123456789ab"},
		{results.Tool{Commit: "0123456789abcdef", Dirty: true}, results.Tool{Commit: "0123456789abcdef"}, ""},
		{results.Tool{Commit: "0123456789abcdef"}, results.Tool{Commit: "1123456789abcdef"}, ""},
		{results.Tool{SHA256: "aa11"}, results.Tool{SHA256: "aa11"}, "checksum aa11"},
		{results.Tool{}, results.Tool{}, ""},
		{results.Tool{Target: "mine", SHA256: "aa11"}, results.Tool{Target: "mine", SHA256: "aa11"}, ""}, // a target file, whose server may differ
		{results.Tool{Target: "mine", SHA256: "aa11", Commit: "0123"}, results.Tool{Target: "mine", SHA256: "aa11", Commit: "0123"}, "commit 0123"},
		{results.Tool{Target: "mine", SHA256: "aa11", Commit: "0123"}, results.Tool{Target: "mine", SHA256: "bb22", Commit: "0123"}, ""}, // two files of one commit
	} {
		if got := sameBuild(c.a, c.b); got != c.want {
			t.Errorf("%+v and %+v: got %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

// planned returns a scenario with an additional line.
func planned(t *testing.T, line string) *scenarios.Scenario {
	t.Helper()
	const text = "version: 1\nname: test\nclients: {count: 100}\npublish: {by: backend, rate: 10/s}\npayload: {size: 64B}\nwindow: 10s\n"
	s, err := scenarios.Read("test", strings.NewReader(text+line))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Six comparisons of four transports are the most that 8 repetitions can decide. More transports, or
// more values of a sweep, make more comparisons, which need more repetitions.
func TestDefaultComparisonsCanBeDecidedBy8Repetitions(t *testing.T) {
	for _, c := range []struct {
		line                 string
		comparisons, decides int
	}{
		{"", 6, 8},
		{"delivery: latest", 6, 8},
		{"transports: [sse, longpoll, shortpoll, httpstream, websocket]", 8, 9},
		{"transports: [longpoll, sse]", 2, 8},
		{"sweep: {library: [nethttp, fasthttp]}", 12, 9},
		{"compare: {against: all}", 12, 9},
	} {
		run := bench.Planned(planned(t, c.line), 1)
		if a := compare.Analyze(run, summary.Of(run)); len(a.Family) != c.comparisons || a.MinDecisive != c.decides {
			t.Errorf("%q: %d comparisons, decided by %d repetitions; want %d and %d", c.line, len(a.Family), a.MinDecisive, c.comparisons, c.decides)
		}
	}
}
