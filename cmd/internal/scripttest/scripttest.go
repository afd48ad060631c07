// Package scripttest has what the two kinds of scripts share: those that run the command in
// their own process, and those that start it. It is for tests alone.
package scripttest

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// InTurn runs scripts one after the other: they measure, or change the working folder.
type InTurn struct{ *testing.T }

// Parallel does nothing.
func (t InTurn) Parallel() {}

// Verbose is as the test was called.
func (t InTurn) Verbose() bool { return testing.Verbose() }

// Run runs one script.
func (t InTurn) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(InTurn{t}) })
}

// Usage ends a script that misuses one of our commands.
func Usage(ts *testscript.TestScript, ok bool, how string) {
	if !ok {
		ts.Fatalf("usage: %s", how)
	}
}

// Says holds that the last command printed one line to stderr and nothing to stdout.
func Prints(ts *testscript.TestScript, neg bool, args []string) {
	Usage(ts, !neg && len(args) == 1, "says TEXT")
	if got := ts.ReadFile("stderr"); got != args[0]+"\n" {
		ts.Fatalf("stderr:\ngot  %s\nwant %s", strings.TrimSuffix(got, "\n"), args[0])
	}
	if got := ts.ReadFile("stdout"); got != "" {
		ts.Fatalf("stdout: got %s, want nothing", got)
	}
}
