// Package validity holds the checks of the test setup that can invalidate a trial.
//
// It owns the evidence, which a trial fills in, the checks that judge it, and for each
// check corrupt evidence that must fail it. It must measure nothing: a check is a pure
// function of the evidence, and the system under test is never judged here.
package validity

import (
	"fmt"
	"slices"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// A check judges the test setup, never the system under test. Its detail is what was
// measured and what is allowed.
type check struct {
	name    string
	judge   func(e Evidence) (passed bool, detail string)
	disturb bool // a disturbance of the machine can fail it: the trial may be measured again
}

// Names of the checks, as results keep them.
const (
	GeneratorOnTime   = "generator on time"
	CoresRunning      = "cores kept running"
	NotThrottled      = "not throttled"
	LoadOffered       = "load offered as planned"
	LedgerAddsUp      = "ledger adds up"
	LittlesLaw        = "Little's law holds"
	NoTrend           = "no trend in the window"
	NoHiddenDials     = "no hidden dials"
	NoHiddenRetries   = "no hidden retries"
	BytesUnderstood   = "every byte understood"
	PinnedAsRequested = "pinned as asked"
	NotFasterThanLink = "nothing faster than the link"
	LinkOnTime        = "link on time"
	BelowCeiling      = "generator below its ceiling"
	ServersPaired     = "servers are paired"
	NothingChanged    = "nothing changed between blocks"
)

var checks = []check{
	{GeneratorOnTime, onTime, true},
	{CoresRunning, keptRunning, true},
	{NotThrottled, unthrottled, true},
	{LoadOffered, offered, false},
	{LedgerAddsUp, addsUp, false},
	{LittlesLaw, Little, false},
	{NoTrend, stationary, true},
	{NoHiddenDials, noHiddenDials, false},
	{NoHiddenRetries, noHiddenRetries, false},
	{BytesUnderstood, bytesUnderstood, false},
	{PinnedAsRequested, pinnedAsAsked, false},
	{NotFasterThanLink, noFasterThanLink, false},
	{LinkOnTime, carriedOnTime, true},
	{BelowCeiling, belowCeiling, false},
	{ServersPaired, paired, false},
	{NothingChanged, unchanged, false},
}

// Disturbed reports whether a trial is invalid only by checks that a disturbance of the
// machine can fail. Any other failure is a defect, which no repetition mends.
func Disturbed(t results.Trial) bool {
	failed := t.FailedChecks()
	return len(failed) > 0 && !slices.ContainsFunc(failed, func(g results.ValidityCheck) bool { return !CanBeDisturbed(g.Name) })
}

// CanBeDisturbed reports whether a disturbance of the machine can fail the named check.
func CanBeDisturbed(name string) bool {
	return slices.ContainsFunc(checks, func(c check) bool { return c.name == name && c.disturb })
}

// Judge returns the verdict of every check.
func Check(e Evidence) []results.ValidityCheck {
	verdicts := make([]results.ValidityCheck, len(checks))
	for i, c := range checks {
		passed, detail := c.judge(e)
		verdicts[i] = results.ValidityCheck{Name: c.name, Passed: passed, Detail: detail}
	}
	return verdicts
}

// onTime: publications leave within 1 ms of being due, or within 5 % of the
// median latency they are part of, at the 99th percentile.
func onTime(e Evidence) (bool, string) {
	late := e.Trial.Publishes.Lateness.Quantile(0.99)
	allowed := max(time.Millisecond, e.Trial.Latency.Histogram.Quantile(0.5)/20)
	return late <= allowed, fmt.Sprintf("lateness p99 %v, allowed %v", clock.Round(late), clock.Round(allowed))
}

// keptRunning: no core stalled for more than half a percent of the window, in
// stalls of 5 ms and more: half of what it takes to make a 99th percentile the
// machine's. Shorter ones are the noise of every virtual machine; the maximum, and
// what lies beyond the 99th percentile, may hold what this allows.
func keptRunning(e Evidence) (bool, string) {
	if len(e.Stalls) == 0 {
		return true, "nobody watched: the cores may sleep, or this system cannot show it"
	}
	allowed := e.Trial.Cost.Span / 200
	return e.Stalls.Worst() <= allowed, fmt.Sprintf("standstills of %v and more: %v; allowed %v in all", WatchEvery, e.Stalls, clock.Round(allowed))
}

// carriedOnTime: the link of packets was late by a millisecond at most at the 99th
// percentile of each way, and the devices took all that it had for them.
func carriedOnTime(e Evidence) (bool, string) {
	if e.Link == nil {
		return true, "there is no link of packets"
	}
	const allowed = time.Millisecond
	up, down := e.Link.Up.Late.Quantile(0.99), e.Link.Down.Late.Quantile(0.99)
	refused := e.Link.Up.Refused + e.Link.Down.Refused
	return max(up, down) <= allowed && refused == 0,
		fmt.Sprintf("lateness p99 %v up, %v down, allowed %v; the devices refused %d packets, allowed none", clock.Round(up), clock.Round(down), allowed, refused)
}

// unthrottled: no quota of a control group stopped server or generator.
func unthrottled(e Evidence) (bool, string) {
	if !e.ThrottleShown {
		return true, "this system does not count it"
	}
	return e.Throttled == 0, fmt.Sprintf("the CPU quota of our control group ran out %d times", e.Throttled)
}

// offered: the generator at least tried to publish what was planned, up to half a
// percent. What a server made it drop is a result; what it never came to is not.
func offered(e Evidence) (bool, string) {
	planned, missed := e.Trial.Publishes.Planned, e.NeverTried
	return missed*200 <= planned, fmt.Sprintf("%d of %d planned publications were never tried", missed, planned)
}

func addsUp(e Evidence) (bool, string) {
	for _, identity := range e.Trial.Identities() {
		if !identity.Holds() {
			return false, identity.String()
		}
	}
	return true, "all sums hold exactly"
}

// noHiddenDials: the server accepted just the connections that were reported, and
// at most those as well that were given up while they were being opened.
func noHiddenDials(e Evidence) (bool, string) {
	return e.Accepted >= e.Total.Dials && e.Accepted <= e.Total.Dials+e.Abandoned,
		fmt.Sprintf("clients report %d connections and %d given up, the server accepted %d", e.Total.Dials, e.Abandoned, e.Accepted)
}

// noHiddenRetries: the server had no request that was not reported. It may have
// fewer: what a client had just sent when it closed. Each connection can lose one so.
func noHiddenRetries(e Evidence) (bool, string) {
	missing := e.Total.Requests - e.Served
	return missing >= 0 && missing <= e.Total.Dials,
		fmt.Sprintf("clients report %d requests, the server had %d", e.Total.Requests, e.Served)
}

// bytesUnderstood: the parts that were understood add up to the bytes that were
// counted on the connections. Of event loops they must to the byte, of goroutines but
// for a read buffer.
func bytesUnderstood(e Evidence) (bool, string) {
	up, down := unexplained(e.Total.Up), unexplained(e.Total.Down)
	allowedUp, allowedDown := int64(0), int64(0)
	if !e.Exact {
		const halfRead = 4 << 10 // bytes: a read buffer
		allowedUp, allowedDown = e.Total.Up.Bytes/1000, max(e.Total.Down.Bytes/1000, halfRead)
	}
	return abs(up) <= allowedUp && abs(down) <= allowedDown,
		fmt.Sprintf("%d of %d bytes up and %d of %d down are in no part", up, e.Total.Up.Bytes, down, e.Total.Down.Bytes)
}

func unexplained(d results.Direction) int64 {
	return d.Bytes - d.Payload - d.Envelope - d.Framing - d.Headers
}

func abs(n int64) int64 { return max(n, -n) }

func pinnedAsAsked(e Evidence) (bool, string) {
	detail := fmt.Sprintf("server asked %v, got %v; generator asked %v, got %v",
		e.ServerRequested, e.ServerGot, e.GeneratorRequested, e.GeneratorGot)
	return Granted(e.ServerRequested, e.ServerGot) && Granted(e.GeneratorRequested, e.GeneratorGot), detail
}

func Granted(asked, got []int) bool { return len(asked) == 0 || slices.Equal(asked, got) }

// noFasterThanLink: no message came and no connection opened sooner than the distance allows.
func noFasterThanLink(e Evidence) (bool, string) {
	connect, deliver := e.Trial.Connect.Stages["tcp"], e.Trial.Latency.Histogram
	soon := func(h results.Histogram, least time.Duration) bool { return h.Count() > 0 && h.Quantile(0) < least }
	return !soon(connect, e.Least.Connect) && !soon(deliver, e.Least.Deliver),
		fmt.Sprintf("the fastest connection took %v and the link %v; the fastest delivery %v and the link %v",
			clock.Round(connect.Quantile(0)), e.Least.Connect, clock.Round(deliver.Quantile(0)), e.Least.Deliver)
}
