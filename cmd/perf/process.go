//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A process is a child of ours on a core of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

const anyCore = -1

// start starts a command on a core. Its end is ours: it is killed with us.
func start(core int, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...)}
	p.cmd.Stderr = os.Stderr
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	p.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	begin := p.cmd.Start
	if core != anyCore {
		begin = func() error { return onCore(core, p.cmd.Start) }
	}
	if err := begin(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// onCore does something with this thread on one core, which a child that it starts inherits.
func onCore(core int, work func() error) error {
	runtime.LockOSThread() // never unlocked where setting it back fails: the thread then ends with its goroutine
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	var one unix.CPUSet
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	worked := work()
	if err := unix.SchedSetaffinity(0, &before); err != nil {
		return errors.Join(worked, err)
	}
	runtime.UnlockOSThread()
	return worked
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// endWait is how long a child may take to end once its input is closed.
const endWait = 5 * time.Second

// end closes its input, which ends our own, and makes it go if it does not.
func (p *process) end() {
	p.stdin.Close()
	timer := time.AfterFunc(endWait, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait() // that it was killed is no news
}

// kill ends what does not listen to its input.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(unix.SIGTERM)
	p.end()
}
