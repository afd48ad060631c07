package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
)

// Scenarios and results agree on what is declared where nothing is said.
func TestAScenarioDeclaresWhatResultsTakeForGranted(t *testing.T) {
	s, err := scenarios.Load("crowd")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(results.DefaultDeclared, declared(s.Compare)); diff != "" {
		t.Errorf("the default of results is not that of scenarios (-results +scenarios):\n%s", diff)
	}
	s.Compare = scenarios.Compare{Primary: []string{metric.Mean}, Margin: 2.5}
	if diff := cmp.Diff(results.Declared{Primary: []string{metric.Mean}, Margin: 0.025}, declared(s.Compare)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
