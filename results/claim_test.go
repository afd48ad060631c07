package results_test

import (
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
)

func TestFigureByName(t *testing.T) {
	run := synthetic.Run(1, 10*time.Second)
	trial := run.Trials[3]
	for name, same := range map[string]string{
		"p(50)": results.P50, "p(99)": results.P99, "p(99.9)": results.P999, "age_p(99)": results.AgeP99,
		"ack_p(50)": results.AckP50, "connect_p(99)": results.ConnectP99, "lost": results.Lost,
	} {
		m, ok := results.FigureByName(name)
		if got, want := m.Of(trial), results.MetricByName(same).Of(trial); !ok || got != want {
			t.Errorf("%s: got %v, want %v as of %s", name, got, want, same)
		}
	}
	for _, name := range []string{"", "p", "p()", "p(0)", "p(100)", "p(99)x", "lost_p(50)", "p(-1)", "latency"} {
		if m, ok := results.FigureByName(name); ok {
			t.Errorf("%q is a figure: %+v", name, m)
		}
	}
}
