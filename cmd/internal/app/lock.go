package app

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockVariable names another folder to lock. Tests use it, so that they do not depend on measurements on this machine.
const lockVariable = "PUSHBENCH_LOCK"

// lockMachine takes the lock that allows one command at a time to measure on this machine, as two would disturb each
// other. It locks the root folder, which is the same for all processes, whatever their user, temporary folder or network,
// and needs no file: it exists where nothing can be written, and nothing remains. Processes with another root, such as
// containers, have another lock.
//
// A lock held by another process is no usage error: the same command line works later, but a measurement now would be
// invalid.
func lockMachine() (unlock func(), err error) {
	path := cmp.Or(os.Getenv(lockVariable), "/")
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY, 0) // a named pipe in its place is refused, not waited for
	if err != nil {
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &Error{Invalid, fmt.Errorf("another pushbench is measuring on this machine, which would make this measurement invalid; wait for it to end (lock: folder %s)", path)}
		}
		return nil, fmt.Errorf("take the lock: flock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
