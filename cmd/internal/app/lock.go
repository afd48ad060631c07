package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lockMachine takes the lock that allows one command at a time to measure on this machine, as two
// would disturb each other. A lock held by another process is no usage error: the same command line
// works later, but a measurement now would be invalid.
func lockMachine() (unlock func(), err error) {
	path := filepath.Join(os.TempDir(), "pushbench.lock")
	f, err := lockFile(path)
	if err != nil {
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &Error{Invalid, fmt.Errorf("another pushbench is measuring on this machine, which would make this measurement invalid; wait for it to end (lock: %s)", path)}
		}
		return nil, fmt.Errorf("take the lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// lockFile opens or creates the lock file. It opens the file for reading, which is enough to lock
// it: another user may own the file and be the only one who can write it. It opens an existing file
// without O_CREATE, which Linux refuses in a folder such as /tmp (fs.protected_regular). A symbolic
// link is not followed.
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
