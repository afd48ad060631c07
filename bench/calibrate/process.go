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
)

// A stub is the child that runs Stub.
type stub struct {
	*child.Process
	answers *json.Decoder
}

// startStub starts a stub by its argument list, and has it say something, so that
// its start is over.
func startStub(argv []string) (*stub, error) {
	p, err := child.Start("stub", argv, child.Options{})
	if err != nil {
		return nil, err
	}
	s := &stub{Process: p, answers: json.NewDecoder(p.Stdout)}
	if _, err := s.order(stubOrder{}); err != nil {
		return nil, errors.Join(err, s.End(child.EndWait))
	}
	return s, nil
}

// order has the stub obey and returns its account.
func (s *stub) order(o stubOrder) (account stubAccount, err error) {
	if err := s.Send(o); err != nil {
		return account, err
	}
	return s.account()
}

func (s *stub) account() (account stubAccount, err error) {
	if err := s.answers.Decode(&account); err != nil {
		if errors.Is(err, io.EOF) {
			<-s.Ended
			return account, errors.New(s.ExitReason())
		}
		return account, fmt.Errorf("read the stub's account: %w", err)
	}
	return account, nil
}

// withStubs runs do beside n stubs, which end with ctx.
func withStubs(ctx context.Context, argv []string, n int, do func([]*stub) ([]Result, error)) (rows []Result, err error) {
	var stubs []*stub
	defer func() {
		for _, s := range stubs {
			err = errors.Join(err, s.End(child.EndWait))
		}
	}()
	for range n {
		s, err := startStub(argv)
		if err != nil {
			return nil, err
		}
		stubs = append(stubs, s)
		stop := context.AfterFunc(ctx, func() { s.Stdin.Close() }) // which is its end
		defer stop()
	}
	return do(stubs)
}

// What a stub burns: what a fifth of a core does in a second, and what may be
// wrong of it, so 0.20 ± 0.01. No wall clock is in it, so a busy machine changes nothing.
const (
	stubBurns   = 200 * time.Millisecond
	stubError   = 10 * time.Millisecond
	stubRepeats = 3
)

// CPU reads from outside what stubs burn that were told how much. The
// argument list starts a process that runs Stub.
func CPU(ctx context.Context, argv []string) ([]Result, error) {
	return withStubs(ctx, argv, 2, func(stubs []*stub) ([]Result, error) {
		one, err := cpuRow("a process that burns 0.2 s, mean of 3", stubs[:1])
		if err != nil {
			return nil, err
		}
		both, err := cpuRow("two at once, together, mean of 3", stubs)
		if err != nil {
			return nil, err
		}
		life, err := lifeRow(stubs[0])
		return []Result{one, both, life}, err
	})
}

// cpuRow has stubs burn at once, and compares the sum of the readings with what they were told.
func cpuRow(what string, stubs []*stub) (Result, error) {
	told := time.Duration(len(stubs)) * stubBurns
	var read time.Duration
	for range stubRepeats {
		spent, err := spentBy(stubs)
		if err != nil {
			return Result{}, err
		}
		read += spent
	}
	return Result{
		What: what, Unit: "s", Expected: told.Seconds(),
		Measured: read.Seconds() / stubRepeats, Tolerance: float64(len(stubs)) * stubError.Seconds(),
	}, nil
}

// spentBy has stubs burn at once, and sums up what is read of them from outside.
func spentBy(stubs []*stub) (time.Duration, error) {
	before, err := cpuOf(stubs)
	if err != nil {
		return 0, err
	}
	for _, s := range stubs {
		if err := s.Send(stubOrder{Burn: stubBurns}); err != nil {
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

// lifeRow compares the whole life of a stub with the kernel's own account of it
// (wait4's rusage), which is known when it has ended.
func lifeRow(s *stub) (Result, error) {
	read, err := cost.Read(s.PID())
	if err != nil {
		return Result{}, err
	}
	if err := s.End(child.EndWait); err != nil {
		return Result{}, err
	}
	known := s.Cmd.ProcessState.UserTime() + s.Cmd.ProcessState.SystemTime()
	return Result{What: "the whole life of one, by its rusage", Unit: "s", Expected: known.Seconds(), Measured: read.CPU.Seconds(), Tolerance: stubError.Seconds()}, nil
}

// What a stub takes for each client that it pretends to have. So many, because
// the stub's own runtime may take a few pages more meanwhile: some 200 KiB were
// seen, which is 0.3 % of all.
const (
	stubClients   = 1000
	stubPerClient = 64 << 10
)

// Memory reads from outside what a stub occupies that was told how much,
// as memory per idle client is read: the figure of a trial, and the slope from
// some clients to twice as many.
func Memory(ctx context.Context, argv []string) ([]Result, error) {
	return withStubs(ctx, argv, 1, func(stubs []*stub) (rows []Result, err error) {
		s := stubs[0]
		account, err := perClient(stubClients, func(clients int) (int64, error) {
			if clients > 0 {
				if _, err := s.order(stubOrder{Touch: stubClients * stubPerClient}); err != nil {
					return 0, err
				}
			}
			return cost.Memory(s.PID())
		})
		if err != nil {
			return nil, err
		}
		const known = stubPerClient / 1024
		rows = append(rows,
			Result{What: "a client that takes 64 KiB, 1,000 clients", Unit: "KiB", Expected: known, Measured: account.Figure, Tolerance: percent(1, known)},
			Result{What: "the same, 1,000 clients more", Unit: "KiB", Expected: known, Measured: account.Slope, Tolerance: percent(1, known)})
		row, err := mappingsRow(s.PID())
		return append(rows, row), err
	})
}
