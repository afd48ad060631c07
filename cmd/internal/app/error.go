package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/scenarios"
)

// A Code is the exit code of a command.
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

// ErrReported is an error that a second process has printed already.
var ErrReported = errors.New("reported before")

// Usagef is an error of the command line or the scenario. Its text names the error and the allowed
// values.
func Usagef(format string, args ...any) error {
	return &Error{Usage, fmt.Errorf(format, args...)}
}

// severity orders the codes, the most severe first. Several errors have the code of the most
// severe one. After an internal error no result can be trusted; after an interruption or with a
// corrupt reference results are missing. A failed assertion is a result, so it precedes the errors
// that only prevented another measurement. Among those, errors that need a change (usage, refused)
// precede those that may not recur.
var severity = []Code{Internal, Interrupted, Corrupt, Failed, Usage, Refused, Invalid, Inconclusive, OK}

// CodeOf is the code of an error, or of the most severe of several joined errors.
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

// A failure is the error of one of several measurements, in one line with its name.
type failure struct {
	name string
	err  error
}

func (f *failure) Error() string {
	return f.name + ": " + strings.ReplaceAll(f.err.Error(), "\n", "; ")
}
func (f *failure) Unwrap() error { return f.err }
