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

// LateAfter is the maximum lateness of a publication that counts as on time.
const LateAfter = time.Millisecond

// A Book is shared by all recorders of a process. It contains the plan and the outcome of each
// publication.
type Book struct {
	plan     *schedule.Schedule
	run      uint32
	delivery scenarios.Delivery
	polling  bool // the independent observations are poll cycles, not publishes
	upstream bool // clients send upstream messages: only their acknowledgements are timed, since a backend's do not depend on the transport

	start atomic.Int64 // clock.Instant of the start of the warm-up; 0: not yet known
	end   atomic.Int64 // index of the first message that is not expected
	stop  atomic.Int64 // clock.Instant at which the window closes early; 0: it does not

	outcome []atomic.Uint32 // per message: its state. Only the sink of its publisher writes it
	seq     []atomic.Uint64 // per message: the acknowledged seq, 0 if none
	claimed []atomic.Uint64 // per message: the seq under which a client received it first; only for scenarios.Latest
	issued  []atomic.Uint64 // per topic: the publications that were sent, so the largest seq that a server can assign

	mu        sync.Mutex // guards the fields below
	publishes results.Publishes
	ack       results.Histogram
}

// States of a publication.
const (
	planned uint32 = iota
	sent
	acked
	failed
	dropped
)

// NewBook returns the book of one trial.
func NewBook(plan *schedule.Schedule, s *scenarios.Scenario, transport scenarios.Transport, run uint32) *Book {
	b := &Book{
		plan:     plan,
		run:      run,
		delivery: s.Delivery,
		polling:  transports.Of(transport).Timed,
		upstream: s.Upstream.Rate > 0,
		outcome:  make([]atomic.Uint32, len(plan.Messages)),
		seq:      make([]atomic.Uint64, len(plan.Messages)),
		issued:   make([]atomic.Uint64, len(plan.Topics)),
	}
	if b.delivery == scenarios.Latest {
		b.claimed = make([]atomic.Uint64, len(plan.Messages))
	}
	b.end.Store(int64(len(plan.Messages)))
	b.publishes.LateAfter = LateAfter
	b.publishes.DroppedBy = map[string]int64{}
	b.publishes.FailedBy = map[string]int64{}
	return b
}

// Begin sets the start of the warm-up. Call it before anything is published.
func (b *Book) Begin(start clock.Instant) { b.start.Store(int64(start)) }

// Cut ends the plan before the message with the given index: neither that message nor a later one is
// expected. The message must not have been passed to a session, and must not be passed to one later.
// (A cut at an instant instead could split a burst, or miss a message that is being sent.)
// With several cuts, the earliest counts.
func (b *Book) Cut(index int) {
	for end := b.end.Load(); int64(index) < end && !b.end.CompareAndSwap(end, int64(index)); end = b.end.Load() {
	}
}

// Stop closes the window early, so that no age counts while nothing is published. Call it before
// that instant.
func (b *Book) Stop(at clock.Instant) { b.stop.CompareAndSwap(0, int64(at)) }

// window returns the times at which the window opens and closes.
func (b *Book) window() (opens, closes clock.Instant) {
	start := clock.Instant(b.start.Load())
	closes = start.Add(b.plan.Closes)
	if stop := clock.Instant(b.stop.Load()); stop != 0 {
		closes = min(closes, stop)
	}
	return start.Add(b.plan.Opens), closes
}

// firstDue is the due instant of a topic's first message. For a topic without messages it is the
// maximum instant.
func (b *Book) firstDue(topic int32) clock.Instant {
	if len(b.plan.OnTopic[topic]) == 0 {
		return math.MaxInt64
	}
	return b.due(b.plan.OnTopic[topic][0])
}

// Counts reports whether a message's due instant lies in the window and before a cut.
func (b *Book) Counts(index uint32) bool {
	due := b.plan.Messages[index].Due
	return due >= b.plan.Opens && due < b.plan.Closes && int64(index) < b.end.Load()
}

// due is a message's due instant.
func (b *Book) due(index int32) clock.Instant {
	return clock.Instant(b.start.Load()).Add(b.plan.Messages[index].Due)
}

// unsent reports whether a message was dropped, so that it will never be sent.
func (b *Book) unsent(index int32) bool { return b.outcome[index].Load() == dropped }

// since is the time from a message's due instant to an instant.
func (b *Book) since(index uint32, at clock.Instant) time.Duration {
	return time.Duration(int64(at)-b.start.Load()) - b.plan.Messages[index].Due
}

// sending records that a publication is being sent. Waiting for an earlier publication on the same
// connection is caused by the transport, so the load generator's lateness excludes it.
func (b *Book) sending(index uint32, waited time.Duration, at clock.Instant) {
	b.outcome[index].Store(sent)
	b.issued[b.plan.Messages[index].Topic].Add(1)
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

// assigned reports whether a server can have assigned a seq to a message: its servers begin with none of the topic.
// 0 is that of a target, which has no seqs.
func (b *Book) assigned(index uint32, seq uint64) bool {
	return seq <= b.issued[b.plan.Messages[index].Topic].Load()
}

// causeNeverAssigned is why an acknowledgement does not count.
const causeNeverAssigned = "acknowledged with a sequence number beyond what was published"

// claim records the seq under which a message was delivered, and reports whether a server can have assigned it.
func (b *Book) claim(index uint32, seq uint64) bool {
	if !b.assigned(index, seq) {
		return false
	}
	if b.claimed != nil && b.claimed[index].Load() == 0 {
		b.claimed[index].CompareAndSwap(0, seq)
	}
	return true
}

// seqOf is the seq of a message that was delivered: the acknowledged one if there is one.
func (b *Book) seqOf(index int32) uint64 {
	if seq := b.seq[index].Load(); seq != 0 {
		return seq
	}
	return b.claimed[index].Load()
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

// Outstanding reports whether a publication of the window that was sent has no outcome yet. A server that has
// acknowledged none so far may acknowledge none at all.
func (b *Book) Outstanding() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.publishes
	return p.Acknowledged > 0 && p.Sent > p.Acknowledged+p.Failed
}

// timed reports whether the latency of a message's acknowledgement is recorded.
func (b *Book) timed(index uint32) bool {
	return !b.upstream || b.plan.Messages[index].Publisher != schedule.Backend
}

// refused records a publication that failed (sent without success) or was dropped (never sent).
func (b *Book) refused(index uint32, state uint32, cause string) {
	// If a connection breaks before the write began, the message was never sent.
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
		Count(b.publishes.FailedBy, cause)
		return
	}
	b.publishes.Dropped++
	Count(b.publishes.DroppedBy, cause)
}

// maxCauses bounds the causes that are counted separately: a server may write a part of them.
const maxCauses = 64

// otherCauses are those beyond maxCauses.
const otherCauses = "other causes"

func Count(by map[string]int64, cause string) {
	if by[cause] == 0 && len(by) >= maxCauses {
		cause = otherCauses
	}
	by[cause]++
}

// NeverTried is the reason of a dropped publication without any event: the load generator never
// tried to send it, which is a failure of the test setup.
const NeverTried = "trial ended first"

// Publishes returns the complete account of the window's publications. A publication without an
// outcome is unknown if it was sent, and otherwise dropped.
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

// lostBecause is the reason why a message without a delivery is lost.
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
