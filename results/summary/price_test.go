package summary_test

import (
	"math"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/price"
	"pushbench/results/summary"
)

// chat is a trial of 10 s in which 1,000 clients receive 4,000 messages per second: 168 B each, and a
// segment for each with 52 B of headers. 100 dials add 8 B of options each.
func chat() results.Trial {
	return results.Trial{
		Transport: "sse", Repetition: 1, Status: results.Complete,
		Connect: results.Connect{Clients: 1000},
		Cost: results.Cost{
			Span: 10 * time.Second, Delivered: 40_000,
			Server: results.Process{CPU: 400 * time.Millisecond},
			Wire:   results.Wire{Down: results.Direction{Bytes: 40_000 * 168, Segments: 40_000}, Dials: 100, Requests: 500},
			Idle:   results.IdleMemory{Probes: 1, First: 300, Added: 1000, Server: results.ResidentSizes{First: 9 << 20, All: 9<<20 + 1000*24*1024}},
		},
	}
}

// round are prices that make amounts easy to compute.
var round = price.Prices{Currency: "USD", CoreMonth: 30, MemoryGBMonth: 4, EgressGB: 0.09, PerMillionRequests: 0.2, Utilisation: 0.5, Date: "2026-01-01"}

func TestPriceOfATrial(t *testing.T) {
	trial := chat()
	trial.Prices = &round
	// 0.04 busy cores are 0.08 rented; 24,576,000 B of memory; (40,000 x (168 + 52) + 100 x 8) B / 10 s of egress for
	// 2,628,000 s; 50 requests per second for as long.
	want := 30*0.08 + 4*24_576_000.0/(1<<30) + 0.09*880_080*2_628_000/1e9 + 0.2*131.4
	if got := summary.Measure(metric.Price, trial); got.Known != summary.Shown || !near(got.X, want) {
		t.Errorf("the price is %+v, want %v", got, want)
	}
	trial.Prices = nil
	if got, want := summary.Measure(metric.Price, trial).X, price.Default().Total(summary.UsageOf(trial)); got != want {
		t.Errorf("without prices the price is %v, want %v by the default ones", got, want)
	}
}

// The pool of equal trials has their price, although counts and clients are summed.
func TestPriceOfTheRunsPricesInEveryTrialAndPool(t *testing.T) {
	run := &results.Run{Manifest: results.Manifest{Transports: []string{"sse"}, Prices: round}, Trials: []results.Trial{chat(), chat(), chat()}}
	for i := range run.Trials {
		run.Trials[i].Repetition = i + 1
	}
	r := row(t, run, "sse")
	one := chat()
	one.Prices = &round
	want := summary.Measure(metric.Price, one).X
	if got := r.Value(metric.Price); !near(got.X, want) {
		t.Errorf("the pool's price is %v, want %v", got.X, want)
	}
	if over, ok := r.Range(metric.Price); !ok || over.Lo.X != want || over.Hi.X != want {
		t.Errorf("the range is %+v, want %v", over, want)
	}
	var sum float64
	for _, i := range price.Items {
		amount, cost := r.Bill(i)
		if !near(cost.X, amount.X*round.Of(i)) {
			t.Errorf("%s: %v costs %v", i, amount.X, cost.X)
		}
		sum += cost.X
	}
	if !near(sum, want) {
		t.Errorf("the items add up to %v, want %v", sum, want)
	}
	if run.Trials[0].Prices != nil {
		t.Error("the run itself is changed")
	}
}

func TestPriceNeedsWhatIsBilled(t *testing.T) {
	for name, forget := range map[string]func(*results.Trial){
		"segments": func(t *results.Trial) { t.Cost.Wire.Down.Segments = 0 },
		"CPU":      func(t *results.Trial) { t.Cost.Server.CPU = 0 },
		"memory":   func(t *results.Trial) { t.Cost.Idle = results.IdleMemory{} },
		"clients":  func(t *results.Trial) { t.Connect.Failed = t.Connect.Clients },
		"span":     func(t *results.Trial) { t.Cost.Span = 0 },
	} {
		trial := chat()
		trial.Prices = &round
		if forget(&trial); summary.Measure(metric.Price, trial).Known != summary.NotShown {
			t.Errorf("without %s the price is %v, want none", name, summary.Measure(metric.Price, trial).X)
		}
	}
	free := round
	free.EgressGB = 0
	trial := chat()
	trial.Prices, trial.Cost.Wire.Down.Segments = &free, 0
	if got := summary.Measure(metric.Price, trial); got.Known != summary.Shown || math.IsNaN(got.X) {
		t.Errorf("egress that is not billed is not needed: got %+v", got)
	}
}
