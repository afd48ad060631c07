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

// stretches is the area under ages that run from the first of each pair to the second, s².
func stretches(pairs ...ran) (area float64) {
	for _, p := range pairs {
		area += (p.to - p.from).Seconds() * (p.to + p.from).Seconds() / 2
	}
	return area
}

// A ran is an age that ran from one value to another.
type ran struct{ from, to time.Duration }

func checkFreshness(t *testing.T, got results.AgeOfInformation, covered, uncovered, never time.Duration, area float64) {
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

// A message held when the window opens, one that is lost, one that is late.
func TestAgeIsASawtooth(t *testing.T) {
	b := begin(t, plan(1, 1, dues(500*time.Millisecond, 3*time.Second, 5*time.Second, 7*time.Second)...), scenarios.Latest, transports.WebSocket)
	for i, late := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, -1, 100 * time.Millisecond} {
		if m := b.publish(i); late >= 0 {
			b.deliver(0, b.due(i).Add(late), m)
		}
	}
	f := b.rec.Age()
	checkFreshness(t, f, 10*time.Second, 0, 0, stretches(ran{500 * time.Millisecond, 2700 * time.Millisecond}, ran{200 * time.Millisecond, 4100 * time.Millisecond}, ran{100 * time.Millisecond, 4000 * time.Millisecond}))
	if f.Oldest != 4100*time.Millisecond {
		t.Errorf("the oldest is %v, want 4.1s", f.Oldest)
	}
	// Of 10 s, 0.1 s lie beyond 4.0 s.
	if got := f.Age.Quantile(0.99); math.Abs(got.Seconds()-4) > 0.01 {
		t.Errorf("p99 is %v, want 4s", got)
	}
	if again := b.rec.Age(); again.Covered != f.Covered || again.Area != f.Area {
		t.Errorf("asked again, %v became %v", f.Covered, again.Covered)
	}
}

// Time counts in [opens, closes), to the nanosecond.
func TestAgeAtTheEdgesOfTheWindow(t *testing.T) {
	for _, row := range []struct {
		came                      time.Duration
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
		b.deliver(0, start.Add(row.came), b.publish(0))
		checkFreshness(t, b.rec.Age(), row.covered, row.uncovered, row.never, stretches(ran{closes - row.covered, closes}))
	}
}

// Before a first message there is no age. A client that got none by the window's close,
// of a topic that was published to, has the worst age there is from then on.
func TestAgeBeforeTheFirstMessage(t *testing.T) {
	b := begin(t, plan(2, 2, dues(4*time.Second)...), scenarios.Latest, transports.SSE) // the second topic has no message at all
	b.deliver(0, b.due(0).Add(time.Second/2), b.publish(0))
	f := b.rec.Age() // client 0 from 4.5 s on, client 1 never
	checkFreshness(t, f, 6500*time.Millisecond, (3500+10_000+3000+10_000)*time.Millisecond, 7*time.Second,
		stretches(ran{time.Second / 2, 7 * time.Second}))
	if f.Subscribed != 40*time.Second {
		t.Errorf("subscribed for %v, want two clients times two topics times 10s", f.Subscribed)
	}
}

// What is older than what is held, or held already, makes nothing fresher.
func TestAgeIsLoweredByNewerMessagesOnly(t *testing.T) {
	b := begin(t, plan(1, 1, dues(2*time.Second, 3*time.Second, 4*time.Second)...), scenarios.Every, transports.SSE)
	first, second, third := b.publish(0), b.publish(1), b.publish(2)
	b.deliver(0, start.Add(5*time.Second), second)
	b.deliver(0, start.Add(6*time.Second), first)
	b.deliver(0, start.Add(7*time.Second), second)
	b.deliver(0, start.Add(8*time.Second), first, third) // a batch: its newest counts
	checkFreshness(t, b.rec.Age(), 6*time.Second, 4*time.Second, 0, stretches(ran{2000 * time.Millisecond, 5000 * time.Millisecond}, ran{4000 * time.Millisecond, 7000 * time.Millisecond}))
}

// After a stop nothing more is published, which is nobody's age.
func TestAgeEndsAtAStop(t *testing.T) {
	b := begin(t, plan(1, 1, dues(0, 9*time.Second)...), scenarios.Latest, transports.SSE)
	b.deliver(0, start.Add(time.Second/2), b.publish(0))
	b.book.Stop(start.Add(4 * time.Second))
	b.book.Stop(start.Add(5 * time.Second)) // the first counts
	b.book.Cut(1)
	f := b.rec.Age()
	checkFreshness(t, f, 3*time.Second, 0, 0, stretches(ran{1000 * time.Millisecond, 4000 * time.Millisecond}))
	if f.Subscribed != 3*time.Second {
		t.Errorf("subscribed for %v, want 3s", f.Subscribed)
	}
}

// A message that comes before it is due is the rig's mistake, and stays visible.
func TestAnAgeBelowZeroIsNotHidden(t *testing.T) {
	b := begin(t, plan(1, 1, dues(4*time.Second)...), scenarios.Latest, transports.SSE)
	b.deliver(0, start.Add(3*time.Second), b.publish(0))
	f := b.rec.Age()
	if f.Age.Overflow() != int64(time.Second) || f.Covered != 8*time.Second {
		t.Errorf("%d ns beyond the bounds of %v covered, want 1 s of 8 s", f.Age.Overflow(), f.Covered)
	}
}

// Every age is in its bucket, buckets join, and none is wider than promised.
func TestBuckets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		age := rapid.OneOf(rapid.Int64Range(0, math.MaxInt64), rapid.Int64Range(0, int64(time.Minute)), rapid.Int64Range(0, 1<<20)).Draw(rt, "age")
		b := bucket(time.Duration(age))
		if b < 0 || b >= allBuckets || edge(b) > age || b < allBuckets-1 && age >= edge(b+1) {
			rt.Fatalf("%d is in bucket %d of %d, which is [%d, %d)", age, b, allBuckets, edge(b), edge(b+1))
		}
		if width := uint64(edge(b+1)) - uint64(edge(b)); width > 1<<unitBits && width > uint64(edge(b))/256 {
			rt.Fatalf("bucket %d from %d is %d wide", b, edge(b), width)
		}
	})
}

// A delivery as the integrator below remembers it.
type arrival struct {
	at  clock.Instant
	due clock.Instant
}

// A slow integrator is what ages are held against: it keeps every delivery and cuts
// time at each of them.
type slowIntegrator struct {
	arrivals [][]arrival // per subscription, in the order of coming
	firstDue []clock.Instant
	covered  int64
	never    int64
	area2    *big.Int // twice the area, ns²
	ran      []ran
}

func (s *slowIntegrator) integrate() {
	s.area2 = new(big.Int)
	for sub, came := range s.arrivals {
		cuts := []clock.Instant{start.Add(opens), start.Add(closes)}
		for _, a := range came {
			if a.at > cuts[0] && a.at < cuts[len(cuts)-1] {
				cuts = append(cuts[:len(cuts)-1], a.at, cuts[len(cuts)-1])
			}
		}
		for k := range len(cuts) - 1 {
			s.between(sub, cuts[k], cuts[k+1])
		}
	}
}

// between adds a time in which nothing came.
func (s *slowIntegrator) between(sub int, from, to clock.Instant) {
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
	s.ran = append(s.ran, ran{time.Duration(a), time.Duration(b)})
	s.area2.Add(s.area2, new(big.Int).Mul(big.NewInt(b-a), big.NewInt(a+b)))
}

// below is the time spent at ages below x.
func (s *slowIntegrator) below(x int64) (ns int64) {
	for _, r := range s.ran {
		ns += max(0, min(int64(r.to), x)-int64(r.from))
	}
	return ns
}

// Whatever comes when, twice, late, swapped or never: the ages are those of an
// integrator that remembers everything. Split over recorders they are the same.
func TestAgesAgainstASlowIntegrator(t *testing.T) {
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
		slow := &slowIntegrator{arrivals: make([][]arrival, clients*topics), firstDue: make([]clock.Instant, clients*topics)}
		for sub := range slow.firstDue {
			slow.firstDue[sub] = b.book.firstDue(int32(sub % topics))
		}
		now := start
		for range rapid.IntRange(0, 60).Draw(rt, "deliveries") {
			c, i := rapid.IntRange(0, clients-1).Draw(rt, "client"), rapid.IntRange(0, n-1).Draw(rt, "message")
			now = max(now.Add(time.Duration(rapid.Int64Range(0, int64(500*time.Millisecond)).Draw(rt, "pause"))), b.due(i))
			m := b.message(i, uint64(i+1))
			b.deliver(c, now, m)
			parts[c+1].Deliver(c, &client.Batch{Messages: []client.Message{m}}, now)
			sub := c*topics + int(messages[i].Topic)
			slow.arrivals[sub] = append(slow.arrivals[sub], arrival{now, b.due(i)})
		}
		slow.integrate()
		whole := b.rec.Age()
		var sum results.AgeOfInformation
		for _, p := range parts {
			results.Merge(&sum, p.Age())
		}
		for _, f := range []results.AgeOfInformation{whole, sum} {
			compareAges(rt, f, slow, time.Duration(clients*topics)*(closes-opens))
		}
		if !sum.Age.Equal(whole.Age) {
			rt.Error("split over recorders, the distribution is another")
		}
	})
}

func compareAges(rt *rapid.T, got results.AgeOfInformation, slow *slowIntegrator, subscribed time.Duration) {
	if int64(got.Covered) != slow.covered || int64(got.Never) != slow.never || got.Subscribed != subscribed {
		rt.Fatalf("covered %d, never %d of %d ns; the slow integrator has %d, %d of %d", got.Covered, got.Never, got.Subscribed, slow.covered, slow.never, subscribed)
	}
	for _, identity := range (results.Trial{Age: got}).Identities() {
		if !identity.Holds() {
			rt.Fatal(identity)
		}
	}
	area, _ := new(big.Float).SetInt(slow.area2).Float64()
	if want := area / 2 / nsSquared; math.Abs(got.Area-want) > 1e-12*want {
		rt.Fatalf("area %v s², the slow integrator has %v", got.Area, want)
	}
	if slow.covered == 0 {
		return
	}
	for _, q := range []float64{0.01, 0.5, 0.99} { // in the right bucket, to the nanosecond
		at := bucket(got.Age.Quantile(q))
		need := int64(math.Ceil(q * float64(slow.covered)))
		if below, upTo := slow.below(edge(at)), slow.below(edge(at+1)); need <= below-1 || need > upTo+1 {
			rt.Fatalf("quantile %v is said to be in [%d, %d), below whose edges %d and %d of %d ns are", q, edge(at), edge(at+1), below, upTo, slow.covered)
		}
	}
}

// Each message comes to a client that has not seen it: the whole of the hot path.
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
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 { // the trial begins again
			clear(l.bits)
			l.newest[0] = -1
		}
		batch.Messages[0] = client.Message{Topic: topic, Seq: uint64(i%n + 1), Data: data[i%n]}
		bench.rec.Deliver(0, batch, bench.due(i%n).Add(700*time.Microsecond))
	}
}
