package scenarios

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Subscriptions lists the topics of a client in ascending order, each an index
// from 0 to Topics.Count−1 and none twice. It depends on the seed and on the
// client alone, so any process can tell who is owed what.
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

// TopicName is topic i on the wire: "t0007", equally long for all topics of a
// scenario, so that no topic costs more bytes than another.
func (s *Scenario) TopicName(i int) string {
	width := max(4, len(strconv.Itoa(s.Topics.Count-1)))
	return fmt.Sprintf("t%0*d", width, i)
}

// InputTopicName is where the inputs of topic i's subscribers go, as long as TopicName.
func (s *Scenario) UpstreamTopicName(i int) string { return "i" + s.TopicName(i)[1:] }

// AnswerTopic is where answers go.
const ReplyTopic = "answers"

// random is the client's own stream: clients drawn in another order, or alone,
// still get the same topics.
func (s *Scenario) random(client int) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, uint64(client)))
}

// deal gives each client the next topics in turn, like cards.
func deal(client, topics, each int) []int {
	hand := make([]int, each)
	for i := range hand {
		hand[i] = (client*each + i) % topics
	}
	return hand
}

// draw picks distinct topics uniformly, with as many draws as topics (R. Floyd,
// in Bentley, "Programming pearls: a sample of brilliance", CACM 1987).
func draw(r *rand.Rand, topics, each int) []int {
	hand := make([]int, 0, each)
	for last := topics - each; last < topics; last++ {
		topic := r.IntN(last + 1)
		if slices.Contains(hand, topic) {
			topic = last
		}
		hand = append(hand, topic)
	}
	return hand
}

// patience is how many draws a topic may take. A client that wants nearly all of
// very skewed topics would else draw the first ones for ever.
const patience = 16

// drawPopular picks distinct topics by popularity: repeats are drawn again. When
// patience ends, the most popular of the rest fill the hand, as they most
// likely would have.
func drawPopular(z *zipf, each int) []int {
	hand := make([]int, 0, each)
	for range patience * each {
		if len(hand) == each {
			return hand
		}
		if topic := z.next(); !slices.Contains(hand, topic) {
			hand = append(hand, topic)
		}
	}
	for topic := 0; len(hand) < each; topic++ {
		if !slices.Contains(hand, topic) {
			hand = append(hand, topic)
		}
	}
	return hand
}

// A zipf draws k = 0 … n−1 with probability proportional to 1/(k+1)^skew in
// constant time and memory, by rejection-inversion (Hörmann & Derflinger, ACM
// TOMACS 6(3), 1996). rand.Zipf does the same, but only for exponents above 1.
type zipf struct {
	random      *rand.Rand
	skew        float64
	n           float64
	first, last float64 // bounds of the integral from which draws are inverted
	surely      float64 // draws this near below a whole number are accepted without more ado
}

func newZipf(r *rand.Rand, n int, skew float64) *zipf {
	z := &zipf{random: r, skew: skew, n: float64(n)}
	z.first = z.integral(1.5) - 1
	z.last = z.integral(z.n + 0.5)
	z.surely = 2 - z.inverse(z.integral(2.5)-z.density(2))
	return z
}

func (z *zipf) next() int {
	for {
		u := z.last + z.random.Float64()*(z.first-z.last)
		x := z.inverse(u)
		k := min(max(math.Floor(x+0.5), 1), z.n)
		if k-x <= z.surely || u >= z.integral(k+0.5)-z.density(k) {
			return int(k) - 1
		}
	}
}

// density is x^−skew; integral is its antiderivative that is 0 at 1.
func (z *zipf) density(x float64) float64 { return math.Exp(-z.skew * math.Log(x)) }

// integral is (x^(1−skew) − 1)/(1−skew), which tends to log x for skew 1.
func (z *zipf) integral(x float64) float64 {
	t := (1 - z.skew) * math.Log(x)
	if math.Abs(t) < 1e-8 {
		return math.Log(x) * (1 + t/2)
	}
	return math.Expm1(t) / (1 - z.skew)
}

// inverse undoes integral.
func (z *zipf) inverse(y float64) float64 {
	t := max(-1, y*(1-z.skew))
	if math.Abs(t) < 1e-8 {
		return math.Exp(y * (1 - t/2))
	}
	return math.Exp(math.Log1p(t) / (1 - z.skew))
}
