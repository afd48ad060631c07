// Package schedule derives the messages of a trial from a scenario: their due instants, publishers and
// topics, and the clients that expect them.
//
// It contains everything that can be looked up by a message's index. It must not read a clock or
// depend on what was actually sent: with the same scenario and repetition, every process builds the
// same Schedule.
package schedule

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"time"

	"pushbench/scenarios"
)

// Backend is the Publisher of a message that a backend next to the server posts.
const Backend = -1

// A Message is one planned publication.
type Message struct {
	Due       time.Duration // since the start of the warm-up
	Publisher int32         // index of a client (publish-only clients follow the subscribers), or Backend
	Topic     int32
	Size      int32 // payload bytes
}

// A Schedule is the plan of one trial, in due order. A message's index in Messages is its identity,
// which its payload contains.
type Schedule struct {
	Messages []Message
	Opens    time.Duration // the window is [Opens, Closes), counted by Due
	Closes   time.Duration

	Topics      []string  // topics of upstream messages, which have no subscribers, are last
	Subscribed  [][]int32 // per client: its topics, ascending; empty for a publish-only client
	Subscribers [][]int32 // per topic: its clients, ascending
	OnTopic     [][]int32 // per topic: its messages' indexes, ascending
	Ordinal     []int32   // per message: its index in OnTopic of its topic
	NextOfSame  []int32   // per message: index of the next by the same publisher on the same topic, or -1
}

// repetitionStream makes the repetitions' random numbers independent of the clients', from which
// package scenarios draws topics. Otherwise client 1 and repetition 1 would draw the same numbers.
const repetitionStream = 1 << 33

// New builds the schedule of one repetition. All configurations of a repetition share it.
func New(s *scenarios.Scenario, repetition int) *Schedule {
	random := rand.New(rand.NewPCG(s.Seed, uint64(repetition)|repetitionStream))
	plan := empty(s)
	plan.Messages = arrivals(s, random, plan.Closes)
	plan.address(s, random)
	plan.addUpstream(s, random)
	plan.index()
	return plan
}

// addUpstream adds every client's upstream messages, each to the upstream topic of one of the
// client's topics.
func (p *Schedule) addUpstream(s *scenarios.Scenario, random *rand.Rand) {
	if s.Upstream.Rate == 0 {
		return
	}
	gap := float64(time.Second) / float64(s.Upstream.Rate)
	upstream := periodicEach(0, s.Clients.Count, random, gap, p.Closes)
	for i := range upstream {
		m := &upstream[i]
		own := p.Subscribed[m.Publisher]
		m.Topic = int32(s.Topics.Count) + own[random.IntN(len(own))]
		m.Size = int32(s.Upstream.Size)
	}
	p.Messages = append(p.Messages, upstream...)
	slices.SortStableFunc(p.Messages, func(a, b Message) int { return cmp.Compare(a.Due, b.Due) })
}

// Of is the schedule of the given messages, in due order, with the scenario's clients.
func Of(s *scenarios.Scenario, messages []Message) *Schedule {
	plan := empty(s)
	plan.Messages = messages
	plan.index()
	return plan
}

// empty is a schedule without messages, with the scenario's window, topics and subscriptions.
func empty(s *scenarios.Scenario) *Schedule {
	plan := &Schedule{
		Opens:  time.Duration(s.Warmup),
		Closes: time.Duration(s.Warmup) + time.Duration(s.Window),
	}
	plan.subscribe(s)
	return plan
}

// subscribe subscribes the clients to their topics.
func (p *Schedule) subscribe(s *scenarios.Scenario) {
	for i := range s.Topics.Count {
		p.Topics = append(p.Topics, s.TopicName(i))
	}
	if s.Upstream.Rate > 0 {
		for i := range s.Topics.Count {
			p.Topics = append(p.Topics, s.UpstreamTopicName(i))
		}
	}
	p.Subscribed = make([][]int32, s.Sessions())
	p.Subscribers = make([][]int32, len(p.Topics))
	for client := range s.Clients.Count {
		for _, topic := range s.Subscriptions(client) {
			p.Subscribed[client] = append(p.Subscribed[client], int32(topic))
			p.Subscribers[topic] = append(p.Subscribers[topic], int32(client))
		}
		slices.Sort(p.Subscribed[client])
	}
}

// arrivals plans due instants and publishers up to the end of the window.
func arrivals(s *scenarios.Scenario, random *rand.Rand, end time.Duration) []Message {
	gap := float64(time.Second) / float64(s.Publish.Rate)
	switch {
	case s.Publish.Arrivals == scenarios.Poisson:
		return poisson(s, random, gap, end)
	case s.Publish.Arrivals == scenarios.Burst:
		return bursts(s, random, gap, end)
	case s.Publish.By == scenarios.ByBackend:
		return periodic(Backend, gap*random.Float64(), gap, end, nil)
	case s.Publish.By == scenarios.ByPublishOnly:
		return periodicEach(s.Clients.Count, s.PublishOnly(), random, gap, end)
	default:
		return periodicEach(0, s.Clients.Count, random, gap, end)
	}
}

// poisson draws exponential gaps with the given mean in nanoseconds. The superposition of the
// publishers' independent processes is one process whose publisher is drawn uniformly.
func poisson(s *scenarios.Scenario, random *rand.Rand, gap float64, end time.Duration) (planned []Message) {
	for at := random.ExpFloat64() * gap; at < float64(end); at += random.ExpFloat64() * gap {
		planned = append(planned, Message{Due: time.Duration(at), Publisher: randomPublisher(s, random)})
	}
	return planned
}

// bursts plans Burst messages of one publisher at one instant, at intervals that give the rate.
func bursts(s *scenarios.Scenario, random *rand.Rand, gap float64, end time.Duration) (planned []Message) {
	every := gap * float64(s.Publish.Burst)
	for at := random.Float64() * every; at < float64(end); at += every {
		publisher := randomPublisher(s, random)
		for range s.Publish.Burst {
			planned = append(planned, Message{Due: time.Duration(at), Publisher: publisher})
		}
	}
	return planned
}

// periodicEach plans the same period for each of n clients, with a random phase per client.
func periodicEach(first, n int, random *rand.Rand, gap float64, end time.Duration) (planned []Message) {
	period := gap * float64(n)
	for client := range n {
		planned = periodic(int32(first+client), random.Float64()*period, period, end, planned)
	}
	slices.SortStableFunc(planned, func(a, b Message) int { return cmp.Compare(a.Due, b.Due) })
	return planned
}

func periodic(publisher int32, phase, period float64, end time.Duration, planned []Message) []Message {
	// A product, since a sum of a million gaps would drift.
	for k := 0; ; k++ {
		at := phase + float64(k)*period
		if at >= float64(end) {
			return planned
		}
		planned = append(planned, Message{Due: time.Duration(at), Publisher: publisher})
	}
}

func randomPublisher(s *scenarios.Scenario, random *rand.Rand) int32 {
	switch s.Publish.By {
	case scenarios.ByBackend:
		return Backend
	case scenarios.ByPublishOnly:
		return int32(s.Clients.Count + random.IntN(s.PublishOnly()))
	default:
		return int32(random.IntN(s.Clients.Count))
	}
}

// address sets topic and size of every message. A client publishes to a topic to which it
// subscribes, a publish-only client to its own. A backend draws topics if arrivals are Poisson, so
// that each topic's arrivals are Poisson too, and otherwise uses them in turn.
func (p *Schedule) address(s *scenarios.Scenario, random *rand.Rand) {
	for i := range p.Messages {
		m := &p.Messages[i]
		switch {
		case s.Publish.By == scenarios.ByPublishOnly:
			m.Topic = m.Publisher - int32(s.Clients.Count)
		case m.Publisher != Backend:
			own := p.Subscribed[m.Publisher]
			m.Topic = own[random.IntN(len(own))]
		case s.Publish.Arrivals == scenarios.Poisson:
			m.Topic = int32(random.IntN(s.Topics.Count))
		default:
			m.Topic = int32(i % s.Topics.Count)
		}
		m.Size = size(s.Payload, random)
	}
}

// size draws one payload size by weight.
func size(p scenarios.Payload, random *rand.Rand) int32 {
	if len(p.Sizes) == 0 {
		return int32(p.Size)
	}
	total := 0.0
	for _, choice := range p.Sizes {
		total += choice.Weight
	}
	at := random.Float64() * total
	for _, choice := range p.Sizes {
		if at -= choice.Weight; at < 0 {
			return int32(choice.Size)
		}
	}
	return int32(p.Sizes[len(p.Sizes)-1].Size)
}

// index builds the lookup tables.
func (p *Schedule) index() {
	p.OnTopic = make([][]int32, len(p.Topics))
	p.Ordinal = make([]int32, len(p.Messages))
	p.NextOfSame = make([]int32, len(p.Messages))
	type pair struct{ publisher, topic int32 }
	last := make(map[pair]int32)
	for i, m := range p.Messages {
		p.Ordinal[i] = int32(len(p.OnTopic[m.Topic]))
		p.OnTopic[m.Topic] = append(p.OnTopic[m.Topic], int32(i))
		p.NextOfSame[i] = -1
		same := pair{m.Publisher, m.Topic}
		if previous, ok := last[same]; ok {
			p.NextOfSame[previous] = int32(i)
		}
		last[same] = int32(i)
	}
}

// Replies is the schedule of the replies: one per message, due at the same time, from the message's
// only subscriber to the backend. The backend is client 0 in this schedule.
func (p *Schedule) Replies(topic string, size int) *Schedule {
	replies := &Schedule{Opens: p.Opens, Closes: p.Closes, Topics: []string{topic}, Subscribed: [][]int32{{0}}, Subscribers: [][]int32{{0}}}
	for _, m := range p.Messages {
		replies.Messages = append(replies.Messages, Message{Due: m.Due, Publisher: p.Subscribers[m.Topic][0], Size: int32(size)})
	}
	replies.index()
	return replies
}

// Hash identifies a schedule: it covers due instant, publisher, topic and size of every message.
func (p *Schedule) Hash() string {
	h := sha256.New()
	var b [20]byte
	for _, m := range p.Messages {
		binary.BigEndian.PutUint64(b[:], uint64(m.Due))
		binary.BigEndian.PutUint32(b[8:], uint32(m.Publisher))
		binary.BigEndian.PutUint32(b[12:], uint32(m.Topic))
		binary.BigEndian.PutUint32(b[16:], uint32(m.Size))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Publishers reports per client whether it publishes, and so requires an upstream path.
func (p *Schedule) Publishers() []bool {
	publishes := make([]bool, len(p.Subscribed))
	for _, m := range p.Messages {
		if m.Publisher != Backend {
			publishes[m.Publisher] = true
		}
	}
	return publishes
}
