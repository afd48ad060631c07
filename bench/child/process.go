// Package child starts child processes and exchanges control messages with them.
//
// It contains the lifetime of a child, its cores, its greeting and the framing of the messages.
// It must not depend on the meaning of the messages, which their sender defines.
package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"pushbench/bench/cost"
)

// A Process is a child that exits when its standard input ends. When the parent ends, for whatever
// reason, the kernel closes the pipe and the child exits.
type Process struct {
	Name   string
	Cmd    *exec.Cmd
	Stdin  io.WriteCloser
	Stdout io.ReadCloser
	Ended  chan struct{} // closed after the exit

	Root int        // process that does the work of the child with its descendants; 0: see Tree
	Page *cost.Page // reports what the work costs; nil: the processes do
	Tree bool       // the process is a supervisor, which does nothing itself: its descendants do the work

	Farewell Farewell // of a supervisor, after End; the zero value if it sent none

	outOfMemory int64 // processes that the kernel had killed for lack of memory when this one started

	control *LineWriter
	stderr  Tail
	err     error // of the exit; set before Ended is closed
}

// Timeouts.
const (
	startWait       = 10 * time.Second // for the greeting of a server
	ResponseTimeout = 20 * time.Second // for a response, in addition to the duration of the command itself
	ExitTimeout     = 8 * time.Second  // for the exit after the input was closed
)

// stderrWait is how long grandchildren may keep a child's standard error open after the child
// itself has exited.
const stderrWait = time.Second

// Options configure the start of a child. The zero value is valid.
type Options struct {
	Cores  []int                          // to pin it to; nil: any
	Inside func(start func() error) error // calls start in a network namespace; nil: the parent's
	Files  []*os.File                     // its descriptors from 3 on

	Preparation time.Duration // of a server, before its process can send a greeting: a supervisor has it; 0s: none
}

// Start starts a child. name identifies it in errors.
func Start(name string, argv []string, options Options) (*Process, error) {
	p := &Process{Name: name, Cmd: exec.Command(argv[0], argv[1:]...), Ended: make(chan struct{})}
	p.Cmd.Stderr = &p.stderr
	p.Cmd.WaitDelay = stderrWait
	p.Cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(procs(name, options.Cores)))
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must not reach the children: the run ends them
	var err error
	if p.Stdin, err = p.Cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.control = &LineWriter{w: p.Stdin}
	// Not cmd.StdoutPipe, since Wait would close it during a read.
	var childEnd *os.File
	if p.Stdout, childEnd, err = os.Pipe(); err != nil {
		p.Stdin.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.Cmd.Stdout = childEnd
	p.Cmd.ExtraFiles = options.Files
	start := func() error { return OnCores(options.Cores, p.Cmd.Start) }
	if options.Inside == nil {
		err = start()
	} else {
		err = options.Inside(start)
	}
	childEnd.Close()
	if err != nil {
		p.Stdout.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.outOfMemory = cost.OutOfMemory()
	go func() {
		p.err = p.Cmd.Wait()
		close(p.Ended)
	}()
	return p, nil
}

// Names of the roles, used for children and in reports.
const (
	Server    = "server"
	Generator = "generator"
)

// procs is a child's GOMAXPROCS. The load generator's pacer occupies one P (see
// clock.SleepUntil), the loop of a backend another. Goroutines that the pacer makes ready wait in
// its P's queue until an idle P steals them; one spare P makes that fast.
// (Measured on one core with a concurrent busy loop: 33 ms at p99 with 2, 3.7 ms with 3.)
func procs(name string, cores []int) int {
	n := len(cores)
	if n == 0 {
		n = Available()
	}
	if name == Generator {
		n += 3
	}
	return n
}

// PID is the process identifier.
func (p *Process) PID() int { return p.Cmd.Process.Pid }

// PIDs lists the processes that do the work of the child: itself, its descendants, or those of a server that was
// running already.
func (p *Process) PIDs() ([]int, error) {
	switch {
	case p.Root != 0:
		return cost.Tree(p.Root)
	case !p.Tree:
		return []int{p.PID()}, nil
	}
	return cost.Descendants(p.PID())
}

// Send writes a control message to the input of the child, as one line of JSON.
func (p *Process) Send(message any) error { return p.control.Send(message) }

// Exited reports whether the child has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.Ended:
		return true
	default:
		return false
	}
}

// End closes the input of the child, which ends it, and kills it after the grace period. A supervisor always has the time
// to end its descendants, which would outlive it.
func (p *Process) End(grace time.Duration) error {
	if p.Tree {
		grace = max(grace, ExitTimeout)
	}
	p.Stdin.Close()
	defer p.Stdout.Close()
	select {
	case <-p.Ended:
		if p.Tree {
			_ = json.NewDecoder(p.Stdout).Decode(&p.Farewell) // a supervisor that failed sends none
		}
		return p.err
	case <-time.After(grace):
		_ = p.Cmd.Process.Kill() // it may have exited just now
		<-p.Ended
		return fmt.Errorf("%s did not end within %v and was killed", p.Name, grace)
	}
}

// EndQuietly is like End, but without the error of a child that had already exited: CancelOnExit
// reports that one.
func (p *Process) EndQuietly(grace time.Duration) error {
	early := p.Exited()
	if err := p.End(grace); err != nil && !early {
		return err
	}
	return nil
}

// ExitReason describes an unexpected exit of a child.
func (p *Process) ExitReason() string {
	how := "exited"
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		how = killedFor(exit.String(), cost.OutOfMemory()-p.outOfMemory)
	}
	last := LastLine(p.stderr.String())
	switch said, isError := strings.CutPrefix(last, "pushbench: "); {
	case p.Tree && isError:
		return said // it describes the exit of its server
	case last == "":
		return fmt.Sprintf("%s ended: %s", p.Name, how)
	default:
		return fmt.Sprintf("%s ended: %s: %s", p.Name, how, last)
	}
}

// killedFor adds the likely reason to how a process was killed.
func killedFor(how string, outOfMemory int64) string {
	if outOfMemory > 0 && how == "signal: killed" {
		how += " (by the kernel, because the control group has no memory left)"
	}
	return how
}

// LastLine returns the last line of a text that is not blank.
func LastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// A Tail keeps the last bytes written to it. It is safe for concurrent use.
type Tail struct {
	Before int // bytes that are kept before them, for Masked: those of the longest text that is hidden

	mu   sync.Mutex
	kept []byte
}

const tailSize = 8 << 10

func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize - t.Before; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *Tail) String() string { return t.Masked(bytes.Clone) }

// Masked returns the last bytes after mask, which keeps the length of a text: what it hides may begin before them.
func (t *Tail) Masked(mask func([]byte) []byte) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	masked := mask(t.kept)
	return string(masked[max(0, len(masked)-tailSize):])
}

// CancelOnExit returns a context that ends when any of the children does.
func CancelOnExit(ctx context.Context, children ...*Process) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	for _, p := range children {
		go func() {
			select {
			case <-p.Ended:
				cancel(errors.New(p.ExitReason()))
			case <-ctx.Done():
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}

// exitNotice is the maximum time between an error that a child's exit causes and the detection
// of the exit.
const exitNotice = time.Second

// Cause returns the cause of the context's end, or err if the context does not end. When a child
// exits, reading from it or measuring it usually fails first, before the exit itself is detected.
func Cause(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(exitNotice):
		return err
	}
}

// Grace is the grace period for the exit of children. It is short after the context has ended.
func Grace(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return 100 * time.Millisecond
	}
	return ExitTimeout
}
