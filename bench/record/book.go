package record

import (
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/schedule"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// LateAfter is how long after its due instant a publication may leave the
// generator and still count as on time.
const LateAfter = time.Millisecond

// A Book is what all recorders of a process share: the plan, and what became of
// each publication.
type Book struct {
	plan     *schedule.Schedule
	run      uint32
	delivery scenarios.Delivery
	polling  bool // quantiles rest on poll cycles, not on publishes
	inputs   bool // clients send some: then acknowledgements are timed of these alone, as a backend's say nothing of a transport

	start atomic.Int64 // clock.Instant of the warm-up's begin; 0 before it is known
	end   atomic.Int64 // index of the first message that is not owed
	stop  atomic.Int64 // clock.Instant at which the window closes early; 0: it does not

	outcome []atomic.Uint32 // per message: what became of it. Only the sink of its publisher writes it
	seq     []atomic.Uint64 // per message: the acknowledged seq, 0 if none

	mu        sync.Mutex // guards what follows
	publishes results.Publishes
	ack       results.Histogram
}

// What became of a publication.
const (
	planned uint32 = iota
	sent
	acked
	failed
	dropped
)

// NewBook opens the book of one trial.
func NewBook(plan *schedule.Schedule, s *scenarios.Scenario, transport scenarios.Transport, run uint32) *Book {
	b := &Book{
		plan:     plan,
		run:      run,
		delivery: s.Delivery,
		polling:  transports.Of(transport).Timed,
		inputs:   s.Upstream.Rate > 0,
		outcome:  make([]atomic.Uint32, len(plan.Messages)),
		seq:      make([]atomic.Uint64, len(plan.Messages)),
	}
	b.end.Store(int64(len(plan.Messages)))
	b.publishes.LateAfter = LateAfter
	b.publishes.DroppedBy = map[string]int64{}
	b.publishes.FailedBy = map[string]int64{}
	return b
}

// Begin says when the warm-up starts. Call it before anything is published.
func (b *Book) Begin(start clock.Instant) { b.start.Store(int64(start)) }

// Cut ends the plan before the message of the given index: neither it nor any
// later one was ever owed. It must not have been handed to a session, nor may it be.
// (A cut at an instant would go through a burst, or beside what is sent meanwhile.)
// Several may cut; the earliest counts.
func (b *Book) Cut(index int) {
	for end := b.end.Load(); int64(index) < end && !b.end.CompareAndSwap(end, int64(index)); end = b.end.Load() {
	}
}

// Stop closes the window early, so that nobody's age counts while nothing more is
// published. Call it before that instant.
func (b *Book) Stop(at clock.Instant) { b.stop.CompareAndSwap(0, int64(at)) }

// window is when the window opens and closes.
func (b *Book) window() (opens, closes clock.Instant) {
	start := clock.Instant(b.start.Load())
	closes = start.Add(b.plan.Closes)
	if stop := clock.Instant(b.stop.Load()); stop != 0 {
		closes = min(closes, stop)
	}
	return start.Add(b.plan.Opens), closes
}

// firstDue is when the first message of a topic is due: of one that has none, never.
func (b *Book) firstDue(topic int32) clock.Instant {
	if len(b.plan.OnTopic[topic]) == 0 {
		return math.MaxInt64
	}
	return b.due(b.plan.OnTopic[topic][0])
}

// Counts says whether a message's due instant lies in the window.
func (b *Book) Counts(index uint32) bool {
	due := b.plan.Messages[index].Due
	return due >= b.plan.Opens && due < b.plan.Closes && int64(index) < b.end.Load()
}

// due is when a message is due.
func (b *Book) due(index int32) clock.Instant {
	return clock.Instant(b.start.Load()).Add(b.plan.Messages[index].Due)
}

// unsent says whether a message will never be sent.
func (b *Book) unsent(index int32) bool { return b.outcome[index].Load() == dropped }

// since is how long after its due instant something happened to a message.
func (b *Book) since(index uint32, at clock.Instant) time.Duration {
	return time.Duration(int64(at)-b.start.Load()) - b.plan.Messages[index].Due
}

// sending notes that a publication leaves. Of its lateness, what an earlier
// publication on the same connection caused is the transport's, not ours.
func (b *Book) sending(index uint32, waited time.Duration, at clock.Instant) {
	b.outcome[index].Store(sent)
	if !b.Counts(index) {
		return
	}
	late := b.since(index, at) - waited
	b.mu.Lock()
	defer b.mu.Unlock()
	b.publishes.Sent++
	b.publishes.Lateness.Record(late)
	b.publishes.HeldUp.Record(waited)
	if late > LateAfter {
		b.publishes.Late++
	} else {
		b.publishes.OnTime++
	}
}

func (b *Book) acknowledged(index uint32, seq uint64, at clock.Instant) {
	b.outcome[index].Store(acked)
	b.seq[index].Store(seq)
	if !b.Counts(index) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.publishes.Acknowledged++
	if b.timed(index) {
		b.ack.Record(b.since(index, at))
	}
}

// timed says whether a message's acknowledgement enters the latencies.
func (b *Book) timed(index uint32) bool {
	return !b.inputs || b.plan.Messages[index].Publisher != schedule.Backend
}

// refused notes a publication that failed (sent, without success) or was dropped (never sent).
func (b *Book) refused(index uint32, state uint32, why string) {
	// A broken connection can fail before the write began: then it was never sent.
	if state == failed && b.outcome[index].Load() == planned {
		state = dropped
	}
	b.outcome[index].Store(state)
	if !b.Counts(index) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if state == failed {
		b.publishes.Failed++
		b.publishes.FailedBy[why]++
		return
	}
	b.publishes.Dropped++
	b.publishes.DroppedBy[why]++
}

// NeverTried is why a planned publication without any event was dropped: nobody
// offered it to the server, which is the rig's fault.
const NeverTried = "trial ended first"

// Publishes returns the account of the window's publications, complete: what
// has no outcome by now has one of "unknown" or "dropped".
func (b *Book) Publishes() (results.Publishes, results.Latency) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.publishes
	p.DroppedBy, p.FailedBy = maps.Clone(p.DroppedBy), maps.Clone(p.FailedBy)
	timed := int64(0)
	for i := range b.plan.Messages {
		if !b.Counts(uint32(i)) {
			continue
		}
		p.Planned++
		if b.timed(uint32(i)) {
			timed++
		}
		switch b.outcome[i].Load() {
		case planned:
			p.Dropped++
			p.DroppedBy[NeverTried]++
		case sent:
			p.Unknown++
		}
	}
	ack := results.Latency{Histogram: b.ack, Infinite: timed - b.ack.Count(), Independent: timed}
	return p, ack
}

// lostBecause names why a message that nobody delivered is lost.
func (b *Book) lostBecause(index int32) string {
	switch b.outcome[index].Load() {
	case planned, dropped:
		return "not sent"
	case sent:
		return "publish not acknowledged"
	case failed:
		return "publish failed"
	default:
		return "not delivered"
	}
}
