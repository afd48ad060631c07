package validity

import (
	"fmt"
	"maps"
	"time"

	"pushbench/results"
)

// ValidEvidence is the evidence of a trial that passes every check.
func ValidEvidence() Evidence {
	e := Evidence{
		Accepted:        20,
		Served:          100,
		Total:           results.Wire{Dials: 20, Requests: 101},
		ServerRequested: []int{0},
		ServerGot:       []int{0},
		GeneratorGot:    []int{0, 1},
		Stalls:          Stalls{{Core: 0, Longest: 49 * time.Millisecond, Total: 49 * time.Millisecond}, {Core: 1}},
	}
	e.Trial.Cost.Span = 10 * time.Second
	e.Total.Up = results.Direction{Bytes: 100, Payload: 40, Envelope: 30, Framing: 20, Headers: 10}
	e.Total.Down = results.Direction{Bytes: 1000, Payload: 400, Envelope: 300, Framing: 200, Headers: 100}
	e.Trial.Publishes = results.Publishes{Planned: 3, OnTime: 2, Late: 1, Sent: 3, Acknowledged: 3}
	e.Trial.Ledger = results.Ledger{Expected: 3, Delivered: 2, Lost: 1, Received: 2}
	for range 2 {
		e.Trial.Latency.Histogram.Record(10 * time.Millisecond)
	}
	e.Trial.Latency.Infinite = 1
	var connect results.Histogram
	connect.Record(20 * time.Millisecond)
	e.Trial.Connect.Stages = map[string]results.Histogram{"tcp": connect}
	e.MinTimes = MinTimes{Connect: 20 * time.Millisecond, Deliver: 10 * time.Millisecond}
	for range 200 {
		e.Trial.Publishes.Lateness.Record(50 * time.Microsecond)
	}
	e.Link = &results.Link{}
	e.Link.Up.Late.RecordMany(900*time.Microsecond, 100)
	e.Link.Down.Late.RecordMany(900*time.Microsecond, 100)
	e.ThrottleShown, e.Window = true, 10*time.Second
	e.OtherUser, e.OtherCores = 1900*time.Millisecond, 2
	// Two deliveries took 10 ms each. A third, due 1 s before the end of the span, never happened.
	e.InFlight = InFlight{Mean: 0.102, Error: 0.0005, Squares: 3, Samples: 2000, Span: 10 * time.Second, Missing: time.Second}
	e.Margin = 0.05
	e.Seconds = seconds(3, 1, 4, 1, 5, 9, 2, 6, 5, 3)
	e.Trial.Cost.Generator.CPU = 3 * time.Second
	e.Trial.Agents = []results.AgentShare{ // the first and the last share a machine
		{Name: "a", Machine: "m", Cores: 2, Generator: 7 * time.Second, Ledger: results.Ledger{Expected: 2, Delivered: 1, Lost: 1}},
		{Name: "b", Cores: 1, Generator: 7 * time.Second, Bound: 10 * time.Millisecond, Ledger: results.Ledger{Expected: 1, Delivered: 1}},
		{Name: "c", Machine: "m", Cores: 2, Generator: 7 * time.Second, Bound: 10 * time.Millisecond},
	}
	e.Ceiling, e.Rate, e.CPUInterval = 1e6, 5e3, 10*time.Second
	e.First = map[string]string{"server gogc": "100", "server sockets.nodelay": "true", "server batching_delay_ns": "0", "host kernel": "6.1"}
	e.Before, e.Trial.Settings = maps.Clone(e.First), maps.Clone(e.First)
	return e
}

// seconds returns intervals of one second with one latency each, given in milliseconds.
func seconds(latencies ...int) (all []results.Interval) {
	for i, ms := range latencies {
		s := results.Interval{Start: time.Duration(i) * time.Second, Length: time.Second}
		s.Latency.Record(time.Duration(ms) * time.Millisecond)
		all = append(all, s)
	}
	return all
}

// corruptions change valid evidence so that the named check must fail, and no other. Without
// an entry here, nothing demonstrates that a check can fail.
var corruptions = map[string][]func(*Evidence){
	NeverPaused: {
		func(e *Evidence) { e.Pauses.Stopped = 30 * time.Second },
		func(e *Evidence) { e.Pauses.Suspended = 3 * time.Second },
	},
	ResourcesLeft: {
		func(e *Evidence) { e.Trial.Connect.FailedBy = map[string]int64{"upstream: no local port left": 1} },
		func(e *Evidence) { e.Trial.Connect.LostBy = map[string]int64{"no file descriptor left": 1} },
		func(e *Evidence) { e.Trial.ShortLived.LostBy = map[string]int64{"no local port left": 1} },
		func(e *Evidence) { e.Trial.Publishes.FailedBy = map[string]int64{"no local port left": 1} },
	},
	ClientsAccepted: {func(e *Evidence) {
		e.Trial.Connect.Clients, e.Trial.Connect.Failed = 1000, 6
		e.Trial.Connect.FailedBy = map[string]int64{"upgrade returned status 429": 12}
	}},
	GeneratorOnTime: {func(e *Evidence) {
		for range 3 {
			e.Trial.Publishes.Lateness.Record(2 * time.Millisecond)
		}
	}},
	CoresRunning: {
		func(e *Evidence) {
			e.Stalls = Stalls{{Core: 0}, {Core: 1, Longest: 40 * time.Millisecond, Total: 51 * time.Millisecond}}
		},
	},
	NotThrottled: {func(e *Evidence) { e.Throttled = 1 }},
	NoOtherLoad:  {func(e *Evidence) { e.OtherUser = 2100 * time.Millisecond }},
	LinkOnTime: {
		func(e *Evidence) { e.Link.Up.Late.RecordMany(1100*time.Microsecond, 2) },
		func(e *Evidence) { e.Link.Down.Late.RecordMany(1100*time.Microsecond, 2) },
		func(e *Evidence) { e.Link.Up.Refused = 1 },
		func(e *Evidence) { e.Link.Down.Refused = 1 },
	},
	LittlesLaw: {
		func(e *Evidence) { e.InFlight.Mean = 0.107 },
		func(e *Evidence) { e.InFlight.Mean = 0.097 },
		func(e *Evidence) { e.InFlight.Missing = 0 },
	},
	NoTrend: {
		func(e *Evidence) { e.Seconds = seconds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) },
		func(e *Evidence) { e.Seconds = seconds(20, 18, 19, 15, 14, 12, 11, 13, 9, 8) },
	},
	LoadOffered: {func(e *Evidence) {
		p := &e.Trial.Publishes
		p.Planned += 1
		p.Dropped, p.DroppedBy, e.NeverTried = 1, map[string]int64{"never tried": 1}, 1
	}},
	LedgerAddsUp: {
		func(e *Evidence) { e.Trial.Ledger.Expected++ },
		func(e *Evidence) { e.Trial.Ledger.Received++ },
		func(e *Evidence) { e.Trial.Publishes.Planned++ },
		func(e *Evidence) { e.Trial.Publishes.Unknown++ },
		func(e *Evidence) { e.Trial.Latency.Infinite = 0 },
		func(e *Evidence) { e.Trial.Agents[1].Ledger.Lost++ },
	},
	NoHiddenConnections: {
		func(e *Evidence) { e.Accepted++ },
		func(e *Evidence) { e.Accepted-- },
		func(e *Evidence) { e.Abandoned, e.Accepted = 2, e.Accepted+3 },
		func(e *Evidence) { e.Abandoned, e.Accepted = 2, e.Accepted-1 },
	},
	NoHiddenRetries: {
		func(e *Evidence) { e.Served = e.Total.Requests + 1 },
		func(e *Evidence) { e.Served = e.Total.Requests - e.Total.Dials - 1 },
	},
	AllBytesAccountedFor: {
		func(e *Evidence) { e.Total.Up.Bytes++ },
		func(e *Evidence) { e.Total.Up.Payload++ },
		func(e *Evidence) { e.Total.Down.Bytes += 5000 },
		func(e *Evidence) { e.Exact, e.Total.Down.Bytes = true, e.Total.Down.Bytes+1 },
		func(e *Evidence) { e.Exact, e.Total.Up.Headers = true, e.Total.Up.Headers+1 },
	},
	NotFasterThanLink: {
		func(e *Evidence) { e.MinTimes.Connect = 21 * time.Millisecond },
		func(e *Evidence) { e.MinTimes.Deliver = 11 * time.Millisecond },
	},
	PinnedAsRequested: {
		func(e *Evidence) { e.ServerGot = []int{0, 1} },
		func(e *Evidence) { e.GeneratorRequested = []int{1} },
	},
	BelowCeiling: {
		func(e *Evidence) { e.Rate = 0.81 * e.Ceiling },
		func(e *Evidence) { e.Ceiling = 0 },
		func(e *Evidence) { e.Trial.Agents, e.Trial.Cost.Generator.CPU = nil, 17*time.Second },
		func(e *Evidence) {
			e.Trial.Agents[0].Generator, e.Trial.Agents[2].Generator = 9*time.Second, 9*time.Second
		},
		func(e *Evidence) { e.Trial.Agents[1].Generator = 9 * time.Second },
	},
	AgentsTogether: {func(e *Evidence) { e.Trial.Agents[1].Bound = 91 * time.Millisecond }},
	SameServerSettings: {
		func(e *Evidence) { e.First["server sockets.nodelay"] = "false" },
		func(e *Evidence) { delete(e.First, "server gogc") },
	},
	NothingChanged: {
		func(e *Evidence) { e.Before["host kernel"] = "6.2" },
		func(e *Evidence) { e.Before["server batching_delay_ns"] = "5000000" },
	},
}

// A Control is the outcome of one check on evidence that was corrupted so that this check must
// fail, and no other.
type Control struct {
	Check         string
	Failed        bool   // whether the check failed, as it must
	OtherFailures string // names and details of other checks that failed, which is an error; empty: none
	Detail        string // detail of the check: measured and allowed values
}

// Controls runs every check on valid evidence, and on all evidence that was corrupted for it.
func Controls() (valid []results.ValidityCheck, corrupt []Control) {
	for _, c := range checks {
		corrupt = append(corrupt, controlsOf(c.name)...)
	}
	return Check(ValidEvidence()), corrupt
}

func controlsOf(check string) (all []Control) {
	for _, corrupt := range corruptions[check] {
		e := ValidEvidence()
		corrupt(&e)
		all = append(all, control(check, Check(e)))
	}
	if len(all) == 0 {
		all = append(all, Control{Check: check, Detail: "no corrupt evidence demonstrates that it can fail"})
	}
	return all
}

func control(name string, outcomes []results.ValidityCheck) Control {
	c := Control{Check: name}
	for _, o := range outcomes {
		switch {
		case o.Name == name:
			c.Failed, c.Detail = !o.Passed, o.Detail
		case !o.Passed:
			c.OtherFailures += fmt.Sprintf("%s: %s; ", o.Name, o.Detail)
		}
	}
	return c
}
