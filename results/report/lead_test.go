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

// The first sentence is the answer: what to choose, its latency and its cost.
func TestTheFirstSentenceIsTheAnswer(t *testing.T) {
	lose := func(run *results.Run, transports ...string) *results.Run {
		for i := range run.Trials {
			if tr := &run.Trials[i]; slices.Contains(transports, tr.Transport) {
				tr.Ledger.Lost++
				tr.Ledger.Unique--
			}
		}
		return run
	}
	needing := func(run *results.Run) *results.Run {
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
		"the cheapest that meets the needs": {states["claims"], "ESTIMATE: websocket, the cheapest of the 3 found to meet every need (open: shortpoll): p50 10.3 ms, p99 11.4 ms, 9.53 µs of CPU a message, 203 B on the wire, 9.60 KiB of server memory a client; no other is shown to be sooner."},
		"nothing meets them":                {states["needy"], "ESTIMATE: none was found to meet every need and lose nothing: of shortpoll it is open."},
		"what meets them lost": {func() *results.Run {
			return needing(lose(synthetic.Run(4, 10*time.Second), "websocket", "sse", "longpoll"))
		}, "ESTIMATE: none was found to meet every need and lose nothing: longpoll, sse and websocket lost messages or were overloaded."},
		"one alone meets them": {func() *results.Run { return needing(lose(synthetic.Run(4, 10*time.Second), "websocket", "longpoll")) }, "ESTIMATE: sse, the only one found to meet every need: p50 "},
		"without needs":        {states["estimate"], "ESTIMATE: soonest is websocket (p50 10.3 ms, 9.53 µs of CPU a message) or sse (p50 10.4 ms, 11.3 µs of CPU a message), cheapest is shortpoll (p50 505 ms, 3.36 µs of CPU a message); no need is declared that would choose."},
		"by ranges":            {states["verdict"], "ESTIMATE: soonest is websocket (p50 10.3 ms, 9.46 µs of CPU a message) or sse (p50 10.4 ms, 11.3 µs of CPU a message), cheapest by ranges over the blocks is shortpoll (p50 511 ms, 3.39 µs of CPU a message); no need"},
		"a verdict": {func() *results.Run {
			run := *twelve()
			run.Manifest.Compare = results.Declared{Primary: []string{metric.P50, metric.CPUPerMessage}, Margin: 0.05}
			return needing(&run)
		}, "VERDICT: websocket, the cheapest of the 3 found to meet every need: p50 "},
		"one block":                  {states["single"], "ESTIMATE: which is soonest of the 4 that lost nothing takes more blocks: shortpoll (p50 "},
		"what lost is no choice":     {func() *results.Run { return lose(synthetic.Run(4, 10*time.Second), "websocket") }, "ESTIMATE: soonest is sse (p50 10.4 ms, 11.3 µs of CPU a message), cheapest is shortpoll ("},
		"the freshest for its cores": {states["latest-long"], "ESTIMATE: freshest is "},
		"one transport":              {func() *results.Run { return alone(synthetic.Run(4, 10*time.Second), "sse") }, "ESTIMATE, no verdict: there is nothing to compare"},
	} {
		if got := report.New(c.run()).Sentences()[0]; !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// Where the load is swept there is a choice for each load, of the cases under it alone.
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
	cases := append(twice(10, 20), twice(100, 1)...)
	run.Trials, run.Manifest.Configurations = run.Trials[16:], cases
	first := report.New(run).Sentences()[0]
	if !strings.HasPrefix(first, "ESTIMATE: at 10 messages a second sse rate=10/s (p50 ") || !strings.Contains(first, "; at 100 messages a second websocket rate=100/s (p50 ") {
		t.Error(first)
	}
}

// Whoever is told to cost more than the best is no choice, though a third who is told apart from
// neither stands between them.
func TestWhoIsBeatenIsNoChoice(t *testing.T) {
	run := synthetic.Run(4, 10*time.Second)
	run.Manifest.Requirements = []metric.Assertion{{Text: "lost == 0", Metric: "lost", Op: "==", Bound: 0}}
	for i := range run.Trials {
		tr := &run.Trials[i]
		around := map[string]float64{"websocket": 46, "sse": 49, "longpoll": 56, "shortpoll": 90}[tr.Transport]
		spread := map[string]float64{"websocket": 2, "sse": 6, "longpoll": 6, "shortpoll": 1}[tr.Transport]
		each := around + spread*float64(tr.Repetition%2*2-1) // µs
		tr.Cost.Server.CPU = time.Duration(each / 2 * float64(tr.Ledger.Unique) * float64(time.Microsecond))
		tr.Cost.Generator.CPU = tr.Cost.Server.CPU
	}
	got := report.New(run).Sentences()[0]
	if !strings.HasPrefix(got, "ESTIMATE: websocket or sse, the soonest of the 2 cheapest, not told apart by cost, of the 4 found to meet every need: ") {
		t.Error(got)
	}
}
