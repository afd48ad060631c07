package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
)

// refusedClients is the validity check that fails if the server refused clients.
const refusedClients = "clients accepted"

// CheckCauses are the causes of an invalid trial in plain words, by the validity check that found them. The
// check's own text has the figures.
var CheckCauses = map[string]string{
	"never paused":                        "pushbench was stopped, or the machine suspended,",
	"ports and descriptors left":          "the load generator had no local port or file descriptor left",
	refusedClients:                        "the server refused clients",
	"generator on time":                   "the load generator was late",
	"cores kept running":                  "a CPU core stalled",
	"not throttled":                       "the CPU quota was exhausted",
	"no other load":                       "other processes used the CPU cores",
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
	"agents start together":               "the agents did not start together",
}

// Cause is why a run is not complete, in one clause where its trials show it; otherwise the recorded reason.
func Cause(run *results.Run) string {
	m := run.Manifest
	if t := decisive(run); t != nil {
		if endedByError(t) {
			return results.Plain(t.Name() + ": " + t.Reason)
		}
		if cause := CheckCauses[t.FailedChecks()[0].Name]; cause != "" {
			if c := t.Connect; refuses(t) {
				cause = fmt.Sprintf("%s of %s clients never subscribed (%s)", metric.Count(c.Failed), metric.Count(c.Clients), c.Refusal())
			}
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

// decisive is the invalid trial whose cause is that of the run, which is also why others may be invalid: the first one that
// an error ended, or else whose clients the server refused, or else the first one; nil: none.
func decisive(run *results.Run) (found *results.Trial) {
	for i := range run.Trials {
		t := &run.Trials[i]
		counts := run.Manifest.Status == results.Invalid && t.Status == results.Invalid && strings.Contains(run.Manifest.Reason, t.Name()+": ")
		if counts && (found == nil || precedence(t) < precedence(found)) {
			found = t
		}
	}
	return found
}

// endedByError reports whether an error ended an invalid trial, such as the exit of a server: it has no validity checks.
func endedByError(t *results.Trial) bool { return len(t.FailedChecks()) == 0 }

// refuses reports whether the server refused clients of an invalid trial.
func refuses(t *results.Trial) bool {
	return !endedByError(t) && t.FailedChecks()[0].Name == refusedClients
}

// precedence orders invalid trials: the cause of one with a lower value may have caused the others.
func precedence(t *results.Trial) int {
	switch {
	case endedByError(t):
		return 0
	case refuses(t):
		return 1
	}
	return 2
}

// remedy is what to do about an invalid run. The machine has caused neither an error that ended a trial nor a
// refusal, and doctor does not know the disk of a run.
func remedy(run *results.Run) string {
	switch t := decisive(run); {
	case t == nil && strings.HasPrefix(run.Manifest.Reason, results.WriteFailure):
		return "Correct the cause, and run it again."
	case t == nil:
	case endedByError(t):
		return "The trial ended there. Correct the cause, and run it again."
	case refuses(t):
		return "Give each client a login (login_file), raise the limits of the server, or use fewer clients."
	}
	return "Try: pushbench doctor"
}
