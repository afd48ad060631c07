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

// An IdleAccount is what clients that only wait add to a server's resident memory,
// in KiB a client, found in two ways.
type IdleAccount struct {
	Figure float64 // as a trial has it: n clients against none
	Slope  float64 // n more: what first use costs once (code paged in, buffers of the runtime) is not in it
}

// Idle connects n clients to a server, and n more.
func Idle(ctx context.Context, engine string, serve ServeCommand, transport scenarios.Transport, n int) (account IdleAccount, err error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeWait)
	defer cancel()
	x := exchange{way: Way{transport: transport}, engine: engine, serve: serve}
	if err := x.start(ctx); err != nil {
		return account, err
	}
	defer func() { err = errors.Join(err, x.server.End(child.EndWait)) }()
	defer x.close()
	return perClient(n, func(clients int) (int64, error) {
		if err := x.open(ctx, clients); err != nil {
			return 0, err
		}
		return cost.Memory(x.server.PID())
	})
}

// perClient reads the resident size with no clients, with n, and with twice as many.
func perClient(n int, size func(clients int) (int64, error)) (account IdleAccount, err error) {
	var sizes [3]int64
	for i := range sizes {
		if sizes[i], err = size(i * n); err != nil {
			return account, err
		}
	}
	each := func(from, to int64) float64 {
		t := results.Trial{Connect: results.Connect{Clients: int64(n)}}
		t.Cost.Server.MemoryBase, t.Cost.Server.MemoryIdle = from, to
		return summary.Measure(metric.ServerMemoryPerClient, t).X
	}
	return IdleAccount{Figure: each(sizes[0], sizes[1]), Slope: each(sizes[1], sizes[2])}, nil
}
