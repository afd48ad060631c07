package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The end of the terminal, unless it is to be ignored, and Ctrl-\ drain a run as SIGTERM does.
func TestSignalsOfTheTerminalDrain(t *testing.T) {
	ownLock(t)
	for _, end := range []syscall.Signal{syscall.SIGHUP, syscall.SIGQUIT} {
		handled := make(chan os.Signal, 1) // also where the tests were started by nohup
		signal.Notify(handled, end)
		defer signal.Stop(handled)
		err := Env{Err: io.Discard}.InSession(t.Context(), func(s *Session) error {
			if !slices.Contains(EndSignals(), os.Signal(end)) {
				return errors.New("is not handled")
			}
			if err := syscall.Kill(os.Getpid(), end); err != nil {
				return err
			}
			<-s.Drain.Done()
			return s.Interrupted()
		})
		if CodeOf(err) != Interrupted {
			t.Errorf("%v: got %v, want %v", end, err, errInterrupted)
		}
	}

	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	if slices.Contains(EndSignals(), os.Signal(syscall.SIGHUP)) {
		t.Error("a signal that nohup ignores would end the command")
	}
}

// standardError is what os.Stderr is outside of tests: package testing may replace it.
var standardError = os.NewFile(2, "stderr")

// What reads the progress, such as head, may end before the run. Without the session, the write would end this process.
func TestEndedReaderDoesNotEndTheRun(t *testing.T) {
	ownLock(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	const stderr = 2
	terminal, err := unix.Dup(stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(terminal)
	err = Env{Err: standardError}.InSession(t.Context(), func(s *Session) error {
		if err := unix.Dup2(int(w.Fd()), stderr); err != nil {
			return err
		}
		_, written := s.Err.Write([]byte("progress\n"))
		if err := unix.Dup2(terminal, stderr); err != nil {
			return err
		}
		if !errors.Is(written, syscall.EPIPE) {
			t.Errorf("the write to a closed pipe: %v, want %v", written, syscall.EPIPE)
		}
		return s.Interrupted()
	})
	if err != nil {
		t.Error(err)
	}
}

// A closed terminal may send several: only another signal stops at once.
func TestRepeatedHangUpDoesNotStopAtOnce(t *testing.T) {
	abort, stop := context.WithCancel(t.Context())
	signals := make(chan os.Signal)
	ended, stopped := 0, 0
	done := make(chan struct{})
	var stderr bytes.Buffer
	go func() {
		defer close(done)
		Env{Err: &stderr}.watch(abort, signals, func() { ended++ }, func() { stopped = ended; stop() })
	}()
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGHUP, syscall.SIGHUP} {
		signals <- s // the one before has been handled
	}
	select {
	case <-abort.Done():
		t.Error("a repeated SIGHUP stopped at once")
	default:
	}
	signals <- syscall.SIGTERM
	<-done
	if ended != 1 || stopped != 1 || bytes.Count(stderr.Bytes(), []byte("draining")) != 1 {
		t.Errorf("drained %d times, stopped %d times; want once each: %s", ended, stopped, stderr.String())
	}
}
