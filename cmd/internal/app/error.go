package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/scenarios"
)

// A Code says how a command ended. It is the exit code, by which a pipeline decides.
type Code int

const (
	OK Code = iota
	Internal
	Usage
	Invalid
	Failed
	Refused
	Interrupted
	Corrupt
	Inconclusive
)

// An Error carries the code of its cause.
type Error struct {
	Code Code
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// ErrReported stands for what another process has printed instead of this one.
var ErrReported = errors.New("reported before")

// Usagef is an error of the command line or the scenario: what is wrong, and what is allowed.
func Usagef(format string, args ...any) error {
	return &Error{Usage, fmt.Errorf(format, args...)}
}

// severity is the order of the codes, that of several errors being the first: what a
// pipeline must not miss. After an internal error no result can be trusted; after an
// interruption, or of a corrupt reference, results are missing. A broken assertion is a
// finding, which no error that only kept another measurement from being made may hide. Of
// those, what takes a change (usage, refused) comes before what may pass the next time.
var severity = []Code{Internal, Interrupted, Corrupt, Failed, Usage, Refused, Invalid, Inconclusive}

// CodeOf is the code of an error, or of the most severe of several that were joined.
func CodeOf(err error) Code {
	switch e := err.(type) {
	case nil:
		return OK
	case *Error:
		return e.Code
	case *scenarios.Error:
		return Usage
	case *results.CorruptError:
		return Corrupt
	case interface{ Unwrap() []error }:
		for _, code := range severity {
			if slices.ContainsFunc(e.Unwrap(), func(one error) bool { return CodeOf(one) == code }) {
				return code
			}
		}
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			return CodeOf(cause)
		}
	}
	return Internal
}

// A failure is the error of one of several measurements: a line that begins with its name.
type failure struct {
	of  string
	err error
}

func (f *failure) Error() string { return f.of + ": " + strings.ReplaceAll(f.err.Error(), "\n", "; ") }
func (f *failure) Unwrap() error { return f.err }
