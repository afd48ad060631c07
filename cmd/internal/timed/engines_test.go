//go:build nightly

package timed

import (
	"slices"
	"testing"
	"time"

	"pushbench/bench/client/engines"
	"pushbench/cmd/internal/inprocess"
	"pushbench/results/compare"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// The engines check each other: clients of both receive all messages, and
// the latencies are equivalent by the procedure that reports use. The link delay is
// the main part of the latencies; goroutines' timers make each direction half a
// millisecond longer.
func TestEnginesAreEquivalent(t *testing.T) {
	names := engines.Names()
	if len(names) < 2 {
		t.Logf("this system has only the engine %s", names[0])
		return
	}
	var family []compare.Pairing
	for _, transport := range []scenarios.Transport{transports.LongPoll, transports.SSE, transports.WebSocket} {
		family = append(family, pairEngines(t, transport, [2]string(names[:2])))
	}
	for _, d := range (compare.Plan{}).All(family) {
		t.Logf("%s: %s to %s %.4f, 90 %% interval %.4f to %.4f, %d pairs: %s", d.Metric, d.Names[1], d.Names[0], d.Ratio, d.Lo90, d.Hi90, d.Repetitions, d.Verdict)
		if within := d.Lo90 > 0.95 && d.Hi90 < 1/0.95; !within { // equivalent, or so close that an even smaller difference is significant
			t.Errorf("%s: the engines are %s", d.Metric, d.Verdict)
		}
	}
}

// pairEngines makes the same observations with both engines, alternately.
func pairEngines(t *testing.T, transport scenarios.Transport, engines [2]string) compare.Pairing {
	p := compare.Pairing{Metric: string(transport) + " p50", Names: engines}
	const pairs = 2 * compare.MinRepetitions
	for turn := range pairs {
		var pair [2]*observation
		for i := range pair {
			i = (i + turn) % 2
			t.Run("", func(t *testing.T) { // closes all connections at its end
				pair[i] = observe(t, inprocess.Engine(t, engines[i]), transport, 20, 1, 100*time.Millisecond)
			})
		}
		if t.Failed() {
			t.FailNow()
		}
		a, b := pair[0], pair[1]
		p.A, p.B = append(p.A, a.median()), append(p.B, b.median())
		if !slices.Equal(a.messages, b.messages) {
			t.Errorf("%s: the engines delivered different messages, %d and %d of them", transport, len(a.messages), len(b.messages))
		}
	}
	return p
}
