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
	bits   []uint64
	gaps   []gap
	epochs []epoch // that ended
}

// A gap is a range of messages that the server declared as undeliverable. Ranges of a topic neither
// overlap nor touch.
type gap struct {
	slot     int
	from, to uint64        // seq, inclusive
	until    clock.Instant // when it was declared: it covers no message that was due later
}

// An epoch is one that the server declared as ended: every message of the topic due before until that
// was not delivered is undeliverable.
type epoch struct {
	slot  int
	until clock.Instant
}

// maxGaps bounds the gaps, and the ends of epochs, that a ledger keeps beyond one per topic. A server that
// declares more is faulty.
const maxGaps = 1024

func newLedger(plan *schedule.Schedule, client int) *ledger {
	l := &ledger{topics: plan.Subscribed[client]}
	size := int32(0)
	for _, topic := range l.topics {
		l.base = append(l.base, size)
		l.newest = append(l.newest, -1)
		size += int32(len(plan.OnTopic[topic]))
	}
	l.since = make([]clock.Instant, len(l.topics))
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

// declare records a gap, and reports whether there was room for it.
func (l *ledger) declare(g gap) bool {
	kept := l.gaps[:0]
	for _, o := range l.gaps {
		if o.slot == g.slot && o.from <= g.to+1 && g.from <= o.to+1 {
			g.from, g.to, g.until = min(g.from, o.from), max(g.to, o.to), max(g.until, o.until)
		} else {
			kept = append(kept, o)
		}
	}
	if l.gaps = kept; len(kept) >= maxGaps+len(l.topics) {
		return false
	}
	l.gaps = append(l.gaps, g)
	return true
}

// endEpoch records that the server's epoch changed, and reports whether there was room for it. Seqs begin again, so that
// the gaps of the epoch that ended mean nothing from now on; all that is missing of it is undeliverable anyway.
func (l *ledger) endEpoch(e epoch) bool {
	if len(l.epochs) >= maxGaps+len(l.topics) {
		return false
	}
	l.epochs = append(l.epochs, e)
	l.gaps = slices.DeleteFunc(l.gaps, func(g gap) bool { return g.slot == e.slot })
	return true
}

// epochOf returns which of a topic's epochs a message belongs to, by its due instant, and whether it ended.
func (l *ledger) epochOf(slot int, due clock.Instant) (n int, ended bool) {
	for _, e := range l.epochs {
		if e.slot != slot {
			continue
		}
		if due < e.until {
			return n, true
		}
		n++
	}
	return n, false
}

// declared reports whether a gap covers a missing message. seq is 0 if the message was never
// acknowledged.
func (l *ledger) declared(slot int, seq uint64, due clock.Instant) bool {
	if _, ended := l.epochOf(slot, due); ended {
		return true
	}
	for _, g := range l.gaps {
		if g.slot == slot && due <= g.until && seq != 0 && seq >= g.from && seq <= g.to {
			return true
		}
	}
	return false
}
