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

// A trialModel is a simple and slow model of a trial: a server with epochs, clients, and lists of
// everything that happens to them.
type trialModel struct {
	*bench
	rt           *rapid.T
	delivery     scenarios.Delivery
	now          clock.Instant
	epoch        int
	publications []publication           // per message
	received     []map[int]bool          // per client: messages
	order        [][]int                 // per client: first receptions, in order
	gaps         [][]declared            // per client
	top          []map[[2]int]uint64     // per client: by epoch and topic, the largest seq received
	epochs       []map[int]clock.Instant // per client: by epoch, when the client learned of its end
	want         results.Ledger
}

type publication struct {
	sent  bool
	seq   uint64 // 0: not acknowledged
	epoch int
}

type declared struct {
	topic    int32
	from, to uint64
	until    clock.Instant // no message due later is in it
	epoch    int
}

// Random events: messages are lost, duplicated, reordered, dropped, refused and superseded, gaps are
// declared, the server restarts, the plan is cut. The recorder uses bits and chains, the model uses
// lists, and both must have the same result.
func TestRecorderAgainstAModel(t *testing.T) {
	for _, delivery := range []scenarios.Delivery{scenarios.Every, scenarios.Latest} {
		t.Run(string(delivery), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { compareWithModel(rt, delivery) })
		})
	}
}

func compareWithModel(rt *rapid.T, delivery scenarios.Delivery) {
	clients := rapid.IntRange(1, 3).Draw(rt, "clients")
	topics := rapid.IntRange(1, 3).Draw(rt, "topics")
	n := rapid.IntRange(1, 50).Draw(rt, "messages")
	messages := make([]schedule.Message, n)
	for i := range messages {
		messages[i] = schedule.Message{
			// From before the window opens at 1 s until after it closes at 11 s; several at one instant.
			Due:       time.Duration(i*12/n) * time.Second,
			Publisher: int32(rapid.IntRange(-1, 1).Draw(rt, "publisher")),
			Topic:     int32(rapid.IntRange(0, topics-1).Draw(rt, "topic")),
			Size:      64,
		}
	}
	s := &trialModel{rt: rt, delivery: delivery, publications: make([]publication, n)}
	s.bench = begin(rt, plan(clients, topics, messages...), delivery, transports.WebSocket)
	for range clients {
		s.received = append(s.received, map[int]bool{})
		s.order = append(s.order, nil)
		s.gaps = append(s.gaps, nil)
		s.top = append(s.top, map[[2]int]uint64{})
		s.epochs = append(s.epochs, map[int]clock.Instant{})
	}
	end := rapid.IntRange(0, n).Draw(rt, "cut")
	for i := range end {
		s.now = max(s.now, s.due(i))
		s.publish(i)
		s.events(i)
	}
	s.book.Cut(end)
	s.compare(end)
}

// publish publishes a message with a random outcome.
func (s *trialModel) publish(i int) {
	id := uint32(i)
	switch rapid.SampledFrom([]string{"acked", "acked", "acked", "acked", "unknown", "failed", "dropped", "failed unsent"}).Draw(s.rt, "outcome") {
	case "dropped":
		s.rec.Event(0, client.Event{Kind: client.Dropped, ID: id, Cause: "x"}, s.now)
		return
	case "failed unsent":
		s.rec.Event(0, client.Event{Kind: client.Failed, ID: id, Cause: "x"}, s.now)
		return
	case "failed":
		s.rec.Event(0, client.Event{Kind: client.Sending, ID: id}, s.now)
		s.rec.Event(0, client.Event{Kind: client.Failed, ID: id, Cause: "x"}, s.now)
		s.publications[i].sent = true
		return
	case "unknown":
		s.rec.Event(0, client.Event{Kind: client.Sending, ID: id}, s.now)
		s.publications[i].sent = true
		return
	}
	topic := s.plan.Messages[i].Topic
	s.seqs[topic]++
	s.publications[i] = publication{sent: true, seq: s.seqs[topic], epoch: s.epoch}
	s.rec.Event(0, client.Event{Kind: client.Sending, ID: id}, s.now)
	s.rec.Event(0, client.Event{Kind: client.Acked, ID: id, Seq: s.seqs[topic]}, s.now)
}

// events generates random events of the clients, for messages up to index last.
func (s *trialModel) events(last int) {
	for range rapid.IntRange(0, 4).Draw(s.rt, "events") {
		c := rapid.IntRange(0, len(s.received)-1).Draw(s.rt, "client")
		switch rapid.SampledFrom([]string{"delivery", "delivery", "delivery", "gap", "restart", "foreign message"}).Draw(s.rt, "event") {
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
		case "foreign message":
			s.rec.Deliver(c, &client.Batch{Messages: []client.Message{{Topic: []byte("t"), Seq: 1, Data: []byte("not ours at all, and long enough to be")}}}, s.now)
			s.want.Unexpected++
			s.want.Corrupt++
		}
	}
}

// receive delivers an acknowledged message of the current epoch, possibly as a duplicate.
func (s *trialModel) receive(c, i int) {
	f := s.publications[i]
	if f.seq == 0 || f.epoch != s.epoch {
		return
	}
	topic := s.plan.Messages[i].Topic
	as := rapid.SampledFrom([]uint64{f.seq, f.seq, s.sent(topic), s.sent(topic) + 1}).Draw(s.rt, "delivered as")
	s.deliver(c, s.now, s.message(i, as))
	if as > s.sent(topic) {
		s.want.Unexpected++
		s.want.Corrupt++
		return
	}
	key := [2]int{f.epoch, int(s.plan.Messages[i].Topic)}
	s.top[c][key] = max(s.top[c][key], f.seq)
	if s.received[c][i] {
		if s.counts(i, len(s.publications)) {
			s.want.Duplicates++
		}
		return
	}
	s.received[c][i] = true
	s.order[c] = append(s.order[c], i)
}

// sent is the number of publications of a topic, which no seq can exceed.
func (s *trialModel) sent(topic int32) (n uint64) {
	for i, f := range s.publications {
		if f.sent && s.plan.Messages[i].Topic == topic {
			n++
		}
	}
	return n
}

func (s *trialModel) gap(c int, g declared) {
	if s.delivery == scenarios.Latest {
		return // no gaps in this mode: the server always has the newest message
	}
	if sent := s.sent(g.topic); g.to > s.seqs[g.topic] && g.to <= sent {
		g.to = sent + 1 // numbers that only an earlier epoch had: no recorder knows them
	}
	s.rec.Deliver(c, &client.Batch{Gaps: []client.Gap{{Topic: s.plan.Topics[g.topic], From: g.from, To: g.to}}}, s.now)
	if g.from > g.to || g.to > s.sent(g.topic) {
		s.want.Unexpected++
		s.want.Corrupt++
		return
	}
	g.until, g.epoch = s.now, s.epoch
	s.gaps[c] = append(s.gaps[c], g)
}

// restart begins a new epoch and notifies every client immediately: after all messages due by now,
// and before the next one is due. (A recorder cannot determine the epoch of a message that the new
// server acknowledged, but that was due before the client was notified.)
func (s *trialModel) restart(last int) {
	if last+1 < len(s.publications) && s.bench.due(last+1) <= s.now+1 {
		return
	}
	s.now++
	for c := range s.received {
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

// counts reports whether a message is in the window and before the cut.
func (s *trialModel) counts(i, end int) bool {
	due := s.plan.Messages[i].Due
	return i < end && due >= time.Second && due < 11*time.Second
}

// compare calculates the ledger from the lists and compares it with the recorder's.
func (s *trialModel) compare(end int) {
	settled := true
	for c := range s.received {
		for i := range s.publications {
			if s.counts(i, end) {
				s.want.Expected++
				s.settle(c, i)
			}
		}
		for topic := range s.plan.Topics {
			settled = settled && s.settledTopic(c, int32(topic), end)
		}
		s.want.Reordered += s.reordered(c, end)
	}
	s.want.Received = s.want.Delivered + s.want.Duplicates + s.want.Unexpected
	if got := s.rec.Settled(); got != settled {
		s.rt.Errorf("settled: %v, want %v", got, settled)
	}
	got, _ := s.close()
	got.LostBy, s.want.LostBy = nil, nil
	if !same(got, s.want) {
		s.rt.Errorf("ledger\n%+v\nwant, by the model\n%+v", got, s.want)
	}
}

func same(a, b results.Ledger) bool {
	return a.Expected == b.Expected && a.Delivered == b.Delivered && a.Superseded == b.Superseded && a.DeclaredGap == b.DeclaredGap && a.Lost == b.Lost &&
		a.Received == b.Received && a.Duplicates == b.Duplicates && a.Unexpected == b.Unexpected && a.Reordered == b.Reordered && a.Corrupt == b.Corrupt
}

func (s *trialModel) settle(c, i int) {
	switch {
	case s.received[c][i]:
		s.want.Delivered++
	case s.superseded(c, i):
		s.want.Superseded++
	case s.inDeclaredGap(c, i):
		s.want.DeclaredGap++
	default:
		s.want.Lost++
	}
}

func (s *trialModel) superseded(c, i int) bool {
	f := s.publications[i]
	return s.delivery == scenarios.Latest && f.seq > 0 && f.seq < s.top[c][[2]int{f.epoch, int(s.plan.Messages[i].Topic)}]
}

func (s *trialModel) inDeclaredGap(c, i int) bool {
	for _, notified := range s.epochs[c] {
		if s.bench.due(i) < notified {
			return true
		}
	}
	f := s.publications[i]
	for _, g := range s.gaps[c] {
		if g.topic == s.plan.Messages[i].Topic && f.seq >= max(1, g.from) && f.seq <= g.to && f.epoch == g.epoch && s.bench.due(i) <= g.until {
			return true
		}
	}
	return false
}

// settledTopic reports whether no expected message of a topic can still arrive.
func (s *trialModel) settledTopic(c int, topic int32, end int) bool {
	for i := len(s.publications) - 1; i >= 0; i-- {
		if s.plan.Messages[i].Topic != topic || !s.counts(i, end) {
			continue
		}
		switch {
		case s.received[c][i]:
			if s.delivery == scenarios.Latest {
				return true
			}
		case s.publications[i].sent && !s.inDeclaredGap(c, i):
			return false
		}
	}
	return true
}

// reordered counts first receptions after a later message of the same publisher and topic.
func (s *trialModel) reordered(c, end int) (n int64) {
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

// Messages due before or after the window appear only in the costs.
func TestMessagesOutsideTheWindowAreNotCounted(t *testing.T) {
	early := schedule.Message{Due: 0, Publisher: schedule.Backend, Size: 64}
	late := schedule.Message{Due: 11 * time.Second, Publisher: schedule.Backend, Size: 64}
	b := begin(t, plan(1, 1, early, late), scenarios.Every, transports.WebSocket)
	for i := range 2 {
		m := b.publish(i)
		b.deliver(0, b.due(i), m, m)
	}
	l, latency := b.close()
	if l.Expected != 0 || l.Received != 0 || l.Duplicates != 0 || latency.Histogram.Count() != 0 {
		t.Errorf("%+v, %d latencies; want none counted", l, latency.Histogram.Count())
	}
	if b.rec.Delivered() != 4 {
		t.Errorf("%d delivered in total, want 4: costs are divided by this number", b.rec.Delivered())
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
		t.Errorf("%v allocations per delivery, want 0", got)
	}
}
