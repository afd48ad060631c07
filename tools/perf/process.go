//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pushbench/bench/child"
)

// A process is a child on a dedicated core. It ends with the context of its start, and with
// this process.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	pipe   *os.File // standard output of the child
	out    *bufio.Reader
	stderr child.Tail
	ended  chan struct{} // closed when the child has exited
	err    error         // exit error; set before ended is closed
}

// One core is for the servers, the other for the load.
const (
	serverCore = 0
	loadCore   = 1
	anyCore    = -1
)

// start starts a command on a core.
func start(ctx context.Context, core int, name string, args ...string) (*process, error) {
	p := &process{name: filepath.Base(name), cmd: command(ctx, name, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	p.cmd.Stderr = &p.stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	// Not cmd.StdoutPipe: Wait would close it while it is read.
	var childEnd *os.File
	if p.pipe, childEnd, err = os.Pipe(); err != nil {
		p.stdin.Close()
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd.Stdout, p.out = childEnd, bufio.NewReader(p.pipe)
	begin := p.cmd.Start
	if core != anyCore {
		begin = func() error { return child.OnCores([]int{core}, p.cmd.Start) }
	}
	err = begin()
	childEnd.Close()
	if err != nil {
		p.pipe.Close()
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go p.wait()
	return p, nil
}

func (p *process) wait() {
	p.err = p.cmd.Wait()
	_ = killGroup(p.cmd) // its own children: a worker outlives a master that crashes
	close(p.ended)
}

// command returns a child in a separate process group: Ctrl-C does not reach it, and its own
// children end with it. The end of the context kills it.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	cmd.Cancel = func() error { return killGroup(cmd) }
	cmd.WaitDelay = time.Second // for standard error, which a grandchild may keep open
	return cmd
}

// killGroup kills a child and its own children.
func killGroup(cmd *exec.Cmd) error {
	if err := unix.Kill(-cmd.Process.Pid, unix.SIGKILL); !errors.Is(err, unix.ESRCH) {
		return err
	}
	return os.ErrProcessDone
}

// output runs a command to its end and returns its output. The error contains the last line.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := command(ctx, name, args...)
	printed, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(printed))
	if cmd.Process == nil {
		return text, fmt.Errorf("start %s: %w", filepath.Base(name), err)
	}
	_ = killGroup(cmd)
	if err != nil {
		return text, exitError(filepath.Base(name), err, text)
	}
	return text, nil
}

// exitError describes the exit of a child, with the last line of its output.
func exitError(name string, err error, printed string) error {
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	if last := child.LastLine(printed); last != "" {
		how += ": " + last
	}
	return fmt.Errorf("%s ended: %s", name, how)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// hasExited reports whether the child has ended.
func (p *process) hasExited() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// exitReason describes an unexpected exit. The child must have ended.
func (p *process) exitReason() error { return exitError(p.name, p.err, p.stderr.String()) }

// replyWait limits the time of a child for one line.
const replyWait = 30 * time.Second

// line reads a line of the child's output. It ends a child that does not print one.
func (p *process) line() (string, error) {
	late := time.AfterFunc(replyWait, func() { _ = killGroup(p.cmd) })
	line, err := p.out.ReadString('\n')
	if err == nil {
		late.Stop()
		return line, nil
	}
	inTime := late.Stop()
	p.end()
	if !inTime {
		return "", fmt.Errorf("%s printed nothing for %v", p.name, replyWait)
	}
	return "", p.exitReason()
}

// all reads the child's output until it ends.
func (p *process) all() (string, error) {
	text, err := io.ReadAll(p.out)
	<-p.ended
	if err == nil && p.err != nil {
		err = p.exitReason()
	}
	return string(text), err
}

// runFor waits for a time. It fails if the child exits earlier.
func (p *process) runFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.ended:
		return p.exitReason()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// endWait limits the time of a child to end after its input is closed.
const endWait = 5 * time.Second

// end closes the input of the child, which ends pushbench, and kills a child that does not end.
func (p *process) end() {
	p.stdin.Close()
	defer p.pipe.Close()
	timer := time.NewTimer(endWait)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		_ = killGroup(p.cmd) // an error means that it has just ended
		<-p.ended
	}
}

// terminate ends a child that does not read its input.
func (p *process) terminate() {
	_ = p.cmd.Process.Signal(unix.SIGTERM)
	p.end()
}
