package results

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Valid reports whether the trial's values may be used: it is complete and every validity check
// passed. A saturated trial is valid, and describes overload.
func (t Trial) Valid() bool {
	return (t.Status == Complete || t.Status == Saturated) && len(t.FailedChecks()) == 0
}

// FailedChecks returns the validity checks that make the trial invalid.
func (t Trial) FailedChecks() []ValidityCheck {
	return slices.DeleteFunc(slices.Clone(t.Checks), func(c ValidityCheck) bool { return c.Passed })
}

// Name returns a name that is unique within the run.
func (t Trial) Name() string {
	name := fmt.Sprintf("repetition %d %s", t.Repetition, t.ConfigurationName())
	if t.Attempt > 0 {
		name += fmt.Sprintf(" (attempt %d)", t.Attempt+1)
	}
	return name
}

// refusals are the causes with which a server refuses a client: a status of the client's fault (RFC 9110, section 15.5), a
// close code other than those of a server in trouble (RFC 6455, section 7.4), or the regular end of a connection.
var refusals = regexp.MustCompile(`status 4\d\d$|^connection closed (by server( without a close frame)?|mid-message)$|code (1000|1008|[34]\d\d\d)$`)

// exhausted are the causes of a load generator that had no resources for a connection, before the server was concerned.
var exhausted = regexp.MustCompile(`no (local port|file descriptor) left$`)

// Exhausted returns how many connections failed because the load generator had no port or file descriptor for them, and
// the cause of most.
func (t Trial) Exhausted() (n int64, most string) {
	by := map[string]int64{}
	for _, causes := range []map[string]int64{t.Connect.FailedBy, t.Connect.LostBy, t.ShortLived.LostBy, t.Publishes.FailedBy} {
		for cause, count := range causes {
			if name := exhausted.FindString(cause); name != "" {
				by[name] += count
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		n += by[name]
		if by[name] > by[most] {
			most = name
		}
	}
	return n, most
}

// Refusal returns the most frequent cause with which the server refused clients before they were subscribed; "": it refused
// none.
func (c Connect) Refusal() (most string) {
	for _, cause := range slices.Sorted(maps.Keys(c.FailedBy)) {
		if refusals.MatchString(cause) && c.FailedBy[cause] > c.FailedBy[most] {
			most = cause
		}
	}
	return most
}
