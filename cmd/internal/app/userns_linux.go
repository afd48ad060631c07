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

// inUserNamespace runs the same command line again as root of a user namespace of its own
// (user_namespaces(7)), where a process that may make one may make networks. It has no more
// rights outside. err is how that process ended; refused is why there is no such namespace.
func (e Env) inUserNamespace() (err, refused error) {
	if InUserNamespace() {
		return nil, errors.New("this is a user namespace")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	again := exec.Command(self, e.Args...)
	again.Stdin, again.Stdout, again.Stderr = e.In, e.Out, e.Err
	again.Env = append(os.Environ(), insideVariable+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL, // its own children then end by themselves
	}
	runtime.LockOSThread() // the death signal is of the thread that starts it
	defer runtime.UnlockOSThread()
	if err := again.Start(); err != nil {
		return nil, fmt.Errorf("make a user namespace: %w", err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ended := make(chan error, 1)
	go func() { ended <- again.Wait() }()
	for {
		select {
		case s := <-signals: // a terminal tells both of us; a supervisor only tells us
			if s == syscall.SIGTERM {
				_ = again.Process.Signal(s)
			}
		case err := <-ended:
			return reported(err), nil
		}
	}
}

// reported is the error that leads to another process's exit code and nothing more.
func reported(err error) error {
	code := OK
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() < 0: // by a signal
		code = Internal
	case exit != nil:
		code = Code(exit.ExitCode())
	case err != nil:
		return err
	}
	return &Error{code, ErrReported}
}
