//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/cost"
	"pushbench/results"
)

// Names of sides that several rows share.
const (
	ownSide   = "pushbench"
	floorSide = "floor: one write per subscriber"
)

// rows returns all comparisons with their bars.
func rows(command string) []row {
	socket := ours(command, "websocket")
	gaps := ours(command, "websocket", "--slow-consumer", "gap")
	fanOut := load{subscribers: 1024, messages: 250, every: 20 * time.Millisecond}
	busy := load{subscribers: 64, messages: 5000, every: time.Millisecond}
	slow := load{subscribers: 1000, messages: 250, every: 20 * time.Millisecond}
	all := []row{
		{
			name: "Server CPU of a WebSocket delivery", unit: "µs per delivery", load: fanOut.String() + " of 64 B, batching delay 0",
			sides: []side{
				{name: ownSide, once: fanOut.cpu(socket)},
				{name: floorSide, bar: 1.15, once: fanOut.cpu(launchFloor)},
			},
		},
		{
			name: "Time from publication to the last of 1,024 WebSocket subscribers", unit: "ms at p50", load: fanOut.String() + " of 64 B, batching delay 0",
			sides: []side{
				{name: ownSide, once: fanOut.last(socket)},
				{name: floorSide, once: fanOut.last(launchFloor)},
			},
		},
		againstNchan(row{name: "Server CPU of a WebSocket delivery, in a run", unit: "µs per delivery", load: runLoad(50)},
			command, fmt.Sprintf(fanOutScenario, "websocket", 50), 0.95, serverCPU),
		againstNchan(row{name: "Latency of a WebSocket delivery, in a run", unit: "ms at p50", load: runLoad(50)},
			command, fmt.Sprintf(fanOutScenario, "websocket", 50), 0.9, medianLatency),
		againstNchan(row{name: "Server CPU of a long-poll delivery with its re-poll, in a run", unit: "µs per delivery", load: runLoad(20)},
			command, fmt.Sprintf(fanOutScenario, "longpoll", 20), 0.9, serverCPU),
		{
			name: "Server CPU of a WebSocket delivery with a batching delay of 5 ms", unit: "µs per delivery", load: busy.String() + " of 64 B",
			sides: []side{
				{name: "batching delay 5ms", once: busy.cpu(ours(command, "websocket", "--batching-delay", "5ms"))},
				{name: "batching delay 0", bar: 0.35, once: busy.cpu(socket)},
			},
		},
		{
			name: "Generator CPU of a poll", unit: "µs per poll", load: strconv.Itoa(pollConnections) + " keep-alive connections, response 204, at the rate that wrk reaches with one thread",
			sides: pollers(command),
		},
		growth(command),
		{
			name: "Generator CPU of a WebSocket echo", unit: "µs per echo", load: "64 connections, each publishes 64 B every 8 ms, acknowledged and delivered to its sender; every sample recorded",
			sides: []side{
				{name: ownSide, once: ourEcho(command)},
				{name: "k6", bar: 0.35, missing: missingK6(), once: func(ctx context.Context) (float64, error) { return k6Echo(ctx, command) }},
			},
		},
		{
			name: "Recording a delivery (look-up, ledger, histogram)", unit: "ns per delivery", load: "BenchmarkDeliver of bench/record; it fails if a delivery allocates",
			sides: []side{{name: ownSide, bar: 100, once: recording}},
		},
		{
			name: "Time from publication to the last of 1,000 WebSocket subscribers, with 50 stalled ones", unit: "ms at p99", load: slow.String() + " of 64 B; the 50 stalled subscribers expect more than their socket buffers hold",
			sides: []side{
				{name: "with stalled subscribers", once: slow.lastWithStalled(50, gaps)},
				{name: "without stalled subscribers", once: slow.lastWithStalled(0, gaps)},
			},
		},
	}
	for _, transport := range []string{"longpoll", "sse", "websocket"} {
		all = append(all, generatorMemory(command, transport))
	}
	return append(all, serverMemory(command, "longpoll", 2.5), serverMemory(command, "sse", 2.5), serverMemory(command, "websocket", 6.5))
}

// runLoad describes fanOutScenario at a rate.
func runLoad(rate int) string {
	return fmt.Sprintf("pushbench run with 1024 clients, 5 s at %d/s of 64 B, each server in runs of its own", rate)
}

// idleLoad is the load for measuring the memory of an idle client.
const idleLoad = "10,000 idle clients, resident memory"

// serverMemory measures the memory of an idle client in a server.
func serverMemory(command, transport string, bar float64) row {
	return row{
		name: "Server memory of an idle client: " + transport, unit: "KB per client", load: idleLoad,
		sides: []side{
			{name: "pushbench, before garbage collection", bar: bar, once: idle(ours(command, transport), false)},
			{name: "pushbench, after garbage collection", once: idle(ours(command, transport), true)},
			{name: "nchan", once: onTarget(command, "nchan", fmt.Sprintf(idleScenario, transport), func(t results.Trial) float64 { return perIdleClient(t.Cost.Server) })},
		},
	}
}

// growth measures the cost of a delivery with many subscribers relative to few.
func growth(command string) row {
	few := load{subscribers: 1000, messages: 100, every: 20 * time.Millisecond}
	many := load{subscribers: 14_000, messages: 20, every: 250 * time.Millisecond}
	ratio := func(launch launcher) measureFunc {
		return func(ctx context.Context) (float64, error) {
			withFew, err := few.cpu(launch)(ctx)
			if err != nil {
				return 0, err
			}
			withMany, err := many.cpu(launch)(ctx)
			return withMany / withFew, err
		}
	}
	return row{
		name: "Growth of the server CPU of a WebSocket delivery from 1,000 to 14,000 subscribers", unit: "times", load: few.String() + "; " + many.String(),
		sides: []side{{name: ownSide, once: ratio(ours(command, "websocket"))}, {name: floorSide, bar: 1.15, once: ratio(launchFloor)}},
	}
}

// recording runs the benchmark of recording a delivery.
func recording(ctx context.Context) (float64, error) {
	printed, err := output(ctx, "go", "test", "-run", "^$", "-bench", "BenchmarkDeliver$", "-benchmem", "./bench/record")
	if err != nil {
		return 0, err
	}
	return perOperation(printed)
}

// perOperation reads the time per operation in ns from the output of a benchmark. An allocation
// is an error.
func perOperation(printed string) (float64, error) {
	for line := range strings.Lines(printed) {
		if f := strings.Fields(line); len(f) == 8 && f[3] == "ns/op" {
			if f[6] != "0" {
				return 0, fmt.Errorf("an operation allocates %s times", f[6])
			}
			return positive(f[2])
		}
	}
	return 0, fmt.Errorf("the benchmark printed no ns/op, but %q", child.LastLine(printed))
}

// positive parses a finite number above 0.
func positive(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x > 0) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%q is not a number above 0", text)
	}
	return x, nil
}

// A load describes the messages for a group of subscribers.
type load struct {
	subscribers, messages int
	every                 time.Duration
}

func (l load) String() string {
	return fmt.Sprintf("%d subscribers, %d messages at %g/s", l.subscribers, l.messages, 1/l.every.Seconds())
}

// on starts a fresh system and connects subscribers for the duration of work.
func on(ctx context.Context, launch launcher, subscribers int, work func(*system, *subscriberGroup) error) error {
	server, err := launch(ctx)
	if err != nil {
		return err
	}
	defer server.end()
	group, err := connectGroup(ctx, server.address, server.protocol, subscribers)
	if err != nil {
		return err
	}
	return errors.Join(work(server, group), group.close())
}

// run applies the load to a fresh system, after a warm-up with a tenth of the load.
func (l load) run(ctx context.Context, launch launcher) (s delivery, err error) {
	err = on(ctx, launch, l.subscribers, func(server *system, group *subscriberGroup) (err error) {
		if _, err := group.publish(ctx, server.pid, max(1, l.messages/10), l.every); err != nil {
			return err
		}
		s, err = group.publish(ctx, server.pid, l.messages, l.every)
		return err
	})
	return s, err
}

// cpu measures the CPU time of the server, in µs per delivery.
func (l load) cpu(launch launcher) measureFunc {
	return func(ctx context.Context) (float64, error) {
		s, err := l.run(ctx, launch)
		return float64(s.cpu) / float64(s.deliveries) / float64(time.Microsecond), err
	}
}

// last measures the time until the last subscriber has received a message, in ms, as the median
// of all messages.
func (l load) last(launch launcher) measureFunc {
	return func(ctx context.Context) (float64, error) {
		s, err := l.run(ctx, launch)
		if err != nil {
			return 0, err
		}
		slices.Sort(s.last)
		return s.last[len(s.last)/2], nil
	}
}

// lastWithStalled measures the time until the last subscriber has received a message, in ms, as
// the 99th percentile, while additional subscribers do not read.
func (l load) lastWithStalled(stalled int, launch launcher) measureFunc {
	return func(ctx context.Context) (p99 float64, err error) {
		err = on(ctx, launch, l.subscribers, func(server *system, group *subscriberGroup) error {
			if err := group.addStalled(ctx, stalled); err != nil {
				return err
			}
			s, err := group.publish(ctx, server.pid, l.messages, l.every)
			if err != nil {
				return err
			}
			slices.Sort(s.last)
			p99 = s.last[len(s.last)*99/100]
			return nil
		})
		return p99, err
	}
}

// idle measures the memory of an idle client in a server, in KB.
func idle(launch launcher, collected bool) measureFunc {
	return func(ctx context.Context) (kb float64, err error) {
		server, err := launch(ctx)
		if err != nil {
			return 0, err
		}
		defer server.end()
		before, err := cost.Memory(server.pid)
		if err != nil {
			return 0, err
		}
		group, err := connectGroup(ctx, server.address, server.protocol, idleClients)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, group.close()) }()
		if collected {
			if err := server.collect(); err != nil {
				return 0, err
			}
		}
		after, err := cost.Memory(server.pid)
		return float64(after-before) / idleClients / 1000, err
	}
}
