package record

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/schedule"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

const run = 0xfeed

// start is the start of the warm-up in these tests.
const start = clock.Instant(time.Hour)

// A bench is one recorder with its plan, and a simulated server.
type bench struct {
	t    rapid.TB
	plan *schedule.Schedule
	book *Book
	rec  *Recorder
	seqs map[int32]uint64 // per topic: the last seq assigned
}

// plan returns a schedule of the given messages for clients that subscribe to all topics.
func plan(clients, topics int, messages ...schedule.Message) *schedule.Schedule {
	s := &scenarios.Scenario{}
	s.Clients.Count, s.Topics.Count, s.Topics.PerClient = clients, topics, topics
	s.Topics.Spread = scenarios.Even
	s.Publish.By, s.Publish.Rate, s.Publish.Arrivals = scenarios.ByBackend, 1, scenarios.Periodic
	s.Payload.Size = 64
	s.Warmup, s.Window = scenarios.Duration(time.Second), scenarios.Duration(10*time.Second)
	return schedule.Of(s, messages)
}

func begin(t rapid.TB, p *schedule.Schedule, delivery scenarios.Delivery, transport scenarios.Transport) *bench {
	s := &scenarios.Scenario{Delivery: delivery}
	b := &bench{t: t, plan: p, book: NewBook(p, s, transport, run), seqs: map[int32]uint64{}}
	b.book.Begin(start)
	all := make([]int, len(p.Subscribed))
	for i := range all {
		all[i] = i
	}
	b.rec = NewRecorder(b.book, all)
	for c := range all {
		b.rec.Event(c, client.Event{Kind: client.Connected}, start)
	}
	return b
}

func (b *bench) due(index int) clock.Instant { return start.Add(b.plan.Messages[index].Due) }

// publish sends and acknowledges a message, and returns it as clients receive it.
func (b *bench) publish(index int) client.Message {
	topic := b.plan.Messages[index].Topic
	b.rec.Event(0, client.Event{Kind: client.Sending, ID: uint32(index)}, b.due(index))
	b.seqs[topic]++
	b.rec.Event(0, client.Event{Kind: client.Acked, ID: uint32(index), Seq: b.seqs[topic]}, b.due(index))
	return b.message(index, b.seqs[topic])
}

func (b *bench) message(index int, seq uint64) client.Message {
	return client.Message{
		Topic: []byte(b.plan.Topics[b.plan.Messages[index].Topic]),
		Seq:   seq,
		Data:  payload.Append(nil, run, uint32(index), 64),
	}
}

func (b *bench) deliver(c int, at clock.Instant, messages ...client.Message) {
	b.rec.Deliver(c, &client.Batch{Messages: messages}, at)
}

func (b *bench) close() (results.Ledger, results.Latency) {
	b.t.Helper()
	l, latency := b.rec.Close()
	p, ack := b.book.Publishes()
	trial := results.Trial{Ledger: l, Latency: latency, Ack: ack, Publishes: p}
	for _, identity := range trial.Identities() {
		if !identity.Holds() {
			b.t.Fatalf("%s", identity)
		}
	}
	return l, latency
}

func every(n int, topics int32) []schedule.Message {
	messages := make([]schedule.Message, n)
	for i := range messages {
		messages[i] = schedule.Message{Due: time.Second + time.Duration(i)*time.Millisecond, Publisher: schedule.Backend, Topic: int32(i) % topics, Size: 64}
	}
	return messages
}

// A message counts if its due instant is in [opens, closes).
func TestWindowEdges(t *testing.T) {
	opens, closes := time.Second, 11*time.Second
	at := []time.Duration{opens - 1, opens, closes - 1, closes}
	var messages []schedule.Message
	for _, due := range at {
		messages = append(messages, schedule.Message{Due: due, Publisher: schedule.Backend, Size: 64})
	}
	b := begin(t, plan(1, 1, messages...), scenarios.Every, transports.WebSocket)
	for i := range messages {
		b.deliver(0, b.due(i)+5, b.publish(i))
	}
	l, latency := b.close()
	if l.Expected != 2 || l.Delivered != 2 || latency.Histogram.Count() != 2 {
		t.Errorf("expected %d, delivered %d, %d latencies; want 2 of each", l.Expected, l.Delivered, latency.Histogram.Count())
	}
	if p, _ := b.book.Publishes(); p.Planned != 2 || p.Sent != 2 {
		t.Errorf("planned %d, sent %d; want 2 and 2", p.Planned, p.Sent)
	}
}

func TestMessagesAfterACutAreNotExpected(t *testing.T) {
	b := begin(t, plan(1, 1, every(100, 1)...), scenarios.Every, transports.WebSocket)
	for i := range 40 {
		b.deliver(0, b.due(i), b.publish(i))
	}
	b.book.Cut(40)
	if l, _ := b.close(); l.Expected != 40 || l.Lost != 0 {
		t.Errorf("expected %d, lost %d after a cut before the 41st; want 40 and 0", l.Expected, l.Lost)
	}
}

func TestLatencyCountsFromTheDueInstant(t *testing.T) {
	b := begin(t, plan(1, 1, every(1, 1)...), scenarios.Every, transports.WebSocket)
	const lateness = 250 * time.Millisecond // of the load generator
	b.rec.Event(0, client.Event{Kind: client.Sending, ID: 0}, b.due(0).Add(lateness))
	b.rec.Event(0, client.Event{Kind: client.Acked, ID: 0, Seq: 1}, b.due(0).Add(lateness))
	b.deliver(0, b.due(0).Add(lateness), b.message(0, 1))
	_, latency := b.close()
	if got := latency.Histogram.Max(); got != lateness {
		t.Errorf("latency %v, want %v: a late send must not shorten it", got, lateness)
	}
	if p, _ := b.book.Publishes(); p.Late != 1 || p.Lateness.Max() != lateness {
		t.Errorf("%d late by at most %v, want 1 by %v", p.Late, p.Lateness.Max(), lateness)
	}
}

// The load generator's lateness excludes waiting for an earlier publication on the same connection.
func TestWaitingForTheConnectionIsNotLate(t *testing.T) {
	b := begin(t, plan(1, 1, every(1, 1)...), scenarios.Every, transports.WebSocket)
	const waited = 30 * time.Millisecond
	b.rec.Event(0, client.Event{Kind: client.Sending, ID: 0, Waited: waited}, b.due(0).Add(waited))
	p, _ := b.book.Publishes()
	if p.OnTime != 1 || p.HeldUp.Max() != waited || p.Lateness.Max() != 0 {
		t.Errorf("on time %d, lateness up %v, late %v; want 1, %v, 0s", p.OnTime, p.HeldUp.Max(), p.Lateness.Max(), waited)
	}
}

func TestLostIsInfinite(t *testing.T) {
	b := begin(t, plan(1, 1, every(2000, 1)...), scenarios.Every, transports.WebSocket)
	for i := range 2000 {
		m := b.publish(i)
		if i%50 != 0 { // 2 % are lost
			b.deliver(0, b.due(i).Add(time.Millisecond), m)
		}
	}
	l, latency := b.close()
	latency.Independent = 2000
	if l.Lost != 40 || l.LostBy["not delivered"] != 40 {
		t.Errorf("lost %d (%v), want 40 not delivered", l.Lost, l.LostBy)
	}
	if _, infinite, _ := latency.Quantile(0.99); !infinite {
		t.Error("2 % lost, but p99 is finite")
	}
	if d, _, ok := latency.Quantile(0.95); !ok || d > 2*time.Millisecond {
		t.Errorf("p95 is %v (%v), want about 1ms", d, ok)
	}
}

// In a swapped pair, one message arrives after a later one of the same publisher and topic.
func TestSwappedPairsAreCounted(t *testing.T) {
	b := begin(t, plan(1, 2, every(400, 2)...), scenarios.Every, transports.WebSocket)
	for i := 0; i < 400; i += 4 {
		quad := []client.Message{b.publish(i), b.publish(i + 1), b.publish(i + 2), b.publish(i + 3)}
		if i%40 == 0 { // topic 0 has messages i and i+2
			quad[0], quad[2] = quad[2], quad[0]
		}
		b.deliver(0, b.due(i+3), quad...)
	}
	if l, _ := b.close(); l.Reordered != 10 || l.Delivered != 400 {
		t.Errorf("reordered %d of %d, want 10 of 400", l.Reordered, l.Delivered)
	}
}

// There is no order between messages of different publishers.
func TestOrderIsPerPublisher(t *testing.T) {
	messages := every(10, 1)
	for i := range messages {
		messages[i].Publisher = int32(i % 2)
	}
	b := begin(t, plan(2, 1, messages...), scenarios.Every, transports.WebSocket)
	for i := 0; i < 10; i += 2 {
		first, second := b.publish(i), b.publish(i+1)
		b.deliver(0, b.due(i+1), second, first)
	}
	if l, _ := b.close(); l.Reordered != 0 {
		t.Errorf("reordered %d, want 0", l.Reordered)
	}
}

func TestForeignAndDamagedAreUnexpected(t *testing.T) {
	b := begin(t, plan(1, 2, every(4, 2)...), scenarios.Every, transports.WebSocket)
	good := b.publish(0)
	damaged := b.publish(1)
	damaged.Data[30] ^= 1
	otherRun := b.message(2, 9)
	otherRun.Data = payload.Append(nil, run+1, 2, 64)
	otherTopic := b.message(3, 9)
	otherTopic.Topic = []byte("t-none")
	b.deliver(0, b.due(3), good, damaged, otherRun, otherTopic)
	if l, _ := b.close(); l.Unexpected != 3 || l.Corrupt != 1 || l.Delivered != 1 {
		t.Errorf("unexpected %d, corrupt %d, unique %d; want 3, 1, 1", l.Unexpected, l.Corrupt, l.Delivered)
	}
}

func TestDeclaredGaps(t *testing.T) {
	b := begin(t, plan(1, 2, every(20, 2)...), scenarios.Every, transports.WebSocket)
	for i := range 20 {
		b.publish(i)
	}
	// On topic 0, seq 3 to 5 are declared; all others are lost.
	b.rec.Deliver(0, &client.Batch{Gaps: []client.Gap{{Topic: b.plan.Topics[0], From: 3, To: 5}}}, b.due(19))
	l, latency := b.close()
	if l.DeclaredGap != 3 || l.Lost != 17 || latency.Infinite != 20 {
		t.Errorf("declared %d, lost %d, infinite %d; want 3, 17, 20", l.DeclaredGap, l.Lost, latency.Infinite)
	}
}

func TestNewEpochDeclaresEarlierMessages(t *testing.T) {
	b := begin(t, plan(1, 1, every(10, 1)...), scenarios.Every, transports.WebSocket)
	for i := range 10 {
		b.publish(i)
	}
	b.deliver(0, b.due(1), b.message(0, 1), b.message(1, 2))
	b.rec.Deliver(0, &client.Batch{Gaps: []client.Gap{{Topic: b.plan.Topics[0], From: 1, EpochChanged: true}}}, b.due(6))
	if l, _ := b.close(); l.Delivered != 2 || l.DeclaredGap != 4 || l.Lost != 4 {
		t.Errorf("delivered %d, declared %d, lost %d; want 2, 4 (due before the gap was declared), 4", l.Delivered, l.DeclaredGap, l.Lost)
	}
}

func TestLatestIsSuperseded(t *testing.T) {
	b := begin(t, plan(1, 1, every(10, 1)...), scenarios.Latest, transports.ShortPoll)
	var all []client.Message
	for i := range 10 {
		all = append(all, b.publish(i))
	}
	if b.rec.Settled() {
		t.Error("settled before the last message was delivered")
	}
	b.deliver(0, b.due(9), all[3])
	b.deliver(0, b.due(9), all[8])
	l, _ := b.close()
	if l.Delivered != 2 || l.Superseded != 7 || l.Lost != 1 {
		t.Errorf("delivered %d, superseded %d, lost %d; want 2, 7 and the last one lost", l.Delivered, l.Superseded, l.Lost)
	}
}

// A server cannot hide losses: not by a message under a high number, not by a gap in advance, and not by a high
// number in an acknowledgement.
func TestWhatWasNeverPublishedExcusesNothing(t *testing.T) {
	const n = 10
	gap := func(from, to uint64) func(*bench, client.Message) {
		return func(b *bench, _ client.Message) {
			b.rec.Deliver(0, &client.Batch{Gaps: []client.Gap{{Topic: b.plan.Topics[0], From: from, To: to}}}, b.due(2))
		}
	}
	as := func(seq uint64) func(*bench, client.Message) {
		return func(b *bench, m client.Message) {
			m.Seq = seq
			b.deliver(0, b.due(2), m)
		}
	}
	for _, test := range []struct {
		name string
		lie  func(b *bench, m client.Message) // after three of n messages, of which m is the second
		want results.Ledger
	}{
		{"the largest number", as(math.MaxUint64), results.Ledger{Lost: n, Corrupt: 1}},
		{"the next number", as(4), results.Ledger{Lost: n, Corrupt: 1}},
		{"the number of another message", as(3), results.Ledger{Delivered: 1, Superseded: 1, Lost: n - 2}},
		{"its own number", as(2), results.Ledger{Delivered: 1, Superseded: 1, Lost: n - 2}},
		{"a gap of all numbers", gap(1, math.MaxUint64), results.Ledger{Lost: n, Corrupt: 1}},
		{"a gap that ends before it begins", gap(3, 2), results.Ledger{Lost: n, Corrupt: 1}},
		{"a gap of the next number", gap(1, 4), results.Ledger{Lost: n, Corrupt: 1}},
		{"a gap of what was published", gap(1, 3), results.Ledger{DeclaredGap: 3, Lost: n - 3}},
		{"a gap of a topic without a subscription", func(b *bench, _ client.Message) {
			b.rec.Deliver(0, &client.Batch{Gaps: []client.Gap{{Topic: "x", From: 1, To: 1}}}, b.due(2))
		}, results.Ledger{Lost: n, Corrupt: 1}},
		{"a new epoch", func(b *bench, _ client.Message) {
			b.rec.Deliver(0, &client.Batch{Gaps: []client.Gap{{Topic: b.plan.Topics[0], From: 1, EpochChanged: true}}}, b.due(2))
		}, results.Ledger{DeclaredGap: 2, Lost: n - 2}},
	} {
		b := begin(t, plan(1, 1, every(n, 1)...), scenarios.Latest, transports.WebSocket)
		var second client.Message
		for i := range n {
			if m := b.publish(i); i == 1 {
				second = m
			}
			if i == 2 {
				test.lie(b, second)
			}
		}
		l, _ := b.close()
		if l.Delivered != test.want.Delivered || l.Superseded != test.want.Superseded || l.DeclaredGap != test.want.DeclaredGap || l.Lost != test.want.Lost ||
			l.Corrupt != test.want.Corrupt || l.Unexpected != test.want.Corrupt {
			t.Errorf("%s: got %+v, want %+v", test.name, l, test.want)
		}
	}
}

// An acknowledgement with a number that no publication can have is none.
func TestAcknowledgementBeyondWhatWasPublishedFails(t *testing.T) {
	b := begin(t, plan(1, 1, every(3, 1)...), scenarios.Latest, transports.WebSocket)
	m := b.publish(0)
	b.rec.Event(0, client.Event{Kind: client.Sending, ID: 1}, b.due(1))
	b.rec.Event(0, client.Event{Kind: client.Acked, ID: 1, Seq: math.MaxUint64}, b.due(1))
	b.publish(2)
	b.deliver(0, b.due(2), m)
	l, _ := b.close()
	if p, _ := b.book.Publishes(); p.Acknowledged != 2 || p.FailedBy[causeNeverAssigned] != 1 || l.Lost != 2 || l.LostBy["publish failed"] != 1 {
		t.Errorf("%+v\n%+v", p, l)
	}
}

// Gaps of a topic that touch are one; a server that declares too many others is refused.
func TestGapsAreMergedAndBounded(t *testing.T) {
	const n = 8 * maxGaps
	b := begin(t, plan(1, 1, every(n, 1)...), scenarios.Every, transports.WebSocket)
	for i := range n {
		b.publish(i)
	}
	declare := func(g client.Gap) {
		g.Topic = b.plan.Topics[0]
		b.rec.Deliver(0, &client.Batch{Gaps: []client.Gap{g}}, b.due(n-1))
	}
	for i := range uint64(100) {
		declare(client.Gap{From: 2*i + 1, To: 2*i + 1})
		declare(client.Gap{From: 2*i + 2, To: 2*i + 2})
		declare(client.Gap{From: 1, To: i + 1})
	}
	if got := b.rec.ledgers[0].gaps; len(got) != 1 || got[0].from != 1 || got[0].to != 200 {
		t.Errorf("%d gaps, the first of %+v; want one of 1 to 200", len(got), got[0])
	}
	for i := range uint64(n/2 - 200) {
		declare(client.Gap{From: 2*i + 301, To: 2*i + 301})
		declare(client.Gap{From: 1, EpochChanged: true})
	}
	l := b.rec.ledgers[0]
	if len(l.gaps) > maxGaps+1 || len(l.epochs) > maxGaps+1 || b.rec.account.Corrupt == 0 {
		t.Errorf("%d gaps and %d epochs, %d corrupt", len(l.gaps), len(l.epochs), b.rec.account.Corrupt)
	}
}

// A server that writes another cause into each failure does not fill the memory.
func TestCausesAreBounded(t *testing.T) {
	const n = 1000
	b := begin(t, plan(1, 1, every(n, 1)...), scenarios.Every, transports.WebSocket)
	for i := range uint32(n) {
		b.rec.Event(0, client.Event{Kind: client.Sending, ID: i}, b.due(int(i)))
		b.rec.Event(0, client.Event{Kind: client.Failed, ID: i, Cause: fmt.Sprint("error ", i)}, b.due(int(i)))
		b.rec.Event(0, client.Event{Kind: client.Disconnected, Cause: fmt.Sprint("end ", i)}, b.due(int(i)))
	}
	p, _ := b.book.Publishes()
	for _, by := range []map[string]int64{p.FailedBy, b.rec.Broken()} {
		if len(by) != maxCauses+1 || by[otherCauses] != n-maxCauses {
			t.Errorf("%d causes, %d others; want %d and %d", len(by), by[otherCauses], maxCauses+1, n-maxCauses)
		}
	}
}

func TestReasonOfALostMessage(t *testing.T) {
	b := begin(t, plan(1, 1, every(5, 1)...), scenarios.Every, transports.WebSocket)
	b.rec.Event(0, client.Event{Kind: client.Dropped, ID: 0, Cause: client.CauseInFlight}, start)
	b.rec.Event(0, client.Event{Kind: client.Sending, ID: 1}, b.due(1))
	b.rec.Event(0, client.Event{Kind: client.Failed, ID: 1, Cause: "reset"}, b.due(1))
	b.rec.Event(0, client.Event{Kind: client.Sending, ID: 2}, b.due(2))
	b.publish(3)
	p, ack := b.book.Publishes()
	l, _ := b.close()
	for reason, want := range map[string]int64{"not sent": 2, "publish failed": 1, "publish not acknowledged": 1, "not delivered": 1} {
		if l.LostBy[reason] != want {
			t.Errorf("lost with reason %q: %d, want %d (%v)", reason, l.LostBy[reason], want, l.LostBy)
		}
	}
	if p.Dropped != 2 || p.Failed != 1 || p.Unknown != 1 || p.Acknowledged != 1 || ack.Infinite != 4 {
		t.Errorf("dropped %d failed %d unknown %d acknowledged %d, %d acks infinite; want 2 1 1 1 4", p.Dropped, p.Failed, p.Unknown, p.Acknowledged, ack.Infinite)
	}
}

// The parts of a sum are counted separately, so that a duplicate acknowledgement violates it.
func TestDuplicateAcknowledgementViolatesTheSum(t *testing.T) {
	b := begin(t, plan(1, 1, every(3, 1)...), scenarios.Every, transports.WebSocket)
	for i := range 3 {
		b.publish(i)
	}
	b.rec.Event(0, client.Event{Kind: client.Acked, ID: 1, Seq: 2}, b.due(2))
	p, _ := b.book.Publishes()
	for _, sum := range (results.Trial{Publishes: p}).Identities() {
		if strings.HasPrefix(sum.Name, "sent = ") && sum.Holds() {
			t.Errorf("3 sent, 4 acknowledged: %v", sum)
		}
	}
}

func TestClientThatNeverSubscribedStillExpectsMessages(t *testing.T) {
	p := plan(2, 1, every(3, 1)...)
	b := &bench{t: t, plan: p, book: NewBook(p, &scenarios.Scenario{Delivery: scenarios.Every}, transports.SSE, run), seqs: map[int32]uint64{}}
	b.book.Begin(start)
	b.rec = NewRecorder(b.book, []int{0, 1})
	b.rec.Event(0, client.Event{Kind: client.Connected}, start)
	b.rec.Event(1, client.Event{Kind: client.Disconnected, Cause: "connection refused"}, start)
	for i := range 3 {
		b.deliver(0, b.due(i), b.publish(i))
	}
	l, _ := b.close()
	if l.Expected != 6 || l.Delivered != 3 || l.LostBy["never subscribed"] != 3 {
		t.Errorf("expected %d, delivered %d, lost %v; want 6, 3 and 3 never subscribed", l.Expected, l.Delivered, l.LostBy)
	}
	if c, _ := b.rec.Connect(); c.Clients != 1 || c.FailedBy["connection refused"] != 1 {
		t.Errorf("connected %d, failed %v", c.Clients, c.FailedBy)
	}
}

// For any order and number of deliveries, the sums are exact and agree with a model that has one set
// of messages per client.
func TestLedgerAgainstSets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clients := rapid.IntRange(1, 4).Draw(rt, "clients")
		topics := rapid.IntRange(1, 3).Draw(rt, "topics")
		n := rapid.IntRange(1, 60).Draw(rt, "messages")
		b := begin(rt, plan(clients, topics, every(n, int32(topics))...), scenarios.Every, transports.WebSocket)
		var published []client.Message
		for i := range n {
			published = append(published, b.publish(i))
		}
		seen := map[string]bool{}
		unique, duplicates := int64(0), int64(0)
		for range rapid.IntRange(0, 200).Draw(rt, "deliveries") {
			c := rapid.IntRange(0, clients-1).Draw(rt, "client")
			i := rapid.IntRange(0, n-1).Draw(rt, "message")
			b.deliver(c, b.due(i), published[i])
			key := fmt.Sprint(c, "/", i)
			if seen[key] {
				duplicates++
			} else {
				unique++
			}
			seen[key] = true
		}
		l, _ := b.close()
		if l.Expected != int64(n*clients) || l.Delivered != unique || l.Duplicates != duplicates || l.Lost != l.Expected-unique {
			rt.Fatalf("expected %d, delivered %d, duplicates %d, lost %d; want %d, %d, %d, %d",
				l.Expected, l.Delivered, l.Duplicates, l.Lost, n*clients, unique, duplicates, int64(n*clients)-unique)
		}
		if all := unique == l.Expected; b.rec.Settled() != all {
			rt.Fatalf("settled: %v, want %v", b.rec.Settled(), all)
		}
	})
}

func TestIntervalsAddUp(t *testing.T) {
	b := begin(t, plan(1, 1, every(100, 1)...), scenarios.Every, transports.WebSocket)
	counted := int64(0)
	for i := range 100 {
		b.deliver(0, b.due(i).Add(time.Millisecond), b.publish(i))
		if i%30 == 29 {
			taken := b.rec.Take()
			if taken.Counted != taken.Latency.Count() || taken.Published != 30 {
				t.Errorf("interval has %d counted messages, %d latencies, %d published; want the first two equal, 30 published",
					taken.Counted, taken.Latency.Count(), taken.Published)
			}
			counted += taken.Counted
		}
	}
	_, latency := b.close()
	if counted != 90 || latency.Histogram.Count() != 100 {
		t.Errorf("intervals counted %d, the trial %d; want 90 in intervals and 100 in total", counted, latency.Histogram.Count())
	}
}

func BenchmarkDeliver(b *testing.B) {
	p := plan(1, 1, every(1_000_000, 1)...)
	bench := begin(nil, p, scenarios.Every, transports.WebSocket)
	topic := []byte(p.Topics[0])
	data := make([][]byte, 1024)
	for i := range data {
		data[i] = payload.Append(nil, run, uint32(i), 128)
	}
	batch := &client.Batch{Messages: make([]client.Message, 1)}
	bench.book.issued[0].Store(math.MaxUint64)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		batch.Messages[0] = client.Message{Topic: topic, Seq: uint64(i + 1), Data: data[i%len(data)]}
		bench.rec.Deliver(0, batch, start.Add(time.Second+time.Duration(i%1000)*time.Microsecond))
		i++
	}
}

// A drain waits for the outcomes of what was sent, unless the server has acknowledged nothing.
func TestPublicationsAreOutstandingUntilTheirOutcome(t *testing.T) {
	b := begin(t, plan(1, 1, every(3, 1)...), scenarios.Every, transports.WebSocket)
	for i, c := range []struct {
		event client.Event
		want  bool
	}{
		{client.Event{Kind: client.Sending, ID: 0}, false},
		{client.Event{Kind: client.Acked, ID: 0, Seq: 1}, false},
		{client.Event{Kind: client.Sending, ID: 1}, true},
		{client.Event{Kind: client.Sending, ID: 2}, true},
		{client.Event{Kind: client.Failed, ID: 1, Cause: "503"}, true},
		{client.Event{Kind: client.Acked, ID: 2, Seq: 2}, false},
	} {
		b.rec.Event(0, c.event, b.due(int(c.event.ID)))
		if got := b.book.Outstanding(); got != c.want {
			t.Errorf("after event %d: %v, want %v", i, got, c.want)
		}
	}
}
