package bench

import (
	"time"

	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Planned returns a run of several builds before its first trial, as far as its comparisons depend
// on it. An analysis of it shows what the finished run will compare.
func Planned(s *scenarios.Scenario, builds int) *results.Run {
	m := results.Manifest{Status: results.Complete, Repetitions: s.Repetitions, Compare: comparison(s, builds)}
	for _, c := range s.Configurations() {
		m.Configurations = append(m.Configurations, configurationOf(s, c))
	}
	return &results.Run{Manifest: m}
}

// Trials is the number of planned trials of one build.
func Trials(s *scenarios.Scenario) int { return len(s.Configurations()) * s.Repetitions }

// Duration is the approximate duration of a run of several builds. Disturbed trials, which are
// measured again, add to it, and lost messages, for which trials wait until the end of the drain.
func Duration(s *scenarios.Scenario, builds int) time.Duration {
	const overhead = 4 * time.Second // idle cores before and after, the generator's maximum rate, charts
	var repetition time.Duration
	for _, c := range s.Configurations() {
		alone := s.For(c)
		repetition += Estimate(alone)
		if transports.Of(c.Transport).Timed {
			repetition += time.Duration(alone.ShortPoll.Interval) // until the last poll
		}
	}
	return overhead + time.Duration(builds*s.Repetitions)*repetition
}
