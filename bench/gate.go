package bench

import (
	"fmt"
	"slices"
	"time"

	"pushbench/bench/client/engines"
	"pushbench/bench/record"
	"pushbench/results"
)

// Evidence is what the gates judge: a trial, and what its rig knows beside it.
type Evidence struct {
	Trial  results.Trial
	Engine string        // which the clients ran on
	Stalls Stalls        // in the window; none: nobody watched
	Least  nearest       // times that the link allows
	Link   *results.Link // of packets; nil: there is none

	Throttled     int64 // times in the window that our control group's quota stopped us
	ThrottleShown bool  // whether this system counts them
	Flight        Flight
	Window        time.Duration
	Seconds       []results.Interval // of the whole trial
	Due           []due              // in each second of the window; none: unknown
	Margin        float64            // relative difference that matters to the run
	Poll          time.Duration      // interval of short polling; 0: nobody polls

	Accepted       int64        // connections the server accepted from the clients
	Served         int64        // requests the server had from the clients
	Total          results.Wire // since the first dial
	Abandoned      int64        // dials under way when their session was closed: accepted or not
	ServerAsked    []int        // cores the server was to run on; none: any
	ServerGot      []int
	GeneratorAsked []int
	GeneratorGot   []int

	Ceiling float64           // publications and deliveries a second that the generator does without sockets
	Offered float64           // publications and deliveries a second that the trial asks of it
	Watched time.Duration     // from the first reading of the processes' clocks to the last
	First   map[string]string // settings of the run's first trial; none: this is it
	Before  map[string]string // of its first trial of the same kind
}

// A gate judges the rig, never the system under test. What it says is what was
// measured and what is allowed.
type gate struct {
	name    string
	judge   func(e Evidence) (passed bool, detail string)
	disturb bool // a disturbance of the machine can fail it: the trial may be measured again
}

// Names of the gates.
const (
	GateLate     = "generator on time"
	GateStalls   = "cores kept running"
	GateThrottle = "not throttled"
	GateOffered  = "load offered as planned"
	GateLedger   = "ledger adds up"
	GateLittle   = "Little's law holds"
	GateTrend    = "no trend in the window"
	GateDials    = "no hidden dials"
	GateRequests = "no hidden retries"
	GateBytes    = "every byte understood"
	GatePinning  = "pinned as asked"
	GateLink     = "nothing faster than the link"
	GateCarried  = "link on time"
	GateCeiling  = "generator below its ceiling"
	GatePaired   = "servers are paired"
	GateSame     = "nothing changed between blocks"
)

var gates = []gate{
	{GateLate, onTime, true},
	{GateStalls, keptRunning, true},
	{GateThrottle, unthrottled, true},
	{GateOffered, offered, false},
	{GateLedger, addsUp, false},
	{GateLittle, little, false},
	{GateTrend, stationary, true},
	{GateDials, noHiddenDials, false},
	{GateRequests, noHiddenRetries, false},
	{GateBytes, bytesUnderstood, false},
	{GatePinning, pinnedAsAsked, false},
	{GateLink, noFasterThanLink, false},
	{GateCarried, carriedOnTime, true},
	{GateCeiling, belowCeiling, false},
	{GatePaired, paired, false},
	{GateSame, unchanged, false},
}

// Disturbed says whether gates voided a trial, and only such as a disturbance of
// the machine can fail. Any other failure is a defect, which no repetition mends.
func Disturbed(t results.Trial) bool {
	failed := t.FailedGates()
	for _, f := range failed {
		if !slices.ContainsFunc(gates, func(g gate) bool { return g.name == f.Name && g.disturb }) {
			return false
		}
	}
	return len(failed) > 0
}

// Judge passes every gate or says why not.
func Judge(e Evidence) []results.Gate {
	verdicts := make([]results.Gate, len(gates))
	for i, g := range gates {
		passed, detail := g.judge(e)
		verdicts[i] = results.Gate{Name: g.name, Passed: passed, Detail: detail}
	}
	return verdicts
}

// onTime: publications leave within 1 ms of being due, or within 5 % of the
// median latency they are part of, at the 99th percentile.
func onTime(e Evidence) (bool, string) {
	late := e.Trial.Publishes.Lateness.Quantile(0.99)
	allowed := max(time.Millisecond, e.Trial.Latency.Histogram.Quantile(0.5)/20)
	return late <= allowed, fmt.Sprintf("lateness p99 %v, allowed %v", round(late), round(allowed))
}

// keptRunning: no core stood still for more than half a percent of the window, in
// standstills of 5 ms and more: half of what it takes to make a 99th percentile the
// machine's. Shorter ones are the noise of every virtual machine; the maximum, and
// what lies beyond the 99th percentile, may hold what this allows.
func keptRunning(e Evidence) (bool, string) {
	if len(e.Stalls) == 0 {
		return true, "nobody watched: the cores may sleep, or this system cannot show it"
	}
	allowed := e.Trial.Cost.Span / 200
	return e.Stalls.worst() <= allowed, fmt.Sprintf("standstills of %v and more: %v; allowed %v in all", watchEvery, e.Stalls, round(allowed))
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
		fmt.Sprintf("lateness p99 %v up, %v down, allowed %v; the devices refused %d packets, allowed none", round(up), round(down), allowed, refused)
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
	planned, missed := e.Trial.Publishes.Planned, e.Trial.Publishes.DroppedBy[record.NeverTried]
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
	if e.Engine != engines.EventLoop {
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
		e.ServerAsked, e.ServerGot, e.GeneratorAsked, e.GeneratorGot)
	return asGot(e.ServerAsked, e.ServerGot) && asGot(e.GeneratorAsked, e.GeneratorGot), detail
}

func asGot(asked, got []int) bool { return len(asked) == 0 || slices.Equal(asked, got) }

// noFasterThanLink: no message came and no connection opened sooner than the distance allows.
func noFasterThanLink(e Evidence) (bool, string) {
	connect, deliver := e.Trial.Connect.Stages["tcp"], e.Trial.Latency.Histogram
	soon := func(h results.Histogram, least time.Duration) bool { return h.Count() > 0 && h.Quantile(0) < least }
	return !soon(connect, e.Least.connect) && !soon(deliver, e.Least.deliver),
		fmt.Sprintf("the fastest connection took %v and the link %v; the fastest delivery %v and the link %v",
			round(connect.Quantile(0)), e.Least.connect, round(deliver.Quantile(0)), e.Least.deliver)
}

// round makes a duration fit for a sentence: three digits.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
