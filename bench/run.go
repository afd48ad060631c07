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

// A Run is a scenario and its repetitions on a test setup.
type Run struct {
	Scenario       *scenarios.Scenario
	Setup          *trial.Setup
	Command        []string        // as the user entered it
	Tool           results.Tool    // this build of pushbench
	Served         results.Tool    // the build of the measured servers, if it is another
	Side           results.Side    // of a run with a baseline; empty: there is none
	Stop           <-chan struct{} // closed: drain the current trial and end
	Started        func()          // optional callback when the folders exist, before the first measurement
	Progress       func(Progress)  // optional callback, at least once per second; must not block
	OnInvalidTrial func(string)    // optional callback for each invalid trial, with the reason, as it ends; must not block

	// StopEarly is an optional callback after each repetition but the last, with the run so far. If
	// it returns a reason, the run ends as INTERRUPTED with that reason.
	StopEarly func(*results.Run) (why string)

	Interval func(results.Interval) // optional callback for each second of each trial; must not block
}

// Do performs the run and writes its folder at path. derive writes the reports into the folder.
// Do returns the run as written, or nil if there is no folder.
func (r *Run) Do(ctx context.Context, path string, derive func(*results.Run) error) (*results.Run, error) {
	runs, err := Interleave(ctx, []Side{{r, path}}, derive)
	return runs[0], err
}

// A Side is a run and the path of its folder.
type Side struct {
	Run  *Run
	Path string
}

// Interleave performs several runs of one scenario together: each trial runs directly before or
// after the same trial of the other runs, so that disturbances of the machine affect all runs
// alike. Every run has its own folder, and its manifest names the other runs. The runs share
// the test setup, with its stall monitor and its ceiling.
//
// derive writes the reports into each folder. Interleave returns the runs in the order of the
// sides, as read back from their folders; a run without a folder is nil.
func Interleave(ctx context.Context, sides []Side, derive func(*results.Run) error) ([]*results.Run, error) {
	runs := make([]*results.Run, len(sides))
	campaigns, err := begin(sides)
	if err != nil {
		return runs, err
	}
	if started := sides[0].Run.Started; started != nil {
		started()
	}
	failed := errors.Join(measure(ctx, campaigns), sides[0].Run.Setup.Finish())
	errs := make([]error, len(sides))
	for i, c := range campaigns {
		c.close(failed)
		runs[i], errs[i] = c.folder.Finish(c.manifest, derive)
	}
	return runs, errors.Join(errs...)
}

// begin plans the runs and creates their folders.
func begin(sides []Side) (all []*campaign, err error) {
	began := time.Now()
	for i, side := range sides {
		c := newCampaign(side.Run, began.Add(time.Duration(i))) // distinct start times: run IDs, and so payloads, must differ
		c.sides = len(sides)
		c.manifest.Compare = comparison(side.Run.Scenario, len(sides))
		for _, other := range all {
			c.manifest.Baseline = append(c.manifest.Baseline, other.manifest.RunID)
			other.manifest.Baseline = append(other.manifest.Baseline, c.manifest.RunID)
		}
		all = append(all, c)
	}
	for i, c := range all {
		if c.folder, err = results.Create(sides[i].Path, c.manifest, c.run.Scenario.YAML()); err != nil {
			for _, created := range all[:i] {
				err = errors.Join(err, created.folder.Discard())
			}
			return nil, err
		}
	}
	return all, nil
}

// newCampaign plans a run.
func newCampaign(r *Run, began time.Time) *campaign {
	configurations := r.Scenario.Configurations()
	c := &campaign{run: r, began: began, since: host.Uptime(), configurations: configurations, manifest: r.manifest(began, configurations)}
	c.measureTrial = c.trial
	return c
}

// measure performs the measurements. All sides have the same test setup.
func measure(ctx context.Context, campaigns []*campaign) error {
	first := campaigns[0]
	setup := first.run.Setup
	conditions, err := setup.Begin(ctx, first.run.Scenario.Hardest(first.configurations))
	if ctx.Err() != nil {
		return errStopped
	} else if err != nil {
		return err
	}
	for _, c := range campaigns {
		c.manifest.Ceiling = setup.Ceiling
		c.manifest.Conditions = append(c.manifest.Conditions, conditions...)
	}
	before, err := setup.IdleStalls(ctx)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		c.manifest.Host.Stalls = before
	}
	if err := repetitions(ctx, campaigns); err != nil {
		return err
	}
	after, err := setup.IdleStalls(ctx)
	for _, c := range campaigns {
		c.manifest.Host.StallsAfter = after
	}
	return err
}

// repetitions measures every configuration of every side. The order of the sides is balanced
// over the repetitions.
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

// errStopped means that the user ended the run.
var errStopped = errors.New("interrupted")

// enoughError means that a run ends early because more repetitions would add nothing.
type enoughError struct{ why string }

func (e *enoughError) Error() string { return e.why }

// A campaign is a run in progress.
type campaign struct {
	run            *Run
	folder         *results.Folder
	manifest       results.Manifest
	began          time.Time
	since          time.Duration // host.Uptime then
	configurations []scenarios.Configuration
	sides          int // number of interleaved runs, including this one

	measureTrial func(ctx context.Context, repetition, position, attempt int, measured scenarios.Configuration) (results.Trial, error)
	written      []results.Trial // in the folder
	done         int             // completed trials, without those that are repeated
	repeated     int             // trials that were disturbed and repeated
	took         time.Duration
	pairs        pairing
	invalid      []string // invalid trials, with the reason
	overloaded   []string // saturated trials, with the reason
}

// disturbedShare is the maximum share of the planned trials that may be repeated. A machine
// with more disturbances is unsuitable for benchmarking.
const disturbedShare = 0.2

// configuration measures one configuration in one repetition. A trial that the machine disturbed
// is invalid: a check of the test setup shows that, never a metric of the system under test. It
// remains in the folder, every report lists it, and it is repeated at the same position.
func (c *campaign) configuration(ctx context.Context, repetition, position int, measured scenarios.Configuration) error {
	allowed := max(1, int(disturbedShare*float64(c.trials())))
	for attempt := 0; ; attempt++ {
		result, err := c.measureTrial(ctx, repetition, position, attempt, measured)
		if err != nil {
			return err
		}
		if !validity.RetryableTrial(result) || c.repeated >= allowed {
			c.trouble(result, "")
			c.note(result)
			return nil
		}
		c.trouble(result, " and will be repeated")
		c.repeated++
	}
}

// trouble reports an invalid trial.
func (c *campaign) trouble(t results.Trial, consequence string) {
	if t.Status == results.Invalid && c.run.OnInvalidTrial != nil {
		c.run.OnInvalidTrial(c.named(fmt.Errorf("%s is invalid%s: %s", t.Name(), consequence, t.Reason)).Error())
	}
}

// named names the side of an error, if there are two.
func (c *campaign) named(err error) error {
	if c.run.Side == "" {
		return err
	}
	return fmt.Errorf("%s: %w", c.run.Side, err)
}

// trials is the number of planned trials.
func (c *campaign) trials() int { return len(c.configurations) * c.run.Scenario.Repetitions }

// trial performs one trial and writes its result.
func (c *campaign) trial(ctx context.Context, repetition, position, attempt int, measured scenarios.Configuration) (results.Trial, error) {
	if c.stopped() {
		return results.Trial{}, errStopped
	}
	phase, delivered, latency := "starting", int64(0), results.Histogram{}
	progress := func() { c.progress(repetition, measured, phase, delivered, latency) }
	t := &trial.Trial{
		Setup:      c.run.Setup,
		Scenario:   c.run.Scenario.For(measured),
		Measured:   measured,
		Side:       c.run.Side,
		Repetition: repetition,
		Attempt:    attempt,
		Run:        c.manifest.RunID,
		First:      c.pairs.first,
		Before:     c.pairs.before[measured.Name()],
		Stop:       c.run.Stop,
		Interval: func(i results.Interval) error {
			delivered += i.Delivered
			latency.Merge(i.Latency)
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
	case err != nil && !t.Connected && !validity.RetryableTrial(result):
		return result, c.named(err) // the trial did not start; neither would the others
	default:
		return result, nil // an aborted trial is invalid; the others may be valid
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

// enough returns an error if the run is to end after this repetition.
func (c *campaign) enough(repetition int) error {
	if c.run.StopEarly == nil || repetition == c.run.Scenario.Repetitions {
		return nil
	}
	if why := c.run.StopEarly(&results.Run{Manifest: c.manifest, Trials: c.written}); why != "" {
		return &enoughError{why}
	}
	return nil
}

func (c *campaign) note(t results.Trial) {
	c.done++
	switch t.Status {
	case results.Invalid:
		c.invalid = append(c.invalid, t.Name()+": "+t.Reason)
	case results.Saturated:
		c.overloaded = append(c.overloaded, t.Name()+": "+t.Reason)
	}
}

// status is the status of the run and its reason.
func (c *campaign) status(err error) (results.Status, string) {
	var enough *enoughError
	switch {
	case errors.As(err, &enough), errors.Is(err, errStopped):
		return results.Partial, fmt.Sprintf("%v after %d of %d trials", err, c.done, c.trials())
	case err != nil:
		return results.Invalid, results.Reason(err)
	case len(c.invalid) > 0:
		return results.Invalid, strings.Join(c.invalid, "; ")
	case len(c.overloaded) > 0:
		return results.Saturated, strings.Join(c.overloaded, "; ")
	default:
		return results.Complete, ""
	}
}

// close completes the manifest. An error of one side ends all of them.
func (c *campaign) close(err error) {
	m := &c.manifest
	m.Conditions = append(m.Conditions, c.pairs.conditions()...)
	if n := len(m.Baseline); n > 0 {
		m.Conditions = append(m.Conditions, fmt.Sprintf("measured side by side with %d other run: each trial runs directly before or after the same trial of that run", n))
	}
	c.end(time.Now(), host.Uptime()-c.since)
	m.Host.LoadAverageAfter = host.LoadAverage()
	m.Status, m.Reason = c.status(err)
}

// end sets the end of the run by the time that it took, as the clock of the machine may have been set meanwhile: a run
// never ends before it started. A clock that is off by more than clockStep was set, not adjusted.
func (c *campaign) end(now time.Time, took time.Duration) {
	c.manifest.Ended = c.began.Add(took).UTC()
	const clockStep = 2 * time.Second
	if step := now.Round(0).Sub(c.began.Round(0)) - took; step.Abs() >= clockStep { // Round removes Go's monotonic reading
		c.manifest.Conditions = append(c.manifest.Conditions,
			fmt.Sprintf("the machine's clock was set by %v during the run: no latency depends on it, and the end of the run is by the clock at its start", step.Round(time.Second)))
	}
}
