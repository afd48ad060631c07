package main

import (
	"errors"
	"fmt"
	"testing"

	"pushbench/results"
)

func TestExitCodeOfSeveralErrors(t *testing.T) {
	of := func(code int) error { return fmt.Errorf("wrapped: %w", &exitError{code, errors.New("why")}) }
	internal, corrupt := errors.New("a defect"), &results.CorruptError{File: "trials.jsonl"}
	for _, c := range []struct {
		errs []error
		want int
	}{
		{[]error{of(exitInconclusive), of(exitInvalid)}, exitInvalid},
		{[]error{of(exitInvalid), of(exitUsage)}, exitUsage},
		{[]error{of(exitUsage), of(exitInvalid), of(exitBroken)}, exitBroken},
		{[]error{of(exitRefused), of(exitBroken)}, exitBroken},
		{[]error{of(exitBroken), corrupt}, exitCorrupt},
		{[]error{of(exitBroken), corrupt, of(exitInterrupted)}, exitInterrupted},
		{[]error{of(exitBroken), of(exitInterrupted), internal}, exitInternal},
		{[]error{errors.Join(of(exitInvalid), errors.Join(of(exitBroken)))}, exitBroken},
	} {
		for range c.errs { // in any order
			c.errs = append(c.errs[1:], c.errs[0])
			if got := exitCode(errors.Join(c.errs...)); got != c.want {
				t.Errorf("%v: exit code %d, want %d", c.errs, got, c.want)
			}
		}
	}
}

// On a terminal and in a log each error is a line of ours.
func TestEachErrorIsALine(t *testing.T) {
	if got, want := inLines(errors.Join(errors.New("one"), errors.New("other"))), "pushbench: one\npushbench: other"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
