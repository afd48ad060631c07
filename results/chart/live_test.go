package chart_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/internal/synthetic"
)

// Panels are valid JSON with complete series.
func TestPanels(t *testing.T) {
	for runName, run := range map[string]*results.Run{
		"plain": synthetic.Run(2, 4*time.Second),
		"swept": synthetic.Sweep(2, time.Second, []string{"reference", "nethttp"}, []time.Duration{0, 5 * time.Millisecond}),
		"empty": {},
	} {
		for chartName, f := range drawn(t, run, chart.Vectors) {
			if _, err := json.Marshal(f.Panels); err != nil {
				t.Errorf("%s: %s: %v", runName, chartName, err)
			}
			if f.Basis == "" {
				t.Errorf("%s: %s has no basis", runName, chartName)
			}
			for _, p := range f.Panels {
				checkPanel(t, runName+": "+chartName, p)
			}
		}
	}
	latency := drawn(t, synthetic.Run(2, 4*time.Second), chart.Vectors)["latency"].Panels[0]
	kinds := map[string]int{}
	for _, s := range latency.Series {
		kinds[s.Kind]++
		if s.Kind == "points" && s.Configuration == "websocket" && !(s.Lo[0] <= s.Y[0] && s.Y[0] <= s.Hi[0]) {
			t.Errorf("websocket's p50 of %v is not within %v to %v", s.Y[0], s.Lo[0], s.Hi[0])
		}
	}
	if kinds["line"] != 4 || kinds["points"] != 4 || kinds["predicted"] == 0 {
		t.Errorf("%v", kinds)
	}
}

func checkPanel(t *testing.T, where string, p chart.Panel) {
	t.Helper()
	for _, s := range p.Series {
		if len(s.Y) != len(s.X) || len(s.Lo) != len(s.Hi) || len(s.Lo) != 0 && len(s.Lo) != len(s.X) {
			t.Errorf("%s: %s has %d positions, %d values, %d and %d bounds", where, s.Configuration, len(s.X), len(s.Y), len(s.Lo), len(s.Hi))
		}
		for i := range s.X {
			if p.X.Scale == "names" && (s.X[i] < -0.5 || s.X[i] > float64(len(p.X.Names))-0.5) {
				t.Errorf("%s: %s is at %v of %d names", where, s.Configuration, s.X[i], len(p.X.Names))
			}
			if p.Y.Scale == "log" && s.Y[i] <= 0 || math.IsNaN(s.Y[i]) {
				t.Errorf("%s: %s is %v on a scale of %s", where, s.Configuration, s.Y[i], p.Y.Scale)
			}
		}
	}
}
