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
		Short: "Check this machine's measurements against known values",
		Long: `Check this machine's measurements against known values: servers with injected faults,
processes that stall for a known time, byte counts of a relay, and the arithmetic of
polling. Each row gives the expected value, the measured value and the allowed
difference. The self-test takes about 3 minutes, and up to 9 if other programs disturb
its trials, which are then repeated. It needs no privilege. Run no other measurement meanwhile.

Checks: ` + strings.Join(selftest.Names(), ", ") + `.

` + exitHelp,
		Example: "  pushbench selftest\n  pushbench selftest --only server-stall,faults\n  pushbench selftest --long",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if !slices.Contains(engines.Names(), o.Engine) {
				return app.Usagef("--engine: %q is not one of %s", o.Engine, strings.Join(engines.Names(), ", "))
			}
			warning, err := o.Resolve()
			if err != nil {
				return app.Usagef("--only: %w", err)
			}
			if warning != "" {
				fmt.Fprintf(c.ErrOrStderr(), "pushbench: warning: %s\n", warning)
			}
			return env(c).InSession(c.Context(), func(s *app.Session) error { return checkKnown(s, o) })
		},
	}
	f := c.Flags()
	f.BoolVar(&o.Long, "long", false, "also run the slow checks")
	f.StringSliceVar(&o.Only, "only", nil, "checks to run, such as server-stall,faults (default: all except the slow ones)")
	f.StringVar(&o.Engine, "engine", engines.Names()[0], "client implementation: "+strings.Join(engines.Names(), " or "))
	completeList(c, "only", selftest.Names())
	completeWord(c, "engine", engines.Names())
	return c
}

// checkKnown runs the self-test. An incomplete self-test has no result, so that the first signal
// ends it.
func checkKnown(s *app.Session, o selftest.Options) (err error) {
	if o.Executable, err = os.Executable(); err != nil {
		return fmt.Errorf("find this executable: %w", err)
	}
	o.Out = s.Out
	outcome, err := selftest.Run(s.Drain, o)
	switch interrupted := s.Interrupted(); {
	case interrupted != nil:
		return interrupted
	case err != nil:
		return err
	case outcome.Err() != nil:
		return &app.Error{Code: app.Invalid, Err: outcome.Err()}
	default:
		return nil
	}
}
