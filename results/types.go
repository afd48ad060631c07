package results

import (
	"time"

	"pushbench/results/metric"
)

// Schema is the version of the folder format this package writes.
const Schema = 1

// A Status says what a run or a trial is worth.
type Status string

// Complete: every gate passed. Partial: ended before its plan did (interrupted
// or killed). Invalid: the rig failed, see Reason. Saturated: the system could not
// keep up with the offered load; its numbers describe overload.
const (
	Complete  Status = "COMPLETE"
	Partial   Status = "PARTIAL"
	Invalid   Status = "INVALID"
	Saturated Status = "SATURATED"
)

// A Manifest says what ran where. All times of day are UTC and for people only:
// no measurement is derived from them.
type Manifest struct {
	Schema   int       `json:"schema"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"` // why it is not COMPLETE
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Command  []string  `json:"command"`
	RunID    uint32    `json:"run_id"`           // stamped into every payload of this run
	Baseline []uint32  `json:"beside,omitempty"` // runs whose trials were measured in turns with these

	Tool     Tool     `json:"tool"`
	Served   Tool     `json:"served,omitzero"` // the pushbench whose servers were measured, where it is another than Tool
	Host     Host     `json:"host" walk:"-"`
	Pinning  Pinning  `json:"pinning"`
	Workload Workload `json:"workload"`

	Repetitions    int                `json:"blocks"`              // planned
	Transports     []string           `json:"transports"`          // in report order
	Configurations []Configuration    `json:"cases,omitempty"`     // in report order; none in folders from before there were any
	Orders         [][]string         `json:"orders"`              // names of the cases of each block in the order run
	Schedules      []string           `json:"schedules,omitempty"` // of each block: the hash of what was due when, from whom, on what, how long
	Seed           uint64             `json:"seed"`
	Compare        Declared           `json:"compare,omitzero" walk:"-"` // see OrDefault
	Requirements   []metric.Assertion `json:"needs,omitempty"`           // what the application asks of a transport: of the cases that meet all of it, the cheapest is the answer
	Assertions     []metric.Assertion `json:"claims,omitempty"`          // what the run was said to find
	Published      metric.Published   `json:"published,omitzero"`

	Engine     string            `json:"engine"`                          // which engine the simulated clients ran on
	Library    string            `json:"stack"`                           // which libraries the servers are built on; several are separated by ", "
	Network    string            `json:"network"`                         // Loopback, or the name of the emulated link
	RTT        time.Duration     `json:"rtt_ns"`                          // round trip added by the network; 0 on loopback
	Jitter     time.Duration     `json:"jitter_ns,omitzero"`              // the most that the network adds to one way
	LineRate   int64             `json:"line_bytes_per_second,omitempty"` // in each direction, of each connection of a stream link, of all together of one of packets; 0: unlimited
	Loss       float64           `json:"loss,omitempty"`                  // share of the packets that the network loses
	Reorder    float64           `json:"reorder,omitempty"`               // share of the packets that overtake others
	NAT        bool              `json:"nat,omitempty"`                   // the clients are behind a router that lets nobody in
	IdleFor    time.Duration     `json:"idle_timeout_ns,omitempty"`       // after which that router forgets a quiet connection; 0: never
	Ceiling    float64           `json:"generator_ceiling"`               // publications and deliveries a second that a generator does without sockets; 0: not measured
	Servers    map[string]string `json:"servers"`                         // per case: the server's settings in one line
	NotShown   []string          `json:"not_shown"`
	Conditions []string          `json:"conditions"` // differences between the paired servers, other cautions
}

// Names of networks. A stream link delays each connection's bytes inside the generator and
// loses none. A link of packets joins the namespaces of servers and clients, whose kernels
// know the distance.
const (
	Loopback   = "loopback"
	StreamLink = "stream"
	PacketLink = "packets"
)

// Tool identifies the pushbench that measured.
type Tool struct {
	Version   string `json:"version"`
	Commit    string `json:"commit"`
	Dirty     bool   `json:"dirty"`
	GoVersion string `json:"go_version"`
	SHA256    string `json:"sha256"` // of the executable

	Modules []string `json:"modules,omitempty"` // linked into it, as path@version
}

// Host describes the machine. What a system cannot show is empty and named in Manifest.NotShown.
type Host struct {
	OS                string            `json:"os"`
	Arch              string            `json:"arch"`
	Kernel            string            `json:"kernel"`
	CPUModel          string            `json:"cpu_model"`
	Cores             int               `json:"cores"`
	MemoryBytes       int64             `json:"memory_bytes"`
	CongestionControl string            `json:"congestion_control"`
	ClockSource       string            `json:"clock_source"`
	FileLimit         int64             `json:"file_limit"`
	PortRange         string            `json:"port_range"`
	LoadAverage       string            `json:"load_average"`                 // before the first trial
	LoadAverageAfter  string            `json:"load_average_after,omitempty"` // after the last
	Stalls            string            `json:"standstills,omitempty"`        // of each core while nothing ran, before the first trial
	StallsAfter       string            `json:"standstills_after,omitempty"`  // after the last
	TickRate          float64           `json:"tick_rate_hz,omitempty"`       // of the kernel's timer (CONFIG_HZ)
	Governor          string            `json:"governor,omitempty"`           // of the first core's frequency
	SMT               string            `json:"smt,omitempty"`                // whether cores share their units: the kernel's "0" or "1"
	CPUQuota          string            `json:"cpu_quota,omitempty"`          // of the control group
	MemoryLimit       string            `json:"memory_limit,omitempty"`       // of the control group
	Qdisc             string            `json:"qdisc,omitempty"`              // net.core.default_qdisc: what a new interface is given
	GoSettings        map[string]string `json:"go_settings,omitempty"`        // of the environment, which every process of a run inherits
	Sysctls           map[string]string `json:"sysctls"`
}

// Pinning says which cores each role was given, and whether it got them.
type Pinning struct {
	Requested bool   `json:"asked"`
	Server    []int  `json:"server"`
	Generator []int  `json:"generator"`
	Note      string `json:"note,omitempty"` // why not, when not asked or not given
}

// Workload is the scenario in the figures a reader needs beside every answer.
type Workload struct {
	Scenario    string `json:"scenario"`
	Description string `json:"description"`
	Question    string `json:"question"`
	SHA256      string `json:"sha256"` // of the resolved scenario

	Clients       int                      `json:"clients"`
	Topics        int                      `json:"topics"`
	Publisher     string                   `json:"publisher"` // "clients", "backend" or "reporters"
	Arrivals      string                   `json:"arrivals"`
	PublishRate   float64                  `json:"publish_rate"`          // messages a second offered
	PublishOnly   int                      `json:"reporters,omitempty"`   // clients beside these, which only publish
	UpstreamRate  float64                  `json:"input_rate,omitempty"`  // inputs a second that clients send up beside, which nobody is owed
	UpstreamBytes float64                  `json:"input_bytes,omitempty"` // each
	DeliveryRate  float64                  `json:"delivery_rate"`         // (message, subscriber) pairs a second owed
	PerClientRate float64                  `json:"per_client_rate"`       // λ: messages a second owed to one client, on average
	PayloadBytes  float64                  `json:"payload_bytes"`         // mean
	Delivery      string                   `json:"delivery"`
	PollInterval  time.Duration            `json:"poll_interval_ns"`
	PollPacing    string                   `json:"poll_pacing"`
	PollTimeout   time.Duration            `json:"hold_ns"`
	BatchingDelay map[string]time.Duration `json:"flush_ns"` // per case of a transport that has one, 0 = never
	Warmup        time.Duration            `json:"warmup_ns"`
	Window        time.Duration            `json:"window_ns"`
	Drain         time.Duration            `json:"drain_ns"`
}

// LatestOnly says whether a newer message replaces what is not yet sent.
func (w Workload) LatestOnly() bool { return w.Delivery == "latest" }

// CostMetric names the metric by which cheap is told from dear: CPU a message of server and
// generator together. Where only the latest is delivered it is their CPU by wall-clock time,
// as who skips more would divide the same work by fewer messages.
func (w Workload) CostMetric() string {
	if w.LatestOnly() {
		return metric.Cores
	}
	return metric.CPUPerMessage
}

// A Trial is one case, fresh processes, one window. It is the statistical sample.
type Trial struct {
	Repetition    int           `json:"block" add:"-"`    // from 1
	Position      int           `json:"position" add:"-"` // in its block, from 1
	Transport     string        `json:"transport"`
	Configuration string        `json:"case,omitempty"` // see CaseName
	Library       string        `json:"stack,omitempty"`
	BatchingDelay time.Duration `json:"flush_ns,omitempty" add:"-"`
	Attempt       int           `json:"again,omitempty" add:"-"` // attempts that came before: disturbed, void, and on record
	Started       time.Time     `json:"started"`
	Took          time.Duration `json:"took_ns" add:"sum"` // from starting the server to the last process gone
	Status        Status        `json:"status"`
	Reason        string        `json:"reason,omitempty"`

	Publishes Publishes        `json:"publishes"`
	Ledger    Ledger           `json:"ledger"`
	Latency   Latency          `json:"latency"` // due instant → payload in the client's hands
	Ack       Latency          `json:"ack"`     // due instant → publication acknowledged; of the inputs alone where there are any
	Age       AgeOfInformation `json:"freshness,omitzero"`
	Replies   Replies          `json:"answers,omitzero"`
	Connect   Connect          `json:"connect"`
	Visits    Visits           `json:"visits,omitzero"`
	Cost      Cost             `json:"cost"`
	Webhooks  Webhooks         `json:"webhooks,omitzero"`

	Events []Event `json:"events,omitempty"` // what the machine did in the window, where it is known when

	Link *Link `json:"link,omitempty"` // what crossed the link of packets, where there was one

	Settings map[string]string `json:"settings,omitempty"` // what server, generator and host ran with, as they told: see the gates of pairing

	Predicted []Prediction    `json:"theory"`
	Checks    []ValidityCheck `json:"gates"`
	Warnings  []string        `json:"warnings,omitempty"`
}

// Publishes accounts for what the schedule planned in the window.
//
//	planned = on time + late + dropped        sent = acknowledged + failed + unknown
type Publishes struct {
	Planned      int64            `json:"planned" add:"sum"`
	OnTime       int64            `json:"on_time" add:"sum"` // left the generator within LateAfter of being due
	Late         int64            `json:"late" add:"sum"`
	Dropped      int64            `json:"dropped" add:"sum"` // never left the generator
	DroppedBy    map[string]int64 `json:"dropped_by,omitempty"`
	Sent         int64            `json:"sent" add:"sum"`
	Acknowledged int64            `json:"acknowledged" add:"sum"`
	Failed       int64            `json:"failed" add:"sum"`
	Unknown      int64            `json:"unknown" add:"sum"` // neither an answer nor an error by the end of the drain
	FailedBy     map[string]int64 `json:"failed_by,omitempty"`
	LateAfter    time.Duration    `json:"late_after_ns" add:"max"`
	Lateness     Histogram        `json:"lateness"` // due instant → write begins, less the time an earlier publish held the connection
	HeldUp       Histogram        `json:"held_up"`  // how long a publish waited for an earlier one on its connection: the transport's cost, not ours
}

// A Ledger accounts for every message each client was owed, summed over clients.
//
//	owed = unique + superseded + declared gap + lost
//	received = unique + duplicates + unexpected
type Ledger struct {
	Expected    int64 `json:"owed" add:"sum"`
	Unique      int64 `json:"unique" add:"sum"`
	Superseded  int64 `json:"superseded" add:"sum"` // replaced by a newer one before it was sent (delivery: latest)
	DeclaredGap int64 `json:"declared_gap" add:"sum"`
	Lost        int64 `json:"lost" add:"sum"`

	Received   int64 `json:"received" add:"sum"`
	Duplicates int64 `json:"duplicates" add:"sum"`
	Unexpected int64 `json:"unexpected" add:"sum"` // of another run, another topic, or damaged

	Reordered int64            `json:"reordered" add:"sum"` // came after a later one of the same publisher and topic
	Corrupt   int64            `json:"corrupt" add:"sum"`   // part of Unexpected: the checksum did not match
	LostBy    map[string]int64 `json:"lost_by,omitempty"`
}

// A Latency is a distribution in which what never arrived counts as infinite.
type Latency struct {
	Histogram   Histogram `json:"histogram"`
	Infinite    int64     `json:"infinite" add:"sum"`    // owed and never delivered
	Independent int64     `json:"independent" add:"sum"` // n of independent things behind the quantiles: publishes, or poll cycles
}

// Answers accounts for what clients sent back, where each message asked for it: one
// answer a message of the window, however many of the messages arrived.
type Replies struct {
	Ledger  Ledger  `json:"ledger"`  // of the backend: what it was owed, and had
	Latency Latency `json:"latency"` // due instant of the message → its answer in the backend's hands
}

// Webhooks counts what a server posted to clients and to backends, and what became of
// that, from its start to the trial's end.
type Webhooks struct {
	Rules    int              `json:"rules" add:"max"` // that the clients' router was given to let the server in, one a client
	Posts    int64            `json:"posts" add:"sum"` // tried
	Failed   int64            `json:"failed" add:"sum"`
	GivenUp  int64            `json:"given_up" add:"sum"` // receivers
	FailedBy map[string]int64 `json:"failed_by,omitempty"`
}

// Visits accounts for clients that came in the window, subscribed, heard a first message
// and left.
type Visits struct {
	Came    int64            `json:"came" add:"sum"`
	Connect Histogram        `json:"connect"`           // due to come → subscribed
	First   Latency          `json:"first"`             // due to come → a first message in hand; infinite: it never was
	LostBy  map[string]int64 `json:"lost_by,omitempty"` // connections that ended before, by cause
}

// Connect is what it took to get every client from nothing to subscribed.
type Connect struct {
	Clients     int64                `json:"clients" add:"sum"`
	Failed      int64                `json:"failed" add:"sum"`
	FailedBy    map[string]int64     `json:"failed_by,omitempty"`
	Took        time.Duration        `json:"took_ns" add:"sum,max"` // first dial → last client ready
	Stages      map[string]Histogram `json:"stages"`                // see Stages
	Server      CPUTime              `json:"server,omitzero"`       // CPU of the servers meanwhile
	Generator   CPUTime              `json:"generator,omitzero"`
	BytesUp     int64                `json:"bytes_up" add:"sum"` // all clients, until ready
	BytesDown   int64                `json:"bytes_down" add:"sum"`
	RoundTrips  float64              `json:"round_trips" add:"mean,-"`      // per client until ready, TCP's included
	Dials       int64                `json:"dials" add:"sum"`               // TCP connections opened, ways up included
	PublishOnly int64                `json:"reporters,omitempty" add:"sum"` // clients beside these that only publish: they share the memory, and are in no other figure
}

// Spent is CPU time: all of it, and its halves in the proportion of /proc's ticks.
type CPUTime struct {
	CPU    time.Duration `json:"cpu_ns" add:"sum"`
	User   time.Duration `json:"user_ns" add:"sum"`
	System time.Duration `json:"system_ns" add:"sum"`
}

// Stages names the stages of a connection in order: TCP connect; the TLS handshake,
// where there is TLS; its request (upgrade or first poll) answered; and all of it until
// the subscribe-ack is in hand.
var Stages = []string{"tcp", "tls", "answer", "ready"}

// Cost is what the deliveries of the window cost. Counters are read when the
// window opens and when it closes, and divided by what was received in between.
type Cost struct {
	Span      time.Duration `json:"span_ns" add:"sum"`
	Delivered int64         `json:"delivered" add:"sum"` // messages received in the span
	Server    Process       `json:"server"`
	Generator Process       `json:"generator"`
	Link      Process       `json:"link,omitzero"` // the process that carries packets, where there is one: in no other figure
	Wire      Wire          `json:"wire"`
}

// A Link is what an emulated link of packets carried while the trial lasted, each way.
type Link struct {
	Up   LinkDirection `json:"up"`   // client → server
	Down LinkDirection `json:"down"` // server → client
}

// A LinkWay is one direction of a link. What it lost on purpose is a result; what it
// carried late is its own fault.
type LinkDirection struct {
	Packets    int64     `json:"packets" add:"sum"`    // that came out
	Bytes      int64     `json:"bytes" add:"sum"`      // of them, IP headers included
	Lost       int64     `json:"lost" add:"sum"`       // on purpose
	Overtook   int64     `json:"overtook" add:"sum"`   // on purpose
	Overflowed int64     `json:"overflowed" add:"sum"` // the queue before the limited rate
	Refused    int64     `json:"refused" add:"sum"`    // by the device at the other end
	Late       Histogram `json:"late"`                 // due → written
}

// Process is one role's share of the machine (all its processes together).
type Process struct {
	Processes       int           `json:"processes" add:"max"`
	CPU             time.Duration `json:"cpu_ns" add:"shown"`  // process CPU clock over the span
	User            time.Duration `json:"user_ns" add:"shown"` // CPU split in the proportion of /proc's ticks
	System          time.Duration `json:"system_ns" add:"shown"`
	MemoryBase      int64         `json:"memory_base_bytes" add:"shown"` // resident, before the first client
	MemoryIdle      int64         `json:"memory_idle_bytes" add:"shown"` // resident, all clients connected, nothing published yet
	MemoryPeak      int64         `json:"memory_peak_bytes" add:"max"`
	Goroutines      int64         `json:"goroutines" add:"max"`       // at the idle sample
	ContextSwitches int64         `json:"context_switches" add:"sum"` // over the span
}

// Wire counts what crossed the clients' connections over the span, at the
// client's end, publishes included. Bytes are TCP payload: Segments say how many packets.
type Wire struct {
	Up   Direction `json:"up"`   // client → server
	Down Direction `json:"down"` // server → client

	Requests       int64 `json:"requests" add:"sum"`      // HTTP requests sent (polls, publishes, upgrades)
	Polls          int64 `json:"polls" add:"sum"`         // of these, polls
	EmptyResponses int64 `json:"empty_answers" add:"sum"` // of these, answered with no message
	Batches        int64 `json:"batches" add:"sum"`       // answers, events or frames that carried a message
	Dials          int64 `json:"dials" add:"sum"`
	Reconnects     int64 `json:"reconnects" add:"sum"`
}

// Bytes is what crossed in both directions, without TCP/IP headers.
func (w Wire) Bytes() int64 { return w.Up.Bytes + w.Down.Bytes }

// A Direction splits Bytes: Bytes = Payload + Envelope + Framing + Headers.
type Direction struct {
	Bytes    int64 `json:"bytes" add:"sum"`
	Payload  int64 `json:"payload" add:"sum"`    // the messages themselves
	Envelope int64 `json:"envelope" add:"sum"`   // the JSON around them, and acknowledgements
	Framing  int64 `json:"framing" add:"sum"`    // WebSocket frame headers, SSE field names, chunk sizes
	Headers  int64 `json:"headers" add:"sum"`    // HTTP request or status lines and header fields
	Segments int64 `json:"segments" add:"shown"` // TCP segments with or without data, from TCP_INFO, closing by arithmetic; 0 where not shown
}

// A Prediction is what arithmetic says a correct run must find.
type Prediction struct {
	Metric  string  `json:"metric"`  // a name from the Metric constants
	Value   float64 `json:"value"`   // in the metric's unit
	Formula string  `json:"formula"` // as written in docs: "d + T/2"
}

// A Gate is a check of the rig that can void a trial.
type ValidityCheck struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"` // what was measured and what is allowed
}

// An Event is something that the machine did to a trial.
type Event struct {
	At   time.Duration `json:"at_ns"` // since the window opened; when it was over
	Took time.Duration `json:"took_ns"`
	What string        `json:"what"` // "core 1 stood still"
}

// An Interval is what happened in one second of a trial, by the instant of receipt.
// It is appended while the trial runs, so that a killed run is complete to its last interval.
type Interval struct {
	Repetition    int           `json:"block" add:"-"`
	Transport     string        `json:"transport"`
	Configuration string        `json:"case,omitempty"`             // of its trial; see CaseName
	Attempt       int           `json:"again,omitempty" add:"-"`    // of its trial
	At            time.Duration `json:"at_ns" add:"-"`              // since the run's folder was made; AppendInterval fills it in when zero
	Start         time.Duration `json:"start_ns" add:"-" check:"-"` // since the window opened; negative during the warm-up
	Length        time.Duration `json:"length_ns" add:"max"`
	Published     int64         `json:"published" add:"sum"` // acknowledged in this interval
	Delivered     int64         `json:"delivered" add:"sum"` // messages received in this interval, warm-up ones included
	Counted       int64         `json:"counted" add:"sum"`   // of these, due in the window: the counts of Latency
	Latency       Histogram     `json:"latency"`             // of the counted
}
