package app

import "testing"

// The polls of a map are rarer than those of the scenario, so the last ones end later.
func TestMapWaitsForItsLastPolls(t *testing.T) {
	for _, name := range []string{"collab", "game", "positions"} {
		o := CrossoverOptions{Staleness: []string{"50ms", "5s"}, Repetitions: 1}
		if _, err := o.Prepare(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
