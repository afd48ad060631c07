package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pushbench/bench/host"
	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// A Run is a scenario and its repetitions on a rig.
type Run struct {
	Scenario *scenarios.Scenario
	Setup    *trial.Setup
	Command  []string        // as the person gave it
	Tool     results.Tool    // which pushbench this is
	Served   results.Tool    // whose servers are measured, where it is another
	Stop     <-chan struct{} // closed: drain the trial under way and end
	Progress func(Progress)  // optional callback, at least once per second; must not block
	Trouble  func(string)    // optional callback for each invalid trial, with the reason, as it ends; must not block

	// Enough is an optional callback after each repetition but the last, with the run so far. A
	// reason ends the run, which is then PARTIAL for that reason.
	Enough func(*results.Run) (why string)

	Interval func(results.Interval) // optional callback for each second of each trial; must not block
}

// Do measures and writes the folder at path. derive writes what people look at
// into the folder. The returned run is what was written; nil where there is no folder.
func (r *Run) Do(ctx context.Context, path string, derive func(*results.Run) error) (*results.Run, error) {
	runs, err := Interleave(ctx, []Side{{r, path}}, derive)
	return runs[0], err
}

// A Side is a run, and where its folder goes.
type Side struct {
	Run  *Run
	Path string
}

// Interleave measures several runs of one scenario side by side: a trial of one is
// followed, or led, by the same trial of the others, so that whatever the machine does
// meanwhile is in all of them alike. Each is a run of its own, with a folder of its own,
// and says whom it was measured beside. They share the monitor of the cores and the ceiling
// of the first side's rig.
//
// derive writes what people look at into each folder. The runs are returned in the order of
// the sides, as they were read back from their folders; one without a folder is nil.
func Interleave(ctx context.Context, sides []Side, derive func(*results.Run) error) ([]*results.Run, error) {
	runs := make([]*results.Run, len(sides))
	campaigns, err := begin(sides)
	if err != nil {
		return runs, err
	}
	broke := host.WithMonitor(sides[0].Run.Setup.Idle, func(m *host.Monitor) error { return measure(ctx, campaigns, m) })
	errs := make([]error, len(sides))
	for i, c := range campaigns {
		c.close(broke)
		runs[i], errs[i] = c.folder.Finish(c.manifest, derive)
	}
	return runs, errors.Join(errs...)
}

// begin plans the runs and makes their folders.
func begin(sides []Side) (all []*campaign, err error) {
	began := time.Now()
	for i, side := range sides {
		c := newCampaign(side.Run, began.Add(time.Duration(i))) // a nanosecond apart: no two may share a payload
		c.sides = len(sides)
		for _, other := range all {
			c.manifest.Baseline = append(c.manifest.Baseline, other.manifest.RunID)
			other.manifest.Baseline = append(other.manifest.Baseline, c.manifest.RunID)
		}
		all = append(all, c)
	}
	for i, c := range all {
		if c.folder, err = results.Create(sides[i].Path, c.manifest, c.run.Scenario.YAML()); err != nil {
			for _, made := range all[:i] {
				err = errors.Join(err, made.folder.Discard())
			}
			return nil, err
		}
	}
	return all, nil
}

// newCampaign plans a run.
func newCampaign(r *Run, began time.Time) *campaign {
	configurations := r.Scenario.Configurations()
	c := &campaign{run: r, began: began, configurations: configurations, manifest: r.manifest(began, configurations)}
	c.attempt = c.trial
	return c
}

// measure is all that happens while the cores are monitored.
func measure(ctx context.Context, campaigns []*campaign, m *host.Monitor) error {
	first := campaigns[0]
	rig := first.run.Setup
	if err := rig.MeasureCeiling(ctx, first.run.Scenario.Hardest(first.configurations)); ctx.Err() != nil {
		return errStopped
	} else if err != nil {
		return err
	}
	for _, c := range campaigns {
		c.run.Setup.Monitor, c.run.Setup.Ceiling = m, rig.Ceiling
		c.manifest.Ceiling = rig.Ceiling
		c.manifest.Conditions = append(c.manifest.Conditions, rig.Conditions()...)
	}
	before, err := rig.IdleStalls(ctx)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		c.manifest.Host.Stalls = before
	}
	if err := repetitions(ctx, campaigns); err != nil {
		return err
	}
	after, err := rig.IdleStalls(ctx)
	for _, c := range campaigns {
		c.manifest.Host.StallsAfter = after
	}
	return err
}

// repetitions measures every configuration of every side. Which side measures a configuration
// first takes turns from repetition to repetition.
func repetitions(ctx context.Context, campaigns []*campaign) error {
	s, configurations := campaigns[0].run.Scenario, campaigns[0].configurations
	turns := map[string][][]*campaign{}
	for i, c := range configurations {
		turns[c.Name()] = Orders(campaigns, s.Repetitions, s.Seed+uint64(i))
	}
	for repetition, order := range Orders(configurations, s.Repetitions, s.Seed) {
		for position, measured := range order {
			for _, c := range turns[measured.Name()][repetition] {
				if err := c.configuration(ctx, repetition+1, position+1, measured); err != nil {
					return err
				}
			}
		}
		for _, c := range campaigns {
			if err := c.enough(repetition + 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// errStopped: a person ended the run.
var errStopped = errors.New("interrupted")

// enoughError says that a run ends early because nothing more is to be learnt from it.
type enoughError struct{ why string }

func (e *enoughError) Error() string { return e.why }

// A campaign is a run under way.
type campaign struct {
	run            *Run
	folder         *results.Folder
	manifest       results.Manifest
	began          time.Time
	configurations []scenarios.Configuration
	sides          int // runs that are measured in turns, this one included

	attempt  func(ctx context.Context, block, position, again int, measured scenarios.Configuration) (results.Trial, error)
	written  []results.Trial // in the folder
	done     int             // trials that ended and are not measured again
	again    int             // trials that were disturbed and measured again
	took     time.Duration
	pairs    pairing
	faulty   []string // invalid trials, with the reason
	overload []string
}

// disturbedShare is the largest share of the planned trials that may be measured
// again. A machine that disturbs more is no machine to measure on.
const disturbedShare = 0.2

// configuration measures one configuration of a repetition. A trial that the machine disturbed
// is invalid: a check of the test setup shows that, never a metric of the system under test. It
// stays in the folder, is named in every output, and is measured again in its place.
func (c *campaign) configuration(ctx context.Context, block, position int, measured scenarios.Configuration) error {
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

// trouble reports a trial that is invalid.
func (c *campaign) trouble(t results.Trial, then string) {
	if t.Status == results.Invalid && c.run.Trouble != nil {
		c.run.Trouble(fmt.Sprintf("%s is void%s: %s", t.Name(), then, t.Reason))
	}
}

// trials is how many are planned.
func (c *campaign) trials() int { return len(c.configurations) * c.run.Scenario.Repetitions }

// trial measures once and writes the row of what was found.
func (c *campaign) trial(ctx context.Context, block, position, again int, measured scenarios.Configuration) (results.Trial, error) {
	if c.stopped() {
		return results.Trial{}, errStopped
	}
	phase, delivered, took := "starting", int64(0), results.Histogram{}
	progress := func() { c.progress(block, measured, phase, delivered, took) }
	t := &trial.Trial{
		Setup:      c.run.Setup,
		Scenario:   c.run.Scenario.For(measured),
		Measured:   measured,
		Repetition: block,
		Attempt:    again,
		Run:        c.manifest.RunID,
		First:      c.pairs.first,
		Before:     c.pairs.before[measured.Name()],
		Stop:       c.run.Stop,
		Interval: func(i results.Interval) error {
			delivered += i.Delivered
			took.Merge(i.Latency)
			progress()
			if c.run.Interval != nil {
				c.run.Interval(i)
			}
			return c.folder.AppendInterval(i)
		},
		Phase: func(now string) { phase = now; progress() },
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
	c.written = append(c.written, result)
	switch {
	case c.stopped():
		c.done++
		return result, errStopped
	case err != nil && !t.Connected:
		return result, err // what kept this trial from beginning will keep the others
	default:
		return result, nil // a trial that broke off is invalid; the others may be valid
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

// enough is an error where the run may end after a repetition.
func (c *campaign) enough(block int) error {
	if c.run.Enough == nil || block == c.run.Scenario.Repetitions {
		return nil
	}
	if why := c.run.Enough(&results.Run{Manifest: c.manifest, Trials: c.written}); why != "" {
		return &enoughError{why}
	}
	return nil
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

// verdict is the status of the run and its reason.
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

// close completes the manifest. An error of one side ended all of them.
func (c *campaign) close(err error) {
	m := &c.manifest
	m.Conditions = append(m.Conditions, c.pairs.conditions()...)
	if n := len(m.Baseline); n > 0 {
		m.Conditions = append(m.Conditions, fmt.Sprintf("measured side by side with %d other run: each trial here has the same trial there right before or after it", n))
	}
	m.Ended = time.Now().UTC()
	m.Host.LoadAverageAfter = host.LoadAverage()
	m.Status, m.Reason = c.verdict(err)
}
