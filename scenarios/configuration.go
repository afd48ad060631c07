package scenarios

import (
	"slices"
	"strings"
	"time"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// A Stack is the library that the servers' HTTP is built on.
type Library string

// Reference is what people deploy: WebSocket on net/http, every other transport on
// fasthttp. NetHTTP and FastHTTP put every transport on the same library, so that
// a difference in cost between two transports is not one between two libraries.
const (
	Reference Library = "reference"
	NetHTTP   Library = "nethttp"
	FastHTTP  Library = "fasthttp"
)

// Stacks lists every stack in report order.
var Libraries = []Library{Reference, NetHTTP, FastHTTP}

// Sweep lists what else is varied besides the transport: a block measures every
// transport with every combination of what is named. At least one list is given; one
// that is empty leaves its axis at the scenario's own value.
type Sweep struct {
	Library []Library `yaml:"library,omitempty" was:"stack" json:"stack"` // 1 to 3 stacks, in place of the field stack
	// Or heartbeats: a block runs each of the 8 for three transports.
	BatchingDelay []Duration `yaml:"batching_delay,omitempty" was:"flush" json:"flush" items:"8" min:"0s" max:"1s" allowed:"durations with their units, each once"` // 1 to 8 flush windows, each at most 1s, in place of the transports' own; a short poll has none
	TLS           []bool     `yaml:"tls,omitempty" json:"tls"`                                                                                                      // without and with, in place of network.tls

	Heartbeat []Duration `yaml:"heartbeat,omitempty" json:"heartbeat" items:"8" min:"0s" max:"10m" allowed:"durations with their units, each once"` // 1 to 8 heartbeats, each 0s or 1s … 10m, in place of the scenario's; a short poll has none

	Forward []bool `yaml:"forward,omitempty" json:"forward"` // webhook only: without and with rules at the router, in place of network.forward

	Interval []Duration `yaml:"interval,omitempty" json:"interval" items:"16" min:"1ms" max:"1h" allowed:"durations with their units, each once"` // shortpoll only: 1 to 16 poll intervals, each 1ms … 1h, in place of shortpoll.interval

	Clients []int  `yaml:"clients,omitempty" json:"clients" items:"16" min:"1" max:"1000000" allowed:"whole numbers, each once"`          // 1 to 16 counts, in place of clients.count
	Rate    []Rate `yaml:"rate,omitempty" json:"rate" items:"16" min:"1/h" max:"1000000/s" allowed:"rates such as 100/s, each once"`      // 1 to 16 rates, in place of publish.rate
	Payload []Size `yaml:"payload,omitempty" json:"payload" items:"16" min:"32B" max:"64KiB" allowed:"sizes with their units, each once"` // 1 to 16 sizes, in place of payload.size

	RTT           []Duration `yaml:"rtt,omitempty" json:"rtt" items:"16" min:"0s" max:"2s" allowed:"durations with their units, each once"` // 1 to 16 round trips, each at most 2s, in place of network.rtt
	NewConnection []bool     `yaml:"new_connection,omitempty" json:"new_connection"`                                                        // polling only: kept alive and new for every poll, in place of the transports' own
}

// A Case is a configuration, what one trial measures and what one row of a report stands
// for: a transport, and a value on each axis.
type Configuration struct {
	Transport     Transport
	Library       Library
	BatchingDelay Duration // 0: never hold messages back
	Heartbeat     Duration // 0: none
	TLS           bool

	NewConnection bool // for every poll
	Forward       bool // the router lets the server in

	// Where they are swept; 0 otherwise, as all cases of a run then share the scenario's own.
	RTT      Duration
	Interval Duration // of short polling
	Clients  int
	Rate     Rate // of publications
	Payload  Size

	swept uint64 // a bit for each of axes: its values tell this case from others of its run
}

// Cases lists what a block measures, in report order: the cases of a transport
// stand together, and in them those of a stack. A transport that does not have an axis, as
// a short poll has no flush window, has one case for all of its values.
func (s *Scenario) Configurations() (all []Configuration) {
	for _, t := range s.Transports {
		of := Configuration{Transport: t}
		for i, a := range axes {
			if a.sweptFor(s, t) {
				of.swept |= 1 << i
			}
		}
		cases := []Configuration{of}
		for _, a := range nested {
			cases = a.expand(s, cases)
		}
		all = append(all, cases...)
	}
	return all
}

// sweeps says whether the values of an axis tell the case from others of its run.
func (c Configuration) sweeps(axis int) bool { return c.swept&(1<<axis) != 0 }

// Name is the case in reports: its transport, and the value of whatever is swept.
func (c Configuration) Name() string {
	parts := []string{string(c.Transport)}
	for i, a := range axes {
		if c.sweeps(i) {
			parts = append(parts, a.label(c))
		}
	}
	return strings.Join(parts, " ")
}

// ServeFlags are the flags of pushbench serve that make a server the case's.
func (c Configuration) ServeFlags() (flags []string) {
	for _, a := range axes {
		flags = append(flags, a.serveFlags(c)...)
	}
	return flags
}

// For is the scenario of one case alone: nothing is swept, what the case has is the
// scenario's own, and what it was to find, which is about all cases, is not there.
func (s *Scenario) For(c Configuration) *Scenario {
	alone := *s
	alone.Requirements, alone.Assertions, alone.Published, alone.Sweep = nil, nil, metric.Published{}, Sweep{}
	for i, a := range axes {
		a.apply(&alone, c, c.sweeps(i))
	}
	return &alone
}

// SweepsLoad says whether cases differ in their workload, and not in how it is carried alone.
func (s *Scenario) SweepsLoad() bool {
	return len(s.Sweep.Clients)+len(s.Sweep.Rate)+len(s.Sweep.Payload) > 0
}

// Hardest is the scenario of the case, of all that it has, to which most deliveries a second
// are owed: where no workload is swept, the scenario as it is.
func (s *Scenario) Hardest(cases []Configuration) *Scenario {
	if !s.SweepsLoad() {
		return s
	}
	var hardest *Scenario
	for _, c := range cases {
		if one := s.For(c); hardest == nil || one.DeliveryRate() > hardest.DeliveryRate() {
			hardest = one
		}
	}
	return hardest
}

// MostClients is the largest number of clients of any case.
func (s *Scenario) MostClients() int { return slices.Max(sweptOr(s.Sweep.Clients, s.Clients.Count)) }

// Secured says whether some case has TLS.
func (s *Scenario) Secured() bool {
	return slices.Contains(sweptOr(s.Sweep.TLS, s.Network.TLS), true)
}

// longestRTT is the largest round trip of any case.
func (s *Scenario) longestRTT() Duration { return slices.Max(sweptOr(s.Sweep.RTT, s.Network.RTT)) }

// longestInterval is the largest between two short polls of any case.
func (s *Scenario) longestInterval() Duration {
	return slices.Max(sweptOr(s.Sweep.Interval, s.ShortPoll.Interval))
}

// longestFlush is the largest flush window of any case.
func (s *Scenario) longestBatchingDelay() (longest Duration) {
	for _, t := range s.Transports {
		longest = max(longest, slices.Max(sweptOr(s.Sweep.BatchingDelay, s.BatchingDelay(t))))
	}
	return longest
}

// sweptOr is what is swept, or else the one value there is.
func sweptOr[T any](swept []T, own T) []T {
	if len(swept) > 0 {
		return swept
	}
	return []T{own}
}

// HoldFor is how long a long poll is held: at most a heartbeat, for its answer is one.
func (s *Scenario) PollTimeout() Duration {
	if s.Heartbeat > 0 {
		return min(s.LongPoll.Timeout, s.Heartbeat)
	}
	return s.LongPoll.Timeout
}

// maxAnswer is how long a client waits for an answer beyond what a poll may be held.
const maxAnswer = Duration(5 * time.Second)

// Patience is how long a client waits to hear something before it takes a connection
// for dead; 0: for ever, as nothing tells a quiet stream from one that nobody hears any more.
func (s *Scenario) ReadTimeout(t Transport) Duration {
	switch traits := transports.Of(t); {
	case traits.Holds:
		return s.PollTimeout() + maxAnswer
	case traits.Polls:
		return maxAnswer
	case traits.ServerDials:
		return 0
	default:
		return s.Heartbeat * 5 / 2
	}
}
