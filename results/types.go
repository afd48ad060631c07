package results

import (
	"fmt"
	"strings"
	"time"

	"pushbench/results/metric"
	"pushbench/results/price"
)

// Schema is the version of the folder format that this package writes. It also reads version 1.
const Schema = 2

// A Status is the outcome of a run or a trial.
type Status string

// Complete: every validity check passed. Partial: interrupted or killed before the planned
// end. Invalid: the test setup failed, see Reason. Saturated: the system could not keep up
// with the offered load; its values describe overload.
const (
	Complete  Status = "COMPLETE"
	Partial   Status = "INTERRUPTED"
	Invalid   Status = "INVALID"
	Saturated Status = "OVERLOADED"
)

// A Manifest describes a run: what was measured, on which machine and with which settings. All
// times of day are UTC and informative: no measurement is derived from them.
type Manifest struct {
	Schema   int       `json:"schema"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"` // why the status is not COMPLETE
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Command  []string  `json:"command"`
	RunID    uint32    `json:"run_id"`             // part of every payload of this run
	Baseline []uint32  `json:"baseline,omitempty"` // run_id of each run whose trials alternated with those of this run (the baseline)

	Tool     Tool     `json:"tool"`
	Served   Tool     `json:"served,omitzero"` // the build whose servers were measured, if it differs from tool
	Side     Side     `json:"side,omitempty"`  // whose servers were measured in a run with a baseline; absent: there is none, or the folder is of an earlier version
	Host     Host     `json:"host" walk:"-"`
	Pinning  Pinning  `json:"pinning"`
	Workload Workload `json:"workload"`

	Repetitions    int                `json:"repetitions"`              // repetitions planned
	Transports     []string           `json:"transports"`               // in report order
	Configurations []Configuration    `json:"configurations,omitempty"` // configurations in report order; absent in the oldest folders
	Orders         [][]string         `json:"orders"`                   // for each repetition, the names of its configurations in the order of their trials
	Schedules      []string           `json:"schedules,omitempty"`      // for each repetition, the hash of its publish schedule: due instants, publishers, topics and sizes
	Seed           uint64             `json:"seed"`
	Compare        Declared           `json:"compare,omitzero" walk:"-"` // metrics and margin of the comparison; absent: the defaults
	Requirements   []metric.Assertion `json:"requirements,omitempty"`    // requirements of the application; the report recommends the cheapest configuration that meets all of them
	Assertions     []metric.Assertion `json:"assertions,omitempty"`      // assertions about the run
	Prices         price.Prices       `json:"prices,omitzero"`           // prices of the provider; absent in older folders: the default prices
	Cost           string             `json:"cost,omitempty"`            // by what the cheapest is chosen: "cpu" or "price"; absent: "cpu"
	Published      metric.Published   `json:"published,omitzero"`        // values that others have published, to compare with

	Engine     string            `json:"engine"`                          // network engine of the simulated clients
	Library    string            `json:"library"`                         // server libraries, separated by ", "
	Network    string            `json:"network"`                         // "loopback", "stream" or "packets": the kind of network or emulated link; "another host": a real network to a target; "several agents": the network between them
	RTT        time.Duration     `json:"rtt_ns"`                          // round-trip time that the network adds; 0 on loopback
	Jitter     time.Duration     `json:"jitter_ns,omitzero"`              // maximum that the network adds to one direction
	LineRate   int64             `json:"line_bytes_per_second,omitempty"` // line rate in each direction, per connection on a stream link, in total on a packet link; 0: unlimited
	Loss       float64           `json:"loss,omitempty" most:"1"`         // share of packets that the network loses
	Reorder    float64           `json:"reorder,omitempty" most:"1"`      // share of packets that overtake others
	NAT        bool              `json:"nat,omitempty"`                   // the clients are behind a router that rejects incoming connections
	IdleFor    time.Duration     `json:"idle_timeout_ns,omitempty"`       // idle time after which that router drops a connection; 0: never
	Ceiling    float64           `json:"generator_ceiling"`               // maximum rate of a generator with a no-op transport, in publishes and deliveries per second; 0: not measured
	Servers    map[string]string `json:"servers"`                         // per configuration: the server's settings in one line
	Targets    []Target          `json:"targets,omitempty"`               // target files of the servers that are not pushbench's
	NotShown   []string          `json:"not_shown"`                       // names of what the system did not report
	Conditions []string          `json:"conditions"`                      // differences between the compared servers, and other cautions
}

// Names of networks. A stream link delays the bytes of each connection inside the generator and
// loses none. A packet link connects the network namespaces of servers and clients, so that
// their TCP stacks see its delay. A run with a target on another host, or on
// several agents, uses the network that is there.
const (
	Loopback   = "loopback"
	StreamLink = "stream"
	PacketLink = "packets"
	OtherHost  = "another host"
	Agents     = "several agents"
)

// A Side is one of the two versions of a server that a run with a baseline measures.
type Side string

// BaselineSide is the version to compare with, HeadSide the one that is under test.
const (
	BaselineSide Side = "baseline"
	HeadSide     Side = "head"
)

// Measured returns the build whose servers were measured.
func (m Manifest) Measured() Tool {
	if m.Served.SHA256 != "" {
		return m.Served
	}
	return m.Tool
}

// IsBaseline reports whether the servers are those of a baseline. Earlier folders state only that they are not those of
// the tool.
func (m Manifest) IsBaseline() bool {
	return m.Side == BaselineSide || m.Side == "" && m.Served.SHA256 != ""
}

// A Target identifies the target file of a server.
type Target struct {
	Name   string `json:"name"`
	File   string `json:"file"`   // path, relative to the working directory of the run
	SHA256 string `json:"sha256"` // of the file
}

// Tool identifies a build of pushbench, or the version of another server.
type Tool struct {
	Target    string `json:"target,omitempty"` // name of the target file that describes the server; absent: a build of pushbench
	Version   string `json:"version"`
	Commit    string `json:"commit"`
	Dirty     bool   `json:"dirty"`
	GoVersion string `json:"go_version"`
	SHA256    string `json:"sha256"` // of the executable, or of the target file

	Modules []string `json:"modules,omitempty"` // linked modules, as path@version
}

// Host describes the machine. A value that the system does not report is empty and named in not_shown.
type Host struct {
	OS                string            `json:"os"`
	Arch              string            `json:"arch"`
	Kernel            string            `json:"kernel"`
	CPUModel          string            `json:"cpu_model"`
	Cores             int               `json:"cores" most:"65536"`
	MemoryBytes       int64             `json:"memory_bytes"`
	CongestionControl string            `json:"congestion_control"`
	ClockSource       string            `json:"clock_source"`
	FileLimit         int64             `json:"file_limit"`
	PortRange         string            `json:"port_range"`
	LoadAverage       string            `json:"load_average"`                 // before the first trial
	LoadAverageAfter  string            `json:"load_average_after,omitempty"` // after the last trial
	Stalls            string            `json:"stalls,omitempty"`             // CPU stalls of each core while idle, before the first trial
	StallsAfter       string            `json:"stalls_after,omitempty"`       // after the last trial
	TickRate          float64           `json:"tick_rate_hz,omitempty"`       // tick rate of the kernel (CONFIG_HZ)
	Governor          string            `json:"governor,omitempty"`           // frequency governor of the first core
	SMT               string            `json:"smt,omitempty"`                // simultaneous multithreading: "0" or "1" of the kernel
	CPUQuota          string            `json:"cpu_quota,omitempty"`          // of the control group
	MemoryLimit       string            `json:"memory_limit,omitempty"`       // of the control group
	Qdisc             string            `json:"qdisc,omitempty"`              // queueing discipline of a new interface: net.core.default_qdisc
	GoSettings        map[string]string `json:"go_settings,omitempty"`        // Go variables of the environment, which every process of a run inherits
	Sysctls           map[string]string `json:"sysctls"`
}

// Pinning lists the cores of each role, and whether pinning succeeded.
type Pinning struct {
	Requested bool   `json:"requested"`
	Server    []int  `json:"server" most:"65535"`
	Generator []int  `json:"generator" most:"65535"`
	Note      string `json:"note,omitempty"` // why the roles are not pinned
}

// OneCore is the note of a run on a machine or in a group with one core.
const OneCore = "server and load generator share one core"

// Workload summarises the scenario in the values that a reader of the results needs.
type Workload struct {
	Scenario    string `json:"scenario"`
	Description string `json:"description"`
	Question    string `json:"question"`
	SHA256      string `json:"sha256"` // of the resolved scenario

	Clients       int                      `json:"clients"`
	Topics        int                      `json:"topics"`
	Publisher     string                   `json:"publisher"` // "clients", "backend" or "publish_only" (publish-only clients)
	Arrivals      string                   `json:"arrivals"`
	PublishRate   float64                  `json:"publish_rate"`             // messages per second offered
	PublishOnly   int                      `json:"publish_only,omitempty"`   // additional clients that only publish
	UpstreamRate  float64                  `json:"upstream_rate,omitempty"`  // additional upstream messages per second from the clients, which are not delivered to other clients
	UpstreamBytes float64                  `json:"upstream_bytes,omitempty"` // of an upstream message
	DeliveryRate  float64                  `json:"delivery_rate"`            // expected (message, subscriber) pairs per second
	PerClientRate float64                  `json:"per_client_rate"`          // λ: mean number of messages per second that one client expects
	PayloadBytes  float64                  `json:"payload_bytes"`            // mean
	Delivery      string                   `json:"delivery"`
	PollInterval  time.Duration            `json:"poll_interval_ns"`
	PollPacing    string                   `json:"poll_pacing"`
	PollTimeout   time.Duration            `json:"poll_timeout_ns"`
	BatchingDelay map[string]time.Duration `json:"batching_delay_ns"` // batching delay per configuration; 0: none
	Warmup        time.Duration            `json:"warmup_ns"`
	Window        time.Duration            `json:"window_ns"`
	Drain         time.Duration            `json:"drain_ns"`
}

// LatestOnly reports whether a newer message replaces one that is not yet sent.
func (w Workload) LatestOnly() bool { return w.Delivery == "latest" }

// BriefReason returns the first reason why the status is not COMPLETE, and how many more trials have one.
func (m Manifest) BriefReason() string {
	const next = "; repetition " // a reason begins with its trial, and may contain semicolons
	first, others, found := strings.Cut(m.Reason, next)
	if !found {
		return m.Reason
	}
	more := "another trial"
	if n := 1 + strings.Count(others, next); n > 1 {
		more = fmt.Sprintf("%d more trials", n)
	}
	return fmt.Sprintf("%s (and %s)", first, more)
}

// By what a configuration is the cheapest: CPU of server and generator, or the price per 1,000 clients and month.
const (
	ByCPU   = "cpu"
	ByPrice = "price"
)

// CostMetric returns the metric by which a configuration is the cheapest.
func (m Manifest) CostMetric() string { return metric.Cost(m.Cost == ByPrice, m.Workload.LatestOnly()) }

// A Trial is one measurement window of one configuration, with fresh processes. It is the statistical sample.
type Trial struct {
	Repetition    int           `json:"repetition" add:"-"` // repetition, from 1
	Position      int           `json:"position" add:"-"`   // in its repetition, from 1
	Transport     string        `json:"transport"`
	Configuration string        `json:"configuration,omitempty"`             // name of the configuration; absent in the oldest folders: the transport
	Library       string        `json:"library,omitempty"`                   // server library
	BatchingDelay time.Duration `json:"batching_delay_ns,omitempty" add:"-"` // batching delay
	Attempt       int           `json:"attempt,omitempty" add:"-"`           // number of earlier attempts, which are invalid and also recorded
	Started       time.Time     `json:"started"`
	Took          time.Duration `json:"took_ns" add:"sum"` // from the start of the server to the exit of the last process
	Status        Status        `json:"status"`
	Reason        string        `json:"reason,omitempty"`

	Publishes  Publishes        `json:"publishes"`
	Ledger     Ledger           `json:"ledger"`
	Latency    Latency          `json:"latency"`          // due instant → payload received by the client
	Ack        Latency          `json:"ack"`              // due instant → publish acknowledged; of the upstream messages alone if there are any
	Age        AgeOfInformation `json:"age,omitzero"`     // age of information
	Replies    Replies          `json:"replies,omitzero"` // replies of clients to messages
	Connect    Connect          `json:"connect"`
	ShortLived ShortLived       `json:"short_lived,omitzero"` // short-lived clients
	Cost       Cost             `json:"cost"`
	Webhooks   Webhooks         `json:"webhooks,omitzero"`

	Events []Event `json:"events,omitempty"` // disturbances by the machine in the window whose time is known

	Link *Link `json:"link,omitempty"` // traffic of the packet link, if there is one

	Agents []AgentShare `json:"agents,omitempty"` // what each agent measured; absent: the process of the run measured everything

	Settings map[string]string `json:"settings,omitempty"` // settings that server, generator and host report; validity checks compare them between trials

	Prices *price.Prices `json:"-" walk:"-"` // of the run, set by package summary; nil: the default prices
	Pooled int           `json:"-" walk:"-"` // number of trials that Pool combined; 0: it is a single trial

	Predicted []Prediction    `json:"predicted"` // values predicted by the model
	Checks    []ValidityCheck `json:"checks"`    // validity checks
	Warnings  []string        `json:"warnings,omitempty"`
}

// An AgentShare is what one agent measured of a trial, on its machine.
type AgentShare struct {
	Name      string        `json:"name"`
	Machine   string        `json:"machine,omitempty"` // the same for agents that share a kernel; absent: not reported
	Clients   int64         `json:"clients"`           // connected; 0: the agent had the servers only
	Ledger    Ledger        `json:"ledger"`
	Latency   Latency       `json:"latency"`                      // of its own messages to its own clients
	Server    time.Duration `json:"server_cpu_ns"`                // CPU time of its servers in the window
	Generator time.Duration `json:"generator_cpu_ns"`             // CPU time of its load generators in the window
	Cores     int           `json:"generator_cores" most:"65536"` // of its load generators; 0: not reported
	Offset    time.Duration `json:"clock_offset_ns" check:"-"`    // its clock − that of the run, before the window
	Bound     time.Duration `json:"clock_offset_bound_ns"`        // the largest error of the offset
	Control   int64         `json:"control_bytes"`                // that it exchanged with the run in the window
}

// Publishes accounts for the publishes that the schedule planned in the window.
//
//	planned = on time + late + dropped        sent = acknowledged + failed + unknown
type Publishes struct {
	Planned      int64            `json:"planned" add:"sum"`
	OnTime       int64            `json:"on_time" add:"sum"` // sent by the generator within late_after_ns of the due instant
	Late         int64            `json:"late" add:"sum"`
	Dropped      int64            `json:"dropped" add:"sum"` // never sent by the generator
	DroppedBy    map[string]int64 `json:"dropped_by,omitempty"`
	Sent         int64            `json:"sent" add:"sum"`
	Acknowledged int64            `json:"acknowledged" add:"sum"`
	Failed       int64            `json:"failed" add:"sum"`
	Unknown      int64            `json:"unknown" add:"sum"` // neither a response nor an error by the end of the drain
	FailedBy     map[string]int64 `json:"failed_by,omitempty"`
	LateAfter    time.Duration    `json:"late_after_ns" add:"max"`
	Lateness     Histogram        `json:"lateness"` // due instant → start of the write, minus the time for which an earlier publish occupied the connection
	HeldUp       Histogram        `json:"held_up"`  // time for which a publish waited for an earlier one on its connection: a cost of the transport, not of the generator
}

// A Ledger accounts for every message that a client expects, summed over clients.
//
//	expected = delivered + superseded + declared gap + lost
//	received = delivered + duplicates + unexpected
type Ledger struct {
	Expected    int64 `json:"expected" add:"sum"`
	Delivered   int64 `json:"delivered" add:"sum"`    // expected and received, each message once
	Superseded  int64 `json:"superseded" add:"sum"`   // replaced by a newer one before it was sent (delivery: latest)
	DeclaredGap int64 `json:"declared_gap" add:"sum"` // not delivered, and reported as missing by the server
	Lost        int64 `json:"lost" add:"sum"`         // neither delivered, superseded nor reported as missing

	Received   int64 `json:"received" add:"sum"`
	Duplicates int64 `json:"duplicates" add:"sum"`
	Unexpected int64 `json:"unexpected" add:"sum"` // of another run or topic, or corrupt

	Reordered int64            `json:"reordered" add:"sum"` // received after a later one of the same publisher and topic
	Corrupt   int64            `json:"corrupt" add:"sum"`   // part of unexpected: the checksum did not match, or a sequence number or a gap is beyond what was published
	LostBy    map[string]int64 `json:"lost_by,omitempty"`
}

// A Latency is a distribution of times. An expected message that was never delivered counts as infinite.
type Latency struct {
	Histogram   Histogram `json:"histogram"`
	Infinite    int64     `json:"infinite" add:"sum"`    // expected and never delivered
	Independent int64     `json:"independent" add:"sum"` // number of independent observations behind the quantiles: publishes, or poll cycles
}

// Replies accounts for the replies of clients to messages that request one: one reply per
// message of the window, however many of the messages were delivered.
type Replies struct {
	Ledger  Ledger  `json:"ledger"`  // of the backend: the replies that it expects and receives
	Latency Latency `json:"latency"` // due instant of the message → its reply received by the backend
}

// Webhooks counts the requests of a server to clients and backends, and their outcomes, from
// its start to the end of the trial.
type Webhooks struct {
	Rules    int              `json:"rules" add:"max"` // port-forwarding rules of the clients' router, one per client
	Posts    int64            `json:"posts" add:"sum"` // attempted
	Failed   int64            `json:"failed" add:"sum"`
	GivenUp  int64            `json:"given_up" add:"sum"` // receivers to which the server stopped posting
	FailedBy map[string]int64 `json:"failed_by,omitempty"`
}

// ShortLived accounts for short-lived clients, which start in the window, subscribe, receive a
// first message and disconnect.
type ShortLived struct {
	Started int64            `json:"started" add:"sum"` // short-lived clients started
	Connect Histogram        `json:"connect"`           // due start → subscribed
	First   Latency          `json:"first"`             // due start → first message received; infinite: none was
	LostBy  map[string]int64 `json:"lost_by,omitempty"` // connections that ended earlier, by cause
}

// Connect is the cost of connecting and subscribing all clients.
type Connect struct {
	Clients     int64                `json:"clients" add:"sum"`
	Failed      int64                `json:"failed" add:"sum"`
	FailedBy    map[string]int64     `json:"failed_by,omitempty"`
	Took        time.Duration        `json:"took_ns" add:"sum,max"` // first dial → last client subscribed
	Stages      map[string]Histogram `json:"stages"`                // time per stage: "tcp", "tls", "response" (to the first request), "ready" (subscribed)
	Server      CPUTime              `json:"server,omitzero"`       // CPU time of the servers meanwhile
	Generator   CPUTime              `json:"generator,omitzero"`    // CPU time of the generator meanwhile
	BytesUp     int64                `json:"bytes_up" add:"sum"`    // of all clients, until subscribed
	BytesDown   int64                `json:"bytes_down" add:"sum"`
	RoundTrips  float64              `json:"round_trips" add:"mean,-"`         // per client until subscribed, including TCP's
	Dials       int64                `json:"dials" add:"sum"`                  // TCP connections opened, including those for publishing
	PublishOnly int64                `json:"publish_only,omitempty" add:"sum"` // additional clients that only publish: they count in the memory values and in no other value
	Lost        int64                `json:"lost,omitempty" add:"sum"`         // connections that ended later and that the load generator did not close itself
	LostBy      map[string]int64     `json:"lost_by,omitempty"`
}

// CPUTime is CPU time, in total and divided into user and system time in the proportion of the
// ticks in /proc.
type CPUTime struct {
	CPU    time.Duration `json:"cpu_ns" add:"sum"`
	User   time.Duration `json:"user_ns" add:"sum"`
	System time.Duration `json:"system_ns" add:"sum"`
}

// Stages names the stages of a connection in order: the TCP connect; the TLS handshake, if
// there is TLS; the response to the first request (upgrade or first poll); and the total until
// the client receives the acknowledgement of its subscription.
var Stages = []string{"tcp", "tls", "response", "ready"}

// Cost is the cost of the deliveries in the window. Counters are read at the start and at the
// end of the window, and divided by the messages received in between.
type Cost struct {
	Span      time.Duration `json:"span_ns" add:"sum"`
	Delivered int64         `json:"delivered" add:"sum"` // messages received in the span
	Server    Process       `json:"server"`
	Generator Process       `json:"generator"`
	Link      Process       `json:"link,omitzero"` // the process that carries packets, if there is one: in no other value
	Wire      Wire          `json:"wire"`

	Idle IdleMemory `json:"idle_memory,omitzero"` // of idle clients: measured before the trial, on processes of its own; absent: not measured
}

// IdleMemory describes the memory of a server and of a load generator with two groups of idle clients. Both processes
// collect garbage while the clients connect, and before each reading.
type IdleMemory struct {
	Probes    int64         `json:"probes" add:"sum"`        // 1; in a pool the number of trials with a probe
	First     int64         `json:"first_clients" add:"sum"` // connected at the first reading
	Added     int64         `json:"added_clients" add:"sum"` // connected between the readings
	Server    ResidentSizes `json:"server"`
	Generator ResidentSizes `json:"generator"`

	NotMeasured string `json:"not_measured,omitempty"` // why there was no probe, or why it failed
}

// ResidentSizes are the resident sizes of a process in bytes.
type ResidentSizes struct {
	Resident int64 `json:"resident_bytes" add:"sum"` // with the first clients, code included
	First    int64 `json:"first_bytes" add:"sum"`    // anonymous (heap and stacks), with the first clients
	All      int64 `json:"all_bytes" add:"sum"`      // anonymous, with the added clients, too
}

// A Link is the traffic of an emulated packet link during the trial, in each direction.
type Link struct {
	Up   LinkDirection `json:"up"`   // client → server
	Down LinkDirection `json:"down"` // server → client
}

// A LinkDirection is one direction of a link. Deliberate losses are part of the workload; late
// packets are an error of the link.
type LinkDirection struct {
	Packets    int64     `json:"packets" add:"sum"`    // carried
	Bytes      int64     `json:"bytes" add:"sum"`      // of the carried packets, including IP headers
	Lost       int64     `json:"lost" add:"sum"`       // deliberately
	Overtook   int64     `json:"overtook" add:"sum"`   // deliberately
	Overflowed int64     `json:"overflowed" add:"sum"` // dropped by the full queue of the rate limiter
	Refused    int64     `json:"refused" add:"sum"`    // by the device at the receiving end
	Late       Histogram `json:"late"`                 // due instant → written
}

// Process is the resource use of one role (all its processes together).
type Process struct {
	Processes       int           `json:"processes" add:"max"`
	CPU             time.Duration `json:"cpu_ns" add:"shown"`            // process CPU clock over the span
	User            time.Duration `json:"user_ns" add:"shown"`           // user part of the CPU time, in the proportion of the ticks in /proc
	System          time.Duration `json:"system_ns" add:"shown"`         // system part
	MemoryBase      int64         `json:"memory_base_bytes" add:"shown"` // resident, before the first client
	MemoryIdle      int64         `json:"memory_idle_bytes" add:"shown"` // resident, all clients connected, before the first publish
	MemoryPeak      int64         `json:"memory_peak_bytes" add:"max"`
	Goroutines      int64         `json:"goroutines" add:"max"`       // at the idle sample
	ContextSwitches int64         `json:"context_switches" add:"sum"` // over the span
}

// Wire counts the traffic of the clients' connections over the span, at the client's end,
// including publishes. Bytes are TCP payload; segments count the packets.
type Wire struct {
	Up   Direction `json:"up"`   // client → server
	Down Direction `json:"down"` // server → client

	Requests       int64 `json:"requests" add:"sum"`        // HTTP requests sent (polls, publishes, upgrades)
	Polls          int64 `json:"polls" add:"sum"`           // part of requests
	EmptyResponses int64 `json:"empty_responses" add:"sum"` // polls whose response has no message
	Batches        int64 `json:"batches" add:"sum"`         // responses, events or frames with a message
	Dials          int64 `json:"dials" add:"sum"`
	Reconnects     int64 `json:"reconnects" add:"sum"`
}

// Bytes returns the bytes of both directions, without TCP/IP headers.
func (w Wire) Bytes() int64 { return w.Up.Bytes + w.Down.Bytes }

// A Direction divides its bytes by kind: bytes = payload + envelope + framing + headers.
type Direction struct {
	Bytes    int64 `json:"bytes" add:"sum"`
	Payload  int64 `json:"payload" add:"sum"`    // the messages themselves
	Envelope int64 `json:"envelope" add:"sum"`   // the JSON around them, and acknowledgements
	Framing  int64 `json:"framing" add:"sum"`    // WebSocket frame headers, SSE field names, chunk sizes
	Headers  int64 `json:"headers" add:"sum"`    // HTTP request or status lines and header fields
	Segments int64 `json:"segments" add:"shown"` // TCP segments with or without data, from TCP_INFO, those of closing by calculation; 0: not reported
}

// A Prediction is the value of a metric that the model predicts for a correct run.
type Prediction struct {
	Metric  string  `json:"metric"`          // name of the metric
	Value   float64 `json:"value" check:"-"` // in the metric's unit; may be negative
	Formula string  `json:"formula"`         // as in the documentation: "d + T/2"
}

// A ValidityCheck is a check of the test setup. A trial with a failed one is invalid.
type ValidityCheck struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"` // the measured and the allowed value

	NotChecked bool `json:"not_checked,omitempty"` // the system under test does not report what the check needs
}

// An Event is a disturbance of a trial by the machine.
type Event struct {
	At   time.Duration `json:"at_ns"` // end of the disturbance, since the start of the window
	Took time.Duration `json:"took_ns"`
	What string        `json:"what"` // such as "core 1 stalled"
}

// An Interval describes one second of a trial, by the time of receipt. It is appended while the
// trial runs, so that a killed run is complete up to its last interval.
type Interval struct {
	Repetition    int           `json:"repetition" add:"-"` // repetition
	Transport     string        `json:"transport"`
	Configuration string        `json:"configuration,omitempty"`    // name of the trial's configuration; absent in the oldest folders: the transport
	Attempt       int           `json:"attempt,omitempty" add:"-"`  // attempt of its trial
	At            time.Duration `json:"at_ns" add:"-"`              // since the creation of the run's folder; set by AppendInterval if zero
	Start         time.Duration `json:"start_ns" add:"-" check:"-"` // since the start of the window; negative during the warm-up
	Length        time.Duration `json:"length_ns" add:"max"`
	Published     int64         `json:"published" add:"sum"` // acknowledged in this interval
	Delivered     int64         `json:"delivered" add:"sum"` // messages received in this interval, including those of the warm-up
	Counted       int64         `json:"counted" add:"sum"`   // part of delivered: due in the window, hence in latency
	Latency       Histogram     `json:"latency"`             // of the counted messages
}
