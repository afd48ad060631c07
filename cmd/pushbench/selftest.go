package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/bench/client/engines"
	"pushbench/cmd/internal/app"
	"pushbench/cmd/pushbench/selftest"
)

func newSelftestCommand() *cobra.Command {
	o := selftest.Options{}
	c := &cobra.Command{
		Use:   "selftest",
		Short: "Hold this instrument to known truths, on this machine",
		Long: `Hold this instrument to known truths, on this machine: servers that are wrong by a
known amount, processes that stand still for a known time, wires that a relay has
read, and the arithmetic of polling. Each row says what theory says, what was
measured and how far apart they may be. It takes about three minutes and no
privilege; measure nothing beside it.

The proofs: ` + strings.Join(selftest.Names(), ", ") + `.

` + exitHelp,
		Example: "  pushbench selftest\n  pushbench selftest --only freeze,lies\n  pushbench selftest --long",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if !slices.Contains(engines.Names(), o.Engine) {
				return app.Usagef("--engine: %q is not one of %s", o.Engine, strings.Join(engines.Names(), ", "))
			}
			if err := o.Check(); err != nil {
				return app.Usagef("--only: %w", err)
			}
			return env(c).InSession(c.Context(), func(s *app.Session) error { return prove(s, o) })
		},
	}
	f := c.Flags()
	f.BoolVar(&o.Long, "long", false, "the slow proofs as well")
	f.StringSliceVar(&o.Only, "only", nil, "only these proofs, such as freeze,lies")
	f.StringVar(&o.Engine, "engine", engines.Names()[0], "what the clients run on: "+strings.Join(engines.Names(), " or "))
	return c
}

// prove runs the self-test. What it has of a run that was cut short proves nothing, so that the
// first signal ends it.
func prove(s *app.Session, o selftest.Options) (err error) {
	if o.Executable, err = os.Executable(); err != nil {
		return fmt.Errorf("find this executable: %w", err)
	}
	o.Out = s.Out
	verdict, err := selftest.Run(s.Drain, o)
	switch interrupted := s.Interrupted(); {
	case interrupted != nil:
		return interrupted
	case err != nil:
		return err
	case len(verdict.Failed) > 0:
		return &app.Error{Code: app.Invalid, Err: fmt.Errorf("%d of %d rows do not hold: trust no figure of this instrument on this machine", len(verdict.Failed), verdict.Rows)}
	default:
		return nil
	}
}
