package report

import (
	"testing"
	"time"

	"pushbench/results/internal/synthetic"
)

// Short polling that costs about as much as the cheapest push has no interval that a reader could tell from its
// own. Otherwise the interval has two digits.
func TestStalenessEffect(t *testing.T) {
	for perMessage, want := range map[time.Duration]string{ // in µs; WebSocket has 100
		100: "short polling costs about as much CPU as WebSocket at its interval of 1 s. At longer intervals it would cost less (predicted).",
		104: "short polling costs about as much CPU as WebSocket at its interval of 1 s. At longer intervals it would cost less (predicted).",
		147: "short polling would cost less CPU than WebSocket at intervals above about 1.5 s. That is predicted; the interval was 1 s.",
		78:  "short polling would cost less CPU than WebSocket at intervals above about 780 ms. That is predicted; the interval was 1 s.",
	} {
		run := synthetic.Run(1, time.Second)
		run.Manifest.Compare.Margin = 0.05
		for i := range run.Trials {
			tr, each := &run.Trials[i], 200*time.Microsecond
			switch tr.Transport {
			case "websocket":
				each = 100 * time.Microsecond
			case "shortpoll":
				each = perMessage * time.Microsecond
			}
			tr.Cost.Server.CPU = each * time.Duration(tr.Ledger.Delivered) / 2
			tr.Cost.Generator.CPU = tr.Cost.Server.CPU
		}
		if got := New(run).stalenessEffect(); got != want {
			t.Errorf("%v: got %s\nwant %s", perMessage, got, want)
		}
	}
}
