package app

import (
	"strings"
	"testing"

	"pushbench/results"
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
	} {
		if got := sameBuild(c.a, c.b); got != c.want {
			t.Errorf("%+v and %+v: got %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
