package validity

import (
	"slices"
	"testing"
)

// One check compares settings between configurations, the other all other settings between
// repetitions: a changed setting fails exactly one of them.
func TestChangedSettingFailsOneCheck(t *testing.T) {
	for name, by := range map[string]string{
		"server sockets.nodelay": ServersPaired, "generator gomaxprocs": ServersPaired,
		"server stack": NothingChanged, "server flush_ns": NothingChanged, "host sysctls.net.core.somaxconn": NothingChanged,
	} {
		e := ValidEvidence()
		e.Trial.Settings[name] = "now"
		e.First[name], e.Before[name] = "then", "then"
		var refused []string
		for _, c := range Check(e) {
			if !c.Passed {
				refused = append(refused, c.Name)
				if want := name + " was then, is now"; c.Detail != want {
					t.Errorf("detail %q, want %q", c.Detail, want)
				}
			}
		}
		if !slices.Equal(refused, []string{by}) {
			t.Errorf("%s differs: refused by %v, want %s", name, refused, by)
		}
	}
}

// Without reported settings, a trial cannot be shown to be paired.
func TestNoSettingsAreRefused(t *testing.T) {
	e := ValidEvidence()
	e.First, e.Before, e.Trial.Settings = nil, nil, nil
	for _, check := range []func(Evidence) (bool, string){paired, unchanged} {
		if passed, detail := check(e); passed || detail != "no settings were reported" {
			t.Errorf("passed %v: %s", passed, detail)
		}
	}
}

// The first trial has no predecessor to compare with.
func TestFirstTrialIsPaired(t *testing.T) {
	e := ValidEvidence()
	e.First, e.Before = nil, nil
	for _, check := range []func(Evidence) (bool, string){paired, unchanged} {
		if passed, detail := check(e); !passed {
			t.Errorf("the first trial is refused: %s", detail)
		}
	}
}
