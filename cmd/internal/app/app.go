// Package app does the work of the commands without a command line: it measures, checks, searches,
// compares and examines, and returns what it found.
//
// It owns the machine's lock, the signals and the lines of progress on standard error. It must
// never read a flag, print a result or end the process: that is cmd/pushbench.
package app

import (
	"io"

	"pushbench/results"
)

// Env is what a command was started with.
type Env struct {
	In       io.Reader
	Out, Err io.Writer           // Out is for another process that does the work instead: see elsewhere
	Args     []string            // the command line after the name of the program
	Tool     func() results.Tool // which pushbench this is
}
