package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/consent"
	"pushbench/scenarios"
)

// Run starts the server of a target file and writes a child.Greeting to out when it is ready. When in ends, Run
// ends the server and everything that it started. It returns an error if the server does not become
// ready, or ends by itself. A server that is running already has the address that package consent has found.
func Run(path, address string, in io.Reader, out io.Writer) error {
	t, err := scenarios.LoadTarget(path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in) // an error ends the input as well
		cancel()
	}()
	greeting := child.Greeting{Target: string(t.Name), Settings: "target=" + string(t.Name)}
	if t.URL != "" {
		if address == "" {
			return errors.New("url: its address is not given")
		}
		greeting.Listening, greeting.Authority = address, t.Authority()
		if greeting.PID, greeting.Page, err = Bill(t, address); err != nil {
			return err
		}
		if err := child.NewLineWriter(out).Send(greeting); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	s, err := start(ctx, t)
	if err != nil {
		return err
	}
	defer s.end()
	if err := s.ready(ctx); err != nil {
		return err
	}
	greeting.Listening = s.address
	if err := child.NewLineWriter(out).Send(greeting); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.ended:
		return s.exit()
	}
}

// A server is a running server and its output.
type server struct {
	target  *scenarios.Target
	address string
	cmd     *exec.Cmd
	ended   chan struct{} // closed after the exit of the first process
	err     error         // of the exit; set before ended is closed
	output  child.Tail
	matched chan struct{} // closed when a line of the output is that of start.log
}

// start starts the server on a free port.
func start(ctx context.Context, t *scenarios.Target) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	s := &server{target: t, address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), ended: make(chan struct{}), matched: make(chan struct{})}
	var argv, env []string
	for _, word := range t.Start.Run {
		argv = append(argv, expand(word, port))
	}
	for _, word := range t.Start.Env {
		env = append(env, expand(word, port))
	}
	if err := errors.Join(adopt(), raiseFileLimit()); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(argv[0], argv[1:]...) //nolint:noctx // end ends it, with its descendants
	s.cmd.Dir = folder(t)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.SysProcAttr = attributes()
	if strings.Contains(argv[0], "/") && !filepath.IsAbs(argv[0]) {
		s.cmd.Path = filepath.Join(s.cmd.Dir, argv[0])
	}
	lines, write := io.Pipe()
	s.cmd.Stdout, s.cmd.Stderr = write, write
	go s.read(lines)
	started := make(chan error)
	go s.wait(started, write)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start.run: %w", plain(err, argv[0]))
	}
	return s, nil
}

// raiseFileLimit lets the server open as many files as this process, which the Go runtime allows the hard limit. Else a
// child starts with the soft limit, which is often 1024: too few for 1,000 clients.
func raiseFileLimit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil { // which keeps the runtime from restoring it
		return fmt.Errorf("raise the server's limit of open files: %w", err)
	}
	return nil
}

// plain names a program that cannot be started in one sentence.
func plain(err error, program string) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("program %q is not installed, or not in the folder of the target file", program)
	}
	return err
}

// freePort returns a TCP port of the loopback address that is free now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// expand replaces the placeholders of a word of the command line. An environment variable that is not set is empty.
func expand(word scenarios.Template, port int) string {
	var b strings.Builder
	for _, p := range word.Pieces() {
		variable, fromEnv := strings.CutPrefix(p.Name, "env:")
		switch {
		case fromEnv:
			b.WriteString(os.Getenv(variable))
		case p.Name == "port":
			b.WriteString(strconv.Itoa(port))
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// read keeps the end of the output, and notes the line that means ready.
func (s *server) read(lines io.Reader) {
	var pattern *regexp.Regexp
	if s.target.Start.Log != "" {
		pattern = regexp.MustCompile(string(s.target.Start.Log))
	}
	var once sync.Once
	in := bufio.NewReaderSize(lines, 64<<10)
	for {
		line, _, err := in.ReadLine()
		if err != nil {
			return
		}
		_, _ = s.output.Write(append(line, '\n')) // never fails
		if pattern != nil && pattern.Match(line) {
			once.Do(func() { close(s.matched) })
		}
	}
}

// ready waits until the server is ready.
func (s *server) ready(ctx context.Context) error {
	within := time.Duration(s.target.Start.Within)
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, waitsFor := make(chan struct{}), "its port accepts connections"
	switch {
	case s.target.Start.Log != "":
		ready, waitsFor = s.matched, fmt.Sprintf("a line of its output matches %s", s.target.Start.Log)
	case s.target.Start.Get != "":
		waitsFor = fmt.Sprintf("GET %s returns a status below 400", s.target.Start.Get)
		go poll(ctx, ready, s.healthy)
	default:
		go poll(ctx, ready, s.accepts)
	}
	select {
	case <-ready:
		return nil
	case <-s.ended:
		return s.exit()
	case <-timeout.C:
		return fmt.Errorf("the server is not ready after %v; start waits until %s%s", within, waitsFor, last(&s.output))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attemptEvery is the time between two attempts to reach a server that starts.
const attemptEvery = 10 * time.Millisecond

// poll closes done as soon as an attempt succeeds.
func poll(ctx context.Context, done chan<- struct{}, attempt func(context.Context) bool) {
	every := time.NewTicker(attemptEvery)
	defer every.Stop()
	for {
		if attempt(ctx) {
			close(done)
			return
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) accepts(ctx context.Context) bool {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func (s *server) healthy(ctx context.Context) bool {
	port, _ := strconv.Atoi(s.address[strings.LastIndexByte(s.address, ':')+1:])
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+expand(s.target.Start.Get, port), nil)
	if err != nil {
		return false
	}
	c := consent.Client(s.address)
	defer c.CloseIdleConnections()
	response, err := c.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode < http.StatusBadRequest
}

// exit is the error of a server that ended by itself.
func (s *server) exit() error {
	how := "exit status 0"
	if s.err != nil {
		how = s.err.Error()
	}
	return fmt.Errorf("the server ended: %s%s", how, last(&s.output))
}

// lastLines is how many lines of a server's output an error shows.
const lastLines = 3

// last is the end of an output, on one line.
func last(output *child.Tail) string {
	var lines []string
	for line := range strings.Lines(output.String()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "; it wrote nothing"
	}
	return "; its output ends with: " + strings.Join(lines[max(0, len(lines)-lastLines):], " | ")
}
