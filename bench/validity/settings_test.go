package validity

import (
	"slices"
	"testing"
)

// One check compares the settings that all configurations must share. The other compares the
// Variables and the host's settings between repetitions. A changed setting fails exactly one of them.
func TestChangedSettingFailsOneCheck(t *testing.T) {
	for name, by := range map[string]string{
		"server sockets.nodelay": SameServerSettings, "generator gomaxprocs": SameServerSettings,
		"server library": NothingChanged, "server batching_delay_ns": NothingChanged, "host sysctls.net.core.somaxconn": NothingChanged,
	} {
		e := ValidEvidence()
		e.Trial.Settings[name] = "now"
		e.First[name], e.Before[name] = "then", "then"
		var failed []string
		for _, c := range Check(e) {
			if !c.Passed {
				failed = append(failed, c.Name)
				if want := name + " was then, is now"; c.Detail != want {
					t.Errorf("detail %q, want %q", c.Detail, want)
				}
			}
		}
		if !slices.Equal(failed, []string{by}) {
			t.Errorf("%s differs: failed checks %v, want %s", name, failed, by)
		}
	}
}

func TestMissingSettingsFail(t *testing.T) {
	e := ValidEvidence()
	e.First, e.Before, e.Trial.Settings = nil, nil, nil
	for _, check := range []func(Evidence) (bool, string){sameServerSettings, nothingChanged} {
		if passed, detail := check(e); passed || detail != "no settings were reported" {
			t.Errorf("passed %v: %s", passed, detail)
		}
	}
}

// The first trial of a run has no earlier trial to compare with.
func TestFirstTrialPasses(t *testing.T) {
	e := ValidEvidence()
	e.First, e.Before = nil, nil
	for _, check := range []func(Evidence) (bool, string){sameServerSettings, nothingChanged} {
		if passed, detail := check(e); !passed {
			t.Errorf("the first trial fails: %s", detail)
		}
	}
}
