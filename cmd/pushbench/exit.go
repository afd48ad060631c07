package main

import (
	"errors"
	"fmt"

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

// exitCode is what an error means to whoever started us.
func exitCode(err error) int {
	var exit *exitError
	var scenario *scenarios.Error
	var corrupt *results.CorruptError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &scenario):
		return exitUsage
	case errors.As(err, &corrupt):
		return exitCorrupt
	default:
		return exitInternal
	}
}
