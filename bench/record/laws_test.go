package record

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/model"
	"pushbench/bench/schedule"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// simulated is a workload on a synthetic clock, so that it takes no time and a busy machine cannot
// disturb it: 50 clients with a topic each, and 10 messages per second to each.
const simulated = `version: 1
name: simulated
clients: {count: 50}
topics: {count: 50}
publish: {by: backend, rate: 500/s, arrivals: poisson}
payload: {size: 64B}
warmup: 1s
window: 1m
drain: 1s
`

// Schedule and recorder agree with the closed forms of latency, age and batches, for each transport
// over a link with delay, for every message and for only the latest. The transports are simulated by
// their definitions. Package timed verifies the real ones in real time.
func TestRecorderAgreesWithTheClosedForms(t *testing.T) {
	s, err := scenarios.Read("simulated", strings.NewReader(simulated))
	if err != nil {
		t.Fatal(err)
	}
	const d, rate, interval = 0.020, 10.0, 0.200 // s, 1/s, s
	for _, law := range []struct {
		transport    scenarios.Transport
		responses    func(due []clock.Instant, random *rand.Rand) []response
		mean, median float64
		age          float64
		batch        float64 // mean messages per response
	}{
		{transports.WebSocket, pushes(d), d, d, model.Age{Delay: d, Rate: rate}.Mean(), 1},
		{transports.SSE, pushes(d), d, d, model.Age{Delay: d, Rate: rate}.Mean(), 1},
		{
			transports.LongPoll, longPolls(d), model.LongPollMean(d, rate, 2*d), model.LongPollQuantile(d, rate, 2*d, 0.5),
			model.LongPollAge(d, rate, 1, 2*d), model.LongPollBatch(rate, 2*d),
		},
		{
			transports.ShortPoll, polls(d, interval), d + interval/2, model.ShortPollQuantile(d, interval, 0.5),
			model.Age{Delay: d, Spread: interval, Rate: rate}.Mean(), model.ShortPollBatch(rate, interval),
		},
	} {
		for _, delivery := range []scenarios.Delivery{scenarios.Every, scenarios.Latest} {
			t.Run(fmt.Sprint(law.transport, " ", delivery), func(t *testing.T) {
				b, batches := simulate(t, s, law.transport, delivery, law.responses)
				ledger, latency := b.close()
				n := float64(latency.Histogram.Count())
				// The mean or a quantile of n latencies; ages are correlated over 1/λ.
				near := func(what string, got, want, spread float64) {
					t.Helper()
					if allowed := 4*spread/math.Sqrt(n) + want/500; math.Abs(got-want) > allowed {
						t.Errorf("%s %.5f, want %.5f ± %.5f", what, got, want, allowed)
					}
				}
				near("mean age", b.rec.Age().Mean().Seconds(), law.age, math.Sqrt2/rate)
				if ledger.Lost != 0 || delivery == scenarios.Latest && ledger.Delivered+ledger.Superseded != ledger.Expected {
					t.Errorf("ledger %+v, want nothing lost", ledger)
				}
				if delivery == scenarios.Latest {
					return
				}
				near("mean latency", latency.Histogram.Mean().Seconds(), law.mean, interval)
				near("median latency", latency.Histogram.Quantile(0.5).Seconds(), law.median, 2*interval)
				near("messages per response", float64(len(b.plan.Messages))/float64(batches), law.batch, 3)
			})
		}
	}
}

// A transport that is 1 ms slower does not agree with the closed forms: the test above can fail.
func TestClosedFormsDetectAnotherDelay(t *testing.T) {
	s, err := scenarios.Read("simulated", strings.NewReader(simulated))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := simulate(t, s, transports.LongPoll, scenarios.Every, longPolls(0.021))
	_, latency := b.close()
	if got, want := latency.Histogram.Mean().Seconds(), model.LongPollMean(0.020, 10, 0.040); math.Abs(got-want) < want/100 {
		t.Errorf("mean latency %.5f with a delay of 21 ms agrees with %.5f for 20 ms", got, want)
	}
}

// A response delivers the messages first … last-1 of a topic to its client at an instant.
type response struct {
	first, last int
	at          clock.Instant
}

// simulate publishes a schedule to clients that receive responses, and counts the responses.
func simulate(t *testing.T, s *scenarios.Scenario, transport scenarios.Transport, delivery scenarios.Delivery,
	responses func(due []clock.Instant, random *rand.Rand) []response,
) (b *bench, batches int) {
	b = begin(t, schedule.New(s, 1), delivery, transport)
	random := rand.New(rand.NewPCG(1, 2))
	seqs := make([]uint64, len(b.plan.Messages))
	for i := range b.plan.Messages {
		seqs[i] = b.publish(i).Seq
	}
	for c, topics := range b.plan.Subscribed {
		messages := b.plan.OnTopic[topics[0]]
		due := make([]clock.Instant, len(messages))
		for i, index := range messages {
			due[i] = b.due(int(index))
		}
		for _, a := range responses(due, random) {
			batches++
			if delivery == scenarios.Latest {
				a.first = a.last - 1
			}
			for i := a.first; i < a.last; i++ {
				b.deliver(c, a.at, b.message(int(messages[i]), seqs[messages[i]]))
			}
		}
	}
	return b, batches
}

func seconds(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }

// pushes delivers each message immediately, after the one-way delay.
func pushes(d float64) func([]clock.Instant, *rand.Rand) []response {
	return func(due []clock.Instant, _ *rand.Rand) (all []response) {
		for i, at := range due {
			all = append(all, response{i, i + 1, at.Add(seconds(d))})
		}
		return all
	}
}

// longPolls responds with all pending messages as soon as there is one. The next poll arrives one
// round trip later.
func longPolls(d float64) func([]clock.Instant, *rand.Rand) []response {
	return func(due []clock.Instant, _ *rand.Rand) (all []response) {
		parked := start
		for i := 0; i < len(due); {
			left := max(due[i], parked)
			first := i
			for i < len(due) && due[i] <= left {
				i++
			}
			all = append(all, response{first, i, left.Add(seconds(d))})
			parked = left.Add(seconds(2 * d))
		}
		return all
	}
}

// polls arrive at a fixed rate with a random phase. A response takes the one-way delay. Responses
// without a message do not count.
func polls(d, interval float64) func([]clock.Instant, *rand.Rand) []response {
	return func(due []clock.Instant, random *rand.Rand) (all []response) {
		i := 0
		for poll := start.Add(seconds(interval * random.Float64())); i < len(due); poll = poll.Add(seconds(interval)) {
			first := i
			for i < len(due) && due[i] <= poll {
				i++
			}
			if i > first {
				all = append(all, response{first, i, poll.Add(seconds(d))})
			}
		}
		return all
	}
}
