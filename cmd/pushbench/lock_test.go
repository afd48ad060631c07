package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ownLock gives the test a lock of its own, so that it neither waits for a measurement on this
// machine nor keeps one from beginning. It returns the lock's path.
func ownLock(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return filepath.Join(dir, "pushbench.lock")
}

// locked reports whether some command holds the lock.
func locked(t *testing.T) bool {
	t.Helper()
	unlock, err := lockMachine()
	if err != nil {
		return true
	}
	unlock()
	return false
}

const smallScenario = `version: 1
name: small
transports: [shortpoll, sse, websocket]
clients:
  count: 10
publish:
  by: backend
  rate: 40/s
payload:
  size: 64B
warmup: 0s
window: 1s
drain: 5s
idle: 10ms
`

// Every command that measures ends at once where another one does, before it writes anything: with
// the exit code of an invalid measurement, the lock's path and what to do.
func TestBusyLockIsAnInvalidMeasurement(t *testing.T) {
	path := ownLock(t)
	unlock, err := lockMachine()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	scenario, out := filepath.Join(t.TempDir(), "small.yaml"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(scenario, []byte(smallScenario), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"run", scenario, "--out", out},
		{"check", "../../results/reference/chat", "--out", out},
		{"capacity", scenario, "--slo", "p(99) < 1s", "--out", out},
		{"crossover", scenario, "--out", out},
		{"selftest"},
		{"doctor"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
		if said := stderr.String(); code != exitInvalid || !strings.Contains(said, "wait for it to end (lock: "+path+")") {
			t.Errorf("%s: exit code %d, want %d; stderr: %s", args[0], code, exitInvalid, said)
		}
		if _, err := os.Stat(out); err == nil || stdout.Len() > 0 {
			t.Errorf("%s wrote something: %s", args[0], &stdout)
		}
	}
}

func TestLockIsGivenBack(t *testing.T) {
	ownLock(t)
	unlock, err := lockMachine()
	if err != nil {
		t.Fatal(err)
	}
	if !locked(t) {
		t.Error("two hold the lock")
	}
	unlock()
	if locked(t) {
		t.Error("the lock is held by no command, and cannot be taken")
	}
}
