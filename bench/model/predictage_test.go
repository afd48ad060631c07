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

// Worked out by hand: d = 10 ms, R = 20 ms, T = 1 s, w = 1 ms; a topic of 10/s, with
// 100 subscribers, or four of 2.5/s with 50 each.
func TestTheoryOfAges(t *testing.T) {
	const rearm, rate = 0.02, 10.0
	quiet := math.Exp(-rate * rearm)
	old := (1 - quiet*(1+rate*rearm)) / rate
	since := (rearm*rearm + 2*quiet*(rearm/rate+1/rate/rate)) / (2 * (rearm + quiet/rate))
	for _, row := range []struct {
		name      string
		lines     []string
		transport scenarios.Transport
		key       string
		want      float64
	}{
		{"Poisson, pushed", []string{byBackend}, transports.SSE, metric.AgeMean, 10 + 50.5 + 100},
		{"the latest is as fresh as every", []string{byBackend, onlyLatest}, transports.WebSocket, metric.AgeMean, 10 + 50.5 + 100},
		{"one alone", []string{"publish: {by: backend, rate: 200/s, arrivals: poisson}", eachHisOwn, settled}, transports.WebSocket, metric.AgeP99, 11 + math.Log(100)*500},
		{"a publishing client adds its way up", []string{byClients}, transports.WebSocket, metric.AgeMean, 20 + 50.5 + 100},
		{"periodic, pushed", []string{punctually}, transports.SSE, metric.AgeMean, 10 + 50.5 + 50},
		{"and of a tenth of the messages each", []string{punctually, "topics: {count: 10}", settled}, transports.SSE, metric.AgeMean, 10 + 5.5 + 500},
		{"the topic's rate, not the client's", []string{punctually, twoEach, onlyLatest}, transports.SSE, metric.AgeMean, 10 + 25.5 + 200},
		{"polled", []string{byBackend, settled}, transports.ShortPoll, metric.AgeMean, 10 + 500 + 100},
		{"after the answer", []string{byBackend, afterAnswer, settled}, transports.ShortPoll, metric.AgeMean, 10 + 510 + 100},
		{"periodic, polled", []string{punctually, settled}, transports.ShortPoll, metric.AgeMean, 10 + 500 + 50},
		{"the tail of two uniforms", []string{"publish: {by: backend, rate: 1/s, arrivals: periodic}", settled}, transports.ShortPoll, metric.AgeP99, 10 + 2000 - 1000*math.Sqrt(0.02)},
		{"whoever likes what: a backend does not mind", []string{punctually, byLiking, settled}, transports.ShortPoll, metric.AgeMean, 10 + 500 + 500},
		{"long polls", []string{byBackend}, transports.LongPoll, metric.AgeMean, 10 + 50.5 + 1000*(old+since)},
		{"parked for each", []string{punctually}, transports.LongPoll, metric.AgeMean, 10 + 50.5 + 50},
	} {
		said := Predict(asked(t, row.lines...), row.transport, given)
		got, ok := predicted(said, row.key)
		if !ok || math.Abs(got-row.want) > 1e-9*row.want {
			t.Errorf("%s: %s %s is %v (%v), want %v", row.name, row.transport, row.key, got, ok, row.want)
		}
	}
}

func TestTheoryIsSilentOfAgesWithoutALaw(t *testing.T) {
	for _, row := range []struct {
		name      string
		lines     []string
		transport scenarios.Transport
		given     Measured
	}{
		{"too little before the window", []string{byBackend, "warmup: 300ms"}, transports.SSE, given},
		{"not a poll before the window", []string{byBackend}, transports.ShortPoll, given},
		{"not a period before the window", []string{slowly}, transports.SSE, given},
		{"a network whose delay is no constant", []string{byBackend, "network: {rtt: 20ms, jitter: 1ms}"}, transports.SSE, given},
		{"bursts", []string{inBursts, settled}, transports.SSE, given},
		{"messages held back", []string{byBackend, "sse: {flush: 10ms}"}, transports.SSE, given},
		{"messages held back", []string{byBackend, "longpoll: {flush: 10ms}"}, transports.LongPoll, given},
		{"each client's own phase", []string{"publish: {by: clients, rate: 10/s, arrivals: periodic}"}, transports.WebSocket, given},
		{"busy topics", []string{byClients, byLiking, settled}, transports.ShortPoll, given},
		{"audiences of different sizes", []string{byBackend, "topics: {count: 2, spread: zipf}"}, transports.SSE, given},
		{"busy topics, by one subscriber", []string{byClients, "topics: {count: 3}", settled}, transports.WebSocket, given},
		{"a server that counts no re-arming", []string{byBackend}, transports.LongPoll, Measured{Delay: given.Delay}},
		{"a period too short to re-arm in", []string{punctually}, transports.LongPoll, Measured{Delay: given.Delay, RepollGap: 200 * time.Millisecond}},
		{"a period longer than the hold", []string{slowly, settled}, transports.LongPoll, given},
		{"holds that end with nothing", []string{"publish: {by: backend, rate: 2/s, arrivals: poisson}", settled, "longpoll: {hold: 1s}"}, transports.LongPoll, given},
	} {
		said := Predict(asked(t, row.lines...), row.transport, row.given)
		for _, key := range []string{metric.AgeMean, metric.AgeP99} {
			if value, ok := predicted(said, key); ok {
				t.Errorf("%s, %s: says %v of %s, want silence", row.name, row.transport, value, key)
			}
		}
	}
}
