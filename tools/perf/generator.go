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
		return generator(ctx, command, echoScenario, func(c results.Cost) float64 {
			return float64(c.Generator.CPU) / float64(time.Microsecond) / float64(c.Delivered)
		})
	}
}

// generatorMemory measures the memory of an idle client in our generator.
func generatorMemory(command, transport string) row {
	return row{
		name: "Generator memory of an idle client: " + transport, unit: "KB per client", load: idleLoad,
		sides: []side{{name: ownSide, bar: 1.5, once: func(ctx context.Context) (float64, error) {
			return generator(ctx, command, fmt.Sprintf(idleScenario, transport), func(c results.Cost) float64 {
				return float64(c.Generator.MemoryIdle-c.Generator.MemoryBase) / 10_000 / 1000
			})
		}}},
	}
}

// generator runs a scenario of one trial and computes a value from its cost.
func generator(ctx context.Context, command, scenario string, valueOf func(results.Cost) float64) (float64, error) {
	dir, err := os.MkdirTemp("", "perf")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	file, out := filepath.Join(dir, "scenario.yaml"), filepath.Join(dir, "run")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		return 0, err
	}
	// An exit code other than 0 is not a failure if there is a run: some rows load the
	// generator beyond the limit of a trial.
	_, ran := output(ctx, command, "run", file, "--out", out)
	run, err := results.Open(out)
	if err != nil && ran != nil {
		err = ran
	}
	if err != nil {
		return 0, errors.New(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")) // the folder is deleted when this error is read
	}
	if len(run.Trials) == 0 {
		return 0, errors.New("the run has no trial")
	}
	return valueOf(run.Trials[len(run.Trials)-1].Cost), nil // the last: it replaces disturbed ones
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
