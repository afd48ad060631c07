package scenarios

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Subscriptions lists the topics of a client in ascending order, each an index from 0 to
// Topics.Count−1, without duplicates. It depends only on the seed and the client, so any process can
// compute the expected messages.
func (s *Scenario) Subscriptions(client int) []int {
	var topics []int
	switch s.Topics.Spread {
	case Random:
		topics = draw(s.random(client), s.Topics.Count, s.Topics.PerClient)
	case Zipf:
		topics = drawPopular(newZipf(s.random(client), s.Topics.Count, s.Topics.Skew), s.Topics.PerClient)
	default:
		topics = deal(client, s.Topics.Count, s.Topics.PerClient)
	}
	slices.Sort(topics)
	return topics
}

// TopicName returns the name of topic i on the wire: "t0007". All names of a scenario have the same
// length, so that no topic costs more bytes than another.
func (s *Scenario) TopicName(i int) string {
	width := max(4, len(strconv.Itoa(s.Topics.Count-1)))
	return fmt.Sprintf("t%0*d", width, i)
}

// UpstreamTopicName returns the topic for upstream messages of topic i's subscribers. It is as long as
// TopicName.
func (s *Scenario) UpstreamTopicName(i int) string { return "u" + s.TopicName(i)[1:] }

// ReplyTopic is the topic for replies.
const ReplyTopic = "replies"

// random returns the client's own random stream: a client gets the same topics in any order of
// drawing.
func (s *Scenario) random(client int) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, uint64(client)))
}

// deal assigns topics to the clients in turn.
func deal(client, topics, each int) []int {
	drawn := make([]int, each)
	for i := range drawn {
		drawn[i] = (client*each + i) % topics
	}
	return drawn
}

// draw picks distinct topics uniformly, with as many draws as topics (R. Floyd,
// in Bentley, "Programming pearls: a sample of brilliance", CACM 1987).
func draw(r *rand.Rand, topics, each int) []int {
	drawn := make([]int, 0, each)
	for last := topics - each; last < topics; last++ {
		topic := r.IntN(last + 1)
		if slices.Contains(drawn, topic) {
			topic = last
		}
		drawn = append(drawn, topic)
	}
	return drawn
}

// maxDraws is the largest mean number of draws per topic. Without a limit, a client that wants almost
// all of very skewed topics would draw the first ones endlessly.
const maxDraws = 16

// drawPopular picks distinct topics by popularity and redraws duplicates. At the limit the most
// popular of the remaining topics are taken, which are the most probable ones.
func drawPopular(z *zipf, each int) []int {
	drawn := make([]int, 0, each)
	for range maxDraws * each {
		if len(drawn) == each {
			return drawn
		}
		if topic := z.next(); !slices.Contains(drawn, topic) {
			drawn = append(drawn, topic)
		}
	}
	for topic := 0; len(drawn) < each; topic++ {
		if !slices.Contains(drawn, topic) {
			drawn = append(drawn, topic)
		}
	}
	return drawn
}

// A zipf draws k = 0 … n−1 with probability proportional to 1/(k+1)^skew in constant time and memory,
// by rejection-inversion (Hörmann & Derflinger, ACM TOMACS 6(3), 1996). rand.Zipf does the same, but
// only for exponents above 1.
type zipf struct {
	random      *rand.Rand
	skew        float64
	n           float64
	first, last float64 // bounds of the integral, between which draws are inverted
	accepted    float64 // draws this close below a whole number are accepted without evaluating the density
}

func newZipf(r *rand.Rand, n int, skew float64) *zipf {
	z := &zipf{random: r, skew: skew, n: float64(n)}
	z.first = z.integral(1.5) - 1
	z.last = z.integral(z.n + 0.5)
	z.accepted = 2 - z.inverse(z.integral(2.5)-z.density(2))
	return z
}

func (z *zipf) next() int {
	for {
		u := z.last + z.random.Float64()*(z.first-z.last)
		x := z.inverse(u)
		k := min(max(math.Floor(x+0.5), 1), z.n)
		if k-x <= z.accepted || u >= z.integral(k+0.5)-z.density(k) {
			return int(k) - 1
		}
	}
}

// density returns x^−skew; integral is its antiderivative that is 0 at 1.
func (z *zipf) density(x float64) float64 { return math.Exp(-z.skew * math.Log(x)) }

// integral returns (x^(1−skew) − 1)/(1−skew), which tends to log x for skew 1.
func (z *zipf) integral(x float64) float64 {
	t := (1 - z.skew) * math.Log(x)
	if math.Abs(t) < 1e-8 {
		return math.Log(x) * (1 + t/2)
	}
	return math.Expm1(t) / (1 - z.skew)
}

// inverse is the inverse function of integral.
func (z *zipf) inverse(y float64) float64 {
	t := max(-1, y*(1-z.skew))
	if math.Abs(t) < 1e-8 {
		return math.Exp(y * (1 - t/2))
	}
	return math.Exp(math.Log1p(t) / (1 - z.skew))
}
