package bench

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pushbench/bench/client/engines"
	"pushbench/bench/schedule"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// manifest returns the part of the manifest that is known before the first trial.
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
		Side:         r.Side,
		Host:         r.Setup.Facts.Host,
		NotShown:     r.Setup.Facts.NotShown,
		Pinning:      r.Setup.Facts.Pinning,
		Workload:     workload(s, configurations),
		Repetitions:  s.Repetitions,
		Seed:         s.Seed,
		Requirements: s.Requirements,
		Assertions:   s.Assertions,
		Prices:       s.Prices.OrDefault(),
		Cost:         string(s.Cost),
		Published:    publishedValues(s.Published),
		Engine:       r.Setup.Engine,
		Library:      librariesOf(s),
		Servers:      map[string]string{},
		Conditions:   upstreamConditions(s),
	}
	if m.Library == string(scenarios.Reference) && measuresOwnServers(s) {
		m.Conditions = slices.Insert(m.Conditions, 0,
			"WebSocket is served by gorilla/websocket on net/http, every other transport by fasthttp: a CPU or memory ratio compares libraries as well as transports")
	}
	m.Conditions = append(m.Conditions, targetConditions(s)...)
	m.Targets = targetFiles(s)
	describeLink(&m, s, !r.Setup.Together())
	if s.Servers > 1 {
		m.Conditions = append(m.Conditions, fmt.Sprintf("%d servers share the clients, each with its own load generator; every message is posted to every server; costs are totals over all of them", s.Servers))
	}
	if why := s.Unsettled(); why != "" {
		m.Conditions = append(m.Conditions, why)
	}
	for _, t := range s.Transports {
		m.Transports = append(m.Transports, string(t))
	}
	for _, c := range configurations {
		m.Configurations = append(m.Configurations, configurationOf(s, c))
	}
	for i, order := range Orders(configurations, s.Repetitions, s.Seed) {
		m.Schedules = append(m.Schedules, scheduleHash(s, configurations, i+1))
		var names []string
		for _, c := range order {
			names = append(names, c.Name())
		}
		m.Orders = append(m.Orders, names)
	}
	return m
}

// configurationOf converts a scenario's configuration to that of the results.
func configurationOf(s *scenarios.Scenario, c scenarios.Configuration) results.Configuration {
	converted := results.Configuration{
		Name: c.Name(), Transport: string(c.Transport), Target: string(c.Target), Library: string(c.Library),
		BatchingDelay: time.Duration(c.BatchingDelay), RTT: time.Duration(c.RTT), Interval: time.Duration(c.Interval), Heartbeat: time.Duration(c.Heartbeat),
		TLS: c.TLS || s.TargetOf(c).Secured(), NewConnection: c.NewConnection, Forward: c.Forward,
		Clients: c.Clients, PublishRate: float64(c.Rate), PayloadBytes: float64(c.Payload),
	}
	if s.SweepsLoad() {
		converted.DeliveryRate = s.For(c).DeliveryRate()
	}
	return converted
}

// scheduleHash hashes the schedules of a repetition, over all of its workloads.
func scheduleHash(s *scenarios.Scenario, configurations []scenarios.Configuration, repetition int) string {
	if !s.SweepsLoad() {
		return schedule.New(s, repetition).Hash()
	}
	sum := sha256.New()
	seen := map[scenarios.Configuration]bool{}
	for _, c := range configurations {
		load := scenarios.Configuration{Clients: c.Clients, Rate: c.Rate, Payload: c.Payload}
		if !seen[load] {
			seen[load] = true
			fmt.Fprintln(sum, schedule.New(s.For(c), repetition).Hash())
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// comparison returns the comparisons that a scenario declares for a run of several builds.
func comparison(s *scenarios.Scenario, builds int) results.Declared {
	return results.Declared{Primary: s.ComparedBy(builds > 1), Against: string(s.ComparedWith()), Margin: float64(s.Compare.Margin) / 100}
}

// upstreamConditions describes publications, replies, upstream messages and short-lived clients.
func upstreamConditions(s *scenarios.Scenario) (conditions []string) {
	const own = "a frame of its WebSocket, or a POST on a second keep-alive connection"
	switch s.Publish.By {
	case scenarios.ByClients:
		conditions = append(conditions, "every client publishes over its own upstream path: "+own)
	case scenarios.ByPublishOnly:
		conditions = append(conditions, fmt.Sprintf("%d additional publish-only clients, one per topic, without a subscription: each publishes by a frame of its WebSocket, or a POST on its only connection", s.PublishOnly()))
	default:
		conditions = append(conditions, "a backend next to the server posts the messages, the same way for every transport")
	}
	if h := s.Headers; h != (scenarios.Headers{}) {
		conditions = append(conditions, fmt.Sprintf("a filler header pads shorter header sections: of client requests to %s, of responses to polls and publications to %s (0B: no padding)", h.Request, h.Response))
	}
	if s.Replies.Size > 0 {
		conditions = append(conditions, fmt.Sprintf("each client replies to each message with %s over its own upstream path, and the server posts the reply to the backend; costs per message include both, without the backend's own connections", s.Replies.Size))
	}
	if s.ShortLived.Rate > 0 {
		conditions = append(conditions, fmt.Sprintf("additional short-lived clients connect at %s, subscribe, receive one message and disconnect; all costs include them, message counts do not", s.ShortLived.Rate))
	}
	if s.Upstream.Rate > 0 {
		conditions = append(conditions, fmt.Sprintf("clients also send upstream messages, %s of %s in total, each over its own upstream path: %s. Costs per message include them and are divided by the deliveries; acknowledgement times are those of upstream messages only", s.Upstream.Rate, s.Upstream.Size, own))
	}
	return conditions
}

// measuresOwnServers reports whether some configuration has the servers of pushbench.
func measuresOwnServers(s *scenarios.Scenario) bool {
	return len(s.Sweep.Target) == 0 || slices.Contains(s.Sweep.Target, scenarios.ReferenceTarget)
}

// targetConditions describes the targets that a scenario compares.
func targetConditions(s *scenarios.Scenario) (conditions []string) {
	for _, name := range s.Sweep.Target {
		if t := s.Targets[name]; t != nil {
			conditions = append(conditions, fmt.Sprintf("%s is not pushbench's own server: its protocol is described by the target file %s (SHA-256 %.16s), which reports no hidden connections or retries, and for which the model predicts nothing", name, filepath.Base(t.Path), sha256Hex(t.Source)))
			if t.URL != "" {
				conditions = append(conditions, running(t))
			}
		}
	}
	return conditions
}

// running describes a target that pushbench has not started.
func running(t *scenarios.Target) string {
	where := "on this machine"
	if t.Remote() {
		where = "on another host, " + t.Host() + ", so that its latencies contain the network between"
	}
	billed := "its CPU and memory are not measured"
	switch {
	case t.Cost.PID != 0:
		billed = fmt.Sprintf("process %d and its descendants are billed", t.Cost.PID)
	case t.Cost.Prometheus != "":
		billed = "its CPU and memory are those that " + t.Cost.Prometheus + " reports"
	}
	return fmt.Sprintf("%s was running already, %s: it is neither started anew for each trial nor pinned to cores; %s", t.Name, where, billed)
}

// targetFiles identifies the target files of a scenario.
func targetFiles(s *scenarios.Scenario) (all []results.Target) {
	here, _ := os.Getwd() // without it paths stay absolute
	for _, name := range s.Sweep.Target {
		if t := s.Targets[name]; t != nil {
			file := t.Path
			if relative, err := filepath.Rel(here, file); err == nil {
				file = relative
			}
			all = append(all, results.Target{Name: string(name), File: filepath.ToSlash(file), SHA256: sha256Hex(t.Source)})
		}
	}
	return all
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// publishedValues returns a scenario's published values of other benchmarks, with defaults.
func publishedValues(p metric.Published) metric.Published {
	p.Values = slices.Clone(p.Values)
	for i := range p.Values {
		p.Values[i].Times = cmp.Or(p.Values[i].Times, 1)
	}
	return p
}

// librariesOf lists the server libraries by the names that the scenario gives them.
func librariesOf(s *scenarios.Scenario) string {
	if len(s.Sweep.Library) == 0 {
		return string(s.Library)
	}
	var names []string
	for _, name := range s.Sweep.Library {
		names = append(names, string(name))
	}
	return strings.Join(names, ", ")
}

// runID distinguishes this run's payloads from those of any other run, including an earlier
// one on the same server.
func runID(s *scenarios.Scenario, began time.Time) uint32 {
	h := fnv.New32a()
	fmt.Fprint(h, s.Hash(), began.UnixNano())
	return h.Sum32()
}

// publisher is the name of the publisher in manifests, which keep the old name.
func publisher(by scenarios.Publisher) string {
	if by == scenarios.ByPublishOnly {
		return "reporters"
	}
	return string(by)
}

// workload returns the scenario's parameters.
func workload(s *scenarios.Scenario, configurations []scenarios.Configuration) results.Workload {
	w := results.Workload{
		Scenario:      s.Name,
		Description:   s.Description,
		Question:      s.Question,
		SHA256:        s.Hash(),
		Clients:       s.Clients.Count,
		Topics:        s.Topics.Count,
		Publisher:     publisher(s.Publish.By),
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

// describeLink records the network between clients and servers in a manifest. Separate agents may be on other machines.
func describeLink(m *results.Manifest, s *scenarios.Scenario, separate bool) {
	n := s.Network
	m.Network = results.Loopback
	if s.AnyTarget((*scenarios.Target).Remote) {
		m.Network = results.OtherHost
	}
	if separate {
		m.Network = results.Agents
	}
	n.TLS = false // a property of the configurations
	if n == (scenarios.Network{Link: scenarios.StreamLink}) && len(s.Sweep.RTT) == 0 {
		return
	}
	m.Network = results.StreamLink
	m.RTT, m.Jitter, m.LineRate = time.Duration(n.RTT), time.Duration(n.Jitter), int64(n.Rate)
	if n.Link == scenarios.PacketLink {
		m.Network, m.Loss, m.Reorder = results.PacketLink, float64(n.Loss)/100, float64(n.Reorder)/100
		m.NAT, m.IdleFor = n.NAT, time.Duration(n.IdleTimeout)
		if n.NAT {
			m.Conditions = append(m.Conditions, "each client has its own address behind a masquerading NAT router; the router drops new connections from outside and packets of unknown connections (tcp_loose is off); no cost includes the router; TCP keep-alive is off on both sides")
		}
		m.Conditions = append(m.Conditions, "servers and clients are in separate network namespaces, connected by an emulated packet link; a separate process forwards the packets on the load generator's core, and no cost includes it; the backend is next to the servers")
		return
	}
	m.Conditions = append(m.Conditions, "the link is emulated inside the load generator, in each client's connection: no packets are lost, and TCP acknowledgements are not delayed, since the kernels see loopback")
	if m.Engine == engines.Goroutine {
		m.Conditions = append(m.Conditions, "the goroutine engine's link releases bytes up to about 1 ms late, the error of Go's timers")
	}
}
