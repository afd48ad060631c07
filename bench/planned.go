package bench

import (
	"time"

	"pushbench/results"
	"pushbench/scenarios"
)

// Planned returns the run of a scenario before its first trial, as far as its comparisons depend
// on it. An analysis of it shows what the finished run will compare.
func Planned(s *scenarios.Scenario) *results.Run {
	m := results.Manifest{Status: results.Complete, Repetitions: s.Repetitions, Compare: comparison(s.Compare)}
	for _, c := range s.Configurations() {
		m.Configurations = append(m.Configurations, configurationOf(s, c))
	}
	return &results.Run{Manifest: m}
}

// Trials is the number of planned trials of one build.
func Trials(s *scenarios.Scenario) int { return len(s.Configurations()) * s.Repetitions }

// Duration is the approximate duration of a run of several builds. Disturbed trials, which are
// measured again, add to it.
func Duration(s *scenarios.Scenario, builds int) time.Duration {
	return time.Duration(builds*Trials(s)) * Estimate(s)
}
