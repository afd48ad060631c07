package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
)

// A session is a command that measures, from before its first run to after its last. It holds
// the machine's lock, so that no other command measures between two of its runs, and receives
// the signals, so that Ctrl-C ends the command and not only the run under way.
type session struct {
	drain context.Context // ended by the first SIGINT or SIGTERM: drain the run under way, begin no other
	abort context.Context // ended by the second: stop at once
}

// inSession calls work in a session.
func inSession(c *cobra.Command, work func(*session) error) error {
	unlock, err := lockMachine()
	if err != nil {
		return err
	}
	defer unlock()
	abort, stop := context.WithCancel(c.Context())
	drain, end := context.WithCancel(abort)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var watching sync.WaitGroup
	watching.Go(func() {
		for _, then := range []func(){
			func() { fmt.Fprintln(c.ErrOrStderr(), "\ninterrupted: draining; once more stops at once"); end() },
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
	return work(&session{drain, abort})
}

// errInterrupted is of what a signal ended or kept from being measured.
var errInterrupted = &exitError{exitInterrupted, errors.New("interrupted")}

// interrupted is errInterrupted after the first signal.
func (s *session) interrupted() error {
	if s.drain.Err() == nil {
		return nil
	}
	return errInterrupted
}
