package host

import (
	"slices"
	"testing"

	"pushbench/results"
)

func TestOnlyValuesThatTheHostDoesNotReportAreListed(t *testing.T) {
	h := results.Host{Governor: "performance", SMT: "0", Qdisc: "fq", MemoryLimit: "none"}
	if got, want := unshown(h), []string{"processor quota of the control group"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	h.CPUQuota = "none"
	if got := unshown(h); len(got) > 0 {
		t.Errorf("every value is reported: got %q", got)
	}
}

// Only Go's settings are recorded from the environment: other variables may be secrets.
func TestOnlyGoSettingsAreRecorded(t *testing.T) {
	t.Setenv("GOGC", "50")
	t.Setenv("PUSHBENCH_TOKEN", "secret")
	set := Facts().GoSettings
	if set["GOGC"] != "50" {
		t.Errorf("GOGC: got %q, want 50", set["GOGC"])
	}
	for name := range set {
		if !slices.Contains(goSettings, name) {
			t.Errorf("%s is recorded", name)
		}
	}
}

func TestTickRateIsOneThatKernelsAreBuiltWith(t *testing.T) {
	if got := tickRate(); !slices.Contains([]float64{100, 250, 300, 1000}, got) {
		t.Errorf("got %v Hz", got)
	}
}
