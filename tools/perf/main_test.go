//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// asPerf makes this test binary run as perf.
const asPerf = "PUSHBENCH_TEST_AS_PERF"

func TestMain(m *testing.M) {
	if os.Getenv(asPerf) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// script writes a shell script that replaces a program.
func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestUsageErrorsAreOneLine(t *testing.T) {
	for _, c := range []struct{ args, pattern string }{
		{"-pairs 0", "-pairs: 0 is not allowed"},
		{"-pairs many", "invalid value"},
		{"-only (", "-only: error parsing regexp"},
		{"-only ^no$", `no row has a name that matches "^no$"`},
		{"-out no/such/folder", "-out: no/such/folder is not a folder"},
		{"-wrong", "flag provided but not defined: -wrong"},
		{"extra", `takes no arguments, got "extra"`},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), strings.Fields(c.args), &stdout, &stderr); code != exitUsage {
			t.Errorf("%s: got exit code %d, want %d", c.args, code, exitUsage)
		}
		if got := stderr.String(); !strings.Contains(got, c.pattern) || strings.Count(got, "\n") != 1 || stdout.Len() > 0 {
			t.Errorf("%s: got %q and %q, want one line on stderr with %q", c.args, got, stdout.String(), c.pattern)
		}
	}
}

func TestHelpListsTheFlags(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, &stdout, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Errorf("got exit code %d and %q on stderr, want 0 and nothing", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "-pairs") {
		t.Errorf("got %q, want the flags", stdout.String())
	}
}

// A missing command is detected before the first row, and the previous file remains.
func TestMissingCommandKeepsTheFile(t *testing.T) {
	folder := t.TempDir()
	out := filepath.Join(folder, "perf.md")
	if err := os.WriteFile(out, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-pushbench", "no/pushbench", "-out", folder}, &stdout, &stderr); code != exitFailed {
		t.Errorf("got exit code %d, want %d", code, exitFailed)
	}
	if got := stderr.String(); !strings.Contains(got, "start pushbench") || !strings.Contains(got, "make build") {
		t.Errorf("got %q, want the missing file and how to build it", got)
	}
	if got, err := os.ReadFile(out); string(got) != "before" {
		t.Errorf("the file contains %q (%v), want it unchanged", got, err)
	}
}

// A signal stops a row with an unresponsive server, ends the server and writes the file.
func TestSignalsWriteTheTable(t *testing.T) {
	for _, received := range []unix.Signal{unix.SIGTERM, unix.SIGHUP} {
		t.Run(unix.SignalName(received), func(t *testing.T) { writesTheTable(t, received) })
	}
}

func writesTheTable(t *testing.T, received unix.Signal) {
	// A process that was started by nohup ignores SIGHUP, and so do its children. With a handler in this
	// process, the children start with the default.
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, unix.SIGHUP)
	defer signal.Stop(handled)
	dir := t.TempDir()
	started, out, command := filepath.Join(dir, "started"), filepath.Join(dir, "perf.md"), filepath.Join(dir, "pushbench")
	if err := unix.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	script(t, command, `case "$1" in
--version) echo "pushbench 0.1.0 (0123456789ab)" ;;
prevent-idle) exec cat ;;
serve) echo $$ > `+started+`; exec sleep 1000 ;;
esac`)
	perf := exec.Command(os.Args[0], "-only", "batching delay", "-pairs", "2", "-pushbench", command, "-out", dir)
	perf.Env = append(os.Environ(), asPerf+"=1")
	var stderr bytes.Buffer
	perf.Stderr = &stderr
	if err := perf.Start(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(started) // returns once a server has written its pid
	if err != nil {
		t.Fatal(err)
	}
	if err := perf.Process.Signal(received); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := perf.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("got %v, want exit code %d\n%s", err, exitInterrupted, stderr.String())
	}
	server, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(server, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("the server is still running (%v)", err)
	}
	wrote, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(wrote), "not measured: interrupted") || !strings.Contains(string(wrote), "0123456789ab") {
		t.Errorf("the file contains %q (%v), want the row as interrupted", wrote, err)
	}
}
