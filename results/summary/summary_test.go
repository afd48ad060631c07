package summary_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

func row(t *testing.T, run *results.Run, transport string) summary.Row {
	t.Helper()
	r, ok := summary.Of(run).Row(transport)
	if !ok {
		t.Fatalf("no row for %s", transport)
	}
	return r
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

func TestMetricsOfATrial(t *testing.T) {
	var ready, latency results.Histogram
	for range 1000 {
		ready.Record(3 * time.Millisecond)
		latency.Record(5 * time.Millisecond)
	}
	trial := results.Trial{
		Latency: results.Latency{Histogram: latency, Independent: 1000},
		Ledger:  results.Ledger{Expected: 1000, Delivered: 1000, Received: 1000},
		Connect: results.Connect{
			Clients: 1000, Stages: map[string]results.Histogram{"ready": ready},
			BytesUp: 150_000, BytesDown: 200_000, RoundTrips: 2,
		},
		Cost: results.Cost{
			Delivered: 500,
			Server:    results.Process{CPU: 2 * time.Millisecond},
			Generator: results.Process{CPU: 3 * time.Millisecond},
			Wire: results.Wire{
				Up:       results.Direction{Bytes: 1000, Headers: 1000, Segments: 10},
				Down:     results.Direction{Bytes: 4000, Payload: 2500, Envelope: 1500, Segments: 40},
				Requests: 250, Polls: 200, EmptyResponses: 50, Batches: 125,
			},
			Idle: results.IdleMemory{
				Probes: 1, First: 300, Added: 1000,
				Server:    results.ResidentSizes{Resident: 1<<20 + 300*2048, First: 1<<19 + 300*2048, All: 1<<19 + 1300*2048},
				Generator: results.ResidentSizes{First: 1 << 20, All: 1<<20 + 1000*3072},
			},
		},
	}
	for name, want := range map[string]float64{
		metric.P50: 5, metric.Max: 5, metric.Delivered: 1000, metric.Lost: 0,
		metric.RequestsPerMessage: 0.5, metric.EmptyResponseShare: 0.25, metric.MessagesPerBatch: 4,
		metric.WireBytesPerMessage: 10, metric.PacketBytesPerMessage: 10 + 50*52/500.0, metric.PayloadShare: 0.5,
		metric.ServerCPUPerMessage: 4, metric.GeneratorCPUPerMessage: 6, metric.CPUPerMessage: 10,
		metric.ServerMemoryPerClient: 2, metric.ServerMemoryStartup: 1024, metric.GeneratorMemoryPerClient: 3,
		metric.ConnectRoundTrips: 2, metric.ConnectBytesUp: 150, metric.ConnectBytesDown: 200,
	} {
		got := summary.Measure(name, trial)
		tolerance := 0.0
		if name == metric.P50 {
			tolerance = 0.005 // a bucket
		}
		if got.Known != summary.Shown || !near(got.X, want) && math.Abs(got.X-want) > tolerance {
			t.Errorf("%s is %+v, want %v", name, got, want)
		}
	}
}

var memoryMetrics = []string{metric.ServerMemoryPerClient, metric.ServerMemoryStartup, metric.GeneratorMemoryPerClient}

// The memory of a trial's own clients includes what the process allocates once and garbage: it is no substitute.
func TestMemoryNeedsAProbe(t *testing.T) {
	trial := results.Trial{Connect: results.Connect{Clients: 5000}}
	trial.Cost.Server.MemoryBase, trial.Cost.Server.MemoryIdle = 1<<20, 90<<20
	few := trial
	few.Cost.Idle = results.IdleMemory{Probes: 1, First: 300, Added: 999, Server: results.ResidentSizes{First: 1 << 20, All: 2 << 20}}
	for _, name := range memoryMetrics {
		if got := summary.Measure(name, trial); got.Known != summary.NotShown {
			t.Errorf("%s without a probe is %+v", name, got)
		}
		if got := summary.Measure(name, few); got.Known != summary.NotShown {
			t.Errorf("%s of 999 added clients is %+v", name, got)
		}
		few.Cost.Idle.Probes = math.MaxInt64
		if got := summary.Measure(name, few); got.Known != summary.NotShown {
			t.Errorf("%s of an impossible number of probes is %+v", name, got)
		}
		few.Cost.Idle.Probes = 1
	}
}

// A pool has the mean memory of the trials that have a probe.
func TestMemoryOfAPool(t *testing.T) {
	probed := func(startup, each int64) (t results.Trial) {
		sizes := results.ResidentSizes{Resident: 9<<20 + startup + 300*each, First: startup + 300*each, All: startup + 1300*each}
		t.Cost.Idle = results.IdleMemory{Probes: 1, First: 300, Added: 1000, Server: sizes, Generator: sizes}
		return t
	}
	pool := results.Pool([]results.Trial{probed(4<<20, 1024), {}, probed(6<<20, 3072)})
	for name, want := range map[string]float64{metric.ServerMemoryPerClient: 2, metric.ServerMemoryStartup: 14 << 10, metric.GeneratorMemoryPerClient: 2} {
		if got := summary.Measure(name, pool); got.Known != summary.Shown || !near(got.X, want) {
			t.Errorf("%s of the pool is %+v, want %v", name, got, want)
		}
	}
}

func TestCostPerMessageWithoutDeliveries(t *testing.T) {
	trial := results.Trial{Cost: results.Cost{Wire: results.Wire{Requests: 5}, Server: results.Process{CPU: time.Second}}}
	for _, name := range []string{metric.RequestsPerMessage, metric.ServerCPUPerMessage} {
		if got := summary.Measure(name, trial); got.Known != summary.Infinite {
			t.Errorf("%s of no message is %+v, want infinite", name, got)
		}
	}
	late := trial
	late.Ledger.Delivered = 3 // after the window
	for _, name := range []string{metric.RequestsPerMessage, metric.ServerCPUPerMessage} {
		if got := summary.Measure(name, late); got.Known != summary.NotShown {
			t.Errorf("%s of messages that came after the window is %+v, want none", name, got)
		}
	}
	if got := summary.Measure(metric.WireBytesPerMessage, trial); got.Known != summary.NotShown {
		t.Errorf("no bytes for no message is %+v", got)
	}
}

func TestMetricsOfAnEmptyTrialAreFinite(t *testing.T) {
	for _, m := range metric.All {
		if v := summary.Measure(m.Name, results.Trial{}); math.IsNaN(v.X) || math.IsInf(v.X, 0) {
			t.Errorf("%s of an empty trial is %v", m.Name, v.X)
		}
	}
}

func TestLostMessageIsInfinite(t *testing.T) {
	var latency results.Histogram
	latency.RecordMany(time.Millisecond, 3)
	r := row(t, &results.Run{
		Manifest: results.Manifest{Transports: []string{"sse"}},
		Trials: []results.Trial{{
			Transport: "sse", Status: results.Complete, Ledger: results.Ledger{Expected: 4, Delivered: 3, Lost: 1, Received: 3},
			Latency: results.Latency{Histogram: latency, Infinite: 1, Independent: 4},
		}},
	}, "sse")
	for _, name := range []string{metric.Max, metric.Mean, metric.P99} { // more than 1 % are lost
		if got := r.Value(name); got.Known != summary.Infinite || got.String() != "∞" {
			t.Errorf("%s with a lost message is %v", name, got)
		}
	}
	if got := r.Value(metric.P50); got.Known != summary.TooFew || got.Have != 4 || got.Requirement != 20 {
		t.Errorf("p50 of four is %+v, want too few: 4 of 20", got)
	}
}

func TestRowPoolsItsTrials(t *testing.T) {
	run := synthetic.Run(4, 5*time.Second)
	r := row(t, run, "longpoll")
	if want := 4 * r.Trials[0].Ledger.Expected; r.Pooled.Ledger.Expected != want || r.Pooled.Latency.Histogram.Count() != want {
		t.Errorf("pooled %d expected, %d latencies; want %d of both", r.Pooled.Ledger.Expected, r.Pooled.Latency.Histogram.Count(), want)
	}
	for _, name := range []string{metric.P50, metric.P99, metric.CPUPerMessage, metric.ServerMemoryPerClient} {
		over, ok := r.Range(name)
		v := r.Value(name)
		if !ok || over.Lo.X > v.X || v.X > over.Hi.X || over.Lo.X == over.Hi.X {
			t.Errorf("%s is %v in a range of %v to %v (%v)", name, v, over.Lo, over.Hi, ok)
		}
	}
	if p, ok := r.Predicted(metric.P50); !ok || !near(p.Value, 19.3) || p.Formula == "" {
		t.Errorf("predicted p50 is %+v", p)
	}
	if r.Pooled.Connect.RoundTrips != 2 {
		t.Errorf("round trips %v, want 2: they are averaged", r.Pooled.Connect.RoundTrips)
	}
}

func TestPoolHasNoMetricThatOneTrialLacks(t *testing.T) {
	run := synthetic.Run(2, 2*time.Second)
	for i := range run.Trials {
		if run.Trials[i].Repetition == 2 {
			run.Trials[i].Cost.Server.CPU = 0
			run.Trials[i].Cost.Wire.Down.Segments = 0
		}
	}
	r := row(t, run, "sse")
	for _, name := range []string{metric.ServerCPUPerMessage, metric.CPUPerMessage, metric.PacketBytesPerMessage} {
		if got := r.Value(name); got.Known != summary.NotShown {
			t.Errorf("%s is %v, although one trial has none", name, got)
		}
	}
	if got := r.Value(metric.GeneratorCPUPerMessage); got.Known != summary.Shown {
		t.Errorf("%v for the generator, which was measured", got)
	}
}

func TestRepeatedTrialIsRecorded(t *testing.T) {
	run := synthetic.Run(3, time.Second)
	disturbed := run.Trials[2]
	disturbed.Checks = []results.ValidityCheck{{Name: "pacing", Detail: "late"}}
	run.Trials[2].Attempt = 1
	run.Trials = slices.Insert(run.Trials, 2, disturbed)
	s := summary.Of(run)
	want := []summary.Excluded{{Trial: "repetition 1 sse", Reason: "validity check pacing: late", Repeated: true}}
	if !slices.Equal(s.Excluded, want) || s.ValidRepetitions != 3 {
		t.Errorf("excluded %+v, %d valid repetitions; want %+v, 3", s.Excluded, s.ValidRepetitions, want)
	}
	if got := run.Trials[3].Name(); got != "repetition 1 sse (attempt 2)" {
		t.Errorf("the second attempt has the name %q", got)
	}
}

func TestInvalidTrialsAreExcludedWithReason(t *testing.T) {
	run := synthetic.Run(3, time.Second)
	run.Trials[2].Checks[0].Passed = false
	run.Trials[5].Status, run.Trials[5].Reason = results.Partial, "interrupted"
	run.Trials[9].Status = results.Saturated
	s := summary.Of(run)
	if len(s.Excluded) != 2 || s.Excluded[0].Trial != "repetition 1 sse" || s.Excluded[1].Trial != "repetition 2 longpoll" {
		t.Fatalf("excluded %+v", s.Excluded)
	}
	if s.Excluded[0].Reason != "validity check ledger: all sums are exact" || s.Excluded[1].Reason != "INTERRUPTED: interrupted" {
		t.Errorf("reasons %q and %q", s.Excluded[0].Reason, s.Excluded[1].Reason)
	}
	if s.ValidRepetitions != 1 || s.Repetitions != 3 || s.ChecksPassed != s.Checks-1 {
		t.Errorf("%d of %d repetitions valid, %d of %d validity checks passed", s.ValidRepetitions, s.Repetitions, s.ChecksPassed, s.Checks)
	}
	saturated, _ := s.Row("longpoll")
	if !saturated.Saturated || len(saturated.Trials) != 1 || !slices.Equal(s.Common, []int{3}) || !slices.Equal(s.Dropped, []int{1, 2}) {
		t.Errorf("longpoll: saturated %v with %d trials, repetitions %v included and %v discarded", saturated.Saturated, len(saturated.Trials), s.Common, s.Dropped)
	}
}

// A repetition that only some rows have would make rows of different repetitions.
func TestRowsHaveTheSameRepetitions(t *testing.T) {
	run := synthetic.Run(12, time.Second)
	for i := range run.Trials {
		switch tr := &run.Trials[i]; {
		case tr.Repetition == 3 && tr.Transport == "sse":
			tr.Checks[0].Passed = false
		case tr.Repetition == 3 && tr.Transport == "websocket":
			tr.Cost.Server.CPU *= 100
		}
	}
	row, _ := summary.Of(run).Row("websocket")
	over, ok := row.Range(metric.ServerCPUPerMessage)
	if mid, _ := row.Median(metric.ServerCPUPerMessage); !ok || over.Hi.X > 2*mid.X {
		t.Errorf("the range %v includes repetition 3, in which another trial is invalid", over)
	}
}

func TestMedian(t *testing.T) {
	run := synthetic.Run(4, time.Second)
	cpu := []time.Duration{4, 1, 3, 2}
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Transport == "sse" {
			tr.Cost.Server.CPU = cpu[tr.Repetition-1] * time.Microsecond * time.Duration(tr.Cost.Delivered)
		}
	}
	row, _ := summary.Of(run).Row("sse")
	if got, ok := row.Median(metric.ServerCPUPerMessage); !ok || got.X != 2.5 {
		t.Errorf("the median of 4, 1, 3 and 2 is %v", got)
	}
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Transport == "sse" && tr.Repetition > 2 {
			tr.Ledger.Expected, tr.Ledger.Lost, tr.Latency.Infinite = 3*tr.Ledger.Expected, 2*tr.Ledger.Expected, 2*tr.Ledger.Expected
		}
	}
	row, _ = summary.Of(run).Row("sse")
	if got, ok := row.Median(metric.P50); !ok || got.Known != summary.Infinite {
		t.Errorf("two of four are infinite, the median is %v", got)
	}
}

func TestRunWithoutTrialsHasEmptyRows(t *testing.T) {
	run := synthetic.Run(1, time.Second)
	run.Trials = nil
	s := summary.Of(run)
	if len(s.Rows) != 4 || s.ValidRepetitions != 0 {
		t.Fatalf("%d rows, %d valid repetitions", len(s.Rows), s.ValidRepetitions)
	}
	for _, m := range metric.All {
		if got := s.Rows[0].Value(m.Name); got.Known != summary.NotShown {
			t.Errorf("%s is %v without a trial", m.Name, got)
		}
	}
}

func TestRangesOverlap(t *testing.T) {
	at := func(x float64) summary.Value { return summary.Value{X: x} }
	infinite := summary.Value{Known: summary.Infinite}
	for _, c := range []struct {
		a, b summary.Range
		want bool
	}{
		{summary.Range{Lo: at(1), Hi: at(2)}, summary.Range{Lo: at(2), Hi: at(3)}, true},
		{summary.Range{Lo: at(1), Hi: at(2)}, summary.Range{Lo: at(2.1), Hi: at(3)}, false},
		{summary.Range{Lo: at(1), Hi: at(9)}, summary.Range{Lo: at(3), Hi: at(4)}, true},
		{summary.Range{Lo: at(1), Hi: infinite}, summary.Range{Lo: at(8), Hi: at(9)}, true},
		{summary.Range{Lo: infinite, Hi: infinite}, summary.Range{Lo: at(8), Hi: at(9)}, false},
	} {
		if got := c.a.Overlaps(c.b); got != c.want || c.b.Overlaps(c.a) != c.want {
			t.Errorf("%v and %v overlap: %v, want %v both ways", c.a, c.b, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.0004: "0.0004", 0.4125: "0.412", 0.9999: "1.00", 1: "1", 1.234: "1.23", 9.996: "10.0", 49.84: "49.8",
		math.Inf(1): "∞", 99.96: "100", 512.4: "512", 1024: "1,024", 1234567: "1,234,567", -1234: "-1,234", -0.5: "-0.500",
	} {
		if got := metric.Number(x); got != want {
			t.Errorf("%v prints as %s, want %s", x, got, want)
		}
	}
}

func TestPlainRemovesControlCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[31mred":   "a[31mred",
		"two\nlines":     "two lines",
		"abc\u202edef":   "abcdef",
		"tab\there\x00":  "tab here",
		"\xff bad":       " bad",
		"µs ∞ – is fine": "µs ∞ – is fine",
	} {
		if got := results.Plain(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
