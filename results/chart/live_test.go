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

// What is drawn again in a page is data that JSON can carry, each case of it whole.
func TestPanels(t *testing.T) {
	for name, run := range map[string]*results.Run{
		"plain": synthetic.Run(2, 4*time.Second),
		"swept": synthetic.Sweep(2, time.Second, []string{"reference", "nethttp"}, []time.Duration{0, 5 * time.Millisecond}),
		"empty": {},
	} {
		for figure, f := range drawn(t, run, chart.Vectors) {
			if _, err := json.Marshal(f.Panels); err != nil {
				t.Errorf("%s: %s: %v", name, figure, err)
			}
			if f.Basis == "" {
				t.Errorf("%s: %s rests on nothing", name, figure)
			}
			for _, p := range f.Panels {
				sound(t, name+": "+figure, p)
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
	if kinds["line"] != 4 || kinds["points"] != 4 || kinds["theory"] == 0 {
		t.Errorf("%v", kinds)
	}
}

func sound(t *testing.T, where string, p chart.Panel) {
	t.Helper()
	for _, s := range p.Series {
		if len(s.Y) != len(s.X) || len(s.Lo) != len(s.Hi) || len(s.Lo) != 0 && len(s.Lo) != len(s.X) {
			t.Errorf("%s: %s has %d places, %d values, %d and %d ends", where, s.Configuration, len(s.X), len(s.Y), len(s.Lo), len(s.Hi))
		}
		for i := range s.X {
			if p.XScale == "names" && (s.X[i] < -0.5 || s.X[i] > float64(len(p.Names))-0.5) {
				t.Errorf("%s: %s stands at %v beside %d names", where, s.Configuration, s.X[i], len(p.Names))
			}
			if p.YScale == "log" && s.Y[i] <= 0 || math.IsNaN(s.Y[i]) {
				t.Errorf("%s: %s is %v on a scale of %s", where, s.Configuration, s.Y[i], p.YScale)
			}
		}
	}
}
