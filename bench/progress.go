package bench

import (
	"time"

	"pushbench/results"
	"pushbench/scenarios"
)

// Progress describes how far a run is.
type Progress struct {
	Configuration string
	Repetition    int // from 1
	Repetitions   int
	Trial         int // from 1, of all blocks
	Trials        int
	Phase         string
	Delivered     int64         // in this trial so far
	P50, P99      time.Duration // of what was due in its window and came so far; 0: nothing yet
	Elapsed       time.Duration // of the whole run
	Left          time.Duration // estimated
}

// progress reports how far the run has come.
func (c *campaign) progress(block int, measured scenarios.Configuration, phase string, delivered int64, took results.Histogram) {
	if c.run.Progress == nil {
		return
	}
	trials := c.trials()
	var p50, p99 time.Duration
	if took.Count() > 0 {
		p50, p99 = took.Quantile(0.5), took.Quantile(0.99)
	}
	c.run.Progress(Progress{
		P50:           p50,
		P99:           p99,
		Configuration: measured.Name(),
		Repetition:    block,
		Repetitions:   c.run.Scenario.Repetitions,
		Trial:         c.done + 1,
		Trials:        trials,
		Phase:         phase,
		Delivered:     delivered,
		Elapsed:       time.Since(c.began),
		Left:          c.left(trials),
	})
}

// left estimates from the trials that ended, before the first from the scenario.
func (c *campaign) left(trials int) time.Duration {
	each := Estimate(c.run.Scenario)
	if c.done > 0 {
		each = c.took / time.Duration(c.done+c.again)
	}
	return max(0, time.Duration(max(1, c.sides)*(trials+c.again))*each-time.Since(c.began))
}

// Estimate is about how long one trial takes.
func Estimate(s *scenarios.Scenario) time.Duration {
	opening := time.Duration(float64(s.Sessions()) / float64(s.Clients.ConnectRate) * float64(time.Second))
	const overhead = time.Second // starting, stopping, the tail of the drain
	return opening + time.Duration(s.Idle) + time.Duration(s.Warmup) + time.Duration(s.Window) + overhead
}
