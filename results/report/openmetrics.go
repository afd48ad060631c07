package report

import (
	"fmt"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// LatencyBuckets are the upper bounds of the delivery latency's buckets in seconds, 1 µs to 100 s: five per
// decade.
var LatencyBuckets = func() (all []float64) {
	for decade := 1e-6; decade < 100; decade *= 10 {
		for _, step := range []float64{1, 1.6, 2.5, 4, 6.3} {
			all = append(all, decade*step)
		}
	}
	return append(all, 100)
}()

// OpenMetrics writes the summary of a run as OpenMetrics text: its badge, the metrics of all
// configurations, their latencies as histograms, and the assertions.
func (r *Report) OpenMetrics(w io.Writer) error {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(exported{r}); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return fmt.Errorf("gather the metrics of a run: %w", err)
	}
	e := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeOpenMetrics))
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			return err
		}
	}
	return e.(expfmt.Closer).Close()
}

// exported collects a run for Prometheus.
type exported struct{ *Report }

var (
	descRun       = prometheus.NewDesc("pushbench_run", "The run, with its status, and whether it supports a verdict.", []string{"scenario", "status", "worth", "commit", "seed"}, nil)
	descResult    = prometheus.NewDesc("pushbench_result", "A metric of a configuration over all valid trials, as in summary.csv.", []string{"case", "transport", "metric", "unit"}, nil)
	descLatency   = prometheus.NewDesc("pushbench_delivery_latency_seconds", "Time from when a message was due until the client had its payload. Messages that never arrived are only in +Inf.", []string{"case", "transport"}, nil)
	descAssertion = prometheus.NewDesc("pushbench_claim", "1: the assertion passed, 0: it failed, 0.5: it is undecided.", []string{"claim", "case"}, nil)
)

// Describe implements prometheus.Collector.
func (x exported) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(x, to) }

// Collect implements prometheus.Collector.
func (x exported) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		for i, l := range labels {
			labels[i] = results.Plain(l)
		}
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	m := x.Run.Manifest
	gauge(descRun, 1, m.Workload.Scenario, string(m.Status), x.storedBadge(), m.Tool.Commit, fmt.Sprint(m.Seed))
	if m.Status == results.Invalid {
		return // its values must not be quoted
	}
	for _, row := range x.Summary.Rows {
		for _, m := range metric.All {
			if v := row.Value(m.Name); v.Known == summary.Shown {
				gauge(descResult, v.X, row.Name, row.Transport, m.Name, m.Unit)
			}
		}
		if h := row.Pooled.Latency; h.Histogram.Count() > 0 {
			buckets, sum := cumulative(h.Histogram)
			to <- prometheus.MustNewConstHistogram(descLatency, uint64(h.Histogram.Count()+h.Infinite), sum, buckets, results.Plain(row.Name), results.Plain(row.Transport))
		}
	}
	outcomes := map[compare.Outcome]float64{compare.Passed: 1, compare.Failed: 0, compare.Undecided: 0.5}
	seen := map[[2]string]bool{}
	for _, a := range x.Assertions {
		if key := [2]string{results.Plain(a.Assertion.Text), results.Plain(a.Configuration)}; !seen[key] { // an assertion written twice is exported once
			seen[key] = true
			gauge(descAssertion, outcomes[a.Outcome], key[0], key[1])
		}
	}
}

// cumulative is the count up to each bound, and the sum in seconds.
func cumulative(h results.Histogram) (buckets map[float64]uint64, sum float64) {
	buckets = map[float64]uint64{}
	for _, bound := range LatencyBuckets {
		buckets[bound] = 0
	}
	for _, bar := range h.HDR().Distribution() {
		middle := (float64(bar.From) + float64(bar.To)) / 2 / 1e9
		sum += middle * float64(bar.Count)
		for _, bound := range LatencyBuckets {
			if float64(bar.To)/1e9 <= bound {
				buckets[bound] += uint64(bar.Count)
			}
		}
	}
	return buckets, sum
}
