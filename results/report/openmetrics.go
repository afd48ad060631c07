package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// LatencyBuckets are the upper bounds of the delivery latency's buckets in seconds, 1 µs to 100 s: five per
// decade. Each is the nearest number to its decimal text, which a query names: a product such as 10·1e-6
// can differ from it.
var LatencyBuckets = func() (all []float64) {
	for decade := -6; decade < 2; decade++ {
		for _, step := range []string{"1", "1.6", "2.5", "4", "6.3"} {
			bound, _ := strconv.ParseFloat(fmt.Sprintf("%se%d", step, decade), 64) // never fails
			all = append(all, bound)
		}
	}
	return append(all, 100)
}()

// MetricLabels are the labels of every Prometheus metric that belongs to a configuration, in this order:
// those of a finished run and those of the current one.
var MetricLabels = []string{"scenario", "configuration", "transport", "servers"}

// The values of the label servers: the servers of this pushbench, or those of the baseline.
const (
	OwnServers      = "own"
	BaselineServers = "baseline"
)

// OpenMetrics writes the summary of a run as OpenMetrics text: its badge, the metrics of all
// configurations, their latencies as histograms, and the assertions. The timestamp of each value is the end
// of the run, because an import of a file requires one.
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

// ascii replaces the characters beyond ASCII that pushbench itself writes. A spreadsheet may read a file of
// another encoding, and a query cannot tell the two letters that look like µ apart.
func ascii(s string) string { return asciiReplacer.Replace(s) }

var asciiReplacer = strings.NewReplacer("µ", "u", "∞", "inf", "×", "x", "–", "-", "−", "-", "·", "*", "…", "...", "≤", "<=", "≥", ">=", "→", "->")

// exported collects a run for Prometheus.
type exported struct{ *Report }

var (
	descRun       = newDesc("run", "The run, with its status, and whether it supports a verdict.", "scenario", "servers", "status", "badge", "commit", "seed")
	descResult    = newDesc("result", "A metric of a configuration over all valid trials, as in summary.csv.", append(MetricLabels, "metric", "unit")...)
	descLatency   = newDesc("delivery_latency_seconds", "Time from when a message was due until the client had its payload. Messages that never arrived are only in +Inf.", MetricLabels...)
	descAssertion = newDesc("assertion", "1: the assertion passed, 0: it failed, 0.5: it is undecided.", append(MetricLabels, "assertion")...)
)

func newDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("pushbench_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (x exported) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(x, to) }

// Collect implements prometheus.Collector.
func (x exported) Collect(to chan<- prometheus.Metric) {
	m, at := x.Run.Manifest, x.Run.Manifest.Ended
	if at.IsZero() { // it was killed
		at = m.Started
	}
	send := func(one prometheus.Metric) { to <- prometheus.NewMetricWithTimestamp(at, one) }
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		send(prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, plainTexts(labels)...))
	}
	servers := OwnServers
	if m.IsBaseline() {
		servers = BaselineServers
	}
	scenario := m.Workload.Scenario
	gauge(descRun, 1, scenario, servers, string(m.Status), x.Badge(), m.Tool.Commit, fmt.Sprint(m.Seed))
	if m.Status == results.Invalid {
		return // its values must not be quoted
	}
	for _, row := range x.Summary.Rows {
		labels := []string{scenario, row.Name, row.Transport, servers}
		for _, m := range metric.All {
			if v := row.Typical(m.Name); v.Known == summary.Shown {
				gauge(descResult, v.X, append(labels, m.Name, ascii(m.Unit))...)
			}
		}
		if h := row.Pooled.Latency; h.Histogram.Count() > 0 {
			buckets, sum := cumulative(h.Histogram)
			send(prometheus.MustNewConstHistogram(descLatency, uint64(h.Histogram.Count()+h.Infinite), sum, buckets, plainTexts(labels)...))
		}
		seen := map[string]bool{}
		for _, a := range x.Assertions {
			if text := results.Plain(a.Assertion.Text); a.Configuration == row.Name && !seen[text] { // an assertion written twice is exported once
				seen[text] = true
				gauge(descAssertion, outcomes[a.Outcome], append(labels, text)...)
			}
		}
	}
}

// outcomes are the values of pushbench_assertion.
var outcomes = map[compare.Outcome]float64{compare.Passed: 1, compare.Failed: 0, compare.Undecided: 0.5}

func plainTexts(all []string) []string {
	plain := make([]string, len(all))
	for i, text := range all {
		plain[i] = results.Plain(text)
	}
	return plain
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
