package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/scenarios"
)

// Exit codes. A pipeline decides by them.
const (
	exitOK           = 0
	exitInternal     = 1
	exitUsage        = 2
	exitInvalid      = 3
	exitBroken       = 4
	exitRefused      = 5
	exitInterrupted  = 6
	exitCorrupt      = 7
	exitInconclusive = 8
)

const exitHelp = `Exit codes:
  0 ok              1 internal error     2 usage or scenario
  3 invalid run     4 broken claim       5 target refused
  6 interrupted     7 corrupt input      8 inconclusive`

// An exitError carries the exit code that its error deserves.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// errSaid stands for what another process has said in our place.
var errSaid = errors.New("said before")

// usageError says what is wrong with the command line, and what is allowed.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// severity is the order of the exit codes, that of several errors being the first: what a
// pipeline must not miss. After an internal error no result can be trusted; after an
// interruption, or of a corrupt reference, results are missing. A broken assertion is a
// finding, which no error that only kept another measurement from being made may hide. Of
// those, what takes a change (usage, refused) comes before what may pass the next time.
var severity = []int{exitInternal, exitInterrupted, exitCorrupt, exitBroken, exitUsage, exitRefused, exitInvalid, exitInconclusive}

// exitCode is what an error, or the most severe of several that were joined, means to the
// process that started us.
func exitCode(err error) int {
	switch e := err.(type) {
	case nil:
		return exitOK
	case *exitError:
		return e.code
	case *scenarios.Error:
		return exitUsage
	case *results.CorruptError:
		return exitCorrupt
	case interface{ Unwrap() []error }:
		for _, code := range severity {
			if slices.ContainsFunc(e.Unwrap(), func(one error) bool { return exitCode(one) == code }) {
				return code
			}
		}
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			return exitCode(cause)
		}
	}
	return exitInternal
}

// inLines is an error as it is printed: each of several is a line of ours.
func inLines(err error) string {
	return "pushbench: " + strings.ReplaceAll(err.Error(), "\n", "\npushbench: ")
}

// A failure is the error of one of several measurements: a line that begins with its name.
type failure struct {
	of  string
	err error
}

func (f *failure) Error() string { return f.of + ": " + strings.ReplaceAll(f.err.Error(), "\n", "; ") }
func (f *failure) Unwrap() error { return f.err }
