package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"pushbench/results"
)

// A shared buffer is written by a command and by what receives its signals.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// command is a command that prints into buffers.
func command(t *testing.T) (c *cobra.Command, stdout, stderr *shared) {
	t.Helper()
	c, stdout, stderr = &cobra.Command{}, &shared{}, &shared{}
	c.SetContext(t.Context())
	c.SetOut(stdout)
	c.SetErr(stderr)
	return c, stdout, stderr
}

// references are named by the folders of their runs.
func references(names ...string) (refs []reference) {
	for _, name := range names {
		refs = append(refs, reference{run: &results.Run{Path: name}})
	}
	return refs
}

// signalled sends this process a signal and waits until the session has it.
func signalled(t *testing.T, s syscall.Signal, has <-chan struct{}) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), s); err != nil {
		t.Fatal(err)
	}
	<-has
}

// The first signal drains the run under way and ends the command: no other reference is
// measured, and those that were not are named.
func TestInterruptedCheckMeasuresNothingMore(t *testing.T) {
	for _, sent := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		ownLock(t)
		c, _, stderr := command(t)
		var measured []string
		err := checkEach(c, references("a", "b", "c", "d"), func(s *session, ref reference) error {
			measured = append(measured, ref.run.Path)
			if !locked(t) {
				t.Errorf("%s: the lock was given back", ref.run.Path)
			}
			if ref.run.Path != "b" {
				return nil
			}
			signalled(t, sent, s.drain.Done())
			if s.abort.Err() != nil {
				t.Errorf("one %v stops at once", sent)
			}
			return &exitError{exitInterrupted, errors.New("the run is PARTIAL")}
		})
		if want := []string{"a", "b"}; !slices.Equal(measured, want) {
			t.Errorf("%v: measured %v, want %v", sent, measured, want)
		}
		want := "b: the run is PARTIAL\nc: not measured: interrupted\nd: not measured: interrupted"
		if fmt.Sprint(err) != want || exitCode(err) != exitInterrupted {
			t.Errorf("%v: exit code %d, want %d; error:\n%v\nwant:\n%s", sent, exitCode(err), exitInterrupted, err, want)
		}
		if n := strings.Count(stderr.String(), "interrupted: draining"); n != 1 {
			t.Errorf("%v: reported %d times: %s", sent, n, stderr)
		}
		if locked(t) {
			t.Errorf("%v: the lock is still held", sent)
		}
	}
}

// The second signal stops the run under way, whichever reference it is of.
func TestSecondInterruptStopsACheckAtOnce(t *testing.T) {
	ownLock(t)
	c, _, _ := command(t)
	runs := 0
	err := checkEach(c, references("a", "b"), func(s *session, _ reference) error {
		runs++
		signalled(t, syscall.SIGINT, s.drain.Done())
		signalled(t, syscall.SIGINT, s.abort.Done())
		return s.interrupted()
	})
	if runs != 1 || exitCode(err) != exitInterrupted {
		t.Errorf("%d runs, exit code %d (%v); want 1 and %d", runs, exitCode(err), err, exitInterrupted)
	}
}

// Each reference that does not pass has a line, and none hides another.
func TestCheckNamesEveryFailure(t *testing.T) {
	ownLock(t)
	c, _, _ := command(t)
	outcomes := map[string]error{
		"fits":   nil,
		"large":  usageError("1002 open files"),
		"late":   &exitError{exitInvalid, errors.New("the run is INVALID")},
		"slower": &exitError{exitBroken, errors.New("first line\nsecond line")},
		"noisy":  &exitError{exitInconclusive, errors.New("undecided")},
	}
	err := checkEach(c, references("fits", "large", "late", "slower", "noisy"), func(_ *session, ref reference) error { return outcomes[ref.run.Path] })
	want := "large: 1002 open files\nlate: the run is INVALID\nslower: first line; second line\nnoisy: undecided"
	if fmt.Sprint(err) != want || exitCode(err) != exitBroken {
		t.Errorf("exit code %d, want %d; error:\n%v\nwant:\n%s", exitCode(err), exitBroken, err, want)
	}
}
