//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/bench/cost"
	"pushbench/results"
)

// rows are all comparisons.
func rows(command string) []row {
	socket, poll := ours(command, "websocket"), ours(command, "longpoll")
	fanOut := load{subscribers: 1024, messages: 250, every: 20 * time.Millisecond}
	parked := load{subscribers: 1024, messages: 100, every: 50 * time.Millisecond}
	busy := load{subscribers: 64, messages: 5000, every: time.Millisecond}
	slowly := load{subscribers: 1000, messages: 250, every: 20 * time.Millisecond}
	beside := func(mine side, others ...side) []side { return append([]side{mine}, others...) }
	all := []row{
		{
			name: "Server CPU of a WebSocket delivery", unit: "µs", load: fanOut.String() + " of 64 B, flush 0",
			sides: beside(side{name: "pushbench", once: fanOut.cpu(socket)},
				side{name: "floor: a bare write to each", once: fanOut.cpu(bare)},
				side{name: "nchan", missing: missingNchan(), once: fanOut.cpu(nchan("websocket"))}),
			bars: map[string]float64{"floor: a bare write to each": 1.15, "nchan": 0.95},
		},
		{
			name: "From publishing to the last of 1,024 WebSocket subscribers", unit: "ms at p50", load: fanOut.String() + " of 64 B, flush 0",
			sides: beside(side{name: "pushbench", once: fanOut.last(socket)},
				side{name: "floor: a bare write to each", once: fanOut.last(bare)},
				side{name: "nchan", missing: missingNchan(), once: fanOut.last(nchan("websocket"))}),
			bars: map[string]float64{"nchan": 0.9},
		},
		{
			name: "Server CPU of a long-poll delivery with its re-poll", unit: "µs", load: parked.String() + " of 64 B",
			sides: beside(side{name: "pushbench", once: parked.cpu(poll)},
				side{name: "nchan", missing: missingNchan(), once: parked.cpu(nchan("longpoll"))}),
			bars: map[string]float64{"nchan": 0.9},
		},
		{
			name: "Server CPU of a WebSocket delivery, held for 5 ms", unit: "µs", load: busy.String() + " of 64 B",
			sides: beside(side{name: "flush 5ms", once: busy.cpu(ours(command, "websocket", "--flush", "5ms"))},
				side{name: "flush 0", once: busy.cpu(socket)}),
			bars: map[string]float64{"flush 0": 0.35},
		},
		{
			name: "Generator CPU of a poll", unit: "µs", load: "64 keep-alive connections, answered 204, offered at the rate that wrk reaches with one thread",
			sides: pollers(command),
			bars:  map[string]float64{"wrk": 1},
		},
	}
	all = append(all, growth(command), row{
		name: "Generator CPU of a WebSocket echo", unit: "µs", load: "64 connections, a publication of 64 B every 8 ms on each, acknowledged and delivered to who sent it, every sample recorded",
		sides: []side{{name: "pushbench", once: func() (float64, error) {
			return generator(command, echoScenario, func(c results.Cost) float64 {
				return float64(c.Generator.CPU) / float64(time.Microsecond) / float64(c.Delivered)
			})
		}}, {name: "k6", missing: missingK6(), once: func() (float64, error) { return k6Echo(command) }}},
		bars: map[string]float64{"k6": 0.35},
	}, row{
		name: "Recording a delivery (look-up, ledger, histogram)", unit: "ns", load: "BenchmarkDeliver of bench/record; it fails if one allocates", most: "100 ns",
		sides: []side{{name: "pushbench", once: recording}},
	}, row{
		name: "From publishing to the last of 1,000 WebSocket subscribers, beside 50 that read nothing", unit: "ms at p99", load: slowly.String() + " of 64 B; the 50 are owed more than their sockets take",
		sides: beside(side{name: "with them", once: slowly.beside(50, ours(command, "websocket", "--slow-consumer", "gap"))},
			side{name: "without", once: slowly.beside(0, ours(command, "websocket", "--slow-consumer", "gap"))}),
	})
	for transport, most := range map[string]string{"websocket": "6.5 KB", "sse": "2.5 KB", "longpoll": "2.5 KB"} {
		all = append(all, row{
			name: "Server memory of an idle client: " + transport, unit: "KB", load: "10,000 clients that only wait, resident", most: most,
			sides: beside(side{name: "pushbench, before any collection", once: idle(ours(command, transport), false)},
				side{name: "pushbench, after one", once: idle(ours(command, transport), true)},
				side{name: "nchan", missing: missingNchan(), once: idle(nchan(map[string]string{"sse": "eventsource"}[transport]+strings.TrimPrefix(transport, "sse")), false)}),
		}, row{
			name: "Generator memory of an idle client: " + transport, unit: "KB", load: "10,000 clients that only wait, resident", most: "1.5 KB",
			sides: []side{{name: "pushbench", once: func() (float64, error) {
				return generator(command, fmt.Sprintf(idleScenario, transport), func(c results.Cost) float64 {
					return float64(c.Generator.MemoryIdle-c.Generator.MemoryBase) / 10_000 / 1000
				})
			}}},
		})
	}
	slices.SortStableFunc(all, func(a, b row) int { return strings.Compare(a.group(), b.group()) })
	return all
}

// group keeps rows of one kind together.
func (r row) group() string {
	kind, _, _ := strings.Cut(r.name, ":")
	if kind == r.name {
		return "" // as they stand, before the others
	}
	return r.name
}

// growth is what a delivery costs among many subscribers, of what it costs among few.
func growth(command string) row {
	few := load{subscribers: 1000, messages: 100, every: 20 * time.Millisecond}
	many := load{subscribers: 14_000, messages: 20, every: 250 * time.Millisecond}
	of := func(launch launcher) func() (float64, error) {
		return func() (float64, error) {
			alone, err := few.cpu(launch)()
			if err != nil {
				return 0, err
			}
			among, err := many.cpu(launch)()
			return among / alone, err
		}
	}
	return row{
		name: "Growth of the server CPU of a WebSocket delivery from 1,000 to 14,000 subscribers", unit: "times", load: few.String() + "; " + many.String(),
		sides: []side{{name: "pushbench", once: of(ours(command, "websocket"))}, {name: "floor: a bare write to each", once: of(bare)}},
		bars:  map[string]float64{"floor: a bare write to each": 1.15},
	}
}

// recording asks the benchmark.
func recording() (float64, error) {
	said, err := exec.Command("go", "test", "-run", "^$", "-bench", "BenchmarkDeliver$", "-benchmem", "./bench/record").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, said)
	}
	for line := range strings.Lines(string(said)) {
		if f := strings.Fields(line); len(f) == 8 && f[3] == "ns/op" {
			if f[6] != "0" {
				return 0, fmt.Errorf("it allocates: %s", line)
			}
			return strconv.ParseFloat(f[2], 64)
		}
	}
	return 0, fmt.Errorf("no figure in %q", said)
}

// A load is what a crowd is sent.
type load struct {
	subscribers, messages int
	every                 time.Duration
}

func (l load) String() string {
	return fmt.Sprintf("%d subscribers, %d messages at %g/s", l.subscribers, l.messages, 1/l.every.Seconds())
}

// run sends it to a fresh system, after a tenth of it that does not count.
func (l load) run(launch launcher) (s seen, err error) {
	server, err := launch()
	if err != nil {
		return s, err
	}
	defer server.end()
	crowd, err := gather(server.address, server.dialect, l.subscribers)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, crowd.close()) }()
	if _, err := crowd.publish(server.pid, max(1, l.messages/10), l.every); err != nil {
		return s, err
	}
	return crowd.publish(server.pid, l.messages, l.every)
}

// cpu is the server's, in µs a delivery.
func (l load) cpu(launch launcher) func() (float64, error) {
	return func() (float64, error) {
		s, err := l.run(launch)
		return float64(s.cpu) / float64(s.deliveries) / float64(time.Microsecond), err
	}
}

// last is when the last subscriber has a message, in ms, the median of all messages.
func (l load) last(launch launcher) func() (float64, error) {
	return func() (float64, error) {
		s, err := l.run(launch)
		if err != nil {
			return 0, err
		}
		slices.Sort(s.last)
		return s.last[len(s.last)/2], nil
	}
}

// beside is when the last subscriber has a message, in ms, the 99th percentile of all
// messages, while some more subscribers read nothing.
func (l load) beside(deaf int, launch launcher) func() (float64, error) {
	return func() (_ float64, err error) {
		server, err := launch()
		if err != nil {
			return 0, err
		}
		defer server.end()
		crowd, err := gather(server.address, server.dialect, l.subscribers)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, crowd.close()) }()
		if err := crowd.deafen(deaf); err != nil {
			return 0, err
		}
		s, err := crowd.publish(server.pid, l.messages, l.every)
		if err != nil {
			return 0, err
		}
		slices.Sort(s.last)
		return s.last[len(s.last)*99/100], nil
	}
}

// idle is what a client that waits costs a server, in KB.
func idle(launch launcher, collected bool) func() (float64, error) {
	const clients = 10_000
	return func() (_ float64, err error) {
		server, err := launch()
		if err != nil {
			return 0, err
		}
		defer server.end()
		before, err := cost.Memory(server.pid)
		if err != nil {
			return 0, err
		}
		crowd, err := gather(server.address, server.dialect, clients)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, crowd.close()) }()
		if collected {
			if err := server.collect(); err != nil {
				return 0, err
			}
		}
		after, err := cost.Memory(server.pid)
		return float64(after-before) / clients / 1000, err
	}
}

// pollers are our generator and wrk. wrk goes first, and ours at the rate it reached.
func pollers(command string) []side {
	if _, err := exec.LookPath("wrk"); err != nil {
		return []side{{name: "pushbench", missing: "there is nothing to compare with"}, {name: "wrk", missing: "apt-get install wrk"}}
	}
	rate := 0.0
	wrk := func() (cpu float64, err error) {
		cpu, rate, err = wrkPolls(command)
		return cpu, err
	}
	mine := func() (float64, error) {
		if rate == 0 {
			if _, err := wrk(); err != nil {
				return 0, err
			}
		}
		return ourPolls(command, rate)
	}
	return []side{{name: "pushbench", once: mine}, {name: "wrk", once: wrk}}
}

// pollTime is how long each side polls.
const pollTime = 5 * time.Second

// wrkPolls says what a poll costs wrk, in µs, and how many it made a second.
func wrkPolls(command string) (cpu, rate float64, err error) {
	server, err := ours(command, "shortpoll")()
	if err != nil {
		return 0, 0, err
	}
	defer server.end()
	cursor, err := now(server.address)
	if err != nil {
		return 0, 0, err
	}
	p, err := start(loadCore, "wrk", "-t1", "-c64", "-d"+pollTime.String(), "http://"+server.address+"/v1/poll?topic=t&after="+cursor)
	if err != nil {
		return 0, 0, err
	}
	said := &strings.Builder{}
	if _, err := p.out.WriteTo(said); err != nil {
		return 0, 0, err
	}
	if err := p.cmd.Wait(); err != nil {
		return 0, 0, fmt.Errorf("wrk: %w", err)
	}
	var polls float64
	for line := range strings.Lines(said.String()) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[1] == "requests" && fields[2] == "in" {
			polls, err = strconv.ParseFloat(fields[0], 64)
		}
	}
	if err != nil || polls == 0 || strings.Contains(said.String(), "Non-2xx") {
		return 0, 0, fmt.Errorf("wrk says %q", said)
	}
	used := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	return float64(used) / float64(time.Microsecond) / polls, polls / pollTime.Seconds(), nil
}

// now is a cursor of a server with nothing after it.
func now(address string) (string, error) {
	c, err := gather(address, dialect{subscribe: "GET /v1/poll?topic=t HTTP/1.1\r\nHost: " + address + "\r\n\r\n"}, 1)
	if err != nil {
		return "", err
	}
	return between(c.buffer[:], `{"cursor":"`, `"`), c.close()
}

// ourPolls says what a poll costs our generator, in µs, at a rate. It is a run like any,
// with every sample recorded.
func ourPolls(command string, rate float64) (float64, error) {
	interval := max(time.Duration(64/rate*float64(time.Second)).Round(time.Microsecond), time.Millisecond)
	reached := 0.0
	cpu, err := generator(command, fmt.Sprintf(pollScenario, interval, pollTime), func(c results.Cost) float64 {
		reached = float64(c.Wire.Polls) / c.Span.Seconds()
		return float64(c.Generator.CPU) / float64(time.Microsecond) / float64(c.Wire.Polls)
	})
	// wrk, which asks for more as soon as it is answered, saturates the server. Polls that
	// are due while the one before is unanswered are missed, and fewer cost more each.
	if err == nil && reached < 0.6*rate {
		err = fmt.Errorf("polled at %.0f/s, not at %.0f/s", reached, rate)
	}
	return cpu, err
}

// generator runs a scenario of one trial and takes a figure from what it cost.
func generator(command, scenario string, figure func(results.Cost) float64) (float64, error) {
	dir, err := os.MkdirTemp("", "perf")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	file, out := filepath.Join(dir, "scenario.yaml"), filepath.Join(dir, "run")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		return 0, err
	}
	said, ran := exec.Command(command, "run", file, "--out", out).CombinedOutput()
	run, err := results.Open(out)
	if err != nil {
		return 0, fmt.Errorf("%w, %w: %s", ran, err, said)
	}
	return figure(run.Trials[0].Cost), nil
}

const pollScenario = `version: 1
name: polls
transports: [shortpoll]
clients: {count: 64}
publish: {by: backend, rate: 1/s, arrivals: periodic}
payload: {size: 64B}
shortpoll: {interval: %s}
window: %s
blocks: 1
`

const echoScenario = `version: 1
name: echo
transports: [websocket]
clients: {count: 64}
topics: {count: 64}
publish: {by: clients, rate: 8000/s, arrivals: periodic} # each every 8 ms
payload: {size: 64B}
window: 5s
blocks: 1
`

const idleScenario = `version: 1
name: idle
transports: [%s]
clients: {count: 10000}
publish: {by: backend, rate: 1/s, arrivals: periodic}
payload: {size: 64B}
idle: 2s
warmup: 1s
window: 2s
blocks: 1
`
