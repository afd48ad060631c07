package hub

import (
	"cmp"
	"slices"
)

// A Delivery selects which unread messages a subscription receives.
type Delivery uint8

// Every delivers all messages, Latest only the newest of each topic.
const (
	Every Delivery = iota
	Latest
)

// A Message is an encoded message of a log: {"topic":"a","seq":7,"data":"…"}. The bytes are shared by
// all readers and must not be changed.
type Message struct {
	Number uint64 // hub number: the position among the messages of all topics, from 1
	Object []byte
}

// A Gap is a range of one topic's messages that the hub no longer has, From and To included. NewEpoch
// means that the cursor is from another hub, or older than a topic that may have replaced one of the same name: the
// count of lost messages is unknown, From is 1 and To has no meaning.
type Gap struct {
	Topic    string
	From, To uint64 // seqs
	NewEpoch bool
}

// A Read contains the messages and gaps after a cursor.
type Read struct {
	Messages []Message // by ascending hub number
	Gaps     []Gap     // by topic name
	Next     Cursor    // cursor for the next read
}

// Empty reports whether there is no message and no gap.
func (r *Read) Empty() bool { return len(r.Messages) == 0 && len(r.Gaps) == 0 }

// Newest returns the hub number of the set's newest message: that of the cursor of a subscription
// that has read everything. It takes no lock.
func (h *Hub) Newest(s *TopicSet) uint64 { return s.newest() }

// Start returns the cursor at which a subscription "from now" starts, and the last seq of each topic
// of the set, in the set's order.
func (h *Hub) Start(s *TopicSet) (Cursor, []uint64) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	seqs := make([]uint64, len(s.topics))
	for i, t := range s.topics {
		seqs[i] = t.log.last()
	}
	return Cursor{Epoch: h.epoch, Number: s.newest()}, seqs
}

// Since returns the messages of the set's topics beyond a cursor, without waiting. Its only error is
// ErrAhead. A cursor of another epoch yields a NewEpoch gap for each topic and all messages that this
// hub still has.
//
// The next cursor has the hub number of the set's newest message, or that of the given cursor if it is
// larger. It is not the hub's newest, so that subscribers of the same topics have equal cursors and
// share encoded batches. Later messages of the set have larger hub numbers, as mu orders them.
func (h *Hub) Since(after Cursor, s *TopicSet, d Delivery) (Read, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var r Read
	switch {
	case after.Epoch != h.epoch:
		r.Gaps = newEpochGaps(s)
		after = Cursor{Epoch: h.epoch}
	case after.Number > h.newest.Load():
		return Read{}, ErrAhead
	case after.Number < h.forgotten:
		r.Gaps = forgottenGaps(s, after.Number)
	}
	for _, t := range s.topics {
		r.addTopic(t, after.Number, d)
	}
	r.Next = Cursor{Epoch: h.epoch, Number: max(after.Number, s.newest())}
	if len(s.topics) > 1 {
		slices.SortFunc(r.Messages, func(a, b Message) int { return cmp.Compare(a.Number, b.Number) })
	}
	r.cut(h.options.MaxBatchBytes, s)
	return r, nil
}

func newEpochGaps(s *TopicSet) []Gap {
	gaps := make([]Gap, 0, len(s.topics))
	for _, t := range s.topics {
		gaps = append(gaps, Gap{Topic: t.name, From: 1, NewEpoch: true})
	}
	return gaps
}

// forgottenGaps returns a gap for each topic that may have replaced one of the same name since a hub number.
func forgottenGaps(s *TopicSet, after uint64) (gaps []Gap) {
	for _, t := range s.topics {
		if t.created > after && t.newest.Load() > 0 {
			gaps = append(gaps, Gap{Topic: t.name, From: 1, NewEpoch: true})
		}
	}
	return gaps
}

// addTopic adds one topic's messages beyond a hub number, and the gap before them.
func (r *Read) addTopic(t *topic, after uint64, d Delivery) {
	if t.newest.Load() <= after {
		return
	}
	last, oldest := t.log.last(), t.log.oldestRetained()
	if d == Latest && oldest <= last { // only an idle topic does not retain its newest message; superseded messages are not lost
		r.add(t, last)
		return
	}
	first := t.log.firstAfter(after)
	if first < oldest {
		r.Gaps = append(r.Gaps, Gap{Topic: t.name, From: first, To: oldest - 1})
	}
	for seq := max(first, oldest); seq <= last; seq++ {
		r.add(t, seq)
	}
}

func (r *Read) add(t *topic, seq uint64) {
	if object := t.log.object(seq); object != nil {
		r.Messages = append(r.Messages, Message{Number: t.log.number(seq), Object: object})
	}
}

// cut shortens a read to at most maxBytes encoded bytes, but not below one message, and moves its
// cursor back. Gaps must not extend beyond the cursor, or they would be reported twice.
func (r *Read) cut(maxBytes int, s *TopicSet) {
	total := 0
	for i, m := range r.Messages {
		total += len(m.Object)
		if total <= maxBytes || i == 0 {
			continue
		}
		r.Messages = r.Messages[:i]
		r.Next.Number = r.Messages[i-1].Number
		r.cutGaps(s)
		return
	}
}

// cutGaps shortens the gaps to those before the cursor.
func (r *Read) cutGaps(s *TopicSet) {
	kept := r.Gaps[:0]
	for _, g := range r.Gaps {
		if !g.NewEpoch {
			next := s.find(g.Topic).log.firstAfter(r.Next.Number)
			g.To = min(g.To, next-1)
		}
		if g.NewEpoch || g.To >= g.From {
			kept = append(kept, g)
		}
	}
	r.Gaps = kept
}

// find returns the topic of that name, which must be in the set.
func (s *TopicSet) find(name string) *topic {
	i, _ := slices.BinarySearchFunc(s.topics, name, func(t *topic, name string) int { return cmp.Compare(t.name, name) })
	return s.topics[i]
}
