package bench

import (
	"time"

	"pushbench/results"
	"pushbench/scenarios"
)

// Progress describes the progress of a run.
type Progress struct {
	Side          results.Side // of a run with a baseline; empty: there is none
	Configuration string
	Repetition    int // from 1
	Repetitions   int
	Trial         int // from 1, over all repetitions
	Trials        int
	Phase         string
	Delivered     int64         // in this trial so far
	P50, P99      time.Duration // of messages due in the window and delivered so far; 0: none yet
	Elapsed       time.Duration // of the whole run
	Left          time.Duration // estimated
}

// progress reports the progress of the run.
func (c *campaign) progress(repetition int, measured scenarios.Configuration, phase string, delivered int64, latency results.Histogram) {
	if c.run.Progress == nil {
		return
	}
	trials := c.trials()
	var p50, p99 time.Duration
	if latency.Count() > 0 {
		p50, p99 = latency.Quantile(0.5), latency.Quantile(0.99)
	}
	c.run.Progress(Progress{
		Side:          c.run.Side,
		P50:           p50,
		P99:           p99,
		Configuration: measured.Name(),
		Repetition:    repetition,
		Repetitions:   c.run.Scenario.Repetitions,
		Trial:         c.done + 1,
		Trials:        trials,
		Phase:         phase,
		Delivered:     delivered,
		Elapsed:       time.Since(c.began),
		Left:          c.left(trials),
	})
}

// left estimates the remaining time from the completed trials, or from the scenario before the
// first of them.
func (c *campaign) left(trials int) time.Duration {
	each := Estimate(c.run.Scenario)
	if c.done > 0 {
		each = c.took / time.Duration(c.done+c.repeated)
	}
	return max(0, time.Duration(max(1, c.sides)*(trials+c.repeated))*each-time.Since(c.began))
}

// Estimate is the approximate duration of one trial.
func Estimate(s *scenarios.Scenario) time.Duration {
	opening := time.Duration(float64(s.Sessions()) / float64(s.Clients.ConnectRate) * float64(time.Second))
	const overhead = 1200 * time.Millisecond // start, stop, the end of the drain: 0.3 to 0.5 s measured; the memory probe uses 0.8 s of CPU time
	return opening + time.Duration(s.Idle) + time.Duration(s.Warmup) + time.Duration(s.Window) + overhead
}
