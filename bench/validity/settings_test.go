package validity

import (
	"slices"
	"testing"
)

// What is compared with whom: transports by what they must share, blocks by all else.
func TestEachSettingIsJudgedOnce(t *testing.T) {
	for name, by := range map[string]string{
		"server sockets.nodelay": ServersPaired, "generator gomaxprocs": ServersPaired,
		"server stack": NothingChanged, "server flush_ns": NothingChanged, "host sysctls.net.core.somaxconn": NothingChanged,
	} {
		e := ValidEvidence()
		e.Trial.Settings[name] = "now"
		e.First[name], e.Before[name] = "then", "then"
		var refused []string
		for _, g := range Check(e) {
			if !g.Passed {
				refused = append(refused, g.Name)
				if want := name + " was then, is now"; g.Detail != want {
					t.Errorf("says %q, want %q", g.Detail, want)
				}
			}
		}
		if !slices.Equal(refused, []string{by}) {
			t.Errorf("%s differs: refused by %v, want %s", name, refused, by)
		}
	}
}

// Who tells nothing cannot be shown to be paired.
func TestNoSettingsAreRefused(t *testing.T) {
	e := ValidEvidence()
	e.First, e.Before, e.Trial.Settings = nil, nil, nil
	for _, judge := range []func(Evidence) (bool, string){paired, unchanged} {
		if passed, detail := judge(e); passed || detail != "no settings were told" {
			t.Errorf("passed %v: %s", passed, detail)
		}
	}
}

// The first trial has no earlier one to differ from.
func TestFirstTrialIsPaired(t *testing.T) {
	e := ValidEvidence()
	e.First, e.Before = nil, nil
	for _, judge := range []func(Evidence) (bool, string){paired, unchanged} {
		if passed, detail := judge(e); !passed {
			t.Errorf("the first trial is refused: %s", detail)
		}
	}
}
