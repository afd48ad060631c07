package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Started with this variable, the test's executable plays a child.
const roleVariable = "PUSHBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && cast[os.Args[1]] != nil {
		cast[os.Args[1]]()
		return
	}
	switch os.Getenv(roleVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "obedient":
		fmt.Println("here")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "stubborn":
		fmt.Println("here")
		select {}
	case "keeper":
		if err := KeepAwake(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "refused":
		if err := keepRefused(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "dying":
		fmt.Fprintln(os.Stderr, "first words\nlast words")
		os.Exit(9)
	}
}

func child(t *testing.T, role string) *process {
	t.Helper()
	t.Setenv(roleVariable, role)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := launch(role, []string{self}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// said waits for a child's first line.
func said(t *testing.T, p *process) {
	t.Helper()
	if line, err := bufio.NewReader(p.stdout).ReadString('\n'); err != nil || line != "here\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
}

func TestChildEndsWithItsInput(t *testing.T) {
	p := child(t, "obedient")
	said(t, p)
	if p.gone() {
		t.Fatal("gone before its input ended")
	}
	if err := p.end(time.Minute); err != nil {
		t.Errorf("end: %v", err)
	}
	if !p.gone() {
		t.Error("still there")
	}
}

func TestChildThatDoesNotEndIsKilled(t *testing.T) {
	p := child(t, "stubborn")
	said(t, p)
	err := p.end(time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "stubborn did not end within 1ms and was killed") {
		t.Errorf("end of a stubborn child: %v", err)
	}
	if !p.gone() {
		t.Error("still there")
	}
}

func TestChildThatDiesIsNoticedAndQuoted(t *testing.T) {
	p := child(t, "dying")
	ctx, release := endsWith(context.Background(), p)
	defer release()
	<-ctx.Done()
	if got, want := context.Cause(ctx).Error(), "dying ended: exit status 9: last words"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := p.end(time.Minute); err == nil {
		t.Error("ending what died is no error")
	}
}

// A child is gone when it is gone, though what it started still holds its error output.
func TestGrandchildDoesNotKeepUsWaiting(t *testing.T) {
	p, err := launch("server", []string{"/bin/sh", "-c", "sleep 600 & echo $! >&2; echo here; wait"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	said(t, p)
	t.Cleanup(func() {
		if pid, err := strconv.Atoi(strings.TrimSpace(p.stderr.String())); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		} else {
			t.Errorf("which grandchild is it? %v", err)
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- p.end(time.Millisecond) }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("killed, and no error")
		}
	case <-time.After(time.Minute):
		t.Fatal("still waiting for the grandchild")
	}
}

func TestNoSuchChild(t *testing.T) {
	if _, err := launch("server", []string{"/no/such/file"}, nil); err == nil || !strings.HasPrefix(err.Error(), "start server: ") {
		t.Errorf("got %v", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var kept tail
	for i := range 10_000 {
		fmt.Fprintf(&kept, "line %d\n", i)
	}
	if s := kept.String(); len(s) != tailSize || !strings.HasSuffix(s, "line 9999\n") {
		t.Errorf("%d bytes kept, ending %q", len(s), lastLine(strings.TrimSpace(s)))
	}
}
