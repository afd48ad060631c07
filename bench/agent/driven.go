package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/generator"
	"pushbench/results"
)

// A driven is a load generator of a trial.
type driven struct {
	process *child.Process
	reports chan generator.Report
	readErr error // why reports ended; set before reports is closed

	done *generator.Outcome // nil until the load generator is done
}

func (g *driven) start(argv []string, options child.Options) (err error) {
	if g.process, err = child.Start(child.Generator, argv, options); err != nil {
		return err
	}
	g.reports = make(chan generator.Report, 16)
	go func() {
		defer close(g.reports)
		g.readErr = child.ReadLines(g.process.Stdout, func(m generator.Report) error {
			g.reports <- m
			return nil
		})
	}()
	return nil
}

// request sends a command to the load generator and waits for its report, which must be of the expected kind.
func (g *driven) request(ctx context.Context, c generator.Command, expected func(generator.Report) bool) (generator.Report, error) {
	if err := g.process.Send(c); err != nil {
		return generator.Report{}, err
	}
	m, err := g.receive(ctx, generator.ConnectGrace+child.ResponseTimeout)
	if err == nil && !expected(m) {
		err = generatorError("unexpected report")
	}
	return m, err
}

// receive waits for the load generator's next report.
func (g *driven) receive(ctx context.Context, within time.Duration) (generator.Report, error) {
	select {
	case m, ok := <-g.reports:
		if !ok {
			return m, g.endReason()
		}
		if m.Failed != "" {
			return m, generatorError(m.Failed)
		}
		return m, nil
	case <-time.After(within):
		return generator.Report{}, fmt.Errorf("load generator did not respond within %v", within)
	case <-ctx.Done():
		return generator.Report{}, context.Cause(ctx)
	}
}

// endReason is why the load generator sends no more reports: a read error or its exit.
func (g *driven) endReason() error {
	if g.readErr != nil {
		return generatorError(g.readErr.Error())
	}
	select {
	case <-g.process.Ended:
		return errors.New(g.process.ExitReason())
	case <-time.After(child.ExitTimeout):
		return generatorError("output closed without an exit")
	}
}

// nextInterval receives the load generator's next interval, or nil when it is done.
func (g *driven) nextInterval(ctx context.Context) (*results.Interval, error) {
	m, err := g.receive(ctx, child.ResponseTimeout)
	if err != nil {
		return nil, err
	}
	switch {
	case m.Done != nil:
		g.done = m.Done
	case m.Interval == nil:
		return nil, generatorError("unexpected report, want an interval or the outcome")
	}
	return m.Interval, nil
}

// end ends the load generator, if it was started. An earlier exit is not an error here:
// CancelOnExit has reported it.
func (g *driven) end(grace time.Duration) error {
	if g.process == nil {
		return nil
	}
	go func() { // discard remaining messages, so that the child and its reader can end
		for range g.reports {
		}
	}()
	return g.process.EndQuietly(grace)
}

// errGenerator wraps a failure of the load generator.
var errGenerator = errors.New("load generator failed")

func generatorError(reason string) error { return fmt.Errorf("%w: %s", errGenerator, reason) }
