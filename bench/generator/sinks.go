package generator

import (
	"sync/atomic"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/record"
)

// A sink receives the messages and events of a worker's sessions, and counts the messages.
type sink interface {
	client.Sink
	Delivered() int64
}

// sinks are the recorders themselves, or discarding sinks.
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

// A discarding sink discards messages: it checks no payload, keeps no ledger and no histogram. It
// counts messages, and passes on which clients are connected.
type discarding struct {
	recorder  *record.Recorder
	delivered atomic.Int64
}

// Deliver counts messages.
func (d *discarding) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	d.delivered.Add(int64(len(b.Messages)))
}

// Event passes on the events that a trial waits for.
func (d *discarding) Event(c int, e client.Event, at clock.Instant) {
	if e.Kind == client.Connected || e.Kind == client.Disconnected {
		d.recorder.Event(c, e, at)
	}
}

// Delivered is the number of messages received so far.
func (d *discarding) Delivered() int64 { return d.delivered.Load() }
