package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// A Run is a scenario and its blocks on a rig.
type Run struct {
	Scenario *scenarios.Scenario
	Rig      *trial.Rig
	Command  []string        // as the person gave it
	Tool     results.Tool    // which pushbench this is
	Served   results.Tool    // whose servers are measured, where it is another
	Stop     <-chan struct{} // closed: drain the trial under way and end
	Progress func(Progress)  // told at least once a second; must return at once
	Trouble  func(string)    // told of each trial that is void, and why, as it ends; must return at once

	// Enough is asked after each block but the last, and told where the run is being written.
	// What it says ends the run, which is then PARTIAL for that reason; default: nobody is asked.
	Enough func(folder string) (why string, err error)

	Interval func(results.Interval) // told of each second of each trial; must return at once
}

// Do measures and writes the folder at path. derive writes what people look at
// into the folder. The run it returns is what was written.
func (r *Run) Do(ctx context.Context, path string, derive func(*results.Run, string) error) (string, error) {
	where, err := Interleave(ctx, []Side{{r, path}}, derive)
	return where[0], err
}

// errStopped says that a person ended the run.
var errStopped = errors.New("interrupted")

// enoughError says that a run ends early because nothing more is to be learnt from it.
type enoughError struct{ why string }

func (e *enoughError) Error() string { return e.why }

// A campaign is a run under way.
type campaign struct {
	run      *Run
	cases    []scenarios.Case // of the scenario: what each block measures
	folder   *results.Folder
	manifest *results.Manifest
	began    time.Time
	sides    int // runs that are measured in turns, this one included

	attempt  func(ctx context.Context, block, position, again int, measured scenarios.Case) (results.Trial, error)
	done     int // trials that ended and are not measured again
	again    int // trials that were disturbed and measured again
	took     time.Duration
	pairs    pairing
	faulty   []string // trials that are void, and why
	overload []string
}

// disturbedShare is the largest share of the planned trials that may be measured
// again. A machine that disturbs more is no machine to measure on.
const disturbedShare = 0.2

// cell measures one case of a block. A trial that the machine disturbed, which
// a gate of the rig says and no figure of the system under test, is void; it stays
// in the folder, is named in every output, and is measured again in its place.
func (c *campaign) cell(ctx context.Context, block, position int, measured scenarios.Case) error {
	allowed := max(1, int(disturbedShare*float64(c.trials())))
	for again := 0; ; again++ {
		result, err := c.attempt(ctx, block, position, again, measured)
		if err != nil {
			return err
		}
		if !validity.Disturbed(result) || c.again >= allowed {
			c.trouble(result, "")
			c.note(result)
			return nil
		}
		c.trouble(result, ", is measured again")
		c.again++
	}
}

// trouble tells of a trial that is void.
func (c *campaign) trouble(t results.Trial, then string) {
	if t.Status == results.Invalid && c.run.Trouble != nil {
		c.run.Trouble(fmt.Sprintf("%s is void%s: %s", t.Name(), then, t.Reason))
	}
}

// trials is how many are planned.
func (c *campaign) trials() int { return len(c.cases) * c.run.Scenario.Blocks }

func (c *campaign) trial(ctx context.Context, block, position, again int, measured scenarios.Case) (results.Trial, error) {
	if c.stopped() {
		return results.Trial{}, errStopped
	}
	phase, delivered, took := "starting", int64(0), results.Histogram{}
	tell := func() { c.tell(block, measured, phase, delivered, took) }
	t := &trial.Trial{
		Rig:      c.run.Rig,
		Scenario: c.run.Scenario.For(measured),
		Measured: measured,
		Block:    block,
		Again:    again,
		Run:      c.manifest.RunID,
		First:    c.pairs.first,
		Before:   c.pairs.before[measured.Name()],
		Stop:     c.run.Stop,
		Interval: func(i results.Interval) error {
			delivered += i.Delivered
			took.Merge(i.Latency)
			tell()
			if c.run.Interval != nil {
				c.run.Interval(i)
			}
			return c.folder.AppendInterval(i)
		},
		Phase: func(now string) { phase = now; tell() },
	}
	result, err := t.Measure(ctx)
	if ctx.Err() != nil {
		return result, errStopped
	}
	result.Position = position
	if err == nil {
		c.pairs.note(measured.Name(), result.Settings)
	}
	c.manifest.Servers[measured.Name()] = t.ServerSettings
	c.took += result.Took
	if written := c.folder.AppendTrial(result); written != nil {
		return result, written
	}
	switch {
	case c.stopped():
		c.done++
		return result, errStopped
	case err != nil && !t.Connected:
		return result, err // what kept this trial from beginning will keep the others
	default:
		return result, nil // a trial that broke off is void; the others may be sound
	}
}

func (c *campaign) stopped() bool {
	select {
	case <-c.run.Stop:
		return true
	default:
		return false
	}
}

// enough asks whether the run may end after a block.
func (c *campaign) enough(block int) error {
	if c.run.Enough == nil || block == c.run.Scenario.Blocks {
		return nil
	}
	why, err := c.run.Enough(c.folder.Path())
	if err == nil && why != "" {
		err = &enoughError{why}
	}
	return err
}

func (c *campaign) note(t results.Trial) {
	c.done++
	switch t.Status {
	case results.Invalid:
		c.faulty = append(c.faulty, t.Name()+": "+t.Reason)
	case results.Saturated:
		c.overload = append(c.overload, t.Name()+": "+t.Reason)
	}
}

// verdict says what the run is worth.
func (c *campaign) verdict(err error) (results.Status, string) {
	var enough *enoughError
	switch {
	case errors.As(err, &enough), errors.Is(err, errStopped):
		return results.Partial, fmt.Sprintf("%v after %d of %d trials", err, c.done, c.trials())
	case err != nil:
		return results.Invalid, err.Error()
	case len(c.faulty) > 0:
		return results.Invalid, strings.Join(c.faulty, "; ")
	case len(c.overload) > 0:
		return results.Saturated, strings.Join(c.overload, "; ")
	default:
		return results.Complete, ""
	}
}
