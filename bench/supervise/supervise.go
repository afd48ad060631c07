package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"pushbench/bench/child"
	"pushbench/bench/consent"
	"pushbench/bench/target"
	"pushbench/scenarios"
)

// Run starts the server of a target file and writes a child.Greeting to out when it is ready, or has failed to start.
// When in ends, Run ends the server and everything that it started. It returns an error if the server ends by
// itself later. A server that is running already has the address that package consent has found.
func Run(path, address string, in io.Reader, out io.Writer) error {
	t, err := scenarios.LoadTarget(path)
	if err != nil {
		return err
	}
	_ = t.ReadLogins() // so that no error shows them; pushbench reports what is wrong with them
	// Else a write to a parent that was killed would end this process, and leave the server.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in) // an error ends the input as well
		cancel()
	}()
	greeting, lines := child.Greeting{Target: string(t.Name), Settings: "target=" + string(t.Name)}, child.NewLineWriter(out)
	if t.URL != "" {
		if address == "" {
			return errors.New("url: its address is not given")
		}
		greeting.Listening, greeting.Authority, greeting.Certificate = address, t.Authority(), string(t.Authorities)
		if greeting.PID, greeting.Page, err = Bill(t, address); err != nil {
			return err
		}
		if err := lines.Send(greeting); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	s, err := start(t)
	if err == nil {
		defer s.end()
		err = s.ready(ctx)
	}
	if err != nil {
		greeting.Failed = err.Error()
		err = lines.Send(greeting)
		<-ctx.Done()
		return err
	}
	greeting.Listening = s.address
	if err := lines.Send(greeting); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		s.end()
		return lines.Send(child.Farewell{Output: strings.TrimPrefix(s.last(), "; ")})
	case <-s.ended:
		return s.exit("")
	}
}

// A server is a running server and its output.
type server struct {
	target  *scenarios.Target
	address string
	cmd     *exec.Cmd
	ended   chan struct{} // closed after the exit of the first process, and of all others if the first one succeeded
	err     error         // of the exit; set before ended is closed
	output  output
}

// An output keeps the end of what a server writes, and finds the line that means ready.
type output struct {
	child.Tail
	ready   *regexp.Regexp // nil: no line does
	line    []byte         // the last one, as far as it has been written
	matched chan struct{}  // closed after the line
}

// outputWait is how long the output is read after the exit of the first process: others may keep it open.
const outputWait = time.Second

// longestLine is how much of a line is searched, in bytes.
const longestLine = 64 << 10

func (o *output) Write(p []byte) (int, error) {
	for rest := p; o.ready != nil && len(rest) > 0; {
		var ends bool
		var more []byte
		more, rest, ends = bytes.Cut(rest, []byte("\n"))
		o.line = append(o.line, more[:min(len(more), longestLine-len(o.line))]...)
		if !ends {
			break
		}
		if o.ready.Match(bytes.TrimSuffix(o.line, []byte("\r"))) {
			o.ready = nil
			close(o.matched)
		}
		o.line = o.line[:0]
	}
	return o.Tail.Write(p)
}

// start starts the server on a free port.
func start(t *scenarios.Target) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	s := &server{target: t, address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), ended: make(chan struct{}), output: output{Tail: tail(t), matched: make(chan struct{})}}
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
	if s.cmd.Dir, err = folder(t); err != nil {
		return nil, err
	}
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.SysProcAttr = attributes()
	if strings.Contains(argv[0], "/") && !filepath.IsAbs(argv[0]) {
		s.cmd.Path = filepath.Join(s.cmd.Dir, argv[0])
	}
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.WaitDelay = outputWait
	if t.Start.Log != "" {
		s.output.ready = regexp.MustCompile(string(t.Start.Log))
	}
	started := make(chan error)
	go s.wait(started)
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
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("program %q is not installed, or not in the folder of the target file", program)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("program %q is not executable; make it so with chmod +x, or start it with its interpreter", program)
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("file %q is not a program of this machine; a script starts with a line such as #!/bin/sh", program)
	default:
		return err
	}
}

// freePort returns a TCP port of the loopback address that is free now. It lies below the ports that Linux gives to
// connections and to listeners without a port (32768 to 60999, ip(7)), which could take it before the server does.
func freePort() (int, error) {
	const from, to = 20000, 32768
	start := rand.IntN(to - from)
	for i := range to - from {
		port := from + (start+i)%(to-from)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free", from, to-1)
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

// ready waits until the server is ready.
func (s *server) ready(ctx context.Context) error {
	within := time.Duration(s.target.Start.Within)
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, waitsFor := make(chan struct{}), s.address+" accepts connections"
	switch {
	case s.target.Start.Log != "":
		ready, waitsFor = s.output.matched, fmt.Sprintf("a line of its output matches %s", s.target.Start.Log)
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
		return s.exit("; start.run must stay in the foreground")
	case <-timeout.C:
		return fmt.Errorf("the server is not ready after %v; start waits until %s%s", within, waitsFor, s.last())
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
	c := consent.Client(s.address, nil)
	defer c.CloseIdleConnections()
	response, err := c.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode < http.StatusBadRequest
}

// exit is the error of a server that ended by itself. The hint is for a success.
func (s *server) exit(hint string) error {
	how := "exit status 0"
	if s.err != nil {
		how, hint = s.err.Error(), ""
	}
	if inUse.MatchString(s.output.String()) {
		hint = "; another process has the port on which it listens: it must listen on {port}"
	}
	return fmt.Errorf("the server ended: %s%s%s", how, s.last(), hint)
}

// inUse matches the error of a server that cannot listen.
var inUse = regexp.MustCompile(`(?i)\b(address|port)( [0-9]+)? (is )?(already )?in use|EADDRINUSE`)

// colours matches the escape sequences of colours (ECMA-48, section 8.3.117).
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// plainText is a line without what a terminal would interpret.
func plainText(line string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, colours.ReplaceAllString(line, ""))
}

// lastLines is how many lines of a server's output an error shows.
const lastLines = 3

// fatal matches the line with which runtimes begin the output of a crash: Go, Java, and Node or Python with an exception.
var fatal = regexp.MustCompile(`^(panic: |fatal error: |SIG[A-Z]+: |Exception in thread |([\w.]+\.)?\w*(Error|Exception)\b.*:)`)

// last is the end of the server's output.
func (s *server) last() string { return last(s.target, &s.output.Tail) }

// tail keeps the end of an output for last.
func tail(t *scenarios.Target) child.Tail {
	return child.Tail{Before: target.SecretsOf(t, os.LookupEnv).Longest()}
}

// last is the end of an output, on one line, without the secrets of the target.
func last(t *scenarios.Target, output *child.Tail) string {
	var lines []string
	mask := target.SecretsOf(t, os.LookupEnv).Mask
	for line := range strings.Lines(output.Masked(mask)) {
		if line = strings.TrimSpace(string(mask([]byte(plainText(line))))); line != "" { // colours may be within a secret
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "; it wrote nothing"
	}
	shown, how := lines[max(0, len(lines)-lastLines):], "ends with"
	for i, line := range slices.Backward(lines) {
		if fatal.MatchString(line) {
			if len(lines)-i > lastLines { // a stack follows
				shown, how = lines[i:i+lastLines], "has"
			}
			break
		}
	}
	return "; its output " + how + ": " + strings.Join(shown, " | ")
}
