package compare_test

import (
	"slices"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// mapped returns a run and its summary with short polling at intervals of 200 ms and 1 s. Both rows are
// the synthetic row of short polling with its CPU time multiplied by times.
func mapped(times float64) (*results.Run, summary.Summary) {
	run := synthetic.Run(4, 10*time.Second)
	s := summary.Of(run)
	i := slices.IndexFunc(s.Rows, func(r summary.Row) bool { return r.Transport == "shortpoll" })
	slow := s.Rows[i]
	slow.Name, slow.Interval = "shortpoll interval=1s", time.Second
	slow.Trials = slices.Clone(slow.Trials)
	for j := range slow.Trials {
		c := &slow.Trials[j].Cost
		c.Server.CPU, c.Generator.CPU = time.Duration(times*float64(c.Server.CPU)), time.Duration(times*float64(c.Generator.CPU))
	}
	fast := slow
	fast.Name, fast.Interval = "shortpoll interval=200ms", 200*time.Millisecond
	s.Rows[i] = slow
	s.Rows = append(s.Rows, fast) // with a p99 of a second it does not meet 250 ms
	return run, s
}

func TestCostMapHasTheCheapestWithinTheStaleness(t *testing.T) {
	for _, c := range []struct {
		times float64
		want  string // at a staleness of 1.25 s
	}{{0.01, "shortpoll"}, {100, "websocket"}} {
		run, s := mapped(c.times)
		m, ok := compare.NewCostMap(run, s)
		if !ok || m.Axis != "" || !slices.Equal(m.Loads, []float64{0}) || !slices.Equal(m.Staleness, []time.Duration{250 * time.Millisecond, 1250 * time.Millisecond}) {
			t.Fatalf("%+v, %v", m, ok)
		}
		fresh, stale := m.Cells[0][0], m.Cells[0][1]
		for _, r := range fresh.Eligible {
			if r.Transport == "shortpoll" {
				t.Error("short polling with a p99 of a second is eligible at 250 ms")
			}
		}
		if got := stale.Eligible[0].Transport; got != c.want {
			t.Errorf("short polling at %v times its cost: %s is cheapest at 1.25 s, want %s", c.times, got, c.want)
		}
		if polls := len(slices.DeleteFunc(slices.Clone(stale.Eligible), func(r summary.Row) bool { return r.Transport != "shortpoll" })); polls != 1 {
			t.Errorf("%d rows of short polling, want 1", polls)
		}
	}
}

// A row with a lost message is excluded. Rows whose costs differ by at most the margin are all cheapest.
func TestCostMapExcludesLoss(t *testing.T) {
	run, s := mapped(4) // costs about as much as a stream
	for i := range s.Rows {
		if s.Rows[i].Transport == "websocket" {
			s.Rows[i].Pooled.Ledger.Lost = 1
		}
	}
	m, _ := compare.NewCostMap(run, s)
	for _, cell := range m.Cells[0] {
		for _, r := range cell.Eligible {
			if r.Transport == "websocket" {
				t.Error("a row with a lost message is on the map")
			}
		}
	}
	run.Manifest.Compare = results.Declared{Primary: []string{metric.P50}, Margin: 1}
	if m, _ := compare.NewCostMap(run, s); m.Cells[0][1].Cheapest < 2 {
		t.Errorf("within a margin of 100 %%: %v", m.Cells[0][1].Names())
	}
}

// The text "no transport meets the limit" requires a valid trial of every configuration of the load.
func TestCellWithoutValidTrialIsReportedAsNotMeasured(t *testing.T) {
	run, s := mapped(1)
	for i := range s.Rows { // no row is eligible: each has a lost message
		s.Rows[i].Pooled.Ledger.Lost = 1
	}
	for want, trials := range map[string][]results.Trial{"no transport meets the limit": s.Rows[0].Trials, "not measured": nil} {
		s.Rows[0].Trials = trials
		m, _ := compare.NewCostMap(run, s)
		if got := m.Cells[0][0]; got.EmptyReason() != want || len(got.Eligible) > 0 {
			t.Errorf("with %d trials of one configuration: %q, want %q", len(trials), got.EmptyReason(), want)
		}
	}
}

func TestOneIntervalHasNoCostMap(t *testing.T) {
	run := synthetic.Run(2, time.Second)
	if m, ok := compare.NewCostMap(run, summary.Of(run)); ok {
		t.Errorf("%+v", m)
	}
}

// If only the latest message is delivered, a transport that skips more is not more expensive: the
// cost is CPU per second, not per delivered message.
func TestCostMapOfLatestUsesCores(t *testing.T) {
	for delivery, want := range map[string]string{"every": "websocket", "latest": "shortpoll"} {
		run, s := mapped(1)
		run.Manifest.Workload.Delivery = delivery
		for i := range s.Rows {
			for j := range s.Rows[i].Trials {
				if c := &s.Rows[i].Trials[j].Cost; s.Rows[i].Transport == "shortpoll" {
					c.Delivered /= 10
					c.Server.CPU, c.Generator.CPU = 50*time.Millisecond, 50*time.Millisecond
				}
			}
		}
		m, _ := compare.NewCostMap(run, s)
		if got := m.Cells[0][1].Eligible[0].Transport; got != want {
			t.Errorf("delivery %s: %s is cheapest by %s, want %s", delivery, got, m.Cost, want)
		}
	}
}
