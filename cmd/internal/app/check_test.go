package app

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"pushbench/results"
	"pushbench/scenarios"
)

// A shared buffer is written by a command and by its signal handler.
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

// references returns a reference for each folder name.
func references(names ...string) (refs []reference) {
	for _, name := range names {
		refs = append(refs, reference{run: &results.Run{Path: name}})
	}
	return refs
}

// signalled sends this process a signal and waits until the session has received it.
func signalled(t *testing.T, s syscall.Signal, has <-chan struct{}) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), s); err != nil {
		t.Fatal(err)
	}
	<-has
}

// The first signal drains the current run and ends the command. The error names the references
// that were not measured.
func TestInterruptedCheckSkipsTheRest(t *testing.T) {
	for _, sent := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		ownLock(t)
		stderr := &shared{}
		e := Env{Err: stderr}
		var measured []string
		err := e.checkEach(t.Context(), references("a", "b", "c", "d"), func(s *Session, ref reference) error {
			measured = append(measured, ref.run.Path)
			if !locked(t) {
				t.Errorf("%s: the lock was released", ref.run.Path)
			}
			if ref.run.Path != "b" {
				return nil
			}
			signalled(t, sent, s.Drain.Done())
			if s.abort.Err() != nil {
				t.Errorf("one %v stops immediately", sent)
			}
			return &Error{Interrupted, errors.New("the run is INTERRUPTED")}
		})
		if want := []string{"a", "b"}; !slices.Equal(measured, want) {
			t.Errorf("%v: measured %v, want %v", sent, measured, want)
		}
		want := "b: the run is INTERRUPTED\nc: not measured: interrupted\nd: not measured: interrupted"
		if fmt.Sprint(err) != want || CodeOf(err) != Interrupted {
			t.Errorf("%v: exit code %d, want %d; error:\n%v\nwant:\n%s", sent, CodeOf(err), Interrupted, err, want)
		}
		if n := strings.Count(stderr.String(), "interrupted: draining"); n != 1 {
			t.Errorf("%v: reported %d times: %s", sent, n, stderr)
		}
		if locked(t) {
			t.Errorf("%v: the lock is still held", sent)
		}
	}
}

// The second signal stops the current run.
func TestSecondInterruptStopsACheckImmediately(t *testing.T) {
	ownLock(t)
	runs := 0
	err := Env{Err: &shared{}}.checkEach(t.Context(), references("a", "b"), func(s *Session, _ reference) error {
		runs++
		signalled(t, syscall.SIGINT, s.Drain.Done())
		signalled(t, syscall.SIGINT, s.abort.Done())
		return s.Interrupted()
	})
	if runs != 1 || CodeOf(err) != Interrupted {
		t.Errorf("%d runs, exit code %d (%v); want 1 and %d", runs, CodeOf(err), err, Interrupted)
	}
}

// Each reference that does not pass has a line of the error.
func TestCheckNamesEveryFailure(t *testing.T) {
	ownLock(t)
	outcomes := map[string]error{
		"fits":   nil,
		"large":  Usagef("1002 open files"),
		"late":   &Error{Invalid, errors.New("the run is INVALID")},
		"slower": &Error{Failed, errors.New("first line\nsecond line")},
		"noisy":  &Error{Inconclusive, errors.New("undecided")},
	}
	err := Env{Err: &shared{}}.checkEach(t.Context(), references("fits", "large", "late", "slower", "noisy"), func(_ *Session, ref reference) error { return outcomes[ref.run.Path] })
	want := "large: 1002 open files\nlate: the run is INVALID\nslower: first line; second line\nnoisy: undecided"
	if fmt.Sprint(err) != want || CodeOf(err) != Failed {
		t.Errorf("exit code %d, want %d; error:\n%v\nwant:\n%s", CodeOf(err), Failed, err, want)
	}
}

// A reference is measured with the target files that are given, or with those of TargetsFolder that it names. A
// target file starts programs: no other is read because a folder names it.
func TestReferenceFindsItsTargetFiles(t *testing.T) {
	small, err := filepath.Abs(filepath.Join("testdata", "small.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	shipped := TargetsFolder + "/mine/target.yaml"
	if err := os.MkdirAll(filepath.Dir(shipped), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, name := range map[string]string{shipped: "mine", TargetsFolder + "/other.yaml": "other", "mine.yaml": "mine", "moved.yaml": "mine", "other.yaml": "other"} {
		text := "version: 1\nname: " + name + "\nurl: http://127.0.0.1:1\ntransports: {sse: {path: '/{topic}'}}\npublish: {post: '/{topic}'}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		named string
		given []string
		file  string // of the target mine
		err   string
	}{
		{named: shipped, file: "target.yaml"},
		{named: "mine.yaml", err: "to start that, give it with --target mine.yaml"},
		{named: "runs/a/mine.yaml", err: "give it with --target runs/a/mine.yaml"},
		{named: "/mine.yaml", err: "give it with --target /mine.yaml"},
		{named: TargetsFolder + "/../../mine.yaml", err: "to start that, give it with --target"},
		{named: "mine.yaml", given: []string{"mine.yaml"}, file: "mine.yaml"},
		{named: "gone.yaml", given: []string{"other.yaml", "moved.yaml"}, file: "moved.yaml"},
		{named: TargetsFolder + "/gone.yaml", err: "its target file servers/foreign/gone.yaml is not here"},
		{named: TargetsFolder + "/other.yaml", err: "its target file servers/foreign/other.yaml is not here"},
		{err: "names no target file; give it with --target"},
		{given: []string{"gone.yaml"}, err: "gone.yaml: does not exist"},
	} {
		s, err := scenarios.Load(small)
		if err != nil {
			t.Fatal(err)
		}
		s.Sweep.Target = []scenarios.TargetName{"mine", scenarios.ReferenceTarget}
		ref := reference{run: &results.Run{Path: "runs/a"}, scenario: s}
		if c.named != "" {
			ref.run.Manifest.Targets = []results.Target{{Name: "mine", File: c.named}}
		}
		err = ref.loadTargets(c.given)
		switch {
		case c.err != "":
			if CodeOf(err) != Usage || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v: exit code %d, %v", c, CodeOf(err), err)
			}
		case err != nil || filepath.Base(s.Targets["mine"].Path) != c.file || len(s.Sweep.Target) != 2:
			t.Errorf("%+v: %+v, %v", c, s.Targets, err)
		}
	}
}
