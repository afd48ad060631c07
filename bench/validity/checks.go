// Package validity contains the checks of the test setup that can invalidate a trial.
//
// It defines the evidence, which a trial fills in, the checks that evaluate it, and for
// each check corrupt evidence on which the check must fail. The package must not measure
// anything: a check is a pure function of the evidence, and no check evaluates the system
// under test.
package validity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// A check evaluates the test setup, never the system under test. Its detail states the
// measured value and the allowed one.
type check struct {
	name      string
	run       func(e Evidence) (passed bool, detail string)
	reported  bool // it needs what the server reports about itself
	retryable bool // other activity on the machine can cause a failure, so the trial may be repeated
}

// Names of the checks, as persisted in results.
const (
	NeverPaused          = "never paused"
	ResourcesLeft        = "ports and descriptors left"
	ClientsAccepted      = "clients accepted"
	GeneratorOnTime      = "generator on time"
	CoresRunning         = "cores kept running"
	NotThrottled         = "not throttled"
	NoOtherLoad          = "no other load"
	LoadOffered          = "load offered as planned"
	LedgerAddsUp         = "ledger adds up"
	LittlesLaw           = "Little's law holds"
	NoTrend              = "no trend in the window"
	NoHiddenConnections  = "no hidden connections"
	NoHiddenRetries      = "no hidden retries"
	AllBytesAccountedFor = "all bytes accounted for"
	PinnedAsRequested    = "pinned as requested"
	NotFasterThanLink    = "nothing faster than the link"
	LinkOnTime           = "link on time"
	BelowCeiling         = "generator below its maximum"
	SameServerSettings   = "same settings for all servers"
	NothingChanged       = "nothing changed between repetitions"
	AgentsTogether       = "agents start together"
)

var checks = []check{
	{NeverPaused, neverPaused, false, true}, // the first three: the failures of others may follow from theirs
	{ResourcesLeft, resourcesLeft, false, false},
	{ClientsAccepted, clientsAccepted, false, false},
	{GeneratorOnTime, generatorOnTime, false, true},
	{CoresRunning, coresRunning, false, true},
	{NotThrottled, notThrottled, false, true},
	{NoOtherLoad, noOtherLoad, false, true},
	{LoadOffered, loadOffered, false, false},
	{LedgerAddsUp, ledgerAddsUp, false, false},
	{LittlesLaw, CheckLittlesLaw, false, false},
	{NoTrend, noTrend, false, true},
	{NoHiddenConnections, noHiddenConnections, true, false},
	{NoHiddenRetries, noHiddenRetries, true, false},
	{AllBytesAccountedFor, allBytesAccountedFor, false, false},
	{PinnedAsRequested, pinnedAsRequested, false, false},
	{NotFasterThanLink, notFasterThanLink, false, false},
	{LinkOnTime, linkOnTime, false, true},
	{BelowCeiling, belowCeiling, false, false},
	{SameServerSettings, sameServerSettings, true, false},
	{NothingChanged, nothingChanged, false, false},
	{AgentsTogether, agentsTogether, false, true},
}

// RetryableTrial reports whether a trial is invalid and all its failed checks are Retryable, or a pause may have caused
// all failures. Any other failure is a defect, which a further attempt cannot fix.
func RetryableTrial(t results.Trial) bool {
	failed := t.FailedChecks()
	if slices.ContainsFunc(failed, func(c results.ValidityCheck) bool { return c.Name == NeverPaused }) {
		return true
	}
	return len(failed) > 0 && !slices.ContainsFunc(failed, func(c results.ValidityCheck) bool { return !Retryable(c.Name) })
}

// Retryable reports whether other activity on the machine can cause the named check to fail, so
// that the trial may be repeated.
func Retryable(name string) bool {
	return slices.ContainsFunc(checks, func(c check) bool { return c.name == name && c.retryable })
}

// Check runs every check on the evidence.
func Check(e Evidence) []results.ValidityCheck {
	outcomes := make([]results.ValidityCheck, len(checks))
	for i, c := range checks {
		if c.reported && e.Silent {
			outcomes[i] = results.ValidityCheck{Name: c.name, Passed: true, NotChecked: true, Detail: "not checked: this server does not report it"}
			continue
		}
		passed, detail := c.run(e)
		outcomes[i] = results.ValidityCheck{Name: c.name, Passed: passed, Detail: detail}
	}
	return outcomes
}

// Paused is the check of a trial that ended with an error because it was paused; nil: it was not paused.
func Paused(p Pauses) []results.ValidityCheck {
	passed, detail := neverPaused(Evidence{Pauses: p})
	if passed {
		return nil
	}
	return []results.ValidityCheck{{Name: NeverPaused, Detail: detail}}
}

// neverPaused reports whether neither the processes were stopped nor the machine was suspended. A pause delays
// everything, and what waits for something meanwhile times out.
func neverPaused(e Evidence) (bool, string) {
	var causes []string
	if d := e.Pauses.Stopped; d >= ShortestPause {
		causes = append(causes, fmt.Sprintf("pushbench did not run for %v (Ctrl-Z, or another signal to stop it)", clock.Round(d)))
	}
	if d := e.Pauses.Suspended; d >= ShortestPause {
		causes = append(causes, fmt.Sprintf("the machine was suspended for %v", clock.Round(d)))
	}
	if len(causes) > 0 {
		return false, strings.Join(causes, "; ")
	}
	return true, fmt.Sprintf("neither pushbench nor the machine stopped for %v or longer", ShortestPause)
}

// resourcesLeft reports whether the load generator had a local port and a file descriptor for each connection. Without, the
// connection fails before the server is concerned.
func resourcesLeft(e Evidence) (bool, string) {
	n, cause := e.Trial.Exhausted()
	if n == 0 {
		return true, "no connection failed for lack of a local port or a file descriptor"
	}
	return false, fmt.Sprintf("%d connections failed: the load generator had %s; allowed 0. Use fewer clients, more servers, or higher limits (ulimit -n, net.ipv4.ip_local_port_range)", n, cause)
}

// clientsAccepted reports whether the server refused at most 0.5 % of the clients. A server that is too slow to accept them
// passes: that is a result. A refusal, as of clients without a login of their own, leaves another load than the planned one.
func clientsAccepted(e Evidence) (bool, string) {
	c := e.Trial.Connect
	refusal := c.Refusal()
	if refusal == "" {
		return true, "the server refused no client that never subscribed"
	}
	return c.Failed*200 <= c.Clients, fmt.Sprintf("%d of %d clients never subscribed, allowed 0.5 %%; the server refused them: %s", c.Failed, c.Clients, refusal)
}

// generatorOnTime reports whether 99 % of publications left within 1 ms of their due instant, or
// within 5 % of the median latency if that is longer.
func generatorOnTime(e Evidence) (bool, string) {
	late := e.Trial.Publishes.Lateness.Quantile(0.99)
	allowed := max(time.Millisecond, e.Trial.Latency.Histogram.Quantile(0.5)/20)
	return late <= allowed, fmt.Sprintf("lateness p99 %v, allowed %v", clock.Round(late), clock.Round(allowed))
}

// coresRunning reports whether, on every core, the stalls of 5 ms or longer add up to at most
// 0.5 % of the window: half of what would move the 99th percentile. Every virtual machine has
// shorter stalls. The maximum, and quantiles beyond the 99th percentile, may contain a permitted
// stall.
func coresRunning(e Evidence) (bool, string) {
	if len(e.Stalls) == 0 {
		return true, "not monitored: idle states are allowed, or the operating system does not support it"
	}
	allowed := e.Trial.Cost.Span / 200
	return e.Stalls.Worst() <= allowed, fmt.Sprintf("CPU stalls of %v or longer: %v; allowed total %v", StallInterval, e.Stalls, clock.Round(allowed))
}

// linkOnTime reports whether, in each direction, the emulated link was at most 1 ms late at the
// 99th percentile, and its devices refused no packet.
func linkOnTime(e Evidence) (bool, string) {
	if e.Link == nil {
		return true, "no emulated link"
	}
	const allowed = time.Millisecond
	up, down := e.Link.Up.Late.Quantile(0.99), e.Link.Down.Late.Quantile(0.99)
	refused := e.Link.Up.Refused + e.Link.Down.Refused
	return max(up, down) <= allowed && refused == 0,
		fmt.Sprintf("lateness p99 %v up, %v down, allowed %v; packets refused by the devices: %d, allowed none",
			clock.Round(up), clock.Round(down), allowed, refused)
}

// notThrottled reports whether the CPU quota of the cgroup (Linux control group) was never
// exhausted in the window.
func notThrottled(e Evidence) (bool, string) {
	if !e.ThrottleShown {
		return true, "the operating system does not count throttling"
	}
	return e.Throttled == 0, fmt.Sprintf("the cgroup's CPU quota was exhausted %d times, allowed 0", e.Throttled)
}

// Other processes may use MaxOtherLoad of the cores. Their user time is what remains of the cores' when that of our
// processes is subtracted. The kernel splits both by sampling at its ticks, every 4 ms on many systems, and so misjudges
// short bursts: on a quiet machine of two cores the remainder was 0.4 to 5.1 % (52 trials), beside compilers 20 to 60 %.
const (
	MaxOtherLoad     = 0.10
	minOtherInterval = time.Second
)

// noOtherLoad reports whether other processes used at most 10 % of the cores of server and load generator in the window.
func noOtherLoad(e Evidence) (bool, string) {
	available := e.CPUInterval.Seconds() * float64(e.OtherCores)
	switch {
	case e.OtherCores == 0:
		return true, "not measured: the cores are not monitored, or the server's processes are unknown"
	case e.CPUInterval < minOtherInterval:
		return true, fmt.Sprintf("not measured: the window has %v, and the kernel's ticks need %v", clock.Round(e.CPUInterval), minOtherInterval)
	}
	share := max(0, e.OtherUser.Seconds()/available)
	return share <= MaxOtherLoad, fmt.Sprintf("other processes used %s of the cores, allowed %s", inPercent(share), inPercent(MaxOtherLoad))
}

// agentsTogether reports whether the windows of all agents are the same but for 1 % of their length. Agents start by the offset
// of their clock, whose error is bounded.
func agentsTogether(e Evidence) (bool, string) {
	if len(e.Trial.Agents) < 2 {
		return true, "there is one agent"
	}
	var bounds []time.Duration
	for _, a := range e.Trial.Agents {
		bounds = append(bounds, a.Bound)
	}
	slices.Sort(bounds)
	apart, allowed := bounds[len(bounds)-1]+bounds[len(bounds)-2], e.Window/100
	return apart <= allowed, fmt.Sprintf("agents started within %v of each other, by the errors of the offsets between their clocks; allowed %v", clock.Round(apart), clock.Round(allowed))
}

// loadOffered reports whether the load generator tried to publish at least 99.5 % of the plan.
// Messages that it dropped because of a slow server are a result; messages that it never tried
// to publish are not.
func loadOffered(e Evidence) (bool, string) {
	planned, missed := e.Trial.Publishes.Planned, e.NeverTried
	return missed*200 <= planned, fmt.Sprintf("%d of %d planned publications were never tried, allowed 0.5 %%", missed, planned)
}

// ledgerAddsUp reports whether the sums of the ledger, the publications and the latencies are exact.
func ledgerAddsUp(e Evidence) (bool, string) {
	for _, identity := range e.Trial.Identities() {
		if !identity.Holds() {
			return false, identity.String()
		}
	}
	if agents := e.Trial.Agents; len(agents) > 0 {
		var sum results.Ledger
		for _, a := range agents {
			results.Merge(&sum, a.Ledger)
		}
		if l := e.Trial.Ledger; sum.Expected != l.Expected || sum.Delivered != l.Delivered || sum.Lost != l.Lost {
			return false, fmt.Sprintf("the agents expected %d, delivered %d and lost %d messages in total, the trial %d, %d and %d", sum.Expected, sum.Delivered, sum.Lost, l.Expected, l.Delivered, l.Lost)
		}
	}
	return true, "all sums are exact"
}

// noHiddenConnections reports whether the server accepted exactly the connections that clients
// reported, plus at most those that were abandoned while they were being opened.
func noHiddenConnections(e Evidence) (bool, string) {
	detail := fmt.Sprintf("clients reported %d connections and abandoned %d, the server accepted %d", e.Total.Dials, e.Abandoned, e.Accepted)
	if e.Accepted < e.Total.Dials && e.Overflows > 0 {
		detail += fmt.Sprintf("; the listen queue was full %d times (ListenOverflows): raise net.core.somaxconn", e.Overflows)
		if e.Backlog != "" {
			detail += " (now " + e.Backlog + ")"
		}
		detail += ", or lower connect_rate"
	}
	return e.Accepted >= e.Total.Dials && e.Accepted <= e.Total.Dials+e.Abandoned, detail
}

// noHiddenRetries reports whether the server received no request that clients did not report. It
// may receive fewer: each connection can lose one request that was sent just before the client
// closed it.
func noHiddenRetries(e Evidence) (bool, string) {
	missing := e.Total.Requests - e.Served
	return missing >= 0 && missing <= e.Total.Dials,
		fmt.Sprintf("clients reported %d requests, the server received %d", e.Total.Requests, e.Served)
}

// allBytesAccountedFor reports whether payload, envelope, framing and headers add up to the bytes
// that were counted on the connections. With the event loop engine the sum must be exact. With the
// goroutine engine it may differ by 0.1 %, and downstream by a read buffer if that is more.
func allBytesAccountedFor(e Evidence) (bool, string) {
	up, down := unexplained(e.Total.Up), unexplained(e.Total.Down)
	allowedUp, allowedDown := int64(0), int64(0)
	if !e.Exact {
		const readBuffer = 4 << 10 // bytes
		allowedUp, allowedDown = e.Total.Up.Bytes/1000, max(e.Total.Down.Bytes/1000, readBuffer)
	}
	return abs(up) <= allowedUp && abs(down) <= allowedDown,
		fmt.Sprintf("not accounted for: %d of %d bytes up, %d of %d bytes down", up, e.Total.Up.Bytes, down, e.Total.Down.Bytes)
}

func unexplained(d results.Direction) int64 {
	return d.Bytes - d.Payload - d.Envelope - d.Framing - d.Headers
}

func abs(n int64) int64 { return max(n, -n) }

// pinnedAsRequested reports whether server and load generator ran on the requested cores.
func pinnedAsRequested(e Evidence) (bool, string) {
	detail := fmt.Sprintf("server cores requested %v, granted %v; load generator cores requested %v, granted %v",
		e.ServerRequested, e.ServerGot, e.GeneratorRequested, e.GeneratorGot)
	return Granted(e.ServerRequested, e.ServerGot) && Granted(e.GeneratorRequested, e.GeneratorGot), detail
}

// Granted reports whether a process got the cores that were requested for it; none requested: any.
func Granted(requested, got []int) bool { return len(requested) == 0 || slices.Equal(requested, got) }

// notFasterThanLink reports whether no delivery and no connection was faster than the link's delay
// permits.
func notFasterThanLink(e Evidence) (bool, string) {
	connect, deliver := e.Trial.Connect.Stages["tcp"], e.Trial.Latency.Histogram
	tooFast := func(h results.Histogram, least time.Duration) bool { return h.Count() > 0 && h.Quantile(0) < least }
	return !tooFast(connect, e.MinTimes.Connect) && !tooFast(deliver, e.MinTimes.Deliver),
		fmt.Sprintf("fastest connection %v, the link's minimum %v; fastest delivery %v, the link's minimum %v",
			clock.Round(connect.Quantile(0)), e.MinTimes.Connect, clock.Round(deliver.Quantile(0)), e.MinTimes.Deliver)
}
