package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// The first sentence is the headline: what to choose, its latency and its cost.
func TestFirstSentenceIsHeadline(t *testing.T) {
	lose := func(run *results.Run, transports ...string) *results.Run {
		for i := range run.Trials {
			if tr := &run.Trials[i]; slices.Contains(transports, tr.Transport) {
				tr.Ledger.Lost++
				tr.Ledger.Unique--
			}
		}
		return run
	}
	requiring := func(run *results.Run) *results.Run {
		run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 100ms", Metric: "p(50)", Op: "<", Bound: 100}}
		return run
	}
	alone := func(run *results.Run, transport string) *results.Run {
		run.Manifest.Transports = []string{transport}
		run.Trials = slices.DeleteFunc(run.Trials, func(tr results.Trial) bool { return tr.Transport != transport })
		return run
	}
	for name, c := range map[string]struct {
		run  func() *results.Run
		want string
	}{
		"the cheapest that meets the requirements": {states["assertions"], "ESTIMATE: WebSocket, the cheapest of the 3 found to meet every requirement (undecided: short polling): p50 10.3 ms, p99 11.4 ms, 9.53 µs of CPU per message, 203 B on the wire, 9.60 KiB of server memory per client; no other is shown to be faster."},
		"no transport meets them":                  {states["unmet"], "ESTIMATE: no transport was found to meet every requirement and lose nothing: short polling is undecided."},
		"those that meet them lost messages": {func() *results.Run {
			return requiring(lose(synthetic.Run(4, 10*time.Second), "websocket", "sse", "longpoll"))
		}, "ESTIMATE: no transport was found to meet every requirement and lose nothing: long polling, SSE and WebSocket lost messages or were overloaded."},
		"only one meets them":  {func() *results.Run { return requiring(lose(synthetic.Run(4, 10*time.Second), "websocket", "longpoll")) }, "ESTIMATE: SSE, the only one found to meet every requirement: p50 "},
		"without requirements": {states["estimate"], "ESTIMATE: fastest is WebSocket (p50 10.3 ms, 9.53 µs of CPU per message) or SSE (p50 10.4 ms, 11.3 µs of CPU per message), cheapest is short polling (p50 505 ms, 3.36 µs of CPU per message); no requirement is declared to choose by."},
		"by ranges":            {states["verdict"], "ESTIMATE: fastest is WebSocket (p50 10.3 ms, 9.46 µs of CPU per message) or SSE (p50 10.4 ms, 11.3 µs of CPU per message), cheapest by ranges over the repetitions is short polling (p50 511 ms, 3.39 µs of CPU per message); no requirement"},
		"a verdict": {func() *results.Run {
			run := *twelve()
			run.Manifest.Compare = results.Declared{Primary: []string{metric.P50, metric.CPUPerMessage}, Margin: 0.05}
			return requiring(&run)
		}, "VERDICT: WebSocket, the cheapest of the 3 found to meet every requirement: p50 "},
		"one repetition":                 {states["single"], "ESTIMATE: more repetitions are needed to rank the fastest of the 4 that lost nothing: short polling (p50 "},
		"a transport that lost messages": {func() *results.Run { return lose(synthetic.Run(4, 10*time.Second), "websocket") }, "ESTIMATE: fastest is SSE (p50 10.4 ms, 11.3 µs of CPU per message), cheapest is short polling ("},
		"the least stale":                {states["latest-long"], "ESTIMATE: least stale is "},
		"one transport":                  {func() *results.Run { return alone(synthetic.Run(4, 10*time.Second), "sse") }, "ESTIMATE, no verdict: there is nothing to compare"},
	} {
		if got := report.New(c.run()).Sentences()[0]; !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// A run that sweeps the load has a choice for each load, among the configurations with that load only.
func TestEachLoadHasItsChoice(t *testing.T) {
	run := synthetic.Run(4, 10*time.Second)
	twice := func(rate, cpu float64) (all []results.Configuration) {
		for _, c := range run.Manifest.AllConfigurations() {
			c.Name, c.PublishRate, c.DeliveryRate = c.Name+" rate="+metric.Number(rate)+"/s", rate, 20*rate
			all = append(all, c)
		}
		for _, tr := range run.Trials[:16] {
			tr.Configuration = tr.Transport + " rate=" + metric.Number(rate) + "/s"
			if tr.Transport == "websocket" {
				tr.Cost.Server.CPU = time.Duration(cpu * float64(tr.Cost.Server.CPU))
			}
			run.Trials = append(run.Trials, tr)
		}
		return all
	}
	run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 100ms", Metric: "p(50)", Op: "<", Bound: 100}}
	configurations := append(twice(10, 20), twice(100, 1)...)
	run.Trials, run.Manifest.Configurations = run.Trials[16:], configurations
	first := report.New(run).Sentences()[0]
	if !strings.HasPrefix(first, "ESTIMATE: at 10 messages per second SSE rate=10/s (p50 ") || !strings.Contains(first, "; at 100 messages per second WebSocket rate=100/s (p50 ") {
		t.Error(first)
	}
}

// A transport that costs more than the cheapest is no choice, even if a third one is distinguishable from
// neither.
func TestMoreExpensiveTransportIsNoChoice(t *testing.T) {
	run := synthetic.Run(4, 10*time.Second)
	run.Manifest.Requirements = []metric.Assertion{{Text: "lost == 0", Metric: "lost", Op: "==", Bound: 0}}
	for i := range run.Trials {
		tr := &run.Trials[i]
		around := map[string]float64{"websocket": 46, "sse": 49, "longpoll": 56, "shortpoll": 90}[tr.Transport]
		spread := map[string]float64{"websocket": 2, "sse": 6, "longpoll": 6, "shortpoll": 1}[tr.Transport]
		perMessage := around + spread*float64(tr.Repetition%2*2-1) // µs
		tr.Cost.Server.CPU = time.Duration(perMessage / 2 * float64(tr.Ledger.Unique) * float64(time.Microsecond))
		tr.Cost.Generator.CPU = tr.Cost.Server.CPU
	}
	got := report.New(run).Sentences()[0]
	if !strings.HasPrefix(got, "ESTIMATE: WebSocket or SSE, the fastest of the 2 cheapest, with no measurable difference in cost, of the 4 found to meet every requirement: ") {
		t.Error(got)
	}
}
