//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pushbench/results"
)

// ourEcho measures the CPU time of an echo in our generator, in µs.
func ourEcho(command string) measureFunc {
	return func(ctx context.Context) (float64, error) {
		t, err := lastTrial(ctx, command, echoScenario)
		return perMessage(t.Cost.Generator.CPU, t.Cost.Delivered), err
	}
}

// perMessage is a CPU time in µs for each of n messages.
func perMessage(cpu time.Duration, n int64) float64 {
	return float64(cpu) / float64(time.Microsecond) / float64(n)
}

// generatorMemory measures the memory of an idle client in our generator.
func generatorMemory(command, transport string) row {
	return row{
		name: "Generator memory of an idle client: " + transport, unit: "KB per client", load: idleLoad,
		sides: []side{{name: ownSide, bar: 1.5, once: func(ctx context.Context) (float64, error) {
			t, err := lastTrial(ctx, command, fmt.Sprintf(idleScenario, transport))
			return perIdleClient(t.Cost.Generator), err
		}}},
	}
}

// perIdleClient is the memory of a process for each client of idleScenario, in KB.
func perIdleClient(p results.Process) float64 {
	return float64(p.MemoryIdle-p.MemoryBase) / idleClients / 1000
}

// onTarget measures a server in a run over a target. A run that loses messages is a failure.
func onTarget(command, target, scenario string, valueOf func(results.Trial) float64) measureFunc {
	return func(ctx context.Context) (float64, error) {
		t, err := lastTrial(ctx, command, scenario, "--target", target)
		if err == nil {
			err = allDelivered(t.Ledger)
		}
		return valueOf(t), err
	}
}

// allDelivered returns an error if messages were lost.
func allDelivered(l results.Ledger) error {
	if l.Delivered == l.Expected {
		return nil
	}
	return notReached(float64(l.Delivered), float64(l.Expected), " deliveries")
}

// againstNchan compares the server of pushbench with nchan, each in runs of one scenario.
func againstNchan(r row, command, scenario string, bar float64, valueOf func(results.Trial) float64) row {
	r.sides = []side{
		{name: ownSide, once: onTarget(command, "reference", scenario, valueOf)},
		{name: "nchan", bar: bar, once: onTarget(command, "nchan", scenario, valueOf)},
	}
	return r
}

// serverCPU is the CPU time of the server, in µs per delivery.
func serverCPU(t results.Trial) float64 { return perMessage(t.Cost.Server.CPU, t.Cost.Delivered) }

// medianLatency is the median latency, in ms.
func medianLatency(t results.Trial) float64 {
	return float64(t.Latency.Histogram.Quantile(0.5)) / float64(time.Millisecond)
}

// lastTrial runs a scenario of one configuration and returns its last trial, which replaces disturbed ones.
func lastTrial(ctx context.Context, command, scenario string, flags ...string) (t results.Trial, err error) {
	dir, err := os.MkdirTemp("", "perf")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	file, out := filepath.Join(dir, "scenario.yaml"), filepath.Join(dir, "run")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		return t, err
	}
	// An exit code other than 0 is not a failure if there is a run: some rows load the
	// generator beyond the limit of a trial.
	_, ran := output(ctx, command, append([]string{"run", file, "--out", out}, flags...)...)
	run, err := results.Open(out)
	if err != nil && ran != nil {
		err = ran
	}
	if err != nil {
		return t, errors.New(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")) // the folder is deleted when this error is read
	}
	if len(run.Trials) == 0 {
		return t, errors.New("the run has no trial")
	}
	return run.Trials[len(run.Trials)-1], nil
}

const echoScenario = `version: 1
name: echo
transports: [websocket]
clients: {count: 64}
topics: {count: 64}
publish: {by: clients, rate: 8000/s, arrivals: periodic} # each client every 8 ms
payload: {size: 64B}
window: 5s
repetitions: 1
`

// idleClients are the clients of idleScenario.
const idleClients = 10_000

const idleScenario = `version: 1
name: idle
transports: [%s]
clients: {count: 10000}
publish: {by: backend, rate: 1/s, arrivals: periodic}
payload: {size: 64B}
idle: 2s
warmup: 1s
window: 2s
repetitions: 1
`

// fanOutScenario has a transport, and how many messages per second 1,024 subscribers receive.
const fanOutScenario = `version: 1
name: fan-out
transports: [%s]
clients: {count: 1024}
publish: {by: backend, rate: %d/s, arrivals: periodic}
payload: {size: 64B}
window: 5s
repetitions: 1
`
