// Package scripttest has the commands shared by the scripts that run pushbench in their own process
// and those that start it. It is only for tests.
package scripttest

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// InTurn runs scripts sequentially: they measure, or change the working directory.
type InTurn struct{ *testing.T }

// Parallel does nothing.
func (t InTurn) Parallel() {}

// Verbose reports whether the test runs with -v.
func (t InTurn) Verbose() bool { return testing.Verbose() }

// Run runs one script.
func (t InTurn) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(InTurn{t}) })
}

// Usage fails a script that calls an additional command incorrectly.
func Usage(ts *testscript.TestScript, ok bool, how string) {
	if !ok {
		ts.Fatalf("usage: %s", how)
	}
}

// StderrOnly checks that the last command printed one line to stderr and nothing to stdout.
func StderrOnly(ts *testscript.TestScript, neg bool, args []string) {
	Usage(ts, !neg && len(args) == 1, "stderr-only TEXT")
	if got := ts.ReadFile("stderr"); got != args[0]+"\n" {
		ts.Fatalf("stderr:\ngot  %s\nwant %s", strings.TrimSuffix(got, "\n"), args[0])
	}
	if got := ts.ReadFile("stdout"); got != "" {
		ts.Fatalf("stdout: got %s, want nothing", got)
	}
}
