package summary_test

import (
	"testing"
	"time"

	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

func TestPercentilesAreThoseOfTheirMetrics(t *testing.T) {
	trial := synthetic.Run(1, 10*time.Second).Trials[3]
	for name, same := range map[string]string{
		"p(50)": metric.P50, "p(99)": metric.P99, "p(99.9)": metric.P999, "age_p(99)": metric.AgeP99,
		"ack_p(50)": metric.AckP50, "connect_p(99)": metric.ConnectP99, "reply_p(50)": metric.ReplyP50,
	} {
		if got, want := summary.Measure(name, trial), summary.Measure(same, trial); got != want {
			t.Errorf("%s: got %v, want %v as of %s", name, got, want, same)
		}
	}
}

func TestAnUnknownMetricIsAMistakeInTheProgram(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("latency was measured")
		}
	}()
	summary.Measure("latency", synthetic.Run(1, time.Second).Trials[0])
}
