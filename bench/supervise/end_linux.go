package supervise

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// adopt makes this process the parent of descendants whose parent ends, such as those of a daemon, so that it can
// find and end them.
func adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("adopt the processes of the server: %w", err)
	}
	return nil
}

// attributes make the kernel end the server when the thread that started it ends: also if the supervisor is killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
