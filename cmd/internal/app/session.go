package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"pushbench/scenarios"
)

// A Session is a command that measures, from before its first run to after its last. It holds
// the machine's lock, so that no other command measures between two of its runs, and receives
// the signals, so that Ctrl-C ends the command and not only the run under way.
type Session struct {
	Env
	Drain context.Context // ended by the first SIGINT or SIGTERM: drain the run under way, begin no other
	abort context.Context // ended by the second: stop at once
}

// InSession calls work in a session.
func (e Env) InSession(ctx context.Context, work func(*Session) error) error {
	unlock, err := lockMachine()
	if err != nil {
		return err
	}
	defer unlock()
	abort, stop := context.WithCancel(ctx)
	drain, end := context.WithCancel(abort)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var watching sync.WaitGroup
	watching.Go(func() {
		for _, then := range []func(){
			func() { fmt.Fprintln(e.Err, "\ninterrupted: draining; once more stops at once"); end() },
			stop,
		} {
			select {
			case <-signals:
				then()
			case <-abort.Done():
				return
			}
		}
	})
	defer watching.Wait()
	defer stop()
	defer signal.Stop(signals)
	return work(&Session{e, drain, abort})
}

// errInterrupted is of what a signal ended or kept from being measured.
var errInterrupted = &Error{Interrupted, errors.New("interrupted")}

// Interrupted is an error after the first signal.
func (s *Session) Interrupted() error {
	if s.Drain.Err() == nil {
		return nil
	}
	return errInterrupted
}

// insideVariable is set in a process that inUserNamespace has started.
const insideVariable = "PUSHBENCH_USER_NAMESPACE"

// InUserNamespace reports whether this is the second process of a command line: see elsewhere.
func InUserNamespace() bool { return os.Getenv(insideVariable) != "" }

// elsewhere runs the whole command again in a user namespace of its own, where the scenario
// has a link that cannot be made here otherwise. Its error is ErrReported, with the code of that
// process, where it did; nil where the command can go on here.
func (e Env) elsewhere(s *scenarios.Scenario) error {
	refused := canLink(s)
	if refused == nil {
		return nil
	}
	err, why := e.inUserNamespace()
	if why != nil {
		return Usagef("network.link: packets: %w (nor without root: %w)", refused, why)
	}
	return err
}
