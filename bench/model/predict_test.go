package model

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// scenario returns a scenario of a hundred clients with additional lines.
func read(t *testing.T, lines ...string) *scenarios.Scenario {
	t.Helper()
	text := "version: 1\nname: test\nclients: {count: 100}\npayload: {size: 64B}\nwindow: 10s\n" + strings.Join(lines, "\n") + "\n"
	s, err := scenarios.Read("test", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	byBackend        = "publish: {by: backend, rate: 10/s, arrivals: poisson}"
	byClients        = "publish: {by: clients, rate: 10/s, arrivals: poisson}"
	periodic         = "publish: {by: backend, rate: 10/s, arrivals: periodic}"
	bursts           = "publish: {by: backend, rate: 10/s, arrivals: burst}"
	slow             = "publish: {by: backend, rate: 0.5/s, arrivals: periodic}\nlongpoll: {timeout: 1s}"
	ownTopics        = "topics: {count: 100}"
	onlyLatest       = "delivery: latest"
	zipfTopics       = "topics: {count: 10, spread: zipf}"
	twoEach          = "topics: {count: 4, per_client: 2}"
	fixedDelay       = "shortpoll: {interval: 1s, pacing: fixed-delay}"
	newConnections   = "shortpoll: {interval: 1s, pacing: fixed-delay, new_connection: true}"
	shortInterval    = "shortpoll: {interval: 15ms}"
	shortIntervalNew = "shortpoll: {interval: 15ms, new_connection: true}"
	jitter           = "network: {rtt: 20ms, jitter: 1ms}"
	visits           = "short_lived: {rate: 50/s}\nshortpoll: {interval: 50ms}"
	limitedRate      = "network: {rtt: 20ms, rate: 1MB}"
)

var given = Measured{Delay: 10 * time.Millisecond, RepollGap: 20 * time.Millisecond, Write: time.Millisecond}

func predicted(predictions []results.Prediction, metric string) (float64, bool) {
	i := slices.IndexFunc(predictions, func(p results.Prediction) bool { return p.Metric == metric })
	if i < 0 {
		return 0, false
	}
	return predictions[i].Value, true
}

// The expected values were computed by hand: d = 10 ms, R = 20 ms, T = 1 s, λ = 10/s, w = 1 ms, N = 100.
func TestPredictionsAreExact(t *testing.T) {
	poisson := math.Exp(-10 * 0.02)
	for _, row := range []struct {
		name      string
		lines     []string
		transport scenarios.Transport
		key       string
		want      float64
	}{
		{"a poll waits half an interval", []string{byBackend}, transports.ShortPoll, metric.P50, 510},
		{"a publishing client adds the upstream delay", []string{byClients}, transports.ShortPoll, metric.P50, 520},
		{"at most an interval", []string{byBackend}, transports.ShortPoll, metric.Max, 1010},
		{"a fixed delay adds a round trip", []string{byBackend, fixedDelay}, transports.ShortPoll, metric.Max, 1030},
		{"the same with publishing clients", []string{byClients, fixedDelay}, transports.ShortPoll, metric.Max, 1040},
		{"and two on a new connection", []string{byBackend, newConnections}, transports.ShortPoll, metric.Max, 1050},
		{"every other poll, if the response arrives after the next was due", []string{byBackend, shortInterval}, transports.ShortPoll, metric.Max, 10 + 2*15},
		{"every third poll, on a new connection", []string{byBackend, shortIntervalNew}, transports.ShortPoll, metric.Max, 10 + 3*15},
		{"requests, including 1/100 publication", []string{byBackend}, transports.ShortPoll, metric.RequestsPerMessage, 0.1 + 0.01},
		{"hardly any poll is empty", []string{byBackend}, transports.ShortPoll, metric.EmptyResponseShare, math.Exp(-10)},
		{"1/100 of the messages per client: more are", []string{byBackend, ownTopics}, transports.ShortPoll, metric.EmptyResponseShare, math.Exp(-0.1)},
		{"periodic: one in ten polls has a message", []string{periodic, ownTopics}, transports.ShortPoll, metric.EmptyResponseShare, 0.9},
		{"most messages meet a parked poll", []string{byBackend}, transports.LongPoll, metric.P50, 10 + 1 + 0.5*99},
		{"batch", []string{byBackend}, transports.LongPoll, metric.MessagesPerBatch, 0.2 + poisson},
		{"one poll per batch", []string{byBackend}, transports.LongPoll, metric.RequestsPerMessage, 1/(0.2+poisson) + 0.01},
		{"periodic: one poll per message", []string{periodic}, transports.LongPoll, metric.RequestsPerMessage, 1.01},
		{"100 subscribers in sequence", []string{byBackend}, transports.SSE, metric.P99, 10 + 1 + 0.99*99},
		{"one subscriber", []string{byBackend, ownTopics}, transports.SSE, metric.P99, 11},
		{"only the publication", []string{byBackend}, transports.SSE, metric.RequestsPerMessage, 0.01},
		{"clients publish in frames", []string{byClients}, transports.WebSocket, metric.RequestsPerMessage, 0},
		{"a backend uses POST", []string{byBackend}, transports.WebSocket, metric.RequestsPerMessage, 0.01},
		// 50 short-lived clients per second among 1,000 deliveries.
		{"a visit is a request", []string{byBackend, visits}, transports.SSE, metric.RequestsPerMessage, 0.01 + 0.05},
		{"an upgrade, too", []string{byBackend, visits}, transports.WebSocket, metric.RequestsPerMessage, 0.01 + 0.05},
		{"also if clients publish in frames", []string{byClients, visits}, transports.WebSocket, metric.RequestsPerMessage, 0.05},
		{"it polls until it has a message", []string{byBackend, visits}, transports.ShortPoll, metric.RequestsPerMessage, 2 + 0.01 + 0.05*(1+1/(1-math.Exp(-0.5)))},
		{"half of the first polls find a periodic message", []string{periodic, visits}, transports.ShortPoll, metric.RequestsPerMessage, 2 + 0.01 + 0.05*(1+1.5)},
		{"a long poll subscribes, one waits, and one more is sent", []string{periodic, visits}, transports.LongPoll, metric.RequestsPerMessage, 1.01 + 0.05*3},
		{"round trips", []string{byClients}, transports.WebSocket, metric.ConnectRoundTrips, 2},
	} {
		predictions := Predict(read(t, row.lines...), row.transport, given)
		got, ok := predicted(predictions, row.key)
		if !ok || math.Abs(got-row.want) > 1e-9*max(1, row.want) {
			t.Errorf("%s: %s %s: got %v (%v), want %v", row.name, row.transport, row.key, got, ok, row.want)
		}
	}
}

// A timeout shorter than most gaps between messages causes empty polls. With a message
// every 2 s and a timeout of 1 s: a poll every R + e^(−λR)(1 − e^(−0.5))·2 s.
func TestPredictionCountsEmptyPolls(t *testing.T) {
	rare := "publish: {by: backend, rate: 0.5/s, arrivals: poisson}\nlongpoll: {timeout: 1s}"
	predictions := Predict(read(t, rare), transports.LongPoll, given)
	cycle := 0.02 + math.Exp(-0.01)*(1-math.Exp(-0.5))*2
	got, _ := predicted(predictions, metric.RequestsPerMessage)
	if want := 2/cycle + 0.01; math.Abs(got-want) > 1e-9*want {
		t.Errorf("%v requests per message, want %v", got, want)
	}
}

func TestNothingIsPredictedWithoutAFormula(t *testing.T) {
	latency := []string{metric.P50, metric.P99, metric.P999, metric.Max}
	counts := []string{metric.RequestsPerMessage, metric.MessagesPerBatch, metric.EmptyResponseShare}
	everything := slices.Concat(latency, counts)
	for _, row := range []struct {
		name      string
		lines     []string
		transport scenarios.Transport
		given     Measured
		absent    []string
	}{
		{"only the latest", []string{byBackend, onlyLatest}, transports.ShortPoll, given, everything},
		{"only the latest", []string{byBackend, onlyLatest}, transports.LongPoll, given, everything},
		{"only the latest", []string{byBackend, onlyLatest}, transports.SSE, given, everything},
		{"only the latest", []string{byBackend, onlyLatest}, transports.WebSocket, given, everything},
		{"different rates", []string{byBackend, zipfTopics}, transports.ShortPoll, given, counts},
		{"different rates", []string{byBackend, zipfTopics}, transports.LongPoll, given, everything},
		{"bursts", []string{bursts}, transports.ShortPoll, given, []string{metric.EmptyResponseShare, metric.MessagesPerBatch}},
		{"bursts", []string{bursts}, transports.LongPoll, given, everything},
		{"two periods each", []string{periodic, twoEach}, transports.LongPoll, given, everything},
		{"two periods each", []string{periodic, twoEach}, transports.ShortPoll, given, []string{metric.EmptyResponseShare}},
		{"a period longer than the timeout", []string{slow}, transports.LongPoll, given, everything},
		{"a period shorter than the re-poll gap", []string{periodic}, transports.LongPoll, Measured{Delay: given.Delay, RepollGap: 200 * time.Millisecond}, everything},
		{"a server that reports no re-poll gap", []string{byBackend}, transports.LongPoll, Measured{Delay: given.Delay}, everything},
		{"batching delay", []string{byBackend, "longpoll: {batching_delay: 10ms}"}, transports.LongPoll, given, everything},
		{"jitter", []string{byBackend, jitter}, transports.ShortPoll, given, everything},
		{"jitter", []string{byBackend, jitter}, transports.LongPoll, given, everything},
		{"a limited rate", []string{byBackend, limitedRate}, transports.SSE, given, everything},
		{"a limited rate", []string{byBackend, limitedRate}, transports.WebSocket, given, everything},
		{"different rates", []string{byBackend, zipfTopics}, transports.SSE, given, everything},
		{"different fan-outs", []string{byBackend, "topics: {count: 30}"}, transports.SSE, given, counts},
		{"different fan-outs", []string{byBackend, "topics: {count: 30}"}, transports.WebSocket, given, counts},
		{"short-lived clients", []string{byBackend, visits}, transports.ShortPoll, given, []string{metric.EmptyResponseShare, metric.MessagesPerBatch}},
		{"short-lived clients", []string{byBackend, visits}, transports.LongPoll, given, []string{metric.MessagesPerBatch}},
		{"short-lived clients and bursts", []string{bursts, visits}, transports.ShortPoll, given, counts},
		{"batching delay", []string{byBackend, "sse: {batching_delay: 10ms}"}, transports.SSE, given, latency},
	} {
		predictions := Predict(read(t, row.lines...), row.transport, row.given)
		for _, key := range row.absent {
			if value, ok := predicted(predictions, key); ok {
				t.Errorf("%s, %s: predicted %v for %s, want none", row.name, row.transport, value, key)
			}
		}
		if _, ok := predicted(predictions, metric.ConnectRoundTrips); !ok {
			t.Errorf("%s, %s: no prediction for connecting", row.name, row.transport)
		}
	}
}

func TestEveryTransportHasAModel(t *testing.T) {
	for _, transport := range scenarios.AllTransports {
		if models[transport] == nil {
			t.Errorf("no model for %s", transport)
		}
	}
	if len(models) != len(scenarios.AllTransports) {
		t.Errorf("%d models for %d transports", len(models), len(scenarios.AllTransports))
	}
}
