package app

import (
	"context"
	"fmt"
	"os"

	"pushbench/bench/target"
	"pushbench/bench/verify"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Verify tries a target over some of its transports; nil: all.
func (e Env) Verify(ctx context.Context, name string, transports []string, v verify.Verification) (found []verify.Result, err error) {
	t, chosen, err := e.Ready(ctx, "verify", name, transports)
	if err != nil {
		return nil, err
	}
	for _, transport := range chosen {
		r, err := verifyOver(ctx, version{Target: t}, v, transport)
		if err != nil {
			return found, err
		}
		found = append(found, r)
	}
	return found, nil
}

// Ready reads a target file and prepares its server for a start. It returns the target and those of its transports that
// are named; nil: all. Errors begin with the command.
func (e Env) Ready(ctx context.Context, command, name string, transports []string) (t *scenarios.Target, chosen []scenarios.Transport, err error) {
	if t, err = loadTarget(command, name); err != nil {
		return nil, nil, err
	}
	for _, transport := range transports {
		if !t.Offers(scenarios.Transport(transport)) {
			return nil, nil, Usagef("target %s has no transport %q; allowed: %v", t.Name, transport, t.Offered())
		}
		chosen = append(chosen, scenarios.Transport(transport))
	}
	if len(chosen) == 0 {
		chosen = t.Offered()
	}
	for _, transport := range chosen {
		if _, err := target.Compile(t, transport, os.LookupEnv); err != nil {
			return nil, nil, Usagef("%s: %w", name, err)
		}
	}
	var remote []string
	if t.Remote() {
		remote = append(remote, t.Host())
	}
	if err := e.Hosts.used(remote); err != nil {
		return nil, nil, err
	}
	return t, chosen, e.prepareTarget(ctx, version{Target: t})
}

// verifyOver tries a target over one transport.
func verifyOver(ctx context.Context, of version, v verify.Verification, transport scenarios.Transport) (r verify.Result, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, fmt.Errorf("find this executable: %w", err)
	}
	v.Target, v.Serve = of.Target, Supervised(self, of.Target)
	if r, err = v.Do(ctx, transport); err != nil {
		return r, &Error{Refused, fmt.Errorf("%s: %w", of, err)}
	}
	return r, nil
}

// Refusal is the error of the first check that failed; nil if none did.
func Refusal(found []verify.Result) error {
	for _, r := range found {
		if f := r.FirstFailure(); f != nil {
			return &Error{Refused, fmt.Errorf("%s over %s: %s: %s", r.Target, transports.Of(r.Transport).Title, f.Check, f.Detail)}
		}
	}
	return nil
}

// admit tries a target before a run measures it. It is an error if the server cannot be used as its file describes, or
// breaks a stated promise. What else the server does to messages, the run counts.
func (s *Session) admit(t version, transport scenarios.Transport, size int) error {
	r, err := verifyOver(s.Drain, t, verify.Verification{Size: size}, transport)
	if s.Drain.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	over := fmt.Sprintf("%s over %s", t, transports.Of(transport).Title)
	if f := r.Refusal(); f != nil {
		return &Error{Refused, fmt.Errorf("%s: %s: %s; pushbench verify --size %s --ladder shows the traffic", over, f.Check, f.Detail, scenarios.Size(size))}
	}
	for _, f := range r.Findings {
		if f.Outcome == verify.Failed {
			fmt.Fprintf(s.Err, "%s: %s: %s; the run counts it\n", over, f.Check, f.Detail)
		}
	}
	fmt.Fprintf(s.Err, "%s: verified over %s\n", t, transports.Of(transport).Title)
	return nil
}
