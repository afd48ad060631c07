package calibrate

import (
	"context"
	"errors"

	"pushbench/bench/child"
	"pushbench/bench/cost"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

// An IdleAccount is the resident memory of a server per idle client in KiB, measured in two
// ways.
type IdleAccount struct {
	PerClient float64 // as in a trial: n clients compared with none
	Slope     float64 // the next n clients: without one-time costs (code paged in, buffers of the runtime)
}

// Idle connects n clients to a server, and then n more.
func Idle(ctx context.Context, engine string, serve ServeCommand, transport scenarios.Transport, n int) (account IdleAccount, err error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeWait)
	defer cancel()
	x := exchange{variant: Variant{transport: transport}, engine: engine, serve: serve}
	if err := x.start(ctx); err != nil {
		return account, err
	}
	defer func() { err = errors.Join(err, x.server.End(child.ExitTimeout)) }()
	defer x.close()
	return perClient(n, func(clients int) (int64, error) {
		if err := x.open(ctx, clients); err != nil {
			return 0, err
		}
		return cost.Memory(x.server.PID())
	})
}

// perClient reads the resident size with no clients, n clients and 2n clients.
func perClient(n int, size func(clients int) (int64, error)) (account IdleAccount, err error) {
	var sizes [3]int64
	for i := range sizes {
		if sizes[i], err = size(i * n); err != nil {
			return account, err
		}
	}
	perClientKiB := func(from, to int64) float64 {
		t := results.Trial{Connect: results.Connect{Clients: int64(n)}}
		t.Cost.Server.MemoryBase, t.Cost.Server.MemoryIdle = from, to
		return summary.Measure(metric.ServerMemoryPerClient, t).X
	}
	return IdleAccount{PerClient: perClientKiB(sizes[0], sizes[1]), Slope: perClientKiB(sizes[1], sizes[2])}, nil
}
