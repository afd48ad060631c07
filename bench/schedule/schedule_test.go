package schedule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/scenarios"
)

// read returns a scenario of the given lines, with defaults for everything else.
func read(t *testing.T, lines ...string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Read("test", strings.NewReader("version: 1\nname: test\ntransports: [websocket]\n"+strings.Join(lines, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	tenClients = "clients: {count: 10}"
	small      = "payload: {size: 64B}"
	window     = "warmup: 1s\nwindow: 100s"
)

func gaps(messages []Message) []float64 {
	out := make([]float64, 0, len(messages))
	for i := 1; i < len(messages); i++ {
		out = append(out, (messages[i].Due - messages[i-1].Due).Seconds())
	}
	return out
}

// Gaps are exponential by the Kolmogorov-Smirnov test at 1 %, and independent: the correlation of
// successive gaps is within the 1 % band.
func TestPoisson(t *testing.T) {
	const rate = 1000.0
	s := read(t, tenClients, small, window, "publish: {by: clients, rate: 1000/s, arrivals: poisson}")
	plan := New(s, 1)
	got := gaps(plan.Messages)
	n := float64(len(got))
	if want := rate * 101; math.Abs(n-want) > 4*math.Sqrt(want) {
		t.Errorf("%v messages planned, want %v ± %v", n, want, 4*math.Sqrt(want))
	}
	sorted := slices.Sorted(slices.Values(got))
	distance := 0.0
	for i, gap := range sorted {
		law := 1 - math.Exp(-rate*gap)
		distance = max(distance, math.Abs(law-float64(i)/n), math.Abs(law-float64(i+1)/n))
	}
	if limit := 1.63 / math.Sqrt(n); distance > limit {
		t.Errorf("Kolmogorov-Smirnov distance %.5f, want at most %.5f", distance, limit)
	}
	if r := correlation(got); math.Abs(r) > 2.58/math.Sqrt(n) {
		t.Errorf("correlation of successive gaps %.5f, want at most %.5f", r, 2.58/math.Sqrt(n))
	}
}

func correlation(xs []float64) float64 {
	mean := 0.0
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	var own, next float64
	for i, x := range xs {
		own += (x - mean) * (x - mean)
		if i > 0 {
			next += (x - mean) * (xs[i-1] - mean)
		}
	}
	return next / own
}

// Periods do not accumulate errors: after a million messages the due instant is exact.
func TestPeriodicDoesNotDrift(t *testing.T) {
	planned := periodic(Backend, 0, 1e6/7, 200*time.Second, nil) // 7,000 per second
	last := len(planned) - 1
	if want := time.Duration(float64(last) * 1e6 / 7); planned[last].Due != want {
		t.Errorf("message %d is due at %v, want %v", last, planned[last].Due, want)
	}
	if want := 1_400_000; len(planned) != want {
		t.Errorf("%d messages in 200 s, want %d", len(planned), want)
	}
}

func TestPeriodicClientsShareThePeriod(t *testing.T) {
	s := read(t, tenClients, small, window, "publish: {by: clients, rate: 20/s, arrivals: periodic}")
	plan := New(s, 1)
	last := map[int32]time.Duration{}
	phases := map[time.Duration]bool{}
	for _, m := range plan.Messages {
		if before, ok := last[m.Publisher]; ok {
			if gap := m.Due - before; gap < 500*time.Millisecond-1 || gap > 500*time.Millisecond+1 {
				t.Fatalf("client %d published after %v, want 500ms", m.Publisher, gap)
			}
		} else {
			phases[m.Due] = true
		}
		last[m.Publisher] = m.Due
	}
	if len(last) != 10 || len(phases) != 10 {
		t.Errorf("%d clients publish at %d phases, want 10 and 10", len(last), len(phases))
	}
}

func TestBursts(t *testing.T) {
	s := read(t, tenClients, small, window, "publish: {by: clients, rate: 10/s, arrivals: burst, burst: 5}")
	at := map[time.Duration]int{}
	publishers := map[time.Duration]int32{}
	all := map[int32]bool{}
	for _, m := range New(s, 1).Messages {
		at[m.Due]++
		if publisher, known := publishers[m.Due]; known && publisher != m.Publisher {
			t.Errorf("at %v clients %d and %d publish, want one publisher per burst", m.Due, publisher, m.Publisher)
		}
		publishers[m.Due], all[m.Publisher] = m.Publisher, true
	}
	if len(all) != 10 {
		t.Errorf("%d clients publish, want all ten", len(all))
	}
	for due, n := range at {
		if n != 5 {
			t.Errorf("%d messages at %v, want 5", n, due)
		}
	}
	if len(at) < 201 || len(at) > 202 {
		t.Errorf("%d bursts in 101 s, want one every 0.5 s", len(at))
	}
}

// Each publish-only client publishes to its own topic and subscribes to none.
func TestPublishOnlyClients(t *testing.T) {
	for _, arrivals := range []string{"poisson", "periodic", "burst"} {
		s := read(t, "clients: {count: 30}", small, window, "topics: {count: 7, per_client: 3, spread: random}", "publish: {by: publish_only, rate: 70/s, arrivals: "+arrivals+"}")
		p := New(s, 1)
		if len(p.Subscribed) != 37 {
			t.Fatalf("%d sessions, want 30 clients and 7 publish-only clients", len(p.Subscribed))
		}
		count := make([]int, 7)
		for _, m := range p.Messages {
			if m.Topic != m.Publisher-30 {
				t.Fatalf("%s: session %d publishes to topic %d, want %d", arrivals, m.Publisher, m.Topic, m.Publisher-30)
			}
			count[m.Topic]++
		}
		for i, n := range count {
			if len(p.Subscribed[30+i]) != 0 || !p.Publishers()[30+i] {
				t.Errorf("%s: publish-only client %d subscribes to %v, want none", arrivals, i, p.Subscribed[30+i])
			}
			if math.Abs(float64(n)-1010) > 250 {
				t.Errorf("%s: publish-only client %d publishes %d times in 101 s, want 1010", arrivals, i, n)
			}
		}
	}
}

// Upstream messages have the same period and a random phase per client, and their own topics. They
// do not change the other messages.
func TestUpstreamMessages(t *testing.T) {
	lines := []string{tenClients, small, window, "topics: {count: 2}", "publish: {by: backend, rate: 20/s, arrivals: periodic}"}
	without := New(read(t, lines...), 1)
	p := New(read(t, append(lines, "upstream: {rate: 300/s, size: 40B}")...), 1)
	if want := []string{"t0000", "t0001", "u0000", "u0001"}; !slices.Equal(p.Topics, want) {
		t.Fatalf("topics %v, want %v", p.Topics, want)
	}
	var messages []Message
	last := map[int32]time.Duration{}
	upstream := 0
	for _, m := range p.Messages {
		if m.Publisher == Backend {
			messages = append(messages, m)
			continue
		}
		upstream++
		if before, ok := last[m.Publisher]; ok && (m.Due-before-time.Second/30).Abs() > 1 {
			t.Fatalf("client %d sends after %v, want a thirtieth of a second", m.Publisher, m.Due-before)
		}
		last[m.Publisher] = m.Due
		if own := p.Subscribed[m.Publisher][0]; m.Topic != own+2 || m.Size != 40 {
			t.Fatalf("client %d of topic %d sends %d bytes to topic %d", m.Publisher, own, m.Size, m.Topic)
		}
	}
	if !slices.Equal(messages, without.Messages) {
		t.Error("the messages differ from those of the plan without upstream messages")
	}
	if math.Abs(float64(upstream)-300*101) > 10 || len(last) != 10 {
		t.Errorf("%d upstream messages of %d clients, want %d of 10", upstream, len(last), 300*101)
	}
	if len(p.Subscribers[2])+len(p.Subscribers[3]) != 0 {
		t.Error("the topics of upstream messages have subscribers")
	}
	if !slices.IsSortedFunc(p.Messages, func(a, b Message) int { return int(a.Due - b.Due) }) {
		t.Error("messages are not in due order")
	}
}

func TestSeedAndRepetitionDetermineThePlan(t *testing.T) {
	s := read(t, tenClients, small, window, "publish: {by: clients, rate: 50/s}", "topics: {count: 3}")
	print := func(repetition int) string { return fmt.Sprint(New(s, repetition).Messages) }
	one := print(1)
	if print(1) != one {
		t.Error("the same seed and repetition give two plans")
	}
	if print(2) == one {
		t.Error("two repetitions have the same plan")
	}
	s.Seed++
	if print(1) == one {
		t.Error("two seeds give the same plan")
	}
}

// The plan of repetition n and the topics of client n come from independent streams.
func TestRepetitionsAndClientsDrawIndependently(t *testing.T) {
	s := read(t, "clients: {count: 5}", small, window, "topics: {count: 1000, spread: random}", "publish: {by: backend, rate: 1/s}")
	for n := range 5 {
		first := New(s, n).Messages[0].Due.Seconds()
		shared := rand.New(rand.NewPCG(s.Seed, uint64(n))).ExpFloat64()
		if math.Abs(first-shared) < 1e-6 {
			t.Errorf("repetition %d: the first message is due at %v, the first number of client %d's stream", n, first, n)
		}
	}
}

func TestTablesAgree(t *testing.T) {
	for _, by := range []string{"clients", "backend"} {
		for _, arrivals := range []string{"poisson", "periodic", "burst"} {
			s := read(t, "clients: {count: 30}", small, "warmup: 1s\nwindow: 20s", "topics: {count: 7, per_client: 3, spread: random}",
				"publish: {by: "+by+", rate: 60/s, arrivals: "+arrivals+"}")
			checkTables(t, by+" "+arrivals, New(s, 2))
		}
	}
}

func checkTables(t *testing.T, name string, p *Schedule) {
	t.Helper()
	if !slices.IsSortedFunc(p.Messages, func(a, b Message) int { return int(a.Due - b.Due) }) {
		t.Errorf("%s: messages are not in due order", name)
	}
	for client, topics := range p.Subscribed {
		for _, topic := range topics {
			if !slices.Contains(p.Subscribers[topic], int32(client)) {
				t.Errorf("%s: client %d subscribes to topic %d, but is not one of its subscribers", name, client, topic)
			}
		}
	}
	next := map[[2]int32]int32{} // publisher and topic → index, from the end
	for i := len(p.Messages) - 1; i >= 0; i-- {
		m := p.Messages[i]
		if p.OnTopic[m.Topic][p.Ordinal[i]] != int32(i) {
			t.Fatalf("%s: Ordinal of message %d is not its index on topic %d", name, i, m.Topic)
		}
		if m.Publisher != Backend && !slices.Contains(p.Subscribed[m.Publisher], m.Topic) {
			t.Fatalf("%s: client %d publishes to topic %d, to which it does not subscribe", name, m.Publisher, m.Topic)
		}
		want, ok := next[[2]int32{m.Publisher, m.Topic}]
		if !ok {
			want = -1
		}
		if p.NextOfSame[i] != want {
			t.Fatalf("%s: next of message %d is %d, want %d", name, i, p.NextOfSame[i], want)
		}
		next[[2]int32{m.Publisher, m.Topic}] = int32(i)
	}
}

func TestSizesByWeight(t *testing.T) {
	s := read(t, tenClients, window, "publish: {by: backend, rate: 1000/s}",
		"payload: {sizes: [{size: 64B, weight: 3}, {size: 1KiB, weight: 1}]}")
	counts := map[int32]int{}
	plan := New(s, 1)
	for _, m := range plan.Messages {
		counts[m.Size]++
	}
	share := float64(counts[1024]) / float64(len(plan.Messages))
	if len(counts) != 2 || math.Abs(share-0.25) > 0.01 {
		t.Errorf("sizes %v: share of the large %.3f, want 0.25", counts, share)
	}
}

func TestHashDependsOnEveryField(t *testing.T) {
	s := read(t, tenClients, window, "publish: {by: backend, rate: 100/s}", "payload: {size: 64B}")
	base := New(s, 1)
	want := base.Hash()
	if second := New(s, 1).Hash(); second != want {
		t.Errorf("same repetition, second time: got %s, want %s", second, want)
	}
	for name, change := range map[string]func(*Message){
		"due":       func(m *Message) { m.Due++ },
		"publisher": func(m *Message) { m.Publisher++ },
		"topic":     func(m *Message) { m.Topic++ },
		"size":      func(m *Message) { m.Size++ },
	} {
		other := New(s, 1)
		change(&other.Messages[len(other.Messages)-1])
		if other.Hash() == want {
			t.Errorf("a schedule with another %s has the same hash", name)
		}
	}
}
