package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
)

// CheckCauses are the causes of an invalid trial in plain words, by the validity check that found them. The
// check's own text has the figures.
var CheckCauses = map[string]string{
	"generator on time":                   "the load generator was late",
	"cores kept running":                  "a CPU core stalled",
	"not throttled":                       "the CPU quota was exhausted",
	"load offered as planned":             "publishes were never sent",
	"ledger adds up":                      "the counts of messages do not add up",
	"Little's law holds":                  "Little's law does not hold",
	"no trend in the window":              "the latency drifted during the window",
	"no hidden connections":               "the server counted other connections than the load generator",
	"no hidden retries":                   "the server counted other requests than the load generator",
	"all bytes accounted for":             "the counts of bytes do not add up",
	"pinned as requested":                 "a process ran on another core than requested",
	"nothing faster than the link":        "something was faster than the link permits",
	"link on time":                        "the emulated link was late",
	"generator below its maximum":         "the load generator was near its limit",
	"same settings for all servers":       "the settings of the servers differ",
	"nothing changed between repetitions": "the test setup changed between repetitions",
}

// Cause is why a run is not complete, in one clause without figures where its trials show it; otherwise the
// recorded reason.
func Cause(run *results.Run) string {
	m := run.Manifest
	for _, t := range run.Trials {
		failed := t.FailedChecks()
		if m.Status != results.Invalid || len(failed) == 0 || !strings.HasPrefix(m.Reason, t.Name()+": ") {
			continue
		}
		if cause := CheckCauses[failed[0].Name]; cause != "" {
			return fmt.Sprintf("%s in repetition %d, %s", cause, t.Repetition, prose(t.ConfigurationName()))
		}
	}
	var behind []string
	for _, t := range run.Trials {
		if name := prose(t.ConfigurationName()); m.Status == results.Saturated && t.Status == results.Saturated && !slices.Contains(behind, name) {
			behind = append(behind, name)
		}
	}
	if len(behind) > 0 {
		return list(behind) + " fell behind"
	}
	return results.Plain(m.BriefReason())
}

// remedy is what to do about an invalid run. A trial without validity checks was ended by an error, such as the exit of
// a server, which the machine has not caused.
func remedy(run *results.Run) string {
	for _, t := range run.Trials {
		if t.Status == results.Invalid && len(t.Checks) == 0 && strings.HasPrefix(run.Manifest.Reason, t.Name()+": ") {
			return "The run ended there. Correct the cause, and run it again."
		}
	}
	return "Try: pushbench doctor"
}
