package bench

import (
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/record"
	"pushbench/results"
)

// sound is the evidence of a trial that passes every gate.
func sound() Evidence {
	e := Evidence{
		Accepted:     20,
		Served:       100,
		Total:        results.Wire{Dials: 20, Requests: 101},
		ServerAsked:  []int{0},
		ServerGot:    []int{0},
		GeneratorGot: []int{0, 1},
		Stalls:       Stalls{{Core: 0, Longest: 49 * time.Millisecond, Total: 49 * time.Millisecond}, {Core: 1}},
	}
	e.Trial.Cost.Span = 10 * time.Second
	e.Total.Up = results.Direction{Bytes: 100, Payload: 40, Envelope: 30, Framing: 20, Headers: 10}
	e.Total.Down = results.Direction{Bytes: 1000, Payload: 400, Envelope: 300, Framing: 200, Headers: 100}
	e.Trial.Publishes = results.Publishes{Planned: 3, OnTime: 2, Late: 1, Sent: 3, Acknowledged: 3}
	e.Trial.Ledger = results.Ledger{Owed: 3, Unique: 2, Lost: 1, Received: 2}
	for range 2 {
		e.Trial.Latency.Histogram.Record(10 * time.Millisecond)
	}
	e.Trial.Latency.Infinite = 1
	for range 200 {
		e.Trial.Publishes.Lateness.Record(50 * time.Microsecond)
	}
	return e
}

// spoil makes evidence that only the named gate must refuse. A gate without an
// entry here has nothing that shows it can fail, and the test below says so.
var spoil = map[string][]func(*Evidence){
	GateLate: {func(e *Evidence) {
		for range 3 {
			e.Trial.Publishes.Lateness.Record(2 * time.Millisecond)
		}
	}},
	GateStalls: {
		func(e *Evidence) {
			e.Stalls = Stalls{{Core: 0}, {Core: 1, Longest: 40 * time.Millisecond, Total: 51 * time.Millisecond}}
		},
	},
	GateOffered: {func(e *Evidence) {
		p := &e.Trial.Publishes
		p.Planned += 1
		p.Dropped, p.DroppedBy = 1, map[string]int64{record.NeverTried: 1}
	}},
	GateLedger: {
		func(e *Evidence) { e.Trial.Ledger.Owed++ },
		func(e *Evidence) { e.Trial.Ledger.Received++ },
		func(e *Evidence) { e.Trial.Publishes.Planned++ },
		func(e *Evidence) { e.Trial.Publishes.Unknown++ },
		func(e *Evidence) { e.Trial.Latency.Infinite = 0 },
	},
	GateDials: {
		func(e *Evidence) { e.Accepted++ },
		func(e *Evidence) { e.Accepted-- },
		func(e *Evidence) { e.Abandoned, e.Accepted = 2, e.Accepted+3 },
		func(e *Evidence) { e.Abandoned, e.Accepted = 2, e.Accepted-1 },
	},
	GateRequests: {
		func(e *Evidence) { e.Served = e.Total.Requests + 1 },
		func(e *Evidence) { e.Served = e.Total.Requests - e.Total.Dials - 1 },
	},
	GateBytes: {
		func(e *Evidence) { e.Total.Up.Bytes++ },
		func(e *Evidence) { e.Total.Up.Payload++ },
		func(e *Evidence) { e.Total.Down.Bytes += 5000 },
		func(e *Evidence) { e.Engine, e.Total.Down.Bytes = client.EventLoops, e.Total.Down.Bytes+1 },
		func(e *Evidence) { e.Engine, e.Total.Up.Headers = client.EventLoops, e.Total.Up.Headers+1 },
	},
	GatePinning: {
		func(e *Evidence) { e.ServerGot = []int{0, 1} },
		func(e *Evidence) { e.GeneratorAsked = []int{1} },
	},
}

func TestSoundTrialPassesEveryGate(t *testing.T) {
	for _, g := range Judge(sound()) {
		if !g.Passed {
			t.Errorf("%s refuses a sound trial: %s", g.Name, g.Detail)
		}
		if g.Detail == "" {
			t.Errorf("%s does not say what it measured", g.Name)
		}
	}
}

func TestEveryGateCanFailAndOnlyForItsReason(t *testing.T) {
	for _, g := range gates {
		if len(spoil[g.name]) == 0 {
			t.Errorf("nothing shows that the gate %q can fail", g.name)
		}
		for i, damage := range spoil[g.name] {
			e := sound()
			damage(&e)
			for _, verdict := range Judge(e) {
				if passed := verdict.Name != g.name; verdict.Passed != passed {
					t.Errorf("%s, damage %d: gate %q passed %v: %s", g.name, i, verdict.Name, verdict.Passed, verdict.Detail)
				}
			}
		}
	}
}

// Of a dial that was given up nobody knows whether the server accepted it.
func TestAbandonedDialsMayBeAccepted(t *testing.T) {
	for accepted := range int64(3) {
		e := sound()
		e.Abandoned, e.Accepted = 2, e.Accepted+accepted
		if passed, detail := noHiddenDials(e); !passed {
			t.Errorf("%d of 2 accepted refused: %s", accepted, detail)
		}
	}
}

// Latenesses are allowed to grow with what is measured, up to a twentieth.
func TestLatenessIsJudgedAgainstTheLatency(t *testing.T) {
	e := sound()
	spoil[GateLate][0](&e)
	for range 10 {
		e.Trial.Latency.Histogram.Record(time.Second)
	}
	if passed, detail := onTime(e); !passed {
		t.Errorf("2 ms late beside a median of 1 s refused: %s", detail)
	}
}
