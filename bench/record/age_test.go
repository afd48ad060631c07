package record

import (
	"math"
	"math/big"
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

// The window of every plan here, from the trial's start.
const opens, closes = time.Second, 11 * time.Second

// dues plans messages of the backend on topic 0.
func dues(at ...time.Duration) (messages []schedule.Message) {
	for _, due := range at {
		messages = append(messages, schedule.Message{Due: due, Publisher: schedule.Backend, Size: 64})
	}
	return messages
}

// areaUnder is the area in s² under ages that grow from the first value of each ramp to the second.
func areaUnder(pairs ...ramp) (area float64) {
	for _, p := range pairs {
		area += (p.to - p.from).Seconds() * (p.to + p.from).Seconds() / 2
	}
	return area
}

// A ramp is an age that grows from one value to another.
type ramp struct{ from, to time.Duration }

func checkAge(t *testing.T, got results.AgeOfInformation, covered, uncovered, never time.Duration, area float64) {
	t.Helper()
	if got.Covered != covered || got.Uncovered != uncovered || got.Never != never {
		t.Errorf("covered %v, uncovered %v, never %v; want %v, %v, %v", got.Covered, got.Uncovered, got.Never, covered, uncovered, never)
	}
	if math.Abs(got.Area-area) > 1e-12*area {
		t.Errorf("area %v s², want %v", got.Area, area)
	}
	for _, identity := range (results.Trial{Age: got}).Identities() {
		if !identity.Holds() {
			t.Error(identity)
		}
	}
}

// The age is correct with a message received before the window, a lost one and a late one.
func TestAgeIsASawtooth(t *testing.T) {
	b := begin(t, plan(1, 1, dues(500*time.Millisecond, 3*time.Second, 5*time.Second, 7*time.Second)...), scenarios.Latest, transports.WebSocket)
	for i, late := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, -1, 100 * time.Millisecond} {
		if m := b.publish(i); late >= 0 {
			b.deliver(0, b.due(i).Add(late), m)
		}
	}
	f := b.rec.Age()
	checkAge(t, f, 10*time.Second, 0, 0, areaUnder(ramp{500 * time.Millisecond, 2700 * time.Millisecond}, ramp{200 * time.Millisecond, 4100 * time.Millisecond}, ramp{100 * time.Millisecond, 4000 * time.Millisecond}))
	if f.Oldest != 4100*time.Millisecond {
		t.Errorf("maximum age %v, want 4.1s", f.Oldest)
	}
	// The age is above 4.0 s for 0.1 s of 10 s.
	if got := f.Age.Quantile(0.99); math.Abs(got.Seconds()-4) > 0.01 {
		t.Errorf("p99 is %v, want 4s", got)
	}
	if second := b.rec.Age(); second.Covered != f.Covered || second.Area != f.Area {
		t.Errorf("a second call returns %v covered, the first %v", second.Covered, f.Covered)
	}
}

// Time in [opens, closes) counts, to the nanosecond.
func TestAgeAtTheEdgesOfTheWindow(t *testing.T) {
	for _, c := range []struct {
		received                  time.Duration
		covered, uncovered, never time.Duration
	}{
		{opens - 1, 10 * time.Second, 0, 0},
		{opens, 10 * time.Second, 0, 0},
		{opens + 1, 10*time.Second - 1, 1, 0},
		{closes - 1, 1, 10*time.Second - 1, 0},
		{closes, 0, 0, 10 * time.Second},
		{closes + 1, 0, 0, 10 * time.Second},
	} {
		b := begin(t, plan(1, 1, dues(0)...), scenarios.Latest, transports.SSE)
		b.deliver(0, start.Add(c.received), b.publish(0))
		checkAge(t, b.rec.Age(), c.covered, c.uncovered, c.never, areaUnder(ramp{closes - c.covered, closes}))
	}
}

// There is no age before the first message. If a client receives none until the window closes, the
// time after the topic's first message counts as never.
func TestAgeBeforeTheFirstMessage(t *testing.T) {
	b := begin(t, plan(2, 2, dues(4*time.Second)...), scenarios.Latest, transports.SSE) // the second topic has no message at all
	b.deliver(0, b.due(0).Add(time.Second/2), b.publish(0))
	f := b.rec.Age() // client 0 has an age from 4.5 s on, client 1 never
	checkAge(t, f, 6500*time.Millisecond, (3500+10_000+3000+10_000)*time.Millisecond, 7*time.Second,
		areaUnder(ramp{time.Second / 2, 7 * time.Second}))
	if f.Subscribed != 40*time.Second {
		t.Errorf("subscribed for %v, want two clients times two topics times 10s", f.Subscribed)
	}
}

// Older messages and duplicates do not lower the age.
func TestOnlyNewerMessagesLowerTheAge(t *testing.T) {
	b := begin(t, plan(1, 1, dues(2*time.Second, 3*time.Second, 4*time.Second)...), scenarios.Every, transports.SSE)
	first, second, third := b.publish(0), b.publish(1), b.publish(2)
	b.deliver(0, start.Add(5*time.Second), second)
	b.deliver(0, start.Add(6*time.Second), first)
	b.deliver(0, start.Add(7*time.Second), second)
	b.deliver(0, start.Add(8*time.Second), first, third) // in a batch the newest counts
	checkAge(t, b.rec.Age(), 6*time.Second, 4*time.Second, 0, areaUnder(ramp{2000 * time.Millisecond, 5000 * time.Millisecond}, ramp{4000 * time.Millisecond, 7000 * time.Millisecond}))
}

// Nothing is published after a stop, so no age counts after it.
func TestAgeEndsAtAStop(t *testing.T) {
	b := begin(t, plan(1, 1, dues(0, 9*time.Second)...), scenarios.Latest, transports.SSE)
	b.deliver(0, start.Add(time.Second/2), b.publish(0))
	b.book.Stop(start.Add(4 * time.Second))
	b.book.Stop(start.Add(5 * time.Second)) // only the first counts
	b.book.Cut(1)
	f := b.rec.Age()
	checkAge(t, f, 3*time.Second, 0, 0, areaUnder(ramp{1000 * time.Millisecond, 4000 * time.Millisecond}))
	if f.Subscribed != 3*time.Second {
		t.Errorf("subscribed for %v, want 3s", f.Subscribed)
	}
}

// A message received before its due instant is an error of the test setup, and remains visible.
func TestNegativeAgeRemainsVisible(t *testing.T) {
	b := begin(t, plan(1, 1, dues(4*time.Second)...), scenarios.Latest, transports.SSE)
	b.deliver(0, start.Add(3*time.Second), b.publish(0))
	f := b.rec.Age()
	if f.Age.Overflow() != int64(time.Second) || f.Covered != 8*time.Second {
		t.Errorf("%d ns out of bounds, %v covered; want 1 s of 8 s", f.Age.Overflow(), f.Covered)
	}
}

// Every age is in its bucket, buckets are contiguous, and their width is within the stated limit.
func TestBuckets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		age := rapid.OneOf(rapid.Int64Range(0, math.MaxInt64), rapid.Int64Range(0, int64(time.Minute)), rapid.Int64Range(0, 1<<20)).Draw(rt, "age")
		b := bucket(time.Duration(age))
		if b < 0 || b >= allBuckets || edge(b) > age || b < allBuckets-1 && age >= edge(b+1) {
			rt.Fatalf("%d is in bucket %d of %d, which is [%d, %d)", age, b, allBuckets, edge(b), edge(b+1))
		}
		if width := uint64(edge(b+1)) - uint64(edge(b)); width > 1<<unitBits && width > uint64(edge(b))/256 {
			rt.Fatalf("bucket %d from %d has width %d, want at most 1/256 of its ages", b, edge(b), width)
		}
	})
}

// An arrival is a delivery, as stored by a reference integrator.
type arrival struct {
	at  clock.Instant
	due clock.Instant
}

// A referenceIntegrator calculates ages in a simple, slow way to verify those of a recorder. It
// stores every delivery and divides time at each of them.
type referenceIntegrator struct {
	arrivals [][]arrival // per subscription, in the order of reception
	firstDue []clock.Instant
	covered  int64
	never    int64
	area2    *big.Int // twice the area, ns²
	ramps    []ramp
}

func (s *referenceIntegrator) integrate() {
	s.area2 = new(big.Int)
	for sub, received := range s.arrivals {
		cuts := []clock.Instant{start.Add(opens), start.Add(closes)}
		for _, a := range received {
			if a.at > cuts[0] && a.at < cuts[len(cuts)-1] {
				cuts = append(cuts[:len(cuts)-1], a.at, cuts[len(cuts)-1])
			}
		}
		for k := range len(cuts) - 1 {
			s.between(sub, cuts[k], cuts[k+1])
		}
	}
}

// between adds a time without a delivery.
func (s *referenceIntegrator) between(sub int, from, to clock.Instant) {
	newest := clock.Instant(math.MinInt64)
	for _, a := range s.arrivals[sub] {
		if a.at <= from {
			newest = max(newest, a.due)
		}
	}
	if newest == math.MinInt64 {
		if to == start.Add(closes) {
			s.never += max(0, int64(to-max(from, s.firstDue[sub])))
		}
		return
	}
	s.covered += int64(to - from)
	a, b := int64(from-newest), int64(to-newest)
	s.ramps = append(s.ramps, ramp{time.Duration(a), time.Duration(b)})
	s.area2.Add(s.area2, new(big.Int).Mul(big.NewInt(b-a), big.NewInt(a+b)))
}

// below is the time spent at ages below x.
func (s *referenceIntegrator) below(x int64) (ns int64) {
	for _, r := range s.ramps {
		ns += max(0, min(int64(r.to), x)-int64(r.from))
	}
	return ns
}

// For duplicate, late, reordered and lost messages, the ages equal those of the reference
// integrator. They are the same if the clients are divided among several recorders.
func TestAgesAgainstAReferenceIntegrator(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clients, topics := rapid.IntRange(1, 3).Draw(rt, "clients"), rapid.IntRange(1, 3).Draw(rt, "topics")
		n := rapid.IntRange(1, 20).Draw(rt, "messages")
		messages := make([]schedule.Message, n)
		due := time.Duration(0)
		for i := range messages {
			due += time.Duration(rapid.Int64Range(0, int64(1200*time.Millisecond)).Draw(rt, "gap"))
			messages[i] = schedule.Message{Due: due, Publisher: schedule.Backend, Topic: int32(rapid.IntRange(0, topics-1).Draw(rt, "topic")), Size: 64}
		}
		b := begin(rt, plan(clients, topics, messages...), scenarios.Latest, transports.WebSocket)
		parts := []*Recorder{NewRecorder(b.book, nil)}
		for c := range clients {
			parts = append(parts, NewRecorder(b.book, []int{c}))
		}
		reference := &referenceIntegrator{arrivals: make([][]arrival, clients*topics), firstDue: make([]clock.Instant, clients*topics)}
		for sub := range reference.firstDue {
			reference.firstDue[sub] = b.book.firstDue(int32(sub % topics))
		}
		sent := make([]client.Message, n)
		for i := range sent {
			sent[i] = b.publish(i)
		}
		now := start
		for range rapid.IntRange(0, 60).Draw(rt, "deliveries") {
			c, i := rapid.IntRange(0, clients-1).Draw(rt, "client"), rapid.IntRange(0, n-1).Draw(rt, "message")
			now = max(now.Add(time.Duration(rapid.Int64Range(0, int64(500*time.Millisecond)).Draw(rt, "pause"))), b.due(i))
			b.deliver(c, now, sent[i])
			parts[c+1].Deliver(c, &client.Batch{Messages: []client.Message{sent[i]}}, now)
			sub := c*topics + int(messages[i].Topic)
			reference.arrivals[sub] = append(reference.arrivals[sub], arrival{now, b.due(i)})
		}
		reference.integrate()
		single := b.rec.Age()
		var sum results.AgeOfInformation
		for _, p := range parts {
			results.Merge(&sum, p.Age())
		}
		for _, f := range []results.AgeOfInformation{single, sum} {
			compareAges(rt, f, reference, time.Duration(clients*topics)*(closes-opens))
		}
		if !sum.Age.Equal(single.Age) {
			rt.Error("the distribution differs if the clients are divided among several recorders")
		}
	})
}

func compareAges(rt *rapid.T, got results.AgeOfInformation, reference *referenceIntegrator, subscribed time.Duration) {
	if int64(got.Covered) != reference.covered || int64(got.Never) != reference.never || got.Subscribed != subscribed {
		rt.Fatalf("covered %d, never %d of %d ns; want %d, %d of %d", got.Covered, got.Never, got.Subscribed, reference.covered, reference.never, subscribed)
	}
	for _, identity := range (results.Trial{Age: got}).Identities() {
		if !identity.Holds() {
			rt.Fatal(identity)
		}
	}
	area, _ := new(big.Float).SetInt(reference.area2).Float64()
	if want := area / 2 / nsSquared; math.Abs(got.Area-want) > 1e-12*want {
		rt.Fatalf("area %v s², want %v", got.Area, want)
	}
	if reference.covered == 0 {
		return
	}
	for _, q := range []float64{0.01, 0.5, 0.99} { // in the correct bucket, to the nanosecond
		at := bucket(got.Age.Quantile(q))
		rank := int64(math.Ceil(q * float64(reference.covered)))
		if below, upTo := reference.below(edge(at)), reference.below(edge(at+1)); rank <= below-1 || rank > upTo+1 {
			rt.Fatalf("quantile %v in [%d, %d), but %d and %d of %d ns are below the edges", q, edge(at), edge(at+1), below, upTo, reference.covered)
		}
	}
}

// Each message is new for its client, so that the benchmark executes the complete hot path.
func BenchmarkDeliverNew(b *testing.B) {
	const n = 1 << 14
	p := plan(1, 1, every(n, 1)...)
	for i := range p.Messages {
		p.Messages[i].Due = time.Second + time.Duration(i)*100*time.Microsecond
	}
	bench := begin(nil, p, scenarios.Every, transports.WebSocket)
	topic := []byte(p.Topics[0])
	data := make([][]byte, n)
	for i := range data {
		data[i] = payload.Append(nil, run, uint32(i), 128)
	}
	batch := &client.Batch{Messages: make([]client.Message, 1)}
	l := bench.rec.ledgers[0]
	bench.book.issued[0].Store(n)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 { // restart the trial
			clear(l.bits)
			l.newest[0] = -1
		}
		batch.Messages[0] = client.Message{Topic: topic, Seq: uint64(i%n + 1), Data: data[i%n]}
		bench.rec.Deliver(0, batch, bench.due(i%n).Add(700*time.Microsecond))
	}
}
