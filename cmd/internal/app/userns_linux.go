package app

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

// runInUserNamespace runs the command line in a second process as root of a new user namespace
// (user_namespaces(7)), which may create networks. It has no additional rights outside. err is the
// result of that process; unavailable is the reason why there is no such namespace.
func (e Env) runInUserNamespace() (err, unavailable error) {
	if InUserNamespace() {
		return nil, errors.New("this process is in one already")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	second := exec.Command(self, e.Args...)
	second.Stdin, second.Stdout, second.Stderr = e.In, Raw(e.Out), Raw(e.Err)
	second.Env = append(os.Environ(), insideVariable+"=1")
	second.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL, // its child processes then exit too
	}
	runtime.LockOSThread() // the death signal depends on the thread that starts the process
	defer runtime.UnlockOSThread()
	if err := second.Start(); err != nil {
		return nil, fmt.Errorf("create a user namespace: %w", err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, EndSignals()...)
	defer signal.Stop(signals)
	ended := make(chan error, 1)
	go func() { ended <- second.Wait() }()
	for {
		select {
		case s := <-signals: // Ctrl-C signals both processes, a supervisor only this one
			if s != os.Interrupt {
				_ = second.Process.Signal(s)
			}
		case err := <-ended:
			return reported(err), nil
		}
	}
}

// reported is an error with the exit code of another process, without a text to print.
func reported(err error) error {
	code := OK
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() < 0: // ended by a signal
		code = Internal
	case exit != nil:
		code = Code(exit.ExitCode())
	case err != nil:
		return err
	}
	return &Error{code, ErrReported}
}
