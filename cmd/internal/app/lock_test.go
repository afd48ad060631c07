package app

import (
	"path/filepath"
	"testing"
)

// ownLock gives the test a separate lock, so that it is independent of measurements on this
// machine. It returns the lock's path.
func ownLock(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return filepath.Join(dir, "pushbench.lock")
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
