package bench

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

// A process is a child that lives as long as its standard input: when we end,
// however we end, the kernel closes the pipe and the child goes.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	stderr tail
	ended  chan struct{} // closed when it is gone
	err    error         // how it ended; set before ended is closed
}

// stderrWait is how long what a child has started may keep its error output open
// once the child itself is gone.
const stderrWait = time.Second

// launch starts a child of ours on the given cores; none means any.
func launch(name string, argv []string, cores []int) (*process, error) {
	return launchIn(place{}, name, argv, cores)
}

// A place is where a child is started and what it is given.
type place struct {
	inside func(start func() error) error // a network namespace; nil: ours
	files  []*os.File                     // its descriptors from 3 on
}

// launchIn starts a child in a place.
func launchIn(where place, name string, argv []string, cores []int) (*process, error) {
	p := &process{name: name, cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = stderrWait
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(procs(name, cores)))
	p.cmd.SysProcAttr = ownGroup() // Ctrl-C is for the run; it tells its children
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	// A pipe of our own: cmd.StdoutPipe's would be closed by Wait while we read.
	var childEnd *os.File
	if p.stdout, childEnd, err = os.Pipe(); err != nil {
		p.stdin.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.cmd.Stdout = childEnd
	p.cmd.ExtraFiles = where.files
	start := func() error { return onCores(cores, p.cmd.Start) }
	if where.inside == nil {
		err = start()
	} else {
		err = where.inside(start)
	}
	childEnd.Close()
	if err != nil {
		p.stdout.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Names of the roles, as children and reports call them.
const (
	serverRole    = "server"
	generatorRole = "generator"
)

// procs is a child's GOMAXPROCS. The generator's pacer keeps one P to itself (see
// clock.SleepUntil), a backend's loop another, and goroutines that it makes ready
// wait in that P's queue until another P is idle enough to steal them: with one to
// spare, soon.
// (Measured on one core beside a busy loop: 33 ms at p99 with 2, 3.7 with 3.)
func procs(name string, cores []int) int {
	n := len(cores)
	if n == 0 {
		n = available()
	}
	if name == generatorRole {
		n += 3
	}
	return n
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// gone says whether the child has ended.
func (p *process) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// end asks the child to go, by closing its input, and makes it go when it does not.
func (p *process) end(grace time.Duration) error {
	p.stdin.Close()
	defer p.stdout.Close()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(grace):
		_ = p.cmd.Process.Kill() // it may have gone just now
		<-p.ended
		return fmt.Errorf("%s did not end within %v and was killed", p.name, grace)
	}
}

// ends is end, but for a child that had gone before: whoever waited for it knows.
func (p *process) ends(grace time.Duration) error {
	early := p.gone()
	if err := p.end(grace); err != nil && !early {
		return err
	}
	return nil
}

// obituary says how a child ended that should not have.
func (p *process) obituary() string {
	said := strings.TrimSpace(p.stderr.String())
	how := "exited"
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		how = exit.String()
	}
	if said == "" {
		return fmt.Sprintf("%s ended: %s", p.name, how)
	}
	return fmt.Sprintf("%s ended: %s: %s", p.name, how, lastLine(said))
}

func lastLine(s string) string { return s[strings.LastIndexByte(s, '\n')+1:] }

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

// endsWith returns a context that ends when any of the children does.
func endsWith(ctx context.Context, children ...*process) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	for _, p := range children {
		go func() {
			select {
			case <-p.ended:
				cancel(errors.New(p.obituary()))
			case <-ctx.Done():
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
