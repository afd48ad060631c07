package calibrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/cost"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A stub is the child that runs Stub.
type stub struct {
	*child.Process
	replies *json.Decoder
}

// startStub starts a stub by its argument list and waits for its first reply, so that its
// start is complete.
func startStub(argv []string) (*stub, error) {
	p, err := child.Start("stub", argv, child.Options{})
	if err != nil {
		return nil, err
	}
	s := &stub{Process: p, replies: json.NewDecoder(p.Stdout)}
	if _, err := s.request(stubRequest{}); err != nil {
		return nil, errors.Join(err, s.End(child.ExitTimeout))
	}
	return s, nil
}

// request makes the stub execute a request and returns its account.
func (s *stub) request(r stubRequest) (account stubAccount, err error) {
	if err := s.Send(r); err != nil {
		return account, err
	}
	return s.account()
}

func (s *stub) account() (account stubAccount, err error) {
	if err := s.replies.Decode(&account); err != nil {
		if errors.Is(err, io.EOF) {
			<-s.Ended
			return account, errors.New(s.ExitReason())
		}
		return account, fmt.Errorf("read the account of the stub: %w", err)
	}
	return account, nil
}

// withStubs runs do with n stubs, which end with ctx.
func withStubs(ctx context.Context, argv []string, n int, do func([]*stub) ([]Result, error)) (rows []Result, err error) {
	var stubs []*stub
	defer func() {
		for _, s := range stubs {
			err = errors.Join(err, s.End(child.ExitTimeout))
		}
	}()
	for range n {
		s, err := startStub(argv)
		if err != nil {
			return nil, err
		}
		stubs = append(stubs, s)
		stop := context.AfterFunc(ctx, func() { s.Stdin.Close() }) // ends the stub
		defer stop()
	}
	return do(stubs)
}

// The CPU time that a stub uses, and the tolerance: 0.20 ± 0.01 s. The wall clock plays no
// part, so that the load of the machine does not matter.
const (
	stubBurns   = 200 * time.Millisecond
	stubError   = 10 * time.Millisecond
	stubRepeats = 3
)

// CPU compares the CPU time of stubs, read from outside, with the requested time. The
// argument list starts a process that runs Stub.
func CPU(ctx context.Context, argv []string) ([]Result, error) {
	return withStubs(ctx, argv, 2, func(stubs []*stub) ([]Result, error) {
		one, err := cpuRow("one process that uses 0.2 s, mean of 3", stubs[:1])
		if err != nil {
			return nil, err
		}
		both, err := cpuRow("sum of two concurrent processes, mean of 3", stubs)
		if err != nil {
			return nil, err
		}
		life, err := lifeRow(stubs[0])
		return []Result{one, both, life}, err
	})
}

// cpuRow compares the total CPU time of concurrent stubs with the requested time.
func cpuRow(what string, stubs []*stub) (Result, error) {
	ordered := time.Duration(len(stubs)) * stubBurns
	var read time.Duration
	for range stubRepeats {
		spent, err := spentBy(stubs)
		if err != nil {
			return Result{}, err
		}
		read += spent
	}
	return Result{
		What: what, Unit: "s", Expected: ordered.Seconds(),
		Measured: read.Seconds() / stubRepeats, Tolerance: float64(len(stubs)) * stubError.Seconds(),
	}, nil
}

// spentBy makes stubs use CPU time concurrently and returns the total, read from outside.
func spentBy(stubs []*stub) (time.Duration, error) {
	before, err := cpuOf(stubs)
	if err != nil {
		return 0, err
	}
	for _, s := range stubs {
		if err := s.Send(stubRequest{Burn: stubBurns}); err != nil {
			return 0, err
		}
	}
	for _, s := range stubs {
		if _, err := s.account(); err != nil {
			return 0, err
		}
	}
	after, err := cpuOf(stubs)
	return after - before, err
}

func cpuOf(stubs []*stub) (sum time.Duration, err error) {
	for _, s := range stubs {
		usage, err := cost.Read(s.PID())
		if err != nil {
			return 0, err
		}
		sum += usage.CPU
	}
	return sum, nil
}

// lifeRow compares the CPU time of a stub over its whole life with the rusage that the kernel
// reports when it has ended (wait4).
func lifeRow(s *stub) (Result, error) {
	read, err := cost.Read(s.PID())
	if err != nil {
		return Result{}, err
	}
	if err := s.End(child.ExitTimeout); err != nil {
		return Result{}, err
	}
	expected := s.Cmd.ProcessState.UserTime() + s.Cmd.ProcessState.SystemTime()
	return Result{What: "one process over its life, compared with rusage", Unit: "s", Expected: expected.Seconds(), Measured: read.CPU.Seconds(), Tolerance: stubError.Seconds()}, nil
}

// The memory of a stub per simulated client. The number is large because the runtime of the
// stub may allocate a few pages meanwhile: up to 200 KiB were measured, 0.3 % of the total.
const (
	stubClients   = 1000
	stubPerClient = 64 << 10
)

// Memory compares the memory of a stub, read from outside, with the requested amount. It
// computes it like the memory per idle client, of two groups of clients.
func Memory(ctx context.Context, argv []string) ([]Result, error) {
	return withStubs(ctx, argv, 1, func(stubs []*stub) (rows []Result, err error) {
		s := stubs[0]
		before, err := cost.AnonymousMemory(s.PID())
		if err != nil {
			return nil, err
		}
		for _, group := range []string{"1,000 clients", "another 1,000 clients"} {
			if _, err := s.request(stubRequest{Touch: stubClients * stubPerClient}); err != nil {
				return nil, err
			}
			after, err := cost.AnonymousMemory(s.PID())
			if err != nil {
				return nil, err
			}
			const expected = stubPerClient / 1024
			rows = append(rows, Result{What: "64 KiB per client, " + group, Unit: "KiB", Expected: expected, Measured: stubSlope(before, after), Tolerance: percent(1, expected)})
			before = after
		}
		row, err := mappingsRow(s.PID())
		return append(rows, row), err
	})
}

// stubSlope is the metric of a server that grows by a group of clients, in KiB.
func stubSlope(before, after int64) float64 {
	idle := results.IdleMemory{Probes: 1, Added: stubClients, Server: results.ResidentSizes{First: before, All: after}}
	return summary.Measure(metric.ServerMemoryPerClient, results.Trial{Cost: results.Cost{Idle: idle}}).X
}
