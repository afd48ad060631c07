package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"pushbench/cmd/internal/app"
)

// Each joined error has a line with the prefix.
func TestEachErrorHasALine(t *testing.T) {
	if got, want := inLines(errors.Join(errors.New("one"), errors.New("other"))), "pushbench: one\npushbench: other"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := inLines(errors.New("a certificate for \x1b[31m\u202e\x07x")), "pushbench: a certificate for [31mx"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A process with too little address space crashes somewhere, so it is refused at its start.
func TestTooLittleAddressSpaceIsRefused(t *testing.T) {
	const unlimited = ^uint64(0)
	for _, enough := range []uint64{addressSpace, unlimited} {
		if err := enoughAddressSpace(enough); err != nil {
			t.Errorf("%d bytes: %v", enough, err)
		}
	}
	err := enoughAddressSpace(1600 << 20)
	if want := "the address space of a process is limited to 1600 MiB (ulimit -v); required: at least 2048 MiB"; err == nil || !strings.HasPrefix(err.Error(), want) || app.CodeOf(err) != app.Invalid {
		t.Errorf("got %v (exit code %d), want %q and %d", err, app.CodeOf(err), want, app.Invalid)
	}
}

// A line break in the name of a file begins no line: scripts count on one line per message, and the text after it could
// pass for a message of pushbench.
func TestLineBreakInAPathBeginsNoLine(t *testing.T) {
	t.Chdir(t.TempDir())
	writeRun(t, "a\npushbench: b")
	wrapped := app.Usagef("--out: %w; allowed: another", errors.Join(errors.New("one"), fmt.Errorf("two\nlines: %w", fs.ErrExist)))
	if got, want := inLines(wrapped), "pushbench: --out: one\npushbench: two lines: file already exists; allowed: another"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, c := range []struct {
		args           []string
		stdout, stderr int // lines
	}{
		{[]string{"report", "missing\npushbench: b"}, 0, 1},
		{[]string{"compare", "missing\npushbench: b", "c"}, 0, 1},
		{[]string{"plot", "a\npushbench: b", "--chart", "timeline", "--format", "svg", "--out", "charts\npushbench: b"}, 1, 0},
		{[]string{"run", "quick", "--out", "a\npushbench: b"}, 0, 1},
		{[]string{"run", "quick", "--junit", "missing\npushbench: b/j.xml"}, 0, 1},
		{[]string{"run", "quick", "--target", "missing\npushbench: b.yaml"}, 0, 1},
		{[]string{"run", "quick", "--baseline", "missing\npushbench: b"}, 0, 1},
		{[]string{"run", "quick", "--\npushbench: b"}, 0, 1},
		{[]string{"target", "new", "--out", "t\npushbench: b.yaml"}, 1, 0},
		{[]string{"target", "new", "--out", "t\npushbench: b.yaml"}, 0, 1},
		{[]string{"check", "missing\npushbench: b"}, 0, 1},
		{[]string{"run", "missing\npushbench: b.yaml"}, 0, 1},
		{[]string{"report", "a\npushbench: b", "--prices", "missing\npushbench: b"}, 0, 1},
	} {
		var stdout, stderr bytes.Buffer
		run(t.Context(), c.args, strings.NewReader(""), &stdout, &stderr)
		if got := [2]int{strings.Count(stdout.String(), "\n"), strings.Count(stderr.String(), "\n")}; got != [2]int{c.stdout, c.stderr} {
			t.Errorf("%q: got %d lines of output and errors, want %d:\n%s%s", c.args, got, [2]int{c.stdout, c.stderr}, stdout.String(), stderr.String())
		}
	}
}
