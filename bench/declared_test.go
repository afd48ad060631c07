package bench

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbench/results"
	"pushbench/scenarios"
)

// A scenario names metrics as results do, and both agree on what is declared
// when nobody says anything.
func TestAScenarioDeclaresMetricsThatResultsHave(t *testing.T) {
	for _, name := range scenarios.Metrics {
		i := slices.IndexFunc(results.Metrics, func(m results.Metric) bool { return m.Name == string(name) })
		if i < 0 || results.Metrics[i].Better != results.Lower {
			t.Errorf("a scenario may declare %s; results have no such metric of which less is better", name)
		}
	}
	s, err := scenarios.Load("crowd")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(results.DefaultDeclared, declared(s.Compare)); diff != "" {
		t.Errorf("the default of results is not that of scenarios (-results +scenarios):\n%s", diff)
	}
	s.Compare = scenarios.Compare{Primary: []scenarios.Metric{"mean"}, Margin: 2.5}
	if diff := cmp.Diff(results.Declared{Primary: []string{results.Mean}, Margin: 0.025}, declared(s.Compare)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
