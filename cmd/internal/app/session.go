package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"pushbench/bench/host"
	"pushbench/scenarios"
)

// A Session spans all runs of a measuring command. It holds the machine's lock, so that no other
// command measures between two of its runs, and receives the signals, so that Ctrl-C ends the
// command and not only the current run.
type Session struct {
	Env
	Drain context.Context // done after the first of EndSignals: drain the current run, start no other
	abort context.Context // done after the second: stop immediately
	atEnd []func()        // what to do at the end, the last first
}

// end ends the session.
func (s *Session) end() {
	for _, one := range slices.Backward(s.atEnd) {
		one()
	}
}

// EndSignals returns the signals that end a command in an orderly way: Ctrl-C and Ctrl-\, for which Go would print all
// goroutines, the request of a supervisor, and the end of the terminal unless it is to be ignored (nohup).
func EndSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// InSession calls work in a session.
func (e Env) InSession(ctx context.Context, work func(*Session) error) error {
	return e.inSession(ctx, lockMachine, work)
}

// noLock is the lock of a session whose measurements are made by agents.
func noLock() (unlock func(), err error) { return func() {}, nil }

// inSession calls work in a session with a lock.
func (e Env) inSession(ctx context.Context, lock func() (func(), error), work func(*Session) error) error {
	if err := host.Ready(); err != nil {
		return &Error{Invalid, err}
	}
	unlock, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	abort, stop := context.WithCancel(ctx)
	drain, end := context.WithCancel(abort)
	broken := make(chan os.Signal, 1) // unread: a reader of the progress that ends does not end the run
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, EndSignals()...)
	var watching sync.WaitGroup
	watching.Go(func() { e.watch(abort, signals, end, stop) })
	defer watching.Wait()
	defer stop()
	defer signal.Stop(signals)
	s := &Session{Env: e, Drain: drain, abort: abort}
	defer s.end()
	return work(s)
}

// watch calls end at the first signal and stop at the second, until abort is done.
func (e Env) watch(abort context.Context, signals <-chan os.Signal, end, stop func()) {
	for draining := false; ; {
		select {
		case s := <-signals:
			switch {
			case !draining:
				fmt.Fprintln(e.Err, "\ninterrupted: draining (Ctrl-C again to stop immediately)")
				draining = true
				end()
			case s != syscall.SIGHUP: // of a closed terminal both the shell and the kernel send one
				stop()
				return
			}
		case <-abort.Done():
			return
		}
	}
}

// errInterrupted is the error of a measurement that a signal ended or prevented.
var errInterrupted = &Error{Interrupted, errors.New("interrupted")}

// Interrupted returns an error after the first signal.
func (s *Session) Interrupted() error {
	if s.Drain.Err() == nil {
		return nil
	}
	return errInterrupted
}

// insideVariable is set in a process that runInUserNamespace has started.
const insideVariable = "PUSHBENCH_USER_NAMESPACE"

// InUserNamespace reports whether this is the second process of a command line: see
// reexecInUserNamespace.
func InUserNamespace() bool { return os.Getenv(insideVariable) != "" }

// reexecInUserNamespace runs the command line in a second process in a new user namespace, if this
// process cannot create the scenario's packet link. Its error is then ErrReported with the code of
// that process; nil if the command can continue in this process.
func (e Env) reexecInUserNamespace(s *scenarios.Scenario) error {
	denied := canLink(s)
	if denied == nil {
		return nil
	}
	err, unavailable := e.runInUserNamespace()
	if unavailable != nil {
		return Usagef("network.link: packets: %w (and not in a user namespace: %w)", denied, unavailable)
	}
	return err
}
