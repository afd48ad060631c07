package scenarios

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"pushbench/scenarios/transports"
)

// axes lists all axes, in the order of their values in the names of configurations. A new axis is a
// row here, a field of Configuration and one of Sweep.
var axes = []axis{
	axisOf[TargetName]{
		name: "target", shared: true,
		sweep:  func(w *Sweep) *[]TargetName { return &w.Target },
		of:     func(c *Configuration) *TargetName { return &c.Target },
		own:    func(*Scenario, Transport) *TargetName { return nil },
		offers: (*Scenario).offers,
	},
	axisOf[Library]{
		name: "library", flag: "library",
		sweep:   func(w *Sweep) *[]Library { return &w.Library },
		of:      func(c *Configuration) *Library { return &c.Library },
		own:     func(s *Scenario, _ Transport) *Library { return &s.Library },
		resolve: Library.of,
		ownPath: "library", ownDefault: Reference, lists: "lists the libraries",
	},
	axisOf[Duration]{
		name: "batching_delay", flag: "batching-delay",
		sweep:     func(w *Sweep) *[]Duration { return &w.BatchingDelay },
		of:        func(c *Configuration) *Duration { return &c.BatchingDelay },
		own:       batchingDelayOf,
		appliesTo: batches, lacking: ", as the response to a short poll is immediate",
		ownPath: "*.batching_delay", lists: "lists the batching delays",
	},
	axisOf[int]{
		name: "clients", shared: true,
		sweep: func(w *Sweep) *[]int { return &w.Clients },
		of:    func(c *Configuration) *int { return &c.Clients },
		own:   func(s *Scenario, _ Transport) *int { return &s.Clients.Count },
	},
	axisOf[Rate]{
		name: "rate", shared: true,
		text:  func(r Rate) string { return decimal(float64(r)) },
		unit:  "/s",
		sweep: func(w *Sweep) *[]Rate { return &w.Rate },
		of:    func(c *Configuration) *Rate { return &c.Rate },
		own:   func(s *Scenario, _ Transport) *Rate { return &s.Publish.Rate },
	},
	axisOf[Size]{
		name: "payload", shared: true,
		text:  func(z Size) string { return strconv.Itoa(int(z)) },
		unit:  "B",
		sweep: func(w *Sweep) *[]Size { return &w.Payload },
		of:    func(c *Configuration) *Size { return &c.Payload },
		own:   func(s *Scenario, _ Transport) *Size { return &s.Payload.Size },
		conditions: []sweepCondition{{
			func(s *Scenario) bool { return len(s.Payload.Sizes) == 0 },
			"is not allowed together with payload.sizes; allowed: with payload.size, which it replaces",
		}},
	},
	axisOf[Duration]{
		name: "interval", shared: true, inner: 5,
		sweep:     func(w *Sweep) *[]Duration { return &w.Interval },
		of:        func(c *Configuration) *Duration { return &c.Interval },
		own:       setting[Duration]("Interval"),
		appliesTo: isTimed,
	},
	axisOf[Duration]{
		name: "rtt", shared: true, inner: 4,
		sweep:   func(w *Sweep) *[]Duration { return &w.RTT },
		of:      func(c *Configuration) *Duration { return &c.RTT },
		own:     func(s *Scenario, _ Transport) *Duration { return &s.Network.RTT },
		ownPath: "network.rtt", lists: "lists the round-trip times",
	},
	// Short polls need no heartbeat, as responses are immediate. A client that the server dials has
	// no connection to keep open.
	axisOf[Duration]{
		name: "heartbeat", flag: "heartbeat", inner: 3,
		sweep:     func(w *Sweep) *[]Duration { return &w.Heartbeat },
		of:        func(c *Configuration) *Duration { return &c.Heartbeat },
		own:       func(s *Scenario, _ Transport) *Duration { return &s.Heartbeat },
		appliesTo: batches, lacking: ", as short polling has no heartbeat",
		ownPath: "heartbeat", lists: "lists the heartbeats",
		conditions: []sweepCondition{{
			func(s *Scenario) bool {
				return !slices.ContainsFunc(s.Sweep.Heartbeat, func(d Duration) bool { return d != 0 && d < minQuiet })
			},
			"is not allowed; allowed: 0s, which means none, and durations of at least 1s",
		}},
	},
	axisOf[bool]{
		name: "forward", text: words("no", "yes"), inner: 5,
		sweep:     func(w *Sweep) *[]bool { return &w.Forward },
		of:        func(c *Configuration) *bool { return &c.Forward },
		own:       func(s *Scenario, _ Transport) *bool { return &s.Network.Forward },
		appliesTo: func(t transports.Transport) bool { return t.ServerDials },
		ownPath:   "network.forward", lists: "sets both values",
		conditions: []sweepCondition{{
			func(s *Scenario) bool { return s.Network.NAT && s.ServerDials() },
			"has no effect; allowed: with network.nat: true, and webhook among the transports",
		}},
	},
	axisOf[bool]{
		name: "new_connection", named: "connection", text: words("kept", "new"), inner: 1,
		sweep:     func(w *Sweep) *[]bool { return &w.NewConnection },
		of:        func(c *Configuration) *bool { return &c.NewConnection },
		own:       setting[bool]("NewConnection"),
		appliesTo: func(t transports.Transport) bool { return t.Polls }, lacking: ", as streams have one connection",
		ownPath: "*.new_connection", lists: "sets both values",
	},
	axisOf[bool]{
		name: "tls", text: words("no", "yes"), flag: "tls", inner: 2,
		sweep:   func(w *Sweep) *[]bool { return &w.TLS },
		of:      func(c *Configuration) *bool { return &c.TLS },
		own:     func(s *Scenario, _ Transport) *bool { return &s.Network.TLS },
		ownPath: "network.tls", lists: "sets both values",
	},
}

// nested lists the axes by depth, the slowest first. It determines the order of the configurations
// in reports and, with the seed, the order of measurement: moving a row changes the order of
// future runs.
var nested = slices.SortedStableFunc(slices.Values(axes), func(a, b axis) int { return cmp.Compare(a.depth(), b.depth()) })

func batches(t transports.Transport) bool { return t.Batches }

func isTimed(t transports.Transport) bool { return t.Timed }

// words names the two settings of a switch in the names of configurations.
func words(off, on string) func(bool) string {
	return func(is bool) string {
		if is {
			return on
		}
		return off
	}
}

var batchingDelayOf = setting[Duration]("BatchingDelay")

// setting returns a function that finds a field in the settings of a transport. Scenario has them in
// a field with the transport's name. nil: the transport has no such setting.
func setting[T any](name string) func(*Scenario, Transport) *T {
	return func(s *Scenario, t Transport) *T {
		section := reflect.ValueOf(s).Elem().FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, string(t)) })
		if !section.IsValid() {
			return nil
		}
		own := section.FieldByName(name)
		if !own.IsValid() {
			return nil
		}
		return own.Addr().Interface().(*T)
	}
}
