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
// of the set, in the set's order. The cursor is not older than a topic: it cannot have missed a message of an earlier
// topic of the same name.
func (h *Hub) Start(s *TopicSet) (Cursor, []uint64) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	number, seqs := s.newest(), make([]uint64, len(s.topics))
	for i, t := range s.topics {
		seqs[i] = t.log.last()
		number = max(number, t.created)
	}
	return Cursor{Epoch: h.epoch, Number: number}, seqs
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
	var few [16]unread // most sets have fewer topics
	all := few[:0]
	for _, t := range s.topics {
		if u, ok := r.findUnread(t, after.Number, d); ok {
			all = append(all, u)
		}
	}
	r.Next = Cursor{Epoch: h.epoch, Number: max(after.Number, s.newest())}
	if !r.collect(all, h.options.MaxBatchBytes) {
		r.cutGaps(s)
	}
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

// unread are the messages of a topic that a read has not collected: at least one.
type unread struct {
	log       *log
	seq, last uint64
	number    uint64 // of seq
}

// findUnread returns the topic's messages beyond a hub number, if there are any, and adds the gap before them.
func (r *Read) findUnread(t *topic, after uint64, d Delivery) (u unread, ok bool) {
	if t.newest.Load() <= after {
		return unread{}, false
	}
	last, oldest := t.log.last(), t.log.oldestRetained()
	first := last
	if d != Latest || oldest > last { // only an idle topic does not retain its newest message; superseded messages are not lost
		first = t.log.firstAfter(after)
		if first < oldest {
			r.Gaps = append(r.Gaps, Gap{Topic: t.name, From: first, To: oldest - 1})
		}
		first = max(first, oldest)
	}
	if first > last {
		return unread{}, false
	}
	return unread{&t.log, first, last, t.log.number(first)}, true
}

// collect adds messages in the order of their hub numbers, up to maxBytes encoded bytes, but not below one message.
// It returns false, with the cursor behind the last message added, if there are more. It looks at no others: a
// subscription to many topics with many messages is read in many batches, each under the lock.
func (r *Read) collect(all []unread, maxBytes int) (complete bool) {
	for i := len(all)/2 - 1; i >= 0; i-- {
		sift(all, i)
	}
	for total := 0; len(all) > 0; {
		u := &all[0]
		if object := u.log.object(u.seq); object != nil {
			total += len(object)
			if n := len(r.Messages); total > maxBytes && n > 0 {
				r.Next.Number = r.Messages[n-1].Number
				return false
			}
			r.Messages = append(r.Messages, Message{Number: u.number, Object: object})
		}
		if u.seq == u.last {
			all[0] = all[len(all)-1]
			all = all[:len(all)-1]
		} else {
			u.seq++
			u.number = u.log.number(u.seq)
		}
		sift(all, 0)
	}
	return true
}

// sift moves the i-th element of a heap, with the smallest number first, down to its place.
func sift(all []unread, i int) {
	for {
		child := 2*i + 1
		if child >= len(all) {
			return
		}
		if right := child + 1; right < len(all) && all[right].number < all[child].number {
			child = right
		}
		if all[i].number <= all[child].number {
			return
		}
		all[i], all[child] = all[child], all[i]
		i = child
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
