package app

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// searching returns a search over rates with simulated probes: SSE meets the limit up to 100
// messages per second, the others up to 300.
func searching(t *testing.T) (CapacityOptions, *scenarios.Scenario, func(transport scenarios.Transport, load float64) results.Probe) {
	t.Helper()
	s, err := scenarios.Load(filepath.Join("testdata", "small.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return CapacityOptions{Axis: "rate", Max: 1e6}, s, func(transport scenarios.Transport, load float64) results.Probe {
		limit := 300.0
		if transport == transports.SSE {
			limit = 100
		}
		p := results.Probe{Load: load, Held: load <= limit, P50: 1, P99: 2, CPU: 3, Folder: "probes/x"}
		if !p.Held {
			p.Why = "too much"
		}
		return p
	}
}

// shown writes the results, reads them back and returns them with their table.
func shown(t *testing.T, all []results.Highest) (results.Capacity, string) {
	t.Helper()
	found := results.Capacity{Path: filepath.Join(t.TempDir(), "capacity"), Schema: results.Schema, Scenario: "small", Limit: []string{"p(99)<1s"}, Axis: "rate", Within: capacityWithin, Found: all}
	if err := writeCapacity(found); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(found.Path, "capacity.json"))
	if err != nil {
		t.Fatal(err)
	}
	read := results.Capacity{Path: found.Path}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	for _, h := range read.Found {
		if _, ok := h.At(h.Load); h.Load > 0 && !ok || h.Beyond > 0 && h.Beyond <= h.Load {
			t.Errorf("%s meets the limit at %v and not at %v, of probes %+v", h.Transport, h.Load, h.Beyond, h.Probes)
		}
	}
	var table strings.Builder
	if err := (report.Capacity{Capacity: read}).Document().Terminal(&table, report.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	return read, table.String()
}

// The files and the table of an interrupted search have all its probes, and mark the unfinished
// transports.
func TestInterruptedCapacityKeepsItsResults(t *testing.T) {
	ownLock(t)
	o, s, probe := searching(t)
	stderr := &shared{}
	all, err := o.search(t.Context(), Env{Err: stderr}, s, func(sess *Session, c scenarios.Configuration) probing {
		transport := c.Transport
		return func(load float64, n int) (results.Probe, bool, error) {
			if !locked(t) {
				t.Errorf("%s at %v: the lock was released between two loads", transport, load)
			}
			if transport == transports.SSE && n == 3 {
				signalled(t, syscall.SIGINT, sess.Drain.Done())
			}
			return probe(transport, load), false, nil
		}
	})
	if CodeOf(err) != Interrupted || !strings.Contains(err.Error(), "the search for sse did not finish: interrupted") {
		t.Errorf("exit code %d, want %d: %v", CodeOf(err), Interrupted, err)
	}
	if locked(t) {
		t.Error("the lock is still held")
	}
	read, table := shown(t, all)
	if !reflect.DeepEqual(read.Found, all) || len(all) != 3 {
		t.Fatalf("read %+v, want %+v", read.Found, all)
	}
	if h := all[0]; h.Unfinished != "" || h.Confirmed != capacityConfirm || h.Load < 280 {
		t.Errorf("the finished search: %+v", h)
	}
	if h := all[1]; h.Unfinished != "interrupted" || len(h.Probes) != 3 || h.Load != 80 || h.Beyond != 160 || h.Confirmed != 0 {
		t.Errorf("the interrupted search: %+v; want probes at 40, 80 and 160, and 80 as the highest so far", h)
	}
	if h := all[2]; h.Unfinished == "" || len(h.Probes) > 0 {
		t.Errorf("the search that did not start: %+v", h)
	}
	if strings.Contains(table, "Use ") {
		t.Errorf("an interrupted search chooses a transport:\n%s", table)
	}
	for _, want := range []string{"80 so far", "SSE: so far 80 messages per second; not finished: interrupted.", "WebSocket: not searched: an earlier search did not finish."} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	if n := strings.Count(stderr.String(), "sse at "); n != 3 {
		t.Errorf("%d progress lines for sse, want 3:\n%s", n, stderr)
	}
}

// The exit code of a search is that of the error that ended it.
func TestCapacityExitsWithTheCodeOfTheCause(t *testing.T) {
	ownLock(t)
	undecided := &Error{Inconclusive, errors.New("p(99)<1s is undecided")}
	for name, end := range map[string]struct {
		open   bool
		err    error
		code   Code
		probes int // of the current transport
	}{
		"undecided":      {true, undecided, Inconclusive, 2},
		"internal error": {false, errors.New("disk full"), Internal, 1},
	} {
		o, s, probe := searching(t)
		all, err := o.search(t.Context(), Env{Err: &shared{}}, s, func(_ *Session, c scenarios.Configuration) probing {
			transport := c.Transport
			return func(load float64, n int) (results.Probe, bool, error) {
				p := probe(transport, load)
				if n < 2 {
					return p, false, nil
				}
				p.Held, p.Open, p.Why = false, end.open, end.err.Error()
				return p, false, end.err
			}
		})
		if CodeOf(err) != end.code || len(all) != 3 || len(all[0].Probes) != end.probes || all[0].Unfinished != end.err.Error() || all[0].Load != 40 {
			t.Errorf("%s: exit code %d (%v), want %d; found %+v", name, CodeOf(err), err, end.code, all)
		}
	}
}

// A load that never meets the limit twice makes the search inconclusive.
func TestUnsteadyCapacityIsInconclusive(t *testing.T) {
	ownLock(t)
	o, s, probe := searching(t)
	s.Transports = s.Transports[:1]
	tried := map[float64]bool{}
	_, err := o.search(t.Context(), Env{Err: &shared{}}, s, func(_ *Session, c scenarios.Configuration) probing {
		transport := c.Transport
		return func(load float64, _ int) (results.Probe, bool, error) {
			p := probe(transport, load)
			p.Held, tried[load] = !tried[load], true
			return p, false, nil
		}
	})
	if code := CodeOf(err); code != Inconclusive {
		t.Errorf("exit code %d (%v), want %d", code, err, Inconclusive)
	}
}

// measured returns a run of one trial that lost no message.
func measured(status results.Status, assertions ...metric.Assertion) *results.Run {
	return &results.Run{
		Manifest: results.Manifest{Status: status, Assertions: assertions, Repetitions: 1, Transports: []string{"sse"}},
		Trials:   []results.Trial{{Repetition: 1, Position: 1, Transport: "sse", Status: results.Complete, Ledger: results.Ledger{Expected: 10, Delivered: 10, Received: 10}}},
	}
}

// A run decides its load unless it was interrupted or an assertion is undecided. A failed
// assertion decides the load even if others are undecided.
func TestRunDecidesItsLoad(t *testing.T) {
	passes := metric.Assertion{Metric: "lost", Op: "=="}
	fails := metric.Assertion{Metric: "lost", Op: ">", Bound: 1e9}
	undecided := metric.Assertion{Metric: "p(99.99)", Op: ">", Bound: 1e-9} // the run has too few observations for it
	for _, c := range []struct {
		status     results.Status
		assertions []metric.Assertion
		held, open bool
		setup      bool
		code       Code
	}{
		{results.Complete, []metric.Assertion{passes}, true, false, false, OK},
		{results.Complete, []metric.Assertion{undecided, fails}, false, false, false, OK},
		{results.Complete, []metric.Assertion{passes, undecided}, false, true, false, Inconclusive},
		{results.Partial, []metric.Assertion{passes}, false, false, false, Interrupted},
		{results.Invalid, []metric.Assertion{passes}, false, false, true, OK},
		{results.Saturated, []metric.Assertion{passes}, false, false, false, OK},
	} {
		p, setup, err := decide(results.Probe{Load: 40}, measured(c.status, c.assertions...))
		if p.Held != c.held || p.Open != c.open || setup != c.setup || CodeOf(err) != c.code || c.open != (c.code == Inconclusive) {
			t.Errorf("%s with %+v: %+v, setup failed: %v, %v", c.status, c.assertions, p, setup, err)
		}
	}
}

// A search may start below the scenario's own load.
func TestCapacityStartsAtFrom(t *testing.T) {
	for axis, load := range map[string]func(*scenarios.Scenario) float64{
		"clients": func(s *scenarios.Scenario) float64 { return float64(s.Clients.Count) },
		"rate":    func(s *scenarios.Scenario) float64 { return float64(s.Publish.Rate) },
	} {
		o := CapacityOptions{Axis: axis, From: 2, Max: 8, Window: "1s", Limit: []string{"p(99)<1s"}}
		s, err := o.Prepare(filepath.Join("testdata", "small.yaml"))
		if err != nil || load(s) != 2 || o.base(s) != 2 {
			t.Errorf("%s: the first load is not 2: %v", axis, err)
		}
	}
}

func TestDeprecatedMetricInRequirementIsAWarning(t *testing.T) {
	o := CapacityOptions{Axis: "rate", Max: 1e6, Window: "1s", Limit: []string{"answers_lost == 0", "p(99)<1s"}}
	s, err := o.Prepare(filepath.Join("testdata", "small.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`--require: "answers_lost" is deprecated: use "replies_lost"`}
	if !slices.Equal(s.Warnings, want) || s.Assertions[0].Metric != metric.RepliesLost {
		t.Errorf("warnings %q, want %q; assertion %+v", s.Warnings, want, s.Assertions[0])
	}
}

// A requirement on the 99th percentile may be met by the largest latency: the probe then has that.
func TestProbeWithoutPercentileHasTheLargestLatency(t *testing.T) {
	run, err := results.Open("../../../results/reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	limit, err := scenarios.ParseAssertion("p(99)<60s")
	if err != nil {
		t.Fatal(err)
	}
	run.Manifest.Assertions = []metric.Assertion{limit}
	p, _, err := decide(results.Probe{}, run)
	if err != nil || !p.Held || p.P99 == 0 || p.Max != 0 {
		t.Errorf("enough messages: %+v, %v", p, err)
	}
	for i := range run.Trials {
		run.Trials[i].Latency.Independent = 10
	}
	p, _, err = decide(results.Probe{}, run)
	if err != nil || !p.Held || p.P99 != 0 || p.Max == 0 {
		t.Errorf("too few messages: %+v, %v", p, err)
	}
	_, table := shown(t, []results.Highest{{Transport: "sse", Load: 5, Confirmed: 3, Probes: []results.Probe{{Load: 5, Held: true, Max: 12.3}}}})
	for _, want := range []string{"≤ 12.3", "at least 5", "(--max)", "Use SSE for the highest load: at least 5 messages per second.", "≤: too few messages"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	if strings.Contains(table, "does not meet the limit") {
		t.Errorf("no load failed, but the table says so:\n%s", table)
	}
}

// Why a load fails has the value with its unit. A requirement that a search has anyway is listed once.
func TestProbeSaysWhatItMeasured(t *testing.T) {
	o := CapacityOptions{Axis: "rate", Max: 1e6, Window: "1s", Limit: []string{"lost==0", "p(99)<1us"}}
	s, err := o.Prepare(filepath.Join("testdata", "small.yaml"))
	if err != nil || len(s.Assertions) != 2 {
		t.Fatalf("requirements %+v, %v", s.Assertions, err)
	}
	run, err := results.Open("../../../results/reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	run.Manifest.Assertions = s.Assertions
	p, _, err := decide(results.Probe{}, run)
	if want := "p(99)<1us failed: measured 990 ms"; err != nil || !strings.Contains(p.Why, want) {
		t.Errorf("%q, %v; want %q", p.Why, err, want)
	}
}

// If no load of a transport could be measured, the search fails as an invalid run does, and chooses nothing.
func TestCapacityWithoutAMeasuredLoadIsInvalid(t *testing.T) {
	ownLock(t)
	o, s, probe := searching(t)
	all, err := o.search(t.Context(), Env{Err: &shared{}}, s, func(_ *Session, c scenarios.Configuration) probing {
		return func(load float64, _ int) (results.Probe, bool, error) {
			p := probe(c.Transport, load)
			if c.Transport == transports.SSE {
				p.Held, p.Why = false, "INVALID"
			}
			return p, c.Transport == transports.SSE, nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := unmeasured(all); CodeOf(err) != Invalid || !strings.Contains(err.Error(), "every load of sse;") {
		t.Errorf("got %v", err)
	}
	if _, table := shown(t, all); !strings.Contains(table, "Inconclusive: no load could be measured with SSE.") || !strings.Contains(table, "not measured  ") {
		t.Error(table)
	}
}

// Several servers are searched one after the other, over each transport.
func TestCapacityOfSeveralServers(t *testing.T) {
	ownLock(t)
	o, s, probe := searching(t)
	s.Sweep.Target = []scenarios.TargetName{"mine", scenarios.ReferenceTarget}
	stderr := &shared{}
	all, err := o.search(t.Context(), Env{Err: stderr}, s, func(_ *Session, c scenarios.Configuration) probing {
		return func(load float64, _ int) (results.Probe, bool, error) {
			if c.Target == "mine" {
				load *= 2
			}
			p := probe(c.Transport, load)
			if c.Target == "mine" {
				p.Load /= 2
			}
			return p, false, nil
		}
	})
	if err != nil || len(all) != 6 || all[0].Target != "mine" || all[1].Target != "reference" || all[0].Load >= all[1].Load {
		t.Fatalf("found %+v, %v", all, err)
	}
	_, table := shown(t, all)
	for _, want := range []string{"server and transport", "mine over SSE", "Use reference over "} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	if !strings.Contains(stderr.String(), "mine over SSE at 40: met") {
		t.Errorf("progress: %s", stderr)
	}
}
