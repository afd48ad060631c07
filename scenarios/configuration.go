package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// A Library is the HTTP library of the servers.
type Library string

// Reference is a common deployment: WebSocket on net/http, every other transport on fasthttp.
// NetHTTP and FastHTTP use the same library for every transport, so that a difference in cost
// between two transports is not one between two libraries.
const (
	Reference Library = "reference"
	NetHTTP   Library = "nethttp"
	FastHTTP  Library = "fasthttp"
)

// of returns the library of a transport's server: a common deployment uses one of the others.
func (l Library) of(t transports.Transport) Library {
	if l == Reference {
		return Library(t.ReferenceLibrary())
	}
	return l
}

// Libraries lists every library in report order.
var Libraries = []Library{Reference, NetHTTP, FastHTTP}

// Sweep lists the values on each axis that a run compares besides the transport. A repetition
// measures every transport with every combination of the values. At least one list is given; an
// axis without a list has the scenario's own value.
type Sweep struct {
	Library []Library `yaml:"library,omitempty" was:"stack" json:"library"` // 1 to 3 libraries, in place of the field library
	// At most 8 here and for heartbeats: a repetition measures each value for three transports.
	BatchingDelay []Duration `yaml:"batching_delay,omitempty" was:"flush" json:"batching_delay" items:"8" min:"0s" max:"1s" allowed:"durations with their units, each once"` // 1 to 8 batching delays, each at most 1s, in place of those of the transports; short polling has none
	TLS           []bool     `yaml:"tls,omitempty" json:"tls"`                                                                                                               // without and with, in place of network.tls

	Heartbeat []Duration `yaml:"heartbeat,omitempty" json:"heartbeat" items:"8" min:"0s" max:"10m" allowed:"durations with their units, each once"` // 1 to 8 heartbeats, each 0s or 1s … 10m, in place of the field heartbeat; short polling has none

	Forward []bool `yaml:"forward,omitempty" json:"forward"` // webhook only: without and with rules at the router, in place of network.forward

	Interval []Duration `yaml:"interval,omitempty" json:"interval" items:"16" min:"1ms" max:"1h" allowed:"durations with their units, each once"` // shortpoll only: 1 to 16 poll intervals, each 1ms … 1h, in place of shortpoll.interval

	Clients []int  `yaml:"clients,omitempty" json:"clients" items:"16" min:"1" max:"1000000" allowed:"whole numbers, each once"`          // 1 to 16 numbers of clients, in place of clients.count
	Rate    []Rate `yaml:"rate,omitempty" json:"rate" items:"16" min:"1/h" max:"1000000/s" allowed:"rates such as 100/s, each once"`      // 1 to 16 rates, in place of publish.rate
	Payload []Size `yaml:"payload,omitempty" json:"payload" items:"16" min:"32B" max:"64KiB" allowed:"sizes with their units, each once"` // 1 to 16 sizes, in place of payload.size

	RTT           []Duration   `yaml:"rtt,omitempty" json:"rtt" items:"16" min:"0s" max:"2s" allowed:"durations with their units, each once"` // 1 to 16 round-trip times, each at most 2s, in place of network.rtt
	Target        []TargetName `yaml:"target,omitempty" json:"target" items:"16" allowed:"names of targets, each once"`                       // servers under test, by the names of their target files, or reference for those of pushbench; given by --target
	NewConnection []bool       `yaml:"new_connection,omitempty" json:"new_connection"`                                                        // polling only: kept-alive connections and a new one for every poll, in place of those of the transports
}

// A Configuration is what one trial measures: a transport, and a value on each axis. A report has
// one row per configuration.
type Configuration struct {
	Transport     Transport
	Library       Library
	BatchingDelay Duration // 0: none
	Heartbeat     Duration // 0: none
	TLS           bool

	NewConnection bool // for every poll
	Forward       bool // the router lets the server connect

	Target TargetName // the server under test; "" and ReferenceTarget: pushbench's own

	// Set only if they are swept. Otherwise all configurations share the scenario's own value.
	RTT      Duration
	Interval Duration // short polling only
	Clients  int
	Rate     Rate // publish rate
	Payload  Size

	swept uint64 // one bit per row of axes: the run has several values on it
}

// Configurations lists what a repetition measures, in report order: grouped by transport, and then
// by library. A transport without an axis, as short polling has no batching delay, has one
// configuration for all values of the axis. Libraries that are the same program for a transport have
// one configuration, as Reference is one of the others.
func (s *Scenario) Configurations() (all []Configuration) {
	for _, t := range s.Transports {
		base := Configuration{Transport: t}
		for i, a := range axes {
			if a.sweptFor(s, t) {
				base.swept |= 1 << i
			}
		}
		expanded := []Configuration{base}
		for _, a := range nested {
			expanded = a.expand(s, expanded)
		}
		all = append(all, expanded...)
	}
	return all
}

// sweeps reports whether the run has several values on an axis for c's transport.
func (c Configuration) sweeps(axis int) bool { return c.swept&(1<<axis) != 0 }

// Name names c in reports: its transport, and its value on each axis that is swept.
func (c Configuration) Name() string {
	parts := []string{string(c.Transport)}
	for i, a := range axes {
		if c.sweeps(i) {
			parts = append(parts, a.label(c))
		}
	}
	return strings.Join(parts, " ")
}

// ServeFlags returns the flags of pushbench serve for a server with c's values.
func (c Configuration) ServeFlags() (flags []string) {
	for _, a := range axes {
		flags = append(flags, a.serveFlags(c)...)
	}
	return flags
}

// For returns the scenario of one configuration: it sweeps nothing and has c's values as its own.
// Requirements, assertions and published values are left out, as they concern all configurations.
func (s *Scenario) For(c Configuration) *Scenario {
	alone := *s
	alone.Requirements, alone.Assertions, alone.Published, alone.Sweep = nil, nil, metric.Published{}, Sweep{}
	for i, a := range axes {
		a.apply(&alone, c, c.sweeps(i))
	}
	return &alone
}

// SweepsLoad reports whether configurations differ in their workload, not only in how it is transported.
func (s *Scenario) SweepsLoad() bool {
	return len(s.Sweep.Clients)+len(s.Sweep.Rate)+len(s.Sweep.Payload) > 0
}

// Hardest returns the scenario of the configuration with the highest delivery rate. If no workload
// is swept, it returns s.
func (s *Scenario) Hardest(configurations []Configuration) *Scenario {
	if !s.SweepsLoad() {
		return s
	}
	var hardest *Scenario
	for _, c := range configurations {
		if single := s.For(c); hardest == nil || single.DeliveryRate() > hardest.DeliveryRate() {
			hardest = single
		}
	}
	return hardest
}

// MostClients returns the largest number of clients of any configuration.
func (s *Scenario) MostClients() int { return slices.Max(sweptOr(s.Sweep.Clients, s.Clients.Count)) }

// Secured reports whether any configuration has TLS.
func (s *Scenario) Secured() bool {
	return slices.Contains(sweptOr(s.Sweep.TLS, s.Network.TLS), true)
}

// longestRTT returns the longest round-trip time of any configuration.
func (s *Scenario) longestRTT() Duration { return slices.Max(sweptOr(s.Sweep.RTT, s.Network.RTT)) }

// longestInterval returns the longest interval of short polling of any configuration.
func (s *Scenario) longestInterval() Duration {
	return slices.Max(sweptOr(s.Sweep.Interval, s.ShortPoll.Interval))
}

// Unsettled returns why costs per message are not those of a longer run, with the value that they need; "" if they are.
// The first deliveries of a window are of messages that were published before it: of fewer than usual, if the warm-up is
// shorter than a message takes. With delivery of only the latest message, a poll delivers one per topic anyway, if there
// was one in the warm-up.
func (s *Scenario) Unsettled() string {
	longest, why := Duration(0), ""
	const usual = 3 // messages per topic, of which at least one is due except by chance (5 %)
	fewer := s.Delivery == Every || float64(s.Publish.Rate)/float64(s.Topics.Count)*time.Duration(s.Warmup).Seconds() < usual
	for _, one := range []struct {
		applies bool
		takes   Duration
		why     string // a format
	}{
		{fewer && s.measures(isTimed), s.longestInterval(), "the interval of short polling, %s: its"},
		{true, s.longestBatchingDelay(), "the batching delay, %s:"},
		{true, s.longestRTT(), "the round trip, %s:"},
	} {
		if one.applies && one.takes > longest {
			longest, why = one.takes, fmt.Sprintf(one.why, one.takes)
		}
	}
	var all []string
	if s.Warmup < longest {
		all = append(all, fmt.Sprintf("the warm-up of %s is shorter than %s costs per message are too high", s.Warmup, why))
	}
	beat := slices.Max(sweptOr(s.Sweep.Heartbeat, s.Heartbeat))
	quiet := float64(s.DeliveryRate())*time.Duration(beat).Seconds() < float64(s.Clients.Count) // else there are few
	if s.Window < beat && quiet && s.measures(batches) {
		all = append(all, fmt.Sprintf("the window of %s is shorter than the heartbeat interval, %s: costs per message have a heartbeat per client too many or too few", s.Window, beat))
	}
	return strings.Join(all, "; ")
}

// longestBatchingDelay returns the longest batching delay of any configuration.
func (s *Scenario) longestBatchingDelay() (longest Duration) {
	for _, t := range s.Transports {
		longest = max(longest, slices.Max(sweptOr(s.Sweep.BatchingDelay, s.BatchingDelay(t))))
	}
	return longest
}

// sweptOr returns the swept values, or the scenario's own one.
func sweptOr[T any](swept []T, own T) []T {
	if len(swept) > 0 {
		return swept
	}
	return []T{own}
}

// PollTimeout returns the long-poll timeout: at most a heartbeat, as a response acts as one.
func (s *Scenario) PollTimeout() Duration {
	if s.Heartbeat > 0 {
		return min(s.LongPoll.Timeout, s.Heartbeat)
	}
	return s.LongPoll.Timeout
}

// MaxResponse is how long a client waits for a response beyond the long-poll timeout.
const MaxResponse = Duration(10 * time.Second)

// ReadTimeout returns how long a client waits for data before it treats a connection as dead. 0
// means no timeout, because an idle stream is indistinguishable from a broken one.
func (s *Scenario) ReadTimeout(t Transport) Duration {
	switch traits := transports.Of(t); {
	case traits.Holds:
		return s.PollTimeout() + MaxResponse
	case traits.Polls:
		return MaxResponse
	case traits.ServerDials:
		return 0
	default:
		return s.Heartbeat * 5 / 2
	}
}
