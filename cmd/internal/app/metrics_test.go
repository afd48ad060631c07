package app

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"pushbench/results"
	"pushbench/results/report"
)

// A dashboard shows the current run and finished ones with the same queries.
func TestLiveMetricsHaveTheLabelsOfFinishedRuns(t *testing.T) {
	m := newMetrics("chat")
	var latency results.Histogram
	latency.Record(5 * time.Millisecond)
	m.interval(report.OwnServers, results.Interval{
		Repetition: 1, Transport: "sse", Configuration: "sse rtt=10ms", Length: time.Second,
		Published: 2, Delivered: 3, Counted: 1, Latency: latency,
	})
	m.invalid.WithLabelValues("chat", report.OwnServers).Inc()
	get := func() *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		m.server.Handler.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		return answer
	}
	if problems, err := promlint.New(get().Body).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("promtool would report %v, %v", problems, err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(get().Body)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(report.MetricLabels))
	for _, name := range []string{"pushbench_delivered_total", "pushbench_published_total", "pushbench_delivery_latency_seconds"} {
		all := families[name].GetMetric()
		if len(all) != 1 {
			t.Fatalf("%s: %d metrics", name, len(all))
		}
		got := map[string]string{}
		var names []string
		for _, l := range all[0].GetLabel() {
			got[l.GetName()], names = l.GetValue(), append(names, l.GetName())
		}
		if !slices.Equal(names, want) || got["configuration"] != "sse rtt=10ms" || got["transport"] != "sse" || got["scenario"] != "chat" || got["servers"] != report.OwnServers {
			t.Errorf("%s has the labels %v, want %v", name, got, want)
		}
		for i, b := range all[0].GetHistogram().GetBucket() {
			if i < len(report.LatencyBuckets) && b.GetUpperBound() != report.LatencyBuckets[i] {
				t.Errorf("bound %d is %v, want %v", i, b.GetUpperBound(), report.LatencyBuckets[i])
			}
		}
	}
}
