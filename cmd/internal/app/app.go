// Package app implements the commands without a command line: it measures, checks, searches,
// compares and examines, and returns the results.
//
// It owns the machine's lock, the signals and the progress on standard error. It must never read a
// flag, print a result or end the process: cmd/pushbench does that.
package app

import (
	"io"

	"pushbench/results"
)

// Env is the environment of a command.
type Env struct {
	In       io.Reader
	Out, Err io.Writer           // Out is only used by a second process: see reexecInUserNamespace
	Args     []string            // the command line after the name of the program
	Tool     func() results.Tool // which pushbench this is
	Hosts    Hosts               // other hosts that load may go to
}
