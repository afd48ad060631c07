package endtoend

import (
	"testing"

	"pushbench/bench/validity"
	"pushbench/results"
)

// Tests forgive only trials that would be repeated.
func TestOnlyDisturbancesAreForgiven(t *testing.T) {
	failing := func(status results.Status, names ...string) (trial results.Trial) {
		trial.Status = status
		for _, name := range names {
			trial.Checks = append(trial.Checks, results.ValidityCheck{Name: name})
		}
		return trial
	}
	for _, c := range []struct {
		trial results.Trial
		want  bool
	}{
		{failing(results.Complete), true},
		{failing(results.Saturated), true},
		{failing(results.Invalid, validity.GeneratorOnTime, validity.NotThrottled, validity.NoTrend), true},
		{failing(results.Invalid, validity.GeneratorOnTime, validity.LedgerAddsUp), false},
		{failing(results.Invalid), false}, // a process ended
	} {
		if err := onlyDisturbed([]results.Trial{failing(results.Complete), c.trial}); (err == nil) != c.want {
			t.Errorf("%+v: %v, want forgiven: %v", c.trial, err, c.want)
		}
	}
}
