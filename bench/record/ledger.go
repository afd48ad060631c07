package record

import (
	"slices"

	"pushbench/bench/clock"
	"pushbench/bench/schedule"
)

// A ledger is the account of one client: one bit per message planned on its topics.
type ledger struct {
	topics []int32         // ascending
	base   []int32         // per topic: index of its first bit
	newest []int32         // per topic: the largest message index received, or -1
	since  []clock.Instant // per topic: when the client received newest; 0 before
	top    []uint64        // per topic: the largest seq received
	bits   []uint64
	gaps   []gap
}

// A gap is a range of messages that the server declared as undeliverable.
type gap struct {
	slot     int
	from, to uint64        // seq, inclusive
	epoch    bool          // the server's epoch changed: every message due before until is undeliverable
	until    clock.Instant // when the gap was declared
	top      uint64        // with epoch: the largest seq received in the epoch that ended
}

func newLedger(plan *schedule.Schedule, client int) *ledger {
	l := &ledger{topics: plan.Subscribed[client]}
	size := int32(0)
	for _, topic := range l.topics {
		l.base = append(l.base, size)
		l.newest = append(l.newest, -1)
		size += int32(len(plan.OnTopic[topic]))
	}
	l.since = make([]clock.Instant, len(l.topics))
	l.top = make([]uint64, len(l.topics))
	l.bits = make([]uint64, (size+63)/64)
	return l
}

// slot returns the index of a topic among the client's topics.
func (l *ledger) slot(topic int32) (int, bool) {
	if len(l.topics) == 1 {
		return 0, l.topics[0] == topic
	}
	return slices.BinarySearch(l.topics, topic)
}

func (l *ledger) has(slot int, ordinal int32) bool {
	bit := l.base[slot] + ordinal
	return l.bits[bit/64]&(1<<(bit%64)) != 0
}

// mark sets the bit of a message and reports whether it was clear.
func (l *ledger) mark(slot int, ordinal int32) (first bool) {
	bit := l.base[slot] + ordinal
	word, mask := &l.bits[bit/64], uint64(1)<<(bit%64)
	first = *word&mask == 0
	*word |= mask
	return first
}

// overtaken reports whether the client already has a later message of the same publisher on the
// same topic. Messages nearly always arrive in order, so the chain is followed only for a message
// older than the newest.
func (l *ledger) overtaken(plan *schedule.Schedule, slot int, index int32) bool {
	if index > l.newest[slot] {
		l.newest[slot] = index
		return false
	}
	for next := plan.NextOfSame[index]; next >= 0 && next <= l.newest[slot]; next = plan.NextOfSame[next] {
		if l.has(slot, plan.Ordinal[next]) {
			return true
		}
	}
	return false
}

// declare records a gap. With a new epoch, seq numbering restarts.
func (l *ledger) declare(g gap) {
	if g.epoch {
		g.top, l.top[g.slot] = l.top[g.slot], 0
	}
	l.gaps = append(l.gaps, g)
}

// superseded reports whether a missing message is superseded: the client received a later message
// of the topic, in the epoch in which the missing one was acknowledged with seq.
func (l *ledger) superseded(slot int, seq uint64, due clock.Instant) bool {
	if seq == 0 {
		return false
	}
	for _, g := range l.gaps {
		if g.slot == slot && g.epoch && due < g.until {
			return seq < g.top
		}
	}
	return seq < l.top[slot]
}

// declared reports whether a gap covers a missing message. seq is 0 if the message was never
// acknowledged.
func (l *ledger) declared(slot int, seq uint64, due clock.Instant) bool {
	for _, g := range l.gaps {
		if g.slot != slot {
			continue
		}
		if g.epoch && due < g.until || !g.epoch && seq != 0 && seq >= g.from && seq <= g.to {
			return true
		}
	}
	return false
}
