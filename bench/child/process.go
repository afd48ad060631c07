// Package child starts processes of our own and exchanges control messages with them.
//
// It owns the life of a child, its cores, its greeting and the framing of the messages.
// It must not know what the messages mean: that is the business of whoever sends them.
package child

import (
	"context"
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
)

// A Process is a child that lives as long as its standard input: when we end,
// however we end, the kernel closes the pipe and the child exits.
type Process struct {
	Name   string
	Cmd    *exec.Cmd
	Stdin  io.WriteCloser
	Stdout io.ReadCloser
	Ended  chan struct{} // closed when it has exited

	orders *LineWriter
	stderr tail
	err    error // how it ended; set before Ended is closed
}

// Waiting times.
const (
	startWait  = 10 * time.Second // for the greeting of a server
	AnswerWait = 20 * time.Second // for an answer, beyond the time that the order itself takes
	EndWait    = 8 * time.Second  // for the exit, once the input is closed
)

// stderrWait is how long processes that a child has started may keep its error output open
// once the child itself has exited.
const stderrWait = time.Second

// Options are where a child is started, and with what. The zero value is anywhere.
type Options struct {
	Cores  []int                          // that it runs on; none: any
	Inside func(start func() error) error // calls start in a network namespace; nil: ours
	Files  []*os.File                     // its descriptors from 3 on
}

// Start starts a child. Errors call it by its name.
func Start(name string, argv []string, options Options) (*Process, error) {
	p := &Process{Name: name, Cmd: exec.Command(argv[0], argv[1:]...), Ended: make(chan struct{})}
	p.Cmd.Stderr = &p.stderr
	p.Cmd.WaitDelay = stderrWait
	p.Cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(procs(name, options.Cores)))
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the run; it tells its children
	var err error
	if p.Stdin, err = p.Cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.orders = &LineWriter{w: p.Stdin}
	// A pipe of our own: cmd.StdoutPipe's would be closed by Wait while we read.
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
	go func() {
		p.err = p.Cmd.Wait()
		close(p.Ended)
	}()
	return p, nil
}

// Names of the roles, as children and reports call them.
const (
	Server    = "server"
	Generator = "generator"
)

// procs is a child's GOMAXPROCS. The generator's pacer keeps one P to itself (see
// clock.SleepUntil), a backend's loop another, and goroutines that it makes ready
// wait in that P's queue until another P is idle enough to steal them: with one to
// spare, soon.
// (Measured on one core beside a busy loop: 33 ms at p99 with 2, 3.7 with 3.)
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

// PID is its process identifier.
func (p *Process) PID() int { return p.Cmd.Process.Pid }

// Send writes a control message to the input of the child, as one line of JSON.
func (p *Process) Send(message any) error { return p.orders.Send(message) }

// Gone reports whether the child has ended.
func (p *Process) Gone() bool {
	select {
	case <-p.Ended:
		return true
	default:
		return false
	}
}

// End closes the input of the child, which ends it, and kills it after the grace period.
func (p *Process) End(grace time.Duration) error {
	p.Stdin.Close()
	defer p.Stdout.Close()
	select {
	case <-p.Ended:
		return p.err
	case <-time.After(grace):
		_ = p.Cmd.Process.Kill() // it may have gone just now
		<-p.Ended
		return fmt.Errorf("%s did not end within %v and was killed", p.Name, grace)
	}
}

// EndQuietly is End without the error of a child that had exited before: EndsWith reports it.
func (p *Process) EndQuietly(grace time.Duration) error {
	early := p.Gone()
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
		how = exit.String()
	}
	reason := fmt.Sprintf("%s ended: %s", p.Name, how)
	if words := strings.TrimSpace(p.stderr.String()); words != "" {
		reason += ": " + words[strings.LastIndexByte(words, '\n')+1:] // the last line
	}
	return reason
}

// A tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}

// EndsWith returns a context that ends when any of the children does.
func EndsWith(ctx context.Context, children ...*Process) (context.Context, context.CancelFunc) {
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

// exitNotice is how long the end of a child may take to be noticed.
const exitNotice = time.Second

// Cause is what ended the context, or else the error. A child that dies shows first as an
// error of whoever reads from it or measures it, and a moment later by its exit.
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

// Grace is how long children have to end: a moment only once the context has ended.
func Grace(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return 100 * time.Millisecond
	}
	return EndWait
}
