package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lockMachine takes the lock that only one command holds on this machine while it measures:
// two at once would be in each other's figures. A lock that is held is no usage error, as the
// same command line works later: the measurement would be invalid now.
func lockMachine() (unlock func(), err error) {
	path := filepath.Join(os.TempDir(), "pushbench.lock")
	f, err := lockFile(path)
	if err != nil {
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &Error{Invalid, fmt.Errorf("another pushbench is measuring on this machine, so that this measurement would be invalid; wait for it to end (lock: %s)", path)}
		}
		return nil, fmt.Errorf("take the lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// lockFile opens the file that is locked, or makes it. Reading is enough to lock it: it may
// belong to another user, and be writable for that user alone. Nor may it be opened with
// O_CREATE when it is there, which Linux refuses in a folder such as /tmp
// (fs.protected_regular). A link is not followed.
func lockFile(path string) (*os.File, error) {
	const existing = os.O_RDONLY | syscall.O_NOFOLLOW
	f, err := os.OpenFile(path, existing, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	f, err = os.OpenFile(path, existing|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return os.OpenFile(path, existing, 0)
	}
	return f, err
}
