package app

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ownLock gives the test a separate lock, so that it is independent of measurements on this
// machine.
func ownLock(t *testing.T) {
	t.Helper()
	t.Setenv(lockVariable, t.TempDir())
}

// locked reports whether a command holds the lock.
func locked(t *testing.T) bool {
	t.Helper()
	unlock, err := lockMachine()
	if err != nil {
		return true
	}
	unlock()
	return false
}

// What is no folder cannot be locked, and is named. A named pipe is not waited for.
func TestOnlyAFolderIsLocked(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, "/nonexistent", "/dev/null"} {
		t.Setenv(lockVariable, path)
		unlock, err := lockMachine()
		if err == nil {
			unlock()
		}
		if err == nil || CodeOf(err) != Internal || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Neither the temporary folder nor the network namespace of a process changes its lock.
func TestAllProcessesHaveOneLock(t *testing.T) {
	ownLock(t)
	unlock, err := lockMachine()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, folder := range []string{t.TempDir(), "/nonexistent"} {
		t.Setenv("TMPDIR", folder)
		if !locked(t) {
			t.Errorf("with the temporary folder %s, a second command measures", folder)
		}
	}
}

func TestLockIsReleased(t *testing.T) {
	ownLock(t)
	unlock, err := lockMachine()
	if err != nil {
		t.Fatal(err)
	}
	if !locked(t) {
		t.Error("the lock was taken twice")
	}
	unlock()
	if locked(t) {
		t.Error("the lock was not released")
	}
}
