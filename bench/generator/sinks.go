package generator

import (
	"sync/atomic"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/record"
)

// A sink is what the sessions of a worker tell, and it counts what they received.
type sink interface {
	client.Sink
	Delivered() int64
}

// sinks are the recorders themselves, unless nothing is to be recorded.
func sinks(recorders []*record.Recorder, discard bool) (all []sink) {
	for _, r := range recorders {
		if discard {
			all = append(all, &discarding{recorder: r})
		} else {
			all = append(all, r)
		}
	}
	return all
}

// A discarding sink throws away what it is told: it checks no payload, keeps no
// ledger and no histogram. It counts messages, and lets the recorder know who is connected.
type discarding struct {
	recorder  *record.Recorder
	delivered atomic.Int64
}

// Deliver counts.
func (d *discarding) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	d.delivered.Add(int64(len(b.Messages)))
}

// Event passes on what a trial waits for.
func (d *discarding) Event(c int, e client.Event, at clock.Instant) {
	if e.Kind == client.Connected || e.Kind == client.Disconnected {
		d.recorder.Event(c, e, at)
	}
}

// Delivered is how many messages were received so far.
func (d *discarding) Delivered() int64 { return d.delivered.Load() }
