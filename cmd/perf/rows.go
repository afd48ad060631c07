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
			name: "Generator CPU of a poll", unit: "µs", load: "64 keep-alive connections, answered 204, at the rate that wrk reaches with one thread",
			sides: pollers(command),
			bars:  map[string]float64{"wrk": 1},
		},
	}
	for _, transport := range []string{"websocket", "sse", "longpoll"} {
		all = append(all, row{
			name: "Server memory of an idle client: " + transport, unit: "KB", load: "10,000 clients that only wait, resident, before any collection",
			sides: beside(side{name: "pushbench", once: idle(ours(command, transport))},
				side{name: "nchan", missing: missingNchan(), once: idle(nchan(map[string]string{"sse": "eventsource"}[transport] + strings.TrimPrefix(transport, "sse")))}),
		})
	}
	return all
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

// idle is what a client that waits costs a server, in KB.
func idle(launch launcher) func() (float64, error) {
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
	dir, err := os.MkdirTemp("", "perf-polls")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	interval := time.Duration(64 / rate * float64(time.Second)).Round(time.Microsecond)
	scenario := fmt.Sprintf(pollScenario, max(interval, time.Millisecond), pollTime)
	file, out := filepath.Join(dir, "polls.yaml"), filepath.Join(dir, "run")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		return 0, err
	}
	said, ran := exec.Command(command, "run", file, "--out", out).CombinedOutput()
	run, err := results.Open(out)
	if err != nil {
		return 0, fmt.Errorf("%w, %w: %s", ran, err, said)
	}
	c := run.Trials[0].Cost
	if reached := float64(c.Wire.Polls) / c.Span.Seconds(); reached < 0.9*rate { // wrk asks for more only once it is answered; a grid of polls misses some at that rate
		return 0, fmt.Errorf("polled at %.0f/s, not at %.0f/s", reached, rate)
	}
	return float64(c.Generator.CPU) / float64(time.Microsecond) / float64(c.Wire.Polls), nil
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
