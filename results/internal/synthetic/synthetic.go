// Package synthetic generates runs that look measured, for the tests of all packages that read a run: four
// transports across an emulated round trip of 20 ms.
//
// It owns the fixture of all golden files. The same arguments always give the same run. Only tests may
// import this package.
package synthetic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// The scenario of every synthetic run.
const (
	clients      = 20
	rate         = 100.0                 // messages per second, each expected by every client
	delay        = 10 * time.Millisecond // one way
	pollInterval = time.Second
	warmup       = 2 * time.Second
	drain        = 2 * time.Second
	payload      = 120.0
)

var started = time.Date(2025, 11, 22, 19, 0, 0, 0, time.UTC)

// Run generates a complete run in which all validity checks passed. A window of 30 s is enough for p99.9
// when four repetitions are pooled; a window of 10 s is not.
func Run(repetitions int, window time.Duration) *results.Run {
	return once(fmt.Sprint("run ", repetitions, window), func() *results.Run { return run(repetitions, window) })
}

func run(repetitions int, window time.Duration) *results.Run {
	r := &results.Run{Path: "results/runs/synthetic", Manifest: manifest(repetitions, window)}
	measure(r, 0, 0.02, func(t *results.Trial, c results.Configuration) model {
		m := models[c.Transport]
		t.Age = ages(m, rand.New(rand.NewPCG(uint64(t.Repetition), uint64(t.Position-1))), window)
		return m
	})
	return r
}

// measure generates the trials and intervals of a run from a random stream of its seed, with noise between
// trials. begin returns a configuration's model and sets the fields of a trial that are not drawn from the
// model.
func measure(r *results.Run, stream uint64, noise float64, begin func(*results.Trial, results.Configuration) model) {
	m := &r.Manifest
	random := rand.New(rand.NewPCG(m.Seed, stream))
	began := time.Duration(0)
	for repetition := 1; repetition <= m.Repetitions; repetition++ {
		for position, c := range m.AllConfigurations() {
			done := results.Trial{Repetition: repetition, Position: position + 1, Transport: c.Transport, Started: started.Add(began)}
			t := trial{model: begin(&done, c), random: random, window: m.Workload.Window, factor: 1 + noise*random.NormFloat64()}
			t.run(&done)
			r.Trials = append(r.Trials, done)
			r.Intervals = append(r.Intervals, t.intervals(done, began+3*time.Second)...)
			began += done.Took
		}
	}
	m.Ended = started.Add(began)
}

func manifest(repetitions int, window time.Duration) results.Manifest {
	measured := []string{transports.ShortPoll, transports.LongPoll, transports.SSE, transports.WebSocket}
	return results.Manifest{
		Schema: results.Schema, Status: results.Complete, Started: started,
		Command: []string{"pushbench", "run", "chat", "--repetitions", "4"}, RunID: 0xC0FFEE,
		Tool: results.Tool{Version: "v0.1.0", Commit: "170ec8e7d1f2a3b4c5d6", GoVersion: "go1.26.0", SHA256: "9f86d081884c7d65"},
		Host: results.Host{
			OS: "linux", Arch: "amd64", Kernel: "6.1.0", CPUModel: "Example CPU 2.5 GHz", Cores: 2,
			MemoryBytes: 8 << 30, CongestionControl: "bbr", ClockSource: "tsc", FileLimit: 20000,
			PortRange: "32768-60999", LoadAverage: "0.10 0.12 0.09",
			Sysctls: map[string]string{"net.core.somaxconn": "4096"},
		},
		Pinning: results.Pinning{Requested: true, Server: []int{0}, Generator: []int{1}},
		Workload: results.Workload{
			Scenario: "chat", Description: "a chat room behind a home connection",
			Question: "which transport delivers a chat message fastest, and at what cost?",
			SHA256:   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			Clients:  clients, Topics: 1, Publisher: "backend", Arrivals: "poisson",
			PublishRate: rate, DeliveryRate: rate * clients, PerClientRate: rate, PayloadBytes: payload,
			Delivery: "every", PollInterval: pollInterval, PollPacing: "rate", PollTimeout: 25 * time.Second,
			BatchingDelay: map[string]time.Duration{transports.ShortPoll: 0, transports.LongPoll: 0, transports.SSE: 0, transports.WebSocket: 0},
			Warmup:        warmup, Window: window, Drain: drain,
		},
		Repetitions: repetitions, Transports: measured, Orders: slices.Repeat([][]string{measured}, repetitions), Seed: 42, Engine: "events", Library: "reference",
		Network: "home", RTT: 2 * delay,
		Servers:    map[string]string{transports.LongPoll: "fasthttp, poll timeout 25s", transports.ShortPoll: "fasthttp", transports.SSE: "fasthttp", transports.WebSocket: "gorilla, no compression"},
		NotShown:   []string{"CPU frequency governor: not visible in this container"},
		Conditions: []string{"polling and SSE run on fasthttp, WebSocket on net/http: CPU and memory compare libraries as well"},
	}
}

// A model is a transport's latency and its costs.
type model struct {
	wait      func(*rand.Rand) time.Duration // added to the one-way delay
	predicted []results.Prediction
	cycles    func(window time.Duration) int64 // independent observations
	requests  float64                          // per message
	batch     float64                          // messages per batch
	empty     float64                          // share of polls
	polls     bool
	down, up  parts
	server    time.Duration // CPU per message
	generator time.Duration
	memory    [2]int64 // bytes per client: server, generator
	ready     time.Duration
	trips     float64
	hello     [2]int64 // bytes to connect: up, down
}

// parts are bytes per message.
type parts struct{ payload, envelope, framing, headers float64 }

func publishes(window time.Duration) int64 { return int64(rate * window.Seconds()) }

func polls(interval time.Duration) func(time.Duration) int64 {
	return func(window time.Duration) int64 { return int64(clients * window / interval) }
}

// push waits only for the server and the kernel.
func push(typical time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration {
		return time.Duration(float64(typical) * math.Exp(0.6*r.NormFloat64()))
	}
}

// poll also waits for the client's next poll.
func poll(interval, typical time.Duration) func(*rand.Rand) time.Duration {
	serve := push(typical)
	return func(r *rand.Rand) time.Duration {
		return time.Duration(r.Float64()*float64(interval)) + serve(r)
	}
}

// longPoll waits during the re-poll gap, unless a poll is pending.
func longPoll(gap, typical time.Duration) func(*rand.Rand) time.Duration {
	serve, late := push(typical), poll(gap, typical)
	busy := rate * gap.Seconds()
	pending := math.Exp(-busy) / (busy + math.Exp(-busy))
	return func(r *rand.Rand) time.Duration {
		if r.Float64() < pending {
			return serve(r)
		}
		return late(r)
	}
}

// pushed are the predictions for a stream.
var pushed = []results.Prediction{
	{Metric: metric.P50, Value: 10, Formula: "d"},
	{Metric: metric.P99, Value: 10, Formula: "d"},
	{Metric: metric.RequestsPerMessage, Value: 0, Formula: "0"},
}

var models = map[string]model{
	transports.ShortPoll: {
		wait: poll(pollInterval, 500*time.Microsecond), cycles: polls(pollInterval),
		predicted: []results.Prediction{
			{Metric: metric.P50, Value: 510, Formula: "d + T/2"},
			{Metric: metric.P99, Value: 1000, Formula: "d + 0.99 T"},
			{Metric: metric.RequestsPerMessage, Value: 0.01, Formula: "1/(λT)"},
		},
		requests: 0.0101, batch: 99, polls: true,
		up: parts{headers: 1.6}, down: parts{payload, 41, 0, 1.4},
		server: 1100 * time.Nanosecond, generator: 2300 * time.Nanosecond, memory: [2]int64{1900, 5200},
		ready: 41 * time.Millisecond, trips: 2, hello: [2]int64{162, 214},
	},
	transports.LongPoll: {
		wait: longPoll(2*delay, 400*time.Microsecond), cycles: polls(20 * time.Millisecond),
		predicted: []results.Prediction{
			{Metric: metric.P50, Value: 19.3, Formula: "d + R (q − p0)/(1 − p0)"},
			{Metric: metric.P99, Value: 29.8, Formula: "d + R (q − p0)/(1 − p0)"},
			{Metric: metric.RequestsPerMessage, Value: 0.468, Formula: "1/(λR + e^(−λR))"},
			{Metric: metric.MessagesPerBatch, Value: 2.135, Formula: "λR + e^(−λR)"},
		},
		requests: 0.47, batch: 2.13, empty: 0.002, polls: true,
		up: parts{headers: 76}, down: parts{payload, 58, 0, 66},
		server: 9800 * time.Nanosecond, generator: 8700 * time.Nanosecond, memory: [2]int64{3400, 6100},
		ready: 41 * time.Millisecond, trips: 2, hello: [2]int64{169, 214},
	},
	transports.SSE: {
		wait: push(350 * time.Microsecond), cycles: publishes,
		predicted: pushed,
		requests:  0, batch: 1.02,
		up: parts{}, down: parts{payload, 79, 41, 0},
		server: 6100 * time.Nanosecond, generator: 5200 * time.Nanosecond, memory: [2]int64{2600, 6000},
		ready: 42 * time.Millisecond, trips: 2, hello: [2]int64{171, 296},
	},
	transports.WebSocket: {
		wait: push(340 * time.Microsecond), cycles: publishes,
		predicted: pushed,
		requests:  0, batch: 1.02,
		up: parts{}, down: parts{payload, 79, 4, 0},
		server: 4900 * time.Nanosecond, generator: 4600 * time.Nanosecond, memory: [2]int64{9800, 7300},
		ready: 43 * time.Millisecond, trips: 2, hello: [2]int64{224, 312},
	},
}

// A trial is one draw from a model.
type trial struct {
	model  model
	random *rand.Rand
	window time.Duration
	factor float64 // how loaded the machine was during this trial
	slices []slice
}

// A slice is one second of a trial.
type slice struct {
	latency   results.Histogram
	published int64
	delivered int64
}

// run draws the values of the trial, in this order.
func (t *trial) run(done *results.Trial) {
	published := publishes(t.window)
	expected := published * clients
	done.Status = results.Complete
	done.Took = 3*time.Second + warmup + t.window + drain
	done.Latency = results.Latency{Histogram: t.deliver(published), Independent: t.model.cycles(t.window)}
	done.Publishes = results.Publishes{
		Planned: published, OnTime: published, Sent: published, Acknowledged: published, LateAfter: time.Millisecond,
		Lateness: t.few(published, 15*time.Microsecond),
	}
	done.Ledger = results.Ledger{Expected: expected, Delivered: expected, Received: expected}
	done.Ack = results.Latency{Histogram: t.few(published, 300*time.Microsecond), Independent: published}
	done.Connect = t.connect()
	done.Cost = t.cost(expected)
	done.Predicted = t.model.predicted
	done.Checks = []results.ValidityCheck{
		{Name: "ledger", Passed: true, Detail: "all sums are exact"},
		{Name: "pacing", Passed: true, Detail: "send lateness p99 0.04 ms, at most 1 ms allowed"},
		{Name: "generator", Passed: true, Detail: "38 % of its core, at most 80 % allowed"},
	}
}

// deliver draws all deliveries, and counts each in its second.
func (t *trial) deliver(published int64) results.Histogram {
	seconds := int(t.window/time.Second) + int(warmup/time.Second) + 2
	t.slices = make([]slice, seconds)
	var all results.Histogram
	for i := -int64(rate * warmup.Seconds()); i < published; i++ {
		due := time.Duration(float64(i) / rate * float64(time.Second))
		t.slices[int((due+warmup)/time.Second)].published++
		for range clients {
			l := time.Duration(float64(delay) + t.factor*float64(t.model.wait(t.random)))
			s := &t.slices[int((due+warmup+l)/time.Second)]
			s.delivered++
			if due >= 0 {
				s.latency.Record(l)
				all.Record(l)
			}
		}
	}
	return all
}

// few draws n short durations.
func (t *trial) few(n int64, typical time.Duration) (h results.Histogram) {
	draw := push(typical)
	for range n {
		h.Record(draw(t.random))
	}
	return h
}

func (t *trial) connect() results.Connect {
	c := results.Connect{
		Clients: clients, Took: 400 * time.Millisecond, RoundTrips: t.model.trips, Dials: clients,
		BytesUp: clients * t.model.hello[0], BytesDown: clients * t.model.hello[1],
	}
	var tcp, answer, ready results.Histogram
	for range clients {
		a := 2*delay + push(120*time.Microsecond)(t.random)
		b := a + 2*delay + push(t.model.ready-4*delay+300*time.Microsecond)(t.random)
		tcp.Record(a)
		answer.Record(b - a)
		ready.Record(b + push(30*time.Microsecond)(t.random))
	}
	c.Stages = map[string]results.Histogram{"tcp": tcp, "response": answer, "ready": ready}
	return c
}

func (t *trial) cost(delivered int64) results.Cost {
	n := float64(delivered)
	w := results.Wire{
		Up: t.model.up.bytes(n), Down: t.model.down.bytes(n),
		Requests: int64(t.model.requests * n), Batches: int64(n / t.model.batch),
	}
	if t.model.polls {
		w.Polls = w.Requests
		w.EmptyResponses = int64(t.model.empty * float64(w.Polls))
	}
	w.Down.Segments = w.Batches + w.Requests
	w.Up.Segments = w.Down.Segments/2 + 1
	return results.Cost{
		Span: t.window, Delivered: delivered, Wire: w,
		Server:    t.process(t.model.server, t.model.memory[0], n),
		Generator: t.process(t.model.generator, t.model.memory[1], n),
		Idle: results.IdleMemory{
			Probes: 1, First: firstIdle, Added: addedIdle, Server: t.resident(t.model.memory[0]), Generator: t.resident(t.model.memory[1]),
		},
	}
}

// The idle clients of a memory probe.
const (
	firstIdle = 1000
	addedIdle = 1000
)

// resident are the sizes of a process with some bytes per client.
func (t *trial) resident(perClient int64) results.ResidentSizes {
	each := int64(float64(perClient) * t.factor)
	const anonymous = base / 4
	return results.ResidentSizes{Resident: base + firstIdle*each, First: anonymous + firstIdle*each, All: anonymous + (firstIdle+addedIdle)*each}
}

// base is the memory of a process without clients, in bytes.
const base = 11 << 20

func (p parts) bytes(n float64) results.Direction {
	d := results.Direction{
		Payload: int64(p.payload * n), Envelope: int64(p.envelope * n),
		Framing: int64(p.framing * n), Headers: int64(p.headers * n),
	}
	d.Bytes = d.Payload + d.Envelope + d.Framing + d.Headers
	return d
}

func (t *trial) process(perMessage time.Duration, memory int64, n float64) results.Process {
	cpu := time.Duration(float64(perMessage) * n * t.factor)
	return results.Process{
		Processes: 1, CPU: cpu, User: cpu / 3, System: cpu - cpu/3,
		MemoryBase: base, MemoryIdle: base + int64(float64(memory)*t.factor)*clients, MemoryPeak: base + 3*memory*clients,
		Goroutines: clients + 9, ContextSwitches: int64(n / 3),
	}
}

func (t *trial) intervals(of results.Trial, at time.Duration) (intervals []results.Interval) {
	for i, s := range t.slices {
		since := time.Duration(i) * time.Second
		intervals = append(intervals, results.Interval{
			Repetition: of.Repetition, Transport: of.Transport, Configuration: of.Configuration, At: at + since,
			Start: since - warmup, Length: time.Second,
			Published: s.published, Delivered: s.delivered, Counted: s.latency.Count(), Latency: s.latency,
		})
	}
	return intervals
}
