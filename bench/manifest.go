package bench

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"pushbench/bench/client/engines"
	"pushbench/bench/host"
	"pushbench/bench/schedule"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// manifest is what is known before the first trial.
func (r *Run) manifest(began time.Time, configurations []scenarios.Configuration) results.Manifest {
	s := r.Scenario
	m := results.Manifest{
		Schema:       results.Schema,
		Status:       results.Partial,
		Started:      began.UTC(),
		Command:      r.Command,
		RunID:        runID(s, began),
		Tool:         r.Tool,
		Served:       r.Served,
		Host:         host.Facts(),
		Pinning:      r.Setup.Pinning,
		Workload:     workload(s, configurations),
		Repetitions:  s.Repetitions,
		Seed:         s.Seed,
		Compare:      declared(s.Compare),
		Requirements: s.Requirements,
		Assertions:   s.Assertions,
		Published:    published(s.Published),
		Engine:       r.Setup.Engine,
		Library:      stacksOf(configurations),
		Servers:      map[string]string{},
		Conditions:   waysUp(s),
	}
	if m.Library == string(scenarios.Reference) {
		m.Conditions = slices.Insert(m.Conditions, 0,
			"WebSocket is served by gorilla/websocket on net/http, every other transport by fasthttp: a CPU or memory ratio compares libraries as well as transports")
	}
	m.NotShown = host.NotShown(m.Host)
	describeLink(&m, s)
	if s.Servers > 1 {
		m.Conditions = append(m.Conditions, fmt.Sprintf("%d servers share the clients, each with a generator of its own; every message is posted to each of them: costs are of all together", s.Servers))
	}
	for _, t := range s.Transports {
		m.Transports = append(m.Transports, string(t))
	}
	for _, c := range configurations {
		m.Configurations = append(m.Configurations, caseOf(s, c))
	}
	for block, order := range Orders(configurations, s.Repetitions, s.Seed) {
		m.Schedules = append(m.Schedules, scheduleHash(s, configurations, block+1))
		var names []string
		for _, c := range order {
			names = append(names, c.Name())
		}
		m.Orders = append(m.Orders, names)
	}
	return m
}

// caseOf is a case as results know it.
func caseOf(s *scenarios.Scenario, c scenarios.Configuration) results.Configuration {
	is := results.Configuration{
		Name: c.Name(), Transport: string(c.Transport), Library: string(c.Library),
		BatchingDelay: time.Duration(c.BatchingDelay), RTT: time.Duration(c.RTT), Interval: time.Duration(c.Interval), Heartbeat: time.Duration(c.Heartbeat),
		TLS: c.TLS, NewConnection: c.NewConnection, Forward: c.Forward,
		Clients: c.Clients, PublishRate: float64(c.Rate), PayloadBytes: float64(c.Payload),
	}
	if s.SweepsLoad() {
		is.DeliveryRate = s.For(c).DeliveryRate()
	}
	return is
}

// scheduleHash is of what is due in a block, in all workloads that it has.
func scheduleHash(s *scenarios.Scenario, configurations []scenarios.Configuration, block int) string {
	if !s.SweepsLoad() {
		return schedule.New(s, block).Hash()
	}
	sum := sha256.New()
	seen := map[scenarios.Configuration]bool{}
	for _, c := range configurations {
		load := scenarios.Configuration{Clients: c.Clients, Rate: c.Rate, Payload: c.Payload}
		if !seen[load] {
			seen[load] = true
			fmt.Fprintln(sum, schedule.New(s.For(c), block).Hash())
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// declared is what the run will be judged by.
func declared(c scenarios.Compare) results.Declared {
	return results.Declared{Primary: c.Primary, Margin: float64(c.Margin) / 100}
}

// waysUp says how anything but deliveries travels.
func waysUp(s *scenarios.Scenario) (said []string) {
	const own = "a frame of its WebSocket, or a POST on a second keep-alive connection"
	switch s.Publish.By {
	case scenarios.ByClients:
		said = append(said, "every client publishes over its own way up: "+own)
	case scenarios.ByPublishOnly:
		said = append(said, fmt.Sprintf("%d clients more publish, one for each topic, and subscribe to nothing: a frame of its WebSocket, or a POST on its only connection", s.PublishOnly()))
	default:
		said = append(said, "messages are posted by a backend beside the server, whatever the transport")
	}
	if h := s.Headers; h != (scenarios.Headers{}) {
		said = append(said, fmt.Sprintf("heads are filled up by a header that says nothing, where they are shorter: of clients' requests to %s, of answers to polls and publications to %s (0B: as they are)", h.Request, h.Response))
	}
	if s.Replies.Size > 0 {
		said = append(said, fmt.Sprintf("each client answers each message with %s over its own way up, and the server posts that to the backend: costs a message are of both, without the backend's own connections", s.Replies.Size))
	}
	if s.ShortLived.Rate > 0 {
		said = append(said, fmt.Sprintf("beside the clients, visitors come %s, subscribe, hear a first message and leave: they are in all costs, and in no count of messages", s.ShortLived.Rate))
	}
	if s.Upstream.Rate > 0 {
		said = append(said, fmt.Sprintf("beside what is delivered every client sends inputs, %s of %s in all, over its own way up: %s. Costs a message are of all that, divided by the deliveries; acknowledgements are timed of inputs alone", s.Upstream.Rate, s.Upstream.Size, own))
	}
	return said
}

// published is what a scenario says of others, with its defaults.
func published(p metric.Published) metric.Published {
	p.Values = slices.Clone(p.Values)
	for i := range p.Values {
		p.Values[i].Times = cmp.Or(p.Values[i].Times, 1)
	}
	return p
}

// stacksOf names the stacks that are measured.
func stacksOf(configurations []scenarios.Configuration) string {
	var names []string
	for _, c := range configurations {
		if !slices.Contains(names, string(c.Library)) {
			names = append(names, string(c.Library))
		}
	}
	return strings.Join(names, ", ")
}

// runID tells this run's payloads from those of any other, an earlier one on the
// same server included.
func runID(s *scenarios.Scenario, began time.Time) uint32 {
	h := fnv.New32a()
	fmt.Fprint(h, s.Hash(), began.UnixNano())
	return h.Sum32()
}

// workload is the scenario in figures.
func workload(s *scenarios.Scenario, configurations []scenarios.Configuration) results.Workload {
	w := results.Workload{
		Scenario:      s.Name,
		Description:   s.Description,
		Question:      s.Question,
		SHA256:        s.Hash(),
		Clients:       s.Clients.Count,
		Topics:        s.Topics.Count,
		Publisher:     string(s.Publish.By),
		Arrivals:      string(s.Publish.Arrivals),
		PublishRate:   float64(s.Publish.Rate),
		PublishOnly:   s.PublishOnly(),
		UpstreamRate:  float64(s.Upstream.Rate),
		UpstreamBytes: float64(s.Upstream.Size),
		DeliveryRate:  s.DeliveryRate(),
		PerClientRate: s.PerClientRate(),
		PayloadBytes:  s.MeanPayload(),
		Delivery:      string(s.Delivery),
		PollInterval:  time.Duration(s.ShortPoll.Interval),
		PollPacing:    string(s.ShortPoll.Pacing),
		PollTimeout:   time.Duration(s.LongPoll.Timeout),
		BatchingDelay: map[string]time.Duration{},
		Warmup:        time.Duration(s.Warmup),
		Window:        time.Duration(s.Window),
		Drain:         time.Duration(s.Drain),
	}
	for _, c := range configurations {
		if !transports.Of(c.Transport).Timed {
			w.BatchingDelay[c.Name()] = time.Duration(c.BatchingDelay)
		}
	}
	return w
}

// describeLink says in a manifest how far the clients were.
func describeLink(m *results.Manifest, s *scenarios.Scenario) {
	n := s.Network
	m.Network = results.Loopback
	n.TLS = false // which the cases tell
	if n == (scenarios.Network{Link: scenarios.StreamLink}) && len(s.Sweep.RTT) == 0 {
		return
	}
	m.Network = results.StreamLink
	m.RTT, m.Jitter, m.LineRate = time.Duration(n.RTT), time.Duration(n.Jitter), int64(n.Rate)
	if n.Link == scenarios.PacketLink {
		m.Network, m.Loss, m.Reorder = results.PacketLink, float64(n.Loss)/100, float64(n.Reorder)/100
		m.NAT, m.IdleFor = n.NAT, time.Duration(n.IdleTimeout)
		if n.NAT {
			m.Conditions = append(m.Conditions, "each client has an address of its own behind a router, which masquerades, drops what is new from outside and what belongs to no connection that it knows (tcp_loose is off), and is in none of the costs; kernel keep-alive is off on both sides")
		}
		m.Conditions = append(m.Conditions, "servers and clients are in network namespaces of their own, joined by a link of packets that a process of its own carries, on the generator's core and in none of the costs; a backend stands beside the servers")
		return
	}
	m.Conditions = append(m.Conditions, "the distance is made inside the generator, in each client's connection: nothing is lost, and the kernels, which know of no distance, acknowledge at once")
	if m.Engine == engines.Goroutine {
		m.Conditions = append(m.Conditions, "goroutines let bytes out of the link as late as Go's timers are, by up to about a millisecond")
	}
}
