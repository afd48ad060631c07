package app

import (
	"errors"
	"fmt"
	"testing"

	"pushbench/results"
)

func TestExitCodeOfSeveralErrors(t *testing.T) {
	of := func(code Code) error { return fmt.Errorf("wrapped: %w", &Error{code, errors.New("why")}) }
	internal, corrupt := errors.New("a defect"), &results.CorruptError{File: "trials.jsonl"}
	for _, c := range []struct {
		errs []error
		want Code
	}{
		{[]error{of(OK), of(OK)}, OK}, // of another process that reported them
		{[]error{of(Inconclusive), of(Invalid)}, Invalid},
		{[]error{of(Invalid), of(Usage)}, Usage},
		{[]error{of(Usage), of(Invalid), of(Failed)}, Failed},
		{[]error{of(Refused), of(Failed)}, Failed},
		{[]error{of(Failed), corrupt}, Corrupt},
		{[]error{of(Failed), corrupt, of(Interrupted)}, Interrupted},
		{[]error{of(Failed), of(Interrupted), internal}, Internal},
		{[]error{errors.Join(of(Invalid), errors.Join(of(Failed)))}, Failed},
	} {
		for range c.errs { // in any order
			c.errs = append(c.errs[1:], c.errs[0])
			if got := CodeOf(errors.Join(c.errs...)); got != c.want {
				t.Errorf("%v: exit code %d, want %d", c.errs, got, c.want)
			}
		}
	}
}
