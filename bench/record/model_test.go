package record

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/schedule"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A story is a trial as a model sees it that knows everything and is in no hurry:
// a server with epochs, clients that get what they get, and lists of all of it.
type story struct {
	*bench
	rt       *rapid.T
	delivery scenarios.Delivery
	now      clock.Instant
	epoch    int
	fates    []fate                  // per message
	got      []map[int]bool          // per client: the messages it has
	order    [][]int                 // per client: first receptions, in order
	gaps     [][]declared            // per client
	top      []map[[2]int]uint64     // per client: by epoch and topic, the largest seq received
	epochs   []map[int]clock.Instant // per client: when it was told that an epoch ended, by epoch
	want     results.Ledger
}

type fate struct {
	sent  bool
	seq   uint64 // 0: not acknowledged
	epoch int
}

type declared struct {
	topic    int32
	from, to uint64
}

// The whole story, at random: messages lost, doubled, swapped, dropped, refused
// and superseded, gaps declared, the server restarted, the plan cut. The recorder
// keeps bits and chains; the model keeps lists, and both must find the same.
func TestRecorderAgainstAModelThatForgetsNothing(t *testing.T) {
	for _, delivery := range []scenarios.Delivery{scenarios.Every, scenarios.Latest} {
		t.Run(string(delivery), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { tell(rt, delivery) })
		})
	}
}

func tell(rt *rapid.T, delivery scenarios.Delivery) {
	clients := rapid.IntRange(1, 3).Draw(rt, "clients")
	topics := rapid.IntRange(1, 3).Draw(rt, "topics")
	n := rapid.IntRange(1, 50).Draw(rt, "messages")
	messages := make([]schedule.Message, n)
	for i := range messages {
		messages[i] = schedule.Message{
			// From before the window opens, at 1 s, to after it closes, at 11 s; several at one instant.
			Due:       time.Duration(i*12/n) * time.Second,
			Publisher: int32(rapid.IntRange(-1, 1).Draw(rt, "publisher")),
			Topic:     int32(rapid.IntRange(0, topics-1).Draw(rt, "topic")),
			Size:      64,
		}
	}
	s := &story{rt: rt, delivery: delivery, fates: make([]fate, n)}
	s.bench = begin(rt, plan(clients, topics, messages...), delivery, transports.WebSocket)
	for range clients {
		s.got = append(s.got, map[int]bool{})
		s.order = append(s.order, nil)
		s.gaps = append(s.gaps, nil)
		s.top = append(s.top, map[[2]int]uint64{})
		s.epochs = append(s.epochs, map[int]clock.Instant{})
	}
	end := rapid.IntRange(0, n).Draw(rt, "cut")
	for i := range end {
		s.now = max(s.now, s.due(i))
		s.publish(i)
		s.something(i)
	}
	s.book.Cut(end)
	s.compare(end)
}

// publish gives a message one of the fates it may have on its way up.
func (s *story) publish(i int) {
	id := uint32(i)
	switch rapid.SampledFrom([]string{"acked", "acked", "acked", "acked", "unknown", "failed", "dropped", "failed unsent"}).Draw(s.rt, "fate") {
	case "dropped":
		s.rec.Event(0, client.Event{Kind: client.Dropped, ID: id, Cause: "x"}, s.now)
		return
	case "failed unsent":
		s.rec.Event(0, client.Event{Kind: client.Failed, ID: id, Cause: "x"}, s.now)
		return
	case "failed":
		s.rec.Event(0, client.Event{Kind: client.Sending, ID: id}, s.now)
		s.rec.Event(0, client.Event{Kind: client.Failed, ID: id, Cause: "x"}, s.now)
		s.fates[i].sent = true
		return
	case "unknown":
		s.rec.Event(0, client.Event{Kind: client.Sending, ID: id}, s.now)
		s.fates[i].sent = true
		return
	}
	topic := s.plan.Messages[i].Topic
	s.seqs[topic]++
	s.fates[i] = fate{sent: true, seq: s.seqs[topic], epoch: s.epoch}
	s.rec.Event(0, client.Event{Kind: client.Sending, ID: id}, s.now)
	s.rec.Event(0, client.Event{Kind: client.Acked, ID: id, Seq: s.seqs[topic]}, s.now)
}

// something happens to the clients, given that messages up to index last exist.
func (s *story) something(last int) {
	for range rapid.IntRange(0, 4).Draw(s.rt, "happenings") {
		c := rapid.IntRange(0, len(s.got)-1).Draw(s.rt, "client")
		switch rapid.SampledFrom([]string{"delivery", "delivery", "delivery", "gap", "restart", "stranger"}).Draw(s.rt, "what") {
		case "delivery":
			s.receive(c, rapid.IntRange(0, last).Draw(s.rt, "message"))
		case "gap":
			s.gap(c, declared{
				topic: int32(rapid.IntRange(0, len(s.plan.Topics)-1).Draw(s.rt, "gap's topic")),
				from:  rapid.Uint64Range(1, 10).Draw(s.rt, "from"),
				to:    rapid.Uint64Range(1, 10).Draw(s.rt, "to"),
			})
		case "restart":
			s.restart(last)
		case "stranger":
			s.rec.Deliver(c, &client.Batch{Messages: []client.Message{{Topic: []byte("t"), Seq: 1, Data: []byte("not ours at all, and long enough to be")}}}, s.now)
			s.want.Unexpected++
			s.want.Corrupt++
		}
	}
}

// receive delivers an acknowledged message of the present epoch, for the first time or again.
func (s *story) receive(c, i int) {
	f := s.fates[i]
	if f.seq == 0 || f.epoch != s.epoch {
		return
	}
	s.deliver(c, s.now, s.message(i, f.seq))
	key := [2]int{f.epoch, int(s.plan.Messages[i].Topic)}
	s.top[c][key] = max(s.top[c][key], f.seq)
	if s.got[c][i] {
		if s.counts(i, len(s.fates)) {
			s.want.Duplicates++
		}
		return
	}
	s.got[c][i] = true
	s.order[c] = append(s.order[c], i)
}

func (s *story) gap(c int, g declared) {
	if s.delivery == scenarios.Latest {
		return // which has none: the newest is always held
	}
	s.rec.Deliver(c, &client.Batch{Gaps: []client.Gap{{Topic: s.plan.Topics[g.topic], From: g.from, To: g.to}}}, s.now)
	s.gaps[c] = append(s.gaps[c], g)
}

// restart begins a new epoch, of which every client is told at once: strictly
// after what is due by now, and before what is due next. (What is acknowledged by a
// server and due before a client is told of it is in no epoch that a recorder knows.)
func (s *story) restart(last int) {
	if last+1 < len(s.fates) && s.bench.due(last+1) <= s.now+1 {
		return
	}
	s.now++
	for c := range s.got {
		var gaps []client.Gap
		for _, topic := range s.plan.Topics {
			gaps = append(gaps, client.Gap{Topic: topic, From: 1, EpochChanged: true})
		}
		s.rec.Deliver(c, &client.Batch{Gaps: gaps}, s.now)
		s.epochs[c][s.epoch] = s.now
	}
	s.epoch++
	clear(s.seqs)
}

// counts says whether a message is in the window and before the cut.
func (s *story) counts(i, end int) bool {
	due := s.plan.Messages[i].Due
	return i < end && due >= time.Second && due < 11*time.Second
}

// compare works the ledger out from the lists.
func (s *story) compare(end int) {
	settled := true
	for c := range s.got {
		for i := range s.fates {
			if s.counts(i, end) {
				s.want.Expected++
				s.settle(c, i)
			}
		}
		for topic := range s.plan.Topics {
			settled = settled && s.hopeless(c, int32(topic), end)
		}
		s.want.Reordered += s.reordered(c, end)
	}
	s.want.Received = s.want.Unique + s.want.Duplicates + s.want.Unexpected
	if got := s.rec.Settled(); got != settled {
		s.rt.Errorf("settled: %v, want %v", got, settled)
	}
	got, _ := s.close()
	got.LostBy, s.want.LostBy = nil, nil
	if !same(got, s.want) {
		s.rt.Errorf("the ledger says\n%+v\nthe model\n%+v", got, s.want)
	}
}

func same(a, b results.Ledger) bool {
	return a.Expected == b.Expected && a.Unique == b.Unique && a.Superseded == b.Superseded && a.DeclaredGap == b.DeclaredGap && a.Lost == b.Lost &&
		a.Received == b.Received && a.Duplicates == b.Duplicates && a.Unexpected == b.Unexpected && a.Reordered == b.Reordered && a.Corrupt == b.Corrupt
}

func (s *story) settle(c, i int) {
	switch {
	case s.got[c][i]:
		s.want.Unique++
	case s.superseded(c, i):
		s.want.Superseded++
	case s.declaredGone(c, i):
		s.want.DeclaredGap++
	default:
		s.want.Lost++
	}
}

func (s *story) superseded(c, i int) bool {
	f := s.fates[i]
	return s.delivery == scenarios.Latest && f.seq > 0 && f.seq < s.top[c][[2]int{f.epoch, int(s.plan.Messages[i].Topic)}]
}

func (s *story) declaredGone(c, i int) bool {
	for _, told := range s.epochs[c] {
		if s.bench.due(i) < told {
			return true
		}
	}
	f := s.fates[i]
	for _, g := range s.gaps[c] {
		if g.topic == s.plan.Messages[i].Topic && f.seq >= max(1, g.from) && f.seq <= g.to {
			return true
		}
	}
	return false
}

// hopeless says whether of a topic nothing can still come that is owed.
func (s *story) hopeless(c int, topic int32, end int) bool {
	for i := len(s.fates) - 1; i >= 0; i-- {
		if s.plan.Messages[i].Topic != topic || !s.counts(i, end) {
			continue
		}
		switch {
		case s.got[c][i]:
			if s.delivery == scenarios.Latest {
				return true
			}
		case s.fates[i].sent && !s.declaredGone(c, i):
			return false
		}
	}
	return true
}

// reordered counts first receptions after a later one of the same author and topic.
func (s *story) reordered(c, end int) (n int64) {
	for k, i := range s.order[c] {
		for _, before := range s.order[c][:k] {
			a, b := s.plan.Messages[before], s.plan.Messages[i]
			if before > i && a.Publisher == b.Publisher && a.Topic == b.Topic && s.counts(i, end) {
				n++
				break
			}
		}
	}
	return n
}

// What is due before the window or after it is in no account but that of the cost.
func TestReceptionsOutsideTheWindowAreNotCounted(t *testing.T) {
	early := schedule.Message{Due: 0, Publisher: schedule.Backend, Size: 64}
	late := schedule.Message{Due: 11 * time.Second, Publisher: schedule.Backend, Size: 64}
	b := begin(t, plan(1, 1, early, late), scenarios.Every, transports.WebSocket)
	for i := range 2 {
		m := b.publish(i)
		b.deliver(0, b.due(i), m, m)
	}
	l, latency := b.close()
	if l.Expected != 0 || l.Received != 0 || l.Duplicates != 0 || latency.Histogram.Count() != 0 {
		t.Errorf("%+v, %d latencies; want none of it counted", l, latency.Histogram.Count())
	}
	if b.rec.Delivered() != 4 {
		t.Errorf("%d delivered in all, want 4: the cost is divided by them", b.rec.Delivered())
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	const n = 1000
	b := begin(t, plan(1, 1, every(n, 1)...), scenarios.Every, transports.WebSocket)
	var messages []client.Message
	for i := range n {
		messages = append(messages, b.publish(i))
	}
	batch := &client.Batch{Messages: make([]client.Message, 1)}
	i := 0
	deliver := func() {
		batch.Messages[0] = messages[i%n]
		b.rec.Deliver(0, batch, b.due(i%n)+1000)
		i++
	}
	if got := testing.AllocsPerRun(n/2, deliver); got != 0 {
		t.Errorf("%v allocations a delivery, want 0", got)
	}
}
