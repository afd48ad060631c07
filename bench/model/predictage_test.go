package model

import (
	"math"
	"testing"
	"time"

	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

const settled = "warmup: 3s"

// The expected values were computed by hand: d = 10 ms, R = 20 ms, T = 1 s, w = 1 ms; a topic of 10/s, with
// 100 subscribers, or four of 2.5/s with 50 each.
func TestPredictedAgesAreExact(t *testing.T) {
	const gap, rate = 0.02, 10.0
	empty := math.Exp(-rate * gap)
	old := (1 - empty*(1+rate*gap)) / rate
	since := (gap*gap + 2*empty*(gap/rate+1/rate/rate)) / (2 * (gap + empty/rate))
	for _, row := range []struct {
		name      string
		lines     []string
		transport scenarios.Transport
		key       string
		want      float64
	}{
		{"Poisson, pushed", []string{byBackend}, transports.SSE, metric.AgeMean, 10 + 50.5 + 100},
		{"delivery of only the latest has the same age", []string{byBackend, onlyLatest}, transports.WebSocket, metric.AgeMean, 10 + 50.5 + 100},
		{"one subscriber", []string{"publish: {by: backend, rate: 200/s, arrivals: poisson}", ownTopics, settled}, transports.WebSocket, metric.AgeP99, 11 + math.Log(100)*500},
		{"a publishing client adds the upstream delay", []string{byClients}, transports.WebSocket, metric.AgeMean, 20 + 50.5 + 100},
		{"periodic, pushed", []string{periodic}, transports.SSE, metric.AgeMean, 10 + 50.5 + 50},
		{"and a tenth of the messages per topic", []string{periodic, "topics: {count: 10}", settled}, transports.SSE, metric.AgeMean, 10 + 5.5 + 500},
		{"the topic's rate, not the client's", []string{periodic, twoEach, onlyLatest}, transports.SSE, metric.AgeMean, 10 + 25.5 + 200},
		{"polled", []string{byBackend, settled}, transports.ShortPoll, metric.AgeMean, 10 + 500 + 100},
		{"with a fixed delay", []string{byBackend, fixedDelay, settled}, transports.ShortPoll, metric.AgeMean, 10 + 510 + 100},
		{"periodic, polled", []string{periodic, settled}, transports.ShortPoll, metric.AgeMean, 10 + 500 + 50},
		{"the tail of two uniforms", []string{"publish: {by: backend, rate: 1/s, arrivals: periodic}", settled}, transports.ShortPoll, metric.AgeP99, 10 + 2000 - 1000*math.Sqrt(0.02)},
		{"Zipf subscriptions: no effect with a backend", []string{periodic, zipfTopics, settled}, transports.ShortPoll, metric.AgeMean, 10 + 500 + 500},
		{"long polls", []string{byBackend}, transports.LongPoll, metric.AgeMean, 10 + 50.5 + 1000*(old+since)},
		{"every message meets a parked poll", []string{periodic}, transports.LongPoll, metric.AgeMean, 10 + 50.5 + 50},
	} {
		predictions := Predict(read(t, row.lines...), row.transport, given)
		got, ok := predicted(predictions, row.key)
		if !ok || math.Abs(got-row.want) > 1e-9*row.want {
			t.Errorf("%s: %s %s: got %v (%v), want %v", row.name, row.transport, row.key, got, ok, row.want)
		}
	}
}

func TestNoAgeIsPredictedWithoutAFormula(t *testing.T) {
	for _, row := range []struct {
		name      string
		lines     []string
		transport scenarios.Transport
		given     Measured
	}{
		{"too few messages before the window", []string{byBackend, "warmup: 300ms"}, transports.SSE, given},
		{"no poll before the window", []string{byBackend}, transports.ShortPoll, given},
		{"no period before the window", []string{slow}, transports.SSE, given},
		{"a network with variable delay", []string{byBackend, "network: {rtt: 20ms, jitter: 1ms}"}, transports.SSE, given},
		{"bursts", []string{bursts, settled}, transports.SSE, given},
		{"batching delay", []string{byBackend, "sse: {batching_delay: 10ms}"}, transports.SSE, given},
		{"batching delay", []string{byBackend, "longpoll: {batching_delay: 10ms}"}, transports.LongPoll, given},
		{"different phases per client", []string{"publish: {by: clients, rate: 10/s, arrivals: periodic}"}, transports.WebSocket, given},
		{"busy topics", []string{byClients, zipfTopics, settled}, transports.ShortPoll, given},
		{"audiences of different sizes", []string{byBackend, "topics: {count: 2, spread: zipf}"}, transports.SSE, given},
		{"busy topics, by one subscriber", []string{byClients, "topics: {count: 3}", settled}, transports.WebSocket, given},
		{"a server that reports no re-poll gap", []string{byBackend}, transports.LongPoll, Measured{Delay: given.Delay}},
		{"a period shorter than the re-poll gap", []string{periodic}, transports.LongPoll, Measured{Delay: given.Delay, RepollGap: 200 * time.Millisecond}},
		{"a period longer than the timeout", []string{slow, settled}, transports.LongPoll, given},
		{"polls that time out", []string{"publish: {by: backend, rate: 2/s, arrivals: poisson}", settled, "longpoll: {timeout: 1s}"}, transports.LongPoll, given},
	} {
		predictions := Predict(read(t, row.lines...), row.transport, row.given)
		for _, key := range []string{metric.AgeMean, metric.AgeP99} {
			if value, ok := predicted(predictions, key); ok {
				t.Errorf("%s, %s: predicted %v for %s, want none", row.name, row.transport, value, key)
			}
		}
	}
}
