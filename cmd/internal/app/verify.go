package app

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"pushbench/bench/verify"
	"pushbench/scenarios"
)

// Verify tries a target over some of its transports; nil: all.
func (e Env) Verify(ctx context.Context, name string, transports []string, silent time.Duration) (found []verify.Result, err error) {
	t, err := loadTarget(name)
	if err != nil {
		return nil, err
	}
	chosen := t.Offered()
	if transports != nil {
		chosen = nil
	}
	for _, transport := range transports {
		if !slices.Contains(t.Offered(), scenarios.Transport(transport)) {
			return nil, Usagef("--transports: target %s has no transport %q; allowed: %v", t.Name, transport, t.Offered())
		}
		chosen = append(chosen, scenarios.Transport(transport))
	}
	if err := e.buildTarget(ctx, t); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	v := verify.Verification{Target: t, Serve: []string{self, "supervise", t.Path}, Silent: silent}
	for _, transport := range chosen {
		r, err := v.Do(ctx, transport)
		if err != nil {
			return found, &Error{Refused, fmt.Errorf("%s: %w", t.Name, err)}
		}
		found = append(found, r)
	}
	return found, nil
}

// Refusal is the error of the first check that failed; nil if none did.
func Refusal(found []verify.Result) error {
	for _, r := range found {
		if f := r.FirstFailure(); f != nil {
			return &Error{Refused, fmt.Errorf("%s: %s: %s", r.Transport, f.Check, f.Detail)}
		}
	}
	return nil
}
