package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
)

// insideVariable says of a process that it was started by inUserNamespace.
const insideVariable = "PUSHBENCH_USER_NAMESPACE"

// inUserNamespace runs the same command line again as root of a user namespace of its own
// (user_namespaces(7)), where whoever may make one may make networks. It has no more
// rights outside. The error is what came of it, already said; refused is why there is no
// such namespace.
func inUserNamespace(c *cobra.Command) (done bool, err, refused error) {
	if os.Getenv(insideVariable) != "" {
		return false, nil, errors.New("this is a user namespace")
	}
	self, err := os.Executable()
	if err != nil {
		return false, nil, err
	}
	again := exec.Command(self, os.Args[1:]...)
	again.Stdin, again.Stdout, again.Stderr = c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr()
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
		return false, nil, fmt.Errorf("make a user namespace: %w", err)
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
			return true, saidBy(err), nil
		}
	}
}

// saidBy is the error that leads to another process's exit code and nothing more.
func saidBy(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := exit.ExitCode()
		if code < 0 { // by a signal
			code = exitInternal
		}
		return &exitError{code, errSaid}
	}
	return err
}
