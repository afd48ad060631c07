package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// With this variable set, the test's executable acts as a child.
const roleVariable = "PUSHBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "obedient":
		fmt.Println("here")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "stubborn":
		fmt.Println("here")
		select {}
	case "supervising":
		_, _ = io.Copy(io.Discard, os.Stdin)
		time.Sleep(3 * Grace(canceled())) // as its descendants take to end
		if err := os.WriteFile(os.Args[1], nil, 0o600); err != nil {
			os.Exit(1)
		}
	case "collecting":
		fmt.Println("here")
		replyToCollect(`{"collected":true}`)
	case "refusing":
		fmt.Println("here")
		replyToCollect(`{"collected":false}`)
	case "dying":
		fmt.Fprintln(os.Stderr, "first words\nlast words")
		os.Exit(9)
	}
}

func start(t *testing.T, role string) *Process {
	t.Helper()
	t.Setenv(roleVariable, role)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(role, []string{self}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// awaitLine waits for a child's first line.
func awaitLine(t *testing.T, p *Process) {
	t.Helper()
	if line, err := bufio.NewReader(p.Stdout).ReadString('\n'); err != nil || line != "here\n" {
		t.Fatalf("child wrote %q, %v", line, err)
	}
}

func replyToCollect(reply string) {
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		CollectGarbage()
		fmt.Println(reply)
	}
}

// A server that must prepare itself has more time for its greeting.
func TestPreparationExtendsTheWaitForAServer(t *testing.T) {
	t.Setenv(roleVariable, "obedient")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = StartServer(t.Context(), []string{self}, Options{Preparation: time.Millisecond - startWait})
	if want := "server did not report its listening address within 1ms"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

// canceled returns a context that has ended.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// A supervisor that was killed would leave its descendants.
func TestInterruptedStartLetsASupervisorEndItsServer(t *testing.T) {
	t.Setenv(roleVariable, "supervising")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ended := filepath.Join(t.TempDir(), "ended")
	if _, _, err := StartServer(canceled(), []string{self, ended}, Options{Preparation: time.Second}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(ended); err != nil {
		t.Errorf("the supervisor was killed: %v", err)
	}
}

func TestCollect(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		role string
		ctx  context.Context
		want string // in the error; empty: none
	}{
		{"collecting", t.Context(), ""},
		{"refusing", t.Context(), "refusing did not collect garbage: reply"},
		{"obedient", cancelled, context.Canceled.Error()}, // it ignores commands
	} {
		t.Run(c.role, func(t *testing.T) {
			p := start(t, c.role)
			awaitLine(t, p)
			for range 2 {
				err := p.Collect(c.ctx)
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got error %v, want %q", err, c.want)
				}
			}
			if err := p.End(time.Minute); err != nil {
				t.Errorf("end: %v", err)
			}
		})
	}
}

func TestChildEndsWithItsInput(t *testing.T) {
	p := start(t, "obedient")
	awaitLine(t, p)
	if p.Exited() {
		t.Fatal("exited before its input ended")
	}
	if err := p.End(time.Minute); err != nil {
		t.Errorf("end: %v", err)
	}
	if !p.Exited() {
		t.Error("the child is still running")
	}
}

func TestChildThatDoesNotEndIsKilled(t *testing.T) {
	p := start(t, "stubborn")
	awaitLine(t, p)
	err := p.End(time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "stubborn did not end within 1ms and was killed") {
		t.Errorf("end of a stubborn child: %v", err)
	}
	if !p.Exited() {
		t.Error("the child is still running")
	}
}

func TestUnexpectedExitIsReportedWithStderr(t *testing.T) {
	p := start(t, "dying")
	ctx, release := CancelOnExit(context.Background(), p)
	defer release()
	<-ctx.Done()
	if got, want := context.Cause(ctx).Error(), "dying ended: exit status 9: last words"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := p.End(time.Minute); err == nil {
		t.Error("End returned no error for a child that failed")
	}
}

// A child counts as ended after its exit, even while a grandchild keeps its standard error open.
func TestGrandchildDoesNotDelayTheEnd(t *testing.T) {
	p, err := Start("server", []string{"/bin/sh", "-c", "sleep 600 & echo $! >&2; echo here; wait"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	awaitLine(t, p)
	t.Cleanup(func() {
		if pid, err := strconv.Atoi(strings.TrimSpace(p.stderr.String())); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		} else {
			t.Errorf("read the grandchild's pid: %v", err)
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- p.End(time.Millisecond) }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("End returned no error for a killed child")
		}
	case <-time.After(time.Minute):
		t.Fatal("still waiting for the grandchild")
	}
}

func TestMissingExecutable(t *testing.T) {
	if _, err := Start("server", []string{"/no/such/file"}, Options{}); err == nil || !strings.HasPrefix(err.Error(), "start server: ") {
		t.Errorf("got %v", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var kept Tail
	for i := range 10_000 {
		fmt.Fprintf(&kept, "line %d\n", i)
	}
	if s := kept.String(); len(s) != tailSize || !strings.HasSuffix(s, "line 9999\n") {
		t.Errorf("%d bytes kept, ending %q", len(s), s[len(s)-20:])
	}
}

// A process that the kernel kills for lack of memory gives no reason itself.
func TestOutOfMemoryIsAReason(t *testing.T) {
	const because = "signal: killed (by the kernel, because the control group has no memory left)"
	for _, c := range []struct {
		how    string
		killed int64
		want   string
	}{{"signal: killed", 1, because}, {"signal: killed", 0, "signal: killed"}, {"exit status 2", 1, "exit status 2"}} {
		if got := killedFor(c.how, c.killed); got != c.want {
			t.Errorf("%s, %d killed: got %q, want %q", c.how, c.killed, got, c.want)
		}
	}
}
