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
				tr.Ledger.Delivered--
			}
		}
		return run
	}
	requiring := func(run *results.Run) *results.Run {
		run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 100ms", Metric: "p(50)", Op: "<", Bound: 100}}
		return run
	}
	alone := func(run *results.Run, transports ...string) *results.Run {
		few := *run
		run = &few
		run.Manifest.Transports = transports
		run.Trials = slices.DeleteFunc(slices.Clone(run.Trials), func(tr results.Trial) bool { return !slices.Contains(transports, tr.Transport) })
		return run
	}
	spread := func(run *results.Run) *results.Run { // the costs of all transports overlap
		for i := range run.Trials {
			tr := &run.Trials[i]
			tr.Cost.Server.CPU = time.Duration(10+tr.Repetition) * time.Duration(tr.Ledger.Delivered) * time.Microsecond
			tr.Cost.Generator.CPU = tr.Cost.Server.CPU
		}
		return run
	}
	slightly := func(run *results.Run) *results.Run { // long polling costs a little less than SSE; WebSocket is between
		for i := range run.Trials {
			tr := &run.Trials[i]
			perMessage := map[string]int{"longpoll": 200, "websocket": 215, "sse": 230, "shortpoll": 400}[tr.Transport] + 5*tr.Repetition // in tenths of a µs
			tr.Cost.Server.CPU = time.Duration(perMessage) * time.Duration(tr.Ledger.Delivered) * 50 * time.Nanosecond
			tr.Cost.Generator.CPU = tr.Cost.Server.CPU
		}
		return run
	}
	for name, c := range map[string]struct {
		run  func() *results.Run
		want string // the first lines
	}{
		"the cheapest that meets the requirements": {states["assertions"], `Use WebSocket. (ESTIMATE, 4 repetitions)
  Meets both requirements at the lowest total CPU.
  WebSocket: p50 10.3 ms, 9.5 µs of total CPU per message.
  Long polling: 2.0× the total CPU, 1.9× the p50.
  SSE: 1.2× the total CPU, same p50 (within noise).
  Undecided whether it meets the requirements: short polling.
`},
		"it is undecided whether one meets them": {states["unmet"], "Inconclusive: no transport is shown to meet all requirements. (4 repetitions)\n  Undecided: short polling.\n"},
		"no transport meets them": {func() *results.Run {
			return alone(states["unmet"](), "websocket", "sse")
		}, "No transport meets p(99) < 1ms. Closest: WebSocket, 11.4 ms. (ESTIMATE, 4 repetitions)\n"},
		"those that meet them lost messages": {func() *results.Run {
			return requiring(lose(synthetic.Run(4, 10*time.Second), "websocket", "sse", "longpoll"))
		}, "No transport meets all requirements and loses nothing. (ESTIMATE, 4 repetitions)\n  Lost messages, or was overloaded: long polling, SSE and WebSocket.\n"},
		"only one meets them": {func() *results.Run { return requiring(lose(synthetic.Run(4, 10*time.Second), "websocket", "longpoll")) }, `Use SSE. (ESTIMATE, 4 repetitions)
  The only transport that meets the requirement.
  SSE: p50 10.4 ms, 11 µs of total CPU per message.
`},
		"several without a difference": {func() *results.Run { return requiring(spread(synthetic.Run(4, 10*time.Second))) }, `Use WebSocket or SSE: no measurable difference. (ESTIMATE, 4 repetitions)
  Both meet the requirement. Of the 3 cheapest by total CPU, they are the fastest.
  WebSocket: p50 `},
		"one like the choice, although a third costs less": {func() *results.Run { return requiring(slightly(synthetic.Run(4, 10*time.Second))) }, `Use WebSocket or SSE: no measurable difference. (ESTIMATE, 4 repetitions)
  Both meet the requirement. WebSocket is the fastest of the 2 cheapest by total CPU.
`},
		"one that fails a requirement": {func() *results.Run {
			run := *synthetic.Run(4, 10*time.Second)
			run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 15ms", Metric: "p(50)", Op: "<", Bound: 15}}
			return &run
		}, `Use WebSocket. (ESTIMATE, 4 repetitions)
  Meets the requirement at the lowest total CPU.
  WebSocket: p50 10.3 ms, 9.58 µs of total CPU per message.
  SSE: 1.2× the total CPU, same p50 (within noise).
  Not all requirements are met by short polling and long polling.
`},
		"without requirements": {states["estimate"], `Use WebSocket or SSE for the lowest latency, short polling for the lowest total CPU. (ESTIMATE, 4 repetitions)
  WebSocket: p50 10.3 ms, 9.5 µs of total CPU per message.
  SSE: p50 10.4 ms, 11 µs of total CPU per message.
  Short polling: p50 510 ms, 3.4 µs of total CPU per message.
  To choose one of them, declare the requirements of the application.
`},
		"an order by ranges is no verdict": {states["verdict"], "Use WebSocket or SSE for the lowest latency, short polling for the lowest total CPU. (ESTIMATE, 12 repetitions)\n"},
		"a verdict": {func() *results.Run {
			run := *twelve()
			run.Manifest.Compare = results.Declared{Primary: []string{metric.P50, metric.CPUPerMessage}, Margin: 0.05}
			return requiring(&run)
		}, "Use WebSocket. (VERDICT, 12 repetitions)\n  Meets the requirement at the lowest total CPU.\n"},
		"one repetition":                 {states["single"], "Inconclusive: the fastest and the cheapest of 4 transports cannot be ranked. (1 repetition)\n  A ranking needs 4 valid trials of each configuration.\n"},
		"a transport that lost messages": {func() *results.Run { return lose(synthetic.Run(4, 10*time.Second), "websocket") }, "Use SSE for the lowest latency, short polling for the lowest total CPU. (ESTIMATE, 4 repetitions)\n"},
		"all lost messages": {func() *results.Run {
			return lose(synthetic.Run(4, 10*time.Second), "websocket", "sse", "longpoll", "shortpoll")
		}, "No transport can be recommended: all lost messages or were overloaded. (ESTIMATE, 4 repetitions)\n"},
		"the lowest age":     {states["latest-long"], "Use SSE or WebSocket for the lowest age, short polling for the lowest total CPU. (ESTIMATE, 4 repetitions)\n  SSE: age "},
		"one transport":      {func() *results.Run { return alone(synthetic.Run(4, 10*time.Second), "sse") }, "No choice: there is nothing to compare. (ESTIMATE, 4 repetitions)"},
		"an interrupted run": {states["stopped"], "INTERRUPTED: interrupted in repetition 10. (9 repetitions)\nUse WebSocket or SSE for the lowest latency, short polling"},
		"an overloaded run":  {states["saturated"], "OVERLOADED: long polling fell behind; the latencies describe a queue. (5 repetitions)\n  Longpoll could not keep up with 2,000 deliveries/s.\nUse SSE or WebSocket for the lowest latency"},
		"an invalid run":     {states["invalid"], "INVALID: the load generator was late in repetition 2, SSE. No value of this run may be quoted.\n  Try: pushbench doctor\n"},
		"a full disk": {func() *results.Run {
			run := synthetic.Run(4, 10*time.Second)
			run.Manifest.Status, run.Manifest.Reason = results.Invalid, results.WriteFailure+"run/trials.jsonl: the disk is full"
			return run
		}, "INVALID: write results to run/trials.jsonl: the disk is full. No value of this run may be quoted.\n  Correct the cause, and run it again.\n"},
		"a server that ended after a late trial": {func() *results.Run {
			run := states["invalid"]()
			ended := &run.Trials[len(run.Trials)-1]
			ended.Status, ended.Reason, ended.Checks = results.Invalid, "the server ended: exit status 3: out of memory", nil
			run.Manifest.Reason += "; " + ended.Name() + ": " + ended.Reason
			return run
		}, "INVALID: repetition 5 websocket: the server ended: exit status 3: out of memory. No value of this run may be quoted.\n  The trial ended there. Correct the cause, and run it again.\n"},
		"a server that refused clients after a late trial": {func() *results.Run {
			run := states["invalid"]()
			refused := &run.Trials[len(run.Trials)-1]
			refused.Status, refused.Reason = results.Invalid, "clients accepted: 992 of 1000 clients never subscribed"
			refused.Connect.Clients, refused.Connect.Failed = 1000, 992
			refused.Connect.FailedBy = map[string]int64{"upgrade returned status 429": 4000, "timeout": 9000}
			refused.Checks = []results.ValidityCheck{{Name: "clients accepted"}, {Name: "generator on time"}}
			run.Manifest.Reason += "; " + refused.Name() + ": " + refused.Reason
			return run
		}, "INVALID: 992 of 1,000 clients never subscribed (upgrade returned status 429) in repetition 5, WebSocket. No value of this run may be quoted.\n" +
			"  Give each client a login (login_file), raise the limits of the server, or use fewer clients.\n"},
		"nothing was measured": {states["empty"], "Inconclusive: nothing was measured. (0 repetitions)\n  Valid for 20 clients, "},
		"one transport has no valid trial": {func() *results.Run {
			run := synthetic.Run(1, 4*time.Second)
			run.Manifest.Status, run.Manifest.Reason = results.Partial, "interrupted after 3 of 4 trials"
			run.Manifest.Requirements = []metric.Assertion{{Text: "lost == 0", Metric: "lost", Op: "=="}}
			run.Trials = slices.DeleteFunc(run.Trials, func(t results.Trial) bool { return t.Transport == "sse" })
			return run
		}, "INTERRUPTED: interrupted after 3 of 4 trials. (0 repetitions)\nInconclusive: no valid trial of SSE.\n  Short polling: p50 "},
		"advice for a verdict": {states["three"], "Inconclusive: the fastest and the cheapest of 4 transports cannot be ranked. (3 repetitions)\n"},
	} {
		if got := strings.Join(report.New(c.run()).Document().Sentences(), "\n"); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s\nwant %s", name, got[:min(len(got), 600)], c.want)
		}
	}
}

// Assertions that are undecided for one reason share a sentence, and are counted one by one.
func TestUndecidedAssertionsShareTheirReason(t *testing.T) {
	run := synthetic.Run(1, 4*time.Second)
	run.Manifest.Status, run.Manifest.Reason = results.Partial, "interrupted after 0 of 4 trials"
	run.Manifest.Assertions = []metric.Assertion{{Text: "lost == 0", Metric: "lost", Op: "=="}, {Text: "duplicates == 0", Metric: "duplicates", Op: "=="}}
	run.Trials = nil
	got := strings.Join(report.New(run).Document().Sentences(), "\n")
	if want := "Assertions: 0 of 8 passed, counted per configuration.\nUNDECIDED: 8 assertions: no valid trial.\n"; !strings.Contains(got+"\n", want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// A run with too few repetitions names the command that leads to a verdict, with a number of repetitions that
// balances the order of the configurations and can decide.
func TestHeadlineAdvisesVerdict(t *testing.T) {
	for name, want := range map[string]string{"estimate": "  For a verdict: pushbench run chat --repetitions 12 (15 min)", "three": "  For a verdict: pushbench run chat --repetitions 12 (6 min)"} {
		if lines := on(name).Document().Sentences(); !slices.Contains(lines, want) {
			t.Errorf("%s: no line %q in %q", name, want, lines)
		}
	}
	for _, name := range []string{"verdict", "stopped", "many-invalid", "invalid"} {
		if text := strings.Join(on(name).Document().Sentences(), "\n"); strings.Contains(text, "For a verdict") {
			t.Errorf("%s: more repetitions are advised:\n%s", name, text)
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
	got := report.New(run).Document().Sentences()
	want := []string{
		"Choose by load. (ESTIMATE, 4 repetitions)",
		"  10 messages per second: Use SSE rate=10/s",
		"  100 messages per second: Use WebSocket rate=100/s",
	}
	if !slices.Equal(got[:3], want) {
		t.Errorf("got %q, want %q", got[:3], want)
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
		tr.Cost.Server.CPU = time.Duration(perMessage / 2 * float64(tr.Ledger.Delivered) * float64(time.Microsecond))
		tr.Cost.Generator.CPU = tr.Cost.Server.CPU
	}
	got := report.New(run).Document().Sentences()[0]
	if got != "Use WebSocket or SSE: no measurable difference. (ESTIMATE, 4 repetitions)" {
		t.Error(got)
	}
}

// A headline is a VERDICT if the declared comparisons decide the choice, alone or through the transport that
// all others are compared with.
func TestHeadlineIsAVerdictOfDeclaredComparisons(t *testing.T) {
	const advice = "For a verdict, declare the chosen transport in compare.against, and measure again."
	for against, verdict := range map[string]bool{
		"websocket": true,  // short polling costs less than WebSocket, which costs less than the others
		"longpoll":  false, // all cost less than long polling, which says nothing of short polling and WebSocket
		"":          true,
	} {
		run := synthetic.Run(12, 10*time.Second)
		run.Manifest.Compare = results.Declared{Primary: []string{metric.P50, metric.CPUPerMessage}, Against: against, Margin: 0.05}
		lines := report.New(run).Document().Sentences()
		const choice = "Use WebSocket or SSE for the lowest latency, short polling for the lowest total CPU."
		want := choice + map[bool]string{true: " (VERDICT, 12 repetitions)", false: " (ESTIMATE, 12 repetitions)"}[verdict]
		if lines[0] != want || slices.Contains(lines, "  "+advice) == verdict {
			t.Errorf("with %q: %s, want %s; advice only without a verdict:\n%s", against, lines[0], want, strings.Join(lines, "\n"))
		}
	}
}

// The headline chooses by price if the scenario says so, and names it.
func TestHeadlineChoosesByPrice(t *testing.T) {
	run := synthetic.Run(4, 10*time.Second)
	run.Manifest.Cost = results.ByPrice
	run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 1s", Metric: "p(50)", Op: "<", Bound: 1000}}
	for i := range run.Trials { // WebSocket costs the most CPU and the least money
		tr := &run.Trials[i]
		tr.Cost.Span = 10 * time.Second
		tr.Cost.Wire.Down.Segments = map[string]int64{"websocket": 1000, "sse": 100_000, "longpoll": 200_000, "shortpoll": 300_000}[tr.Transport]
		tr.Cost.Wire.Down.Bytes = 1000 * tr.Cost.Wire.Down.Segments
	}
	got := strings.Join(report.New(run).Document().Sentences(), "\n")
	for _, want := range []string{
		"Use WebSocket. (ESTIMATE, 4 repetitions)\n  Meets the requirement at the lowest price.\n",
		" USD per 1,000 clients and month.\n", "× the price, ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "CPU, ") {
		t.Errorf("a price is called CPU:\n%s", got)
	}
}

// Fewer than four repetitions are no sign test of an assertion, and the report says so.
func TestFewRepetitionsAreAnIndication(t *testing.T) {
	for repetitions, want := range map[int]bool{1: true, 3: true, 4: false} {
		run := synthetic.Run(repetitions, 10*time.Second)
		run.Manifest.Assertions = []metric.Assertion{{Text: "lost == 0", Metric: "lost", Op: "=="}}
		lines := report.New(run).Document().Sentences()
		if got := slices.Contains(lines, "A sign test needs 4 repetitions. With fewer, all must agree, and the outcome is an indication."); got != want {
			t.Errorf("%d repetitions: %v, want %v:\n%s", repetitions, got, want, strings.Join(lines, "\n"))
		}
	}
}
