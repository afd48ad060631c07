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

// asked makes a scenario of a hundred clients with a topic each; lines come in addition.
func asked(t *testing.T, lines ...string) *scenarios.Scenario {
	t.Helper()
	text := "version: 1\nname: test\nclients: {count: 100}\npayload: {size: 64B}\nwindow: 10s\n" + strings.Join(lines, "\n") + "\n"
	s, err := scenarios.Read("test", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	byBackend   = "publish: {by: backend, rate: 10/s, arrivals: poisson}"
	byClients   = "publish: {by: clients, rate: 10/s, arrivals: poisson}"
	punctually  = "publish: {by: backend, rate: 10/s, arrivals: periodic}"
	inBursts    = "publish: {by: backend, rate: 10/s, arrivals: burst}"
	slowly      = "publish: {by: backend, rate: 0.5/s, arrivals: periodic}\nlongpoll: {hold: 1s}"
	eachHisOwn  = "topics: {count: 100}"
	onlyLatest  = "delivery: latest"
	byLiking    = "topics: {count: 10, spread: zipf}"
	twoEach     = "topics: {count: 4, per_client: 2}"
	afterAnswer = "shortpoll: {interval: 1s, pacing: fixed-delay}"
	eachAnew    = "shortpoll: {interval: 1s, pacing: fixed-delay, new_connection: true}"
	tooOften    = "shortpoll: {interval: 15ms}"
	tooOftenNew = "shortpoll: {interval: 15ms, new_connection: true}"
	unsteady    = "network: {rtt: 20ms, jitter: 1ms}"
	thin        = "network: {rtt: 20ms, rate: 1MB}"
)

var given = Measured{Delay: 10 * time.Millisecond, RepollGap: 20 * time.Millisecond, Write: time.Millisecond}

func predicted(said []results.Prediction, metric string) (float64, bool) {
	i := slices.IndexFunc(said, func(p results.Prediction) bool { return p.Metric == metric })
	if i < 0 {
		return 0, false
	}
	return said[i].Value, true
}

// The figures are worked out by hand: d = 10 ms, R = 20 ms, T = 1 s, λ = 10/s, w = 1 ms, N = 100.
func TestTheorySays(t *testing.T) {
	poisson := math.Exp(-10 * 0.02)
	for _, row := range []struct {
		name      string
		lines     []string
		transport scenarios.Transport
		key       string
		want      float64
	}{
		{"a poll waits half an interval", []string{byBackend}, transports.ShortPoll, metric.P50, 510},
		{"a publishing client adds its way up", []string{byClients}, transports.ShortPoll, metric.P50, 520},
		{"at most an interval", []string{byBackend}, transports.ShortPoll, metric.Max, 1010},
		{"an interval after the answer is longer by a round trip", []string{byBackend, afterAnswer}, transports.ShortPoll, metric.Max, 1030},
		{"whoever publishes", []string{byClients, afterAnswer}, transports.ShortPoll, metric.Max, 1040},
		{"and by two on a new connection", []string{byBackend, eachAnew}, transports.ShortPoll, metric.Max, 1050},
		{"a poll in two, when the answer comes after the next was due", []string{byBackend, tooOften}, transports.ShortPoll, metric.Max, 10 + 2*15},
		{"a poll in three, on a new connection", []string{byBackend, tooOftenNew}, transports.ShortPoll, metric.Max, 10 + 3*15},
		{"requests, with the publish's hundredth", []string{byBackend}, transports.ShortPoll, metric.RequestsPerMessage, 0.1 + 0.01},
		{"no poll is empty", []string{byBackend}, transports.ShortPoll, metric.EmptyResponseShare, math.Exp(-10)},
		{"a tenth of the messages each: more are", []string{byBackend, eachHisOwn}, transports.ShortPoll, metric.EmptyResponseShare, math.Exp(-0.1)},
		{"periodic, one in ten polls finds one", []string{punctually, eachHisOwn}, transports.ShortPoll, metric.EmptyResponseShare, 0.9},
		{"most find the poll parked", []string{byBackend}, transports.LongPoll, metric.P50, 10 + 1 + 0.5*99},
		{"a batch", []string{byBackend}, transports.LongPoll, metric.MessagesPerBatch, 0.2 + poisson},
		{"a poll a batch", []string{byBackend}, transports.LongPoll, metric.RequestsPerMessage, 1/(0.2+poisson) + 0.01},
		{"punctual: a poll a message", []string{punctually}, transports.LongPoll, metric.RequestsPerMessage, 1.01},
		{"a hundred, one after another", []string{byBackend}, transports.SSE, metric.P99, 10 + 1 + 0.99*99},
		{"one alone", []string{byBackend, eachHisOwn}, transports.SSE, metric.P99, 11},
		{"only the publish", []string{byBackend}, transports.SSE, metric.RequestsPerMessage, 0.01},
		{"clients publish by frames", []string{byClients}, transports.WebSocket, metric.RequestsPerMessage, 0},
		{"a backend posts to it as to any", []string{byBackend}, transports.WebSocket, metric.RequestsPerMessage, 0.01},
		{"round trips", []string{byClients}, transports.WebSocket, metric.ConnectRoundTrips, 2},
	} {
		said := Predict(asked(t, row.lines...), row.transport, given)
		got, ok := predicted(said, row.key)
		if !ok || math.Abs(got-row.want) > 1e-9*max(1, row.want) {
			t.Errorf("%s: %s %s is %v (%v), want %v", row.name, row.transport, row.key, got, ok, row.want)
		}
	}
}

// A hold that ends before most messages come makes polls that bring nothing. At a
// message in 2 s and a hold of 1 s: a poll every R + e^(−λR)(1 − e^(−0.5))·2 s.
func TestTheoryCountsPollsThatBringNothing(t *testing.T) {
	quiet := "publish: {by: backend, rate: 0.5/s, arrivals: poisson}\nlongpoll: {hold: 1s}"
	said := Predict(asked(t, quiet), transports.LongPoll, given)
	cycle := 0.02 + math.Exp(-0.01)*(1-math.Exp(-0.5))*2
	got, _ := predicted(said, metric.RequestsPerMessage)
	if want := 2/cycle + 0.01; math.Abs(got-want) > 1e-9*want {
		t.Errorf("%v requests a message, want %v", got, want)
	}
}

func TestTheoryIsSilentWhereNoFormHolds(t *testing.T) {
	latency := []string{metric.P50, metric.P99, metric.P999, metric.Max}
	counts := []string{metric.RequestsPerMessage, metric.MessagesPerBatch, metric.EmptyResponseShare}
	everything := slices.Concat(latency, counts)
	for _, row := range []struct {
		name      string
		lines     []string
		transport scenarios.Transport
		given     Measured
		silent    []string
	}{
		{"only the latest", []string{byBackend, onlyLatest}, transports.ShortPoll, given, everything},
		{"only the latest", []string{byBackend, onlyLatest}, transports.LongPoll, given, everything},
		{"only the latest", []string{byBackend, onlyLatest}, transports.SSE, given, everything},
		{"only the latest", []string{byBackend, onlyLatest}, transports.WebSocket, given, everything},
		{"different rates", []string{byBackend, byLiking}, transports.ShortPoll, given, counts},
		{"different rates", []string{byBackend, byLiking}, transports.LongPoll, given, everything},
		{"bursts", []string{inBursts}, transports.ShortPoll, given, []string{metric.EmptyResponseShare, metric.MessagesPerBatch}},
		{"bursts", []string{inBursts}, transports.LongPoll, given, everything},
		{"two periods each", []string{punctually, twoEach}, transports.LongPoll, given, everything},
		{"two periods each", []string{punctually, twoEach}, transports.ShortPoll, given, []string{metric.EmptyResponseShare}},
		{"a period longer than the hold", []string{slowly}, transports.LongPoll, given, everything},
		{"a period too short to re-arm in", []string{punctually}, transports.LongPoll, Measured{Delay: given.Delay, RepollGap: 200 * time.Millisecond}, everything},
		{"a server that counts no re-arming", []string{byBackend}, transports.LongPoll, Measured{Delay: given.Delay}, everything},
		{"messages held back", []string{byBackend, "longpoll: {flush: 10ms}"}, transports.LongPoll, given, everything},
		{"jitter", []string{byBackend, unsteady}, transports.ShortPoll, given, everything},
		{"jitter", []string{byBackend, unsteady}, transports.LongPoll, given, everything},
		{"a limited rate", []string{byBackend, thin}, transports.SSE, given, everything},
		{"a limited rate", []string{byBackend, thin}, transports.WebSocket, given, everything},
		{"different rates", []string{byBackend, byLiking}, transports.SSE, given, latency},
		{"messages held back", []string{byBackend, "sse: {flush: 10ms}"}, transports.SSE, given, latency},
	} {
		said := Predict(asked(t, row.lines...), row.transport, row.given)
		for _, key := range row.silent {
			if value, ok := predicted(said, key); ok {
				t.Errorf("%s, %s: says %v of %s, want silence", row.name, row.transport, value, key)
			}
		}
		if _, ok := predicted(said, metric.ConnectRoundTrips); !ok {
			t.Errorf("%s, %s: says nothing of connecting", row.name, row.transport)
		}
	}
}

func TestEveryTransportHasALaw(t *testing.T) {
	for _, transport := range scenarios.AllTransports {
		if laws[transport] == nil {
			t.Errorf("no law for %s", transport)
		}
	}
	if len(laws) != len(scenarios.AllTransports) {
		t.Errorf("%d laws for %d transports", len(laws), len(scenarios.AllTransports))
	}
}
