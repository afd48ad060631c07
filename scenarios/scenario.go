// Package scenarios defines a Scenario, its strict YAML reader, and the scenarios that ship
// with pushbench.
//
// It owns the names, units, defaults and limits of every field. It must not depend on how a
// scenario is measured or served: of the module's packages it imports only transports, metric and price.
package scenarios

import (
	"time"

	"pushbench/results/metric"
	"pushbench/results/price"
	"pushbench/scenarios/transports"
)

// Version is the version of the scenario format that this package reads.
const Version = 1

// A Transport is a way to deliver messages from a server to its clients.
type Transport string

// Transports lists, in report order, the transports of a scenario that names none.
var Transports = transports.Names[Transport](func(t transports.Transport) bool { return t.Default })

// ClientOpened lists, in report order, every transport whose clients open the connections.
var ClientOpened = transports.Names[Transport](transports.ClientDials)

// AllTransports lists every transport in report order.
var AllTransports = transports.Names[Transport](nil)

// A Purpose is what a scenario is for.
type Purpose string

// FirstLook is a short run for newcomers. Application models an application, Mechanism isolates the
// cost of one mechanism, NetworkPath studies a network between server and clients. Lab is
// part of an exercise in docs/labs. Published reproduces a published result.
const (
	FirstLook   Purpose = "first_look"
	Application Purpose = "application"
	Mechanism   Purpose = "mechanism"
	NetworkPath Purpose = "network"
	Lab         Purpose = "lab"
	Published   Purpose = "published"
)

// Purposes lists every purpose in the order of a list of scenarios.
var Purposes = []Purpose{FirstLook, Application, Mechanism, NetworkPath, Lab, Published}

// A Delivery is the set of messages that a client expects of each topic.
type Delivery string

// Every delivers every message. Latest delivers only the newest that is not yet sent (positions, game state).
const (
	Every  Delivery = "every"
	Latest Delivery = "latest"
)

// A Scenario describes a workload: the clients, topics, publications, transports and durations.
// Read returns it complete, with defaults resolved.
type Scenario struct {
	Version     int    `yaml:"version" json:"version" required:"true" min:"1" max:"1"`                                                                                        // version of the format: 1
	Name        string `yaml:"name" json:"name" required:"true" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" allowed:"1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit"` // name of its files and in reports: [a-z0-9][a-z0-9_-]{0,63}
	Description string `yaml:"description" json:"description"`                                                                                                                // the modelled application, in a sentence or two
	Question    string `yaml:"question" json:"question"`                                                                                                                      // the question that a run answers

	ShortQuestion string  `yaml:"short_question,omitempty" json:"short_question" length:"60"` // the question in at most 60 characters, for lists of scenarios; default none
	Purpose       Purpose `yaml:"purpose,omitempty" json:"purpose"`                           // what the scenario is for, by which lists group scenarios; default none

	Transports []Transport `yaml:"transports" json:"transports" default:"[shortpoll, longpoll, sse, websocket]"` // transports that a run measures; default shortpoll, longpoll, sse, websocket
	Clients    Clients     `yaml:"clients" json:"clients" required:"true"`
	Topics     Topics      `yaml:"topics" json:"topics"`
	Publish    Publish     `yaml:"publish" json:"publish" required:"true"`
	ShortLived ShortLived  `yaml:"short_lived,omitempty" was:"visitors" json:"short_lived"` // additional clients that connect, wait for a first message and leave; default none
	Upstream   Upstream    `yaml:"upstream,omitempty" was:"inputs" json:"upstream"`         // messages from the clients that no client subscribes to; default none
	Replies    Replies     `yaml:"replies,omitempty" was:"answers" json:"replies"`          // the reply of each client to each message; default none
	Payload    Payload     `yaml:"payload" json:"payload" required:"true"`
	Delivery   Delivery    `yaml:"delivery" json:"delivery" default:"every"` // default every
	Network    Network     `yaml:"network" json:"network"`

	ShortPoll  ShortPollSettings `yaml:"shortpoll" json:"shortpoll"`
	LongPoll   LongPollSettings  `yaml:"longpoll" json:"longpoll"`
	SSE        PushSettings      `yaml:"sse" json:"sse"`
	HTTPStream PushSettings      `yaml:"httpstream,omitempty" json:"httpstream"`
	WebSocket  PushSettings      `yaml:"websocket" json:"websocket"`

	Headers   Headers  `yaml:"headers,omitempty" json:"headers"`                           // the size of the headers; default unpadded
	Heartbeat Duration `yaml:"heartbeat" json:"heartbeat" default:"0s" min:"0s" max:"10m"` // after this time without a message the server sends a ping, a comment or an empty line, or responds to a poll; a client that receives nothing for 2.5 heartbeats reconnects; 0s or 1s … 10m, default 0s = neither

	Servers int `yaml:"servers" json:"servers" default:"1" min:"1" max:"64"` // replicas of the server, each with its own load generator; clients are distributed among them in turn; default 1

	Library Library `yaml:"library" was:"stack" json:"library" default:"reference"` // HTTP library of the servers; default reference
	Sweep   Sweep   `yaml:"sweep,omitempty" json:"sweep" min:"1"`                   // axes that a repetition varies besides the transport; default none

	Idle   Duration `yaml:"idle" json:"idle" default:"1s" min:"0s" max:"10m"`        // time with all clients connected and nothing published, before the warm-up; default 1s
	Warmup Duration `yaml:"warmup" json:"warmup" default:"1s" min:"0s" max:"1h"`     // time in which publications do not count; default 1s
	Window Duration `yaml:"window" json:"window" required:"true" min:"1ms" max:"1h"` // time whose publications count, by due instant
	// At least 10ms: a message that is due as the window closes arrives later, if only by a system call.
	Drain       Duration `yaml:"drain" json:"drain" default:"5s" min:"10ms" max:"10m"`                       // longest wait after the window for messages in flight, 10ms or more; default 5s
	Repetitions int      `yaml:"repetitions" was:"blocks" json:"repetitions" default:"4" min:"1" max:"1000"` // each repetition measures every configuration once; default 4
	Seed        uint64   `yaml:"seed" json:"seed" default:"1" min:"0" max:"18446744073709551615"`            // determines schedules, phases and orders; default 1

	Compare      Compare            `yaml:"compare" json:"compare"`
	Requirements []metric.Assertion `yaml:"requirements,omitempty" was:"needs" json:"requirements" kind:"assertion" items:"64" allowed:"a metric, one of < <= > >= == !=, and a bound, such as \"p(99) < 50ms\" or \"lost == 0\""`                                         // demands of the application on a transport: a run names the cheapest transport that meets all of them; default none
	Assertions   []metric.Assertion `yaml:"assertions,omitempty" was:"claims" json:"assertions" kind:"assertion" items:"64" allowed:"a metric, one of < <= > >= == !=, and a bound, such as \"lost == 0\", \"websocket p(99) < 50ms\" or \"sse p(99) < 0.5 * shortpoll\""` // statements that a run checks, and fails if one does not hold; default none

	AbortOnFail bool `yaml:"abort_on_fail,omitempty" json:"abort_on_fail"` // end a run after the first repetition, from the fourth on, that makes it certain that an assertion fails; default false

	Published metric.Published `yaml:"published,omitempty" json:"published"` // values that others have published, shown next to those of a run; default none

	Cost Cost `yaml:"cost,omitempty" json:"cost,omitempty"` // by what a run names the cheapest transport: cpu, of server and load generator together, or price; default cpu

	Prices price.Prices `yaml:"prices,omitempty" json:"prices,omitzero"` // prices of the provider, for the price per 1,000 clients and month; default those of pushbench prices

	Warnings []string `yaml:"-" json:"-"` // about deprecated names in the file

	Targets map[TargetName]*Target `yaml:"-" json:"-"` // the files of sweep.target
}

// Cost is by what a transport is the cheapest.
type Cost string

// ByCPU is the default. ByPrice is the price per 1,000 clients and month.
const (
	ByCPU   Cost = "cpu"
	ByPrice Cost = "price"
)

// Compare declares, before the measurement, the comparisons that get verdicts.
type Compare struct {
	Primary []string `yaml:"primary,omitempty" json:"primary" kind:"metric" allowed:"metrics such as p50, p99, server_cpu_per_message"` // metrics that get verdicts; default the latency and the cost: p99 and cpu_per_message, with delivery: latest age_p99 and cores, with cost: price the price; p50 or age_mean if the window is too short for a p99
	Against Against  `yaml:"against,omitempty" json:"against"`                                                                          // transport with which each other one is compared, or all for every pair; default websocket, or the last transport if it is not measured
	// At least 0.1%: no test setup resolves a smaller difference.
	Margin Percent `yaml:"margin" json:"margin" default:"5%" min:"0.1%" max:"100%"` // smallest difference that matters, 0.1% … 100%; default 5%
}

// Against is the transport with which each other one is compared. AllPairs compares every pair instead.
type Against string

// AllPairs compares every pair of transports: six of four transports, so that a verdict needs more repetitions.
const AllPairs Against = "all"

// Percent is a percentage, written with its sign: "5%", "0.5%".
type Percent float64

// Clients sets how many clients subscribe and how fast they connect.
type Clients struct {
	Count       int  `yaml:"count" json:"count" required:"true" min:"1" max:"1000000"`                    // clients that subscribe, 1 … 1,000,000
	ConnectRate Rate `yaml:"connect_rate" json:"connect_rate" default:"2000/s" min:"1/h" max:"1000000/s"` // connections started per second; default 2000/s
}

// Topics sets the number of topics and how clients spread over them.
type Topics struct {
	Count int `yaml:"count" json:"count" default:"1" min:"1" max:"1000000"` // number of topics; default 1
	// At most 256, as in one subscription of PROTOCOL.md.
	PerClient int     `yaml:"per_client" json:"per_client" default:"1" min:"1" max:"256"` // topics that each client subscribes to; default 1
	Spread    Spread  `yaml:"spread" json:"spread" default:"even"`                        // default even
	Skew      float64 `yaml:"skew" json:"skew" default:"1" min:"0" max:"10"`              // exponent of zipf, ignored otherwise; default 1
}

// A Spread is how clients choose their topics.
type Spread string

// Even assigns topics in turn, Random draws them uniformly, Zipf draws them by popularity.
const (
	Even   Spread = "even"
	Random Spread = "random"
	Zipf   Spread = "zipf"
)

// Publish sets the publisher, the rate and the timing.
type Publish struct {
	By Publisher `yaml:"by" json:"by" required:"true"`
	// At least 1/h, as a window is no longer than an hour.
	Rate     Rate     `yaml:"rate" json:"rate" required:"true" min:"1/h" max:"1000000/s"` // messages per second of all publishers together
	Arrivals Arrivals `yaml:"arrivals" json:"arrivals" default:"poisson"`                 // default poisson
	Burst    int      `yaml:"burst" json:"burst" default:"10" min:"1" max:"10000"`        // messages per burst (arrivals: burst); default 10
}

// A Publisher is whose connection carries a publication.
type Publisher string

// ByClients: the subscribed clients publish to their own topics over their own transport.
// ByBackend: one publisher next to the server posts to the topics in turn. ByPublishOnly: each
// topic has one additional client, which publishes to it over its own transport and subscribes
// to nothing.
const (
	ByClients     Publisher = "clients"
	ByBackend     Publisher = "backend"
	ByPublishOnly Publisher = "publish_only"
)

// ShortLived sets the rate of short-lived clients. Each connects during the trial, subscribes to
// the topics of one of the clients, and leaves after its first message. The ledger expects nothing
// for them. Those that connect in the window's last second, or in the last quarter of a shorter
// window, do not count: there may be no message after them.
type ShortLived struct {
	Rate Rate `yaml:"rate" json:"rate" required:"true" min:"1/h" max:"1000000/s"` // that connect per second on average, independently (Poisson)
}

// Upstream sets the messages that the clients send to the server in addition to publications, such
// as a player's keys. Every client sends with the same period and its own phase. They travel like
// publications, to topics without subscribers, so no client expects them.
type Upstream struct {
	Rate Rate `yaml:"rate" json:"rate" required:"true" min:"1/h" max:"1000000/s"` // upstream messages per second of all clients together
	Size Size `yaml:"size" json:"size" required:"true" min:"32B" max:"64KiB"`     // bytes each, 32B … 64KiB
}

// Replies sets what clients send back. Each client replies to each message at once, over its own
// transport, to the backend that published the message. The round trip lasts from the message's due
// instant until the backend, next to the server, receives the reply by a webhook.
type Replies struct {
	Size Size `yaml:"size" json:"size" required:"true" min:"32B" max:"64KiB"` // bytes each, 32B … 64KiB
}

// Headers sets the size of HTTP headers in bytes, as with the headers and cookies that browsers
// send. A meaningless header pads shorter ones; longer ones stay as they are.
type Headers struct {
	// Servers accept headers of 8 KiB.
	Request  Size `yaml:"request,omitempty" json:"request" min:"256B" max:"7KiB"`                // minimum size of the headers of a client's requests, 256B … 7KiB; default unpadded
	Response Size `yaml:"response,omitempty" was:"answer" json:"response" min:"128B" max:"4KiB"` // minimum size of the headers of responses to polls and publications, 128B … 4KiB; default unpadded
}

// Arrivals is the distribution of due instants in time.
type Arrivals string

// Poisson draws exponential gaps. Periodic uses a constant gap, with a random phase per publisher.
// Burst publishes, periodically, Burst messages of one publisher at one instant.
const (
	Poisson  Arrivals = "poisson"
	Periodic Arrivals = "periodic"
	Burst    Arrivals = "burst"
)

// Payload sets the bytes per message. Exactly one of size and sizes is set. A size is at least 32B,
// because a payload carries its identity (run, index, checksum), and at most 64KiB.
type Payload struct {
	Size  Size         `yaml:"size,omitempty" json:"size,omitempty" min:"32B" max:"64KiB"`
	Sizes []SizeWeight `yaml:"sizes,omitempty" json:"sizes,omitempty" items:"64" allowed:"of {size: …, weight: …}, each size once"` // drawn by weight with the seed
}

// A SizeWeight is one payload size and its share of the messages.
type SizeWeight struct {
	Size   Size    `yaml:"size" json:"size" required:"true" min:"32B" max:"64KiB"`
	Weight float64 `yaml:"weight" json:"weight" required:"true" min:"0.000001" max:"1000000"` // relative to the sum of all weights
}

// MaxServers is the largest number of servers that may share the clients. With more, one machine
// would measure its own scheduler.
const MaxServers = 64

// Network sets the path between the clients and the server. A backend publisher runs next to the
// server.
type Network struct {
	Link LinkKind `yaml:"link" json:"link" default:"stream"` // how the distance is emulated; default stream
	// At most 2s: four round trips, with jitter, fit into the 10 s that connecting may take.
	RTT    Duration `yaml:"rtt" json:"rtt" default:"0s" min:"0s" max:"2s"`                                                                                // added round-trip time; at most 2s, default 0s
	Jitter Duration `yaml:"jitter" json:"jitter" default:"0s" min:"0s" max:"1s"`                                                                          // largest additional delay of a byte or a packet in one direction, uniform, without reordering; at most 1s, default 0s
	Rate   Size     `yaml:"rate,omitempty" json:"rate,omitempty" min:"1kB" max:"1000MB" allowed:"bytes per second with their unit (B, kB, KiB, MB, MiB)"` // bytes per second in each direction, per connection of a stream link or for a whole link of packets; 1kB … 1000MB; default unlimited
	// A network that loses more than half of its packets is unusable.
	Loss    Percent `yaml:"loss" json:"loss" default:"0%" min:"0%" max:"50%"`       // share of the packets in each direction that are lost, independently (link: packets); at most 50%, default 0%
	Reorder Percent `yaml:"reorder" json:"reorder" default:"0%" min:"0%" max:"50%"` // share of the packets in each direction without any delay, which so overtake others (link: packets); at most 50%, default 0%
	TLS     bool    `yaml:"tls" json:"tls" default:"false"`                         // TLS 1.3 on every connection, without resumption; default false
	NAT     bool    `yaml:"nat" json:"nat" default:"false"`                         // the clients, each with its own address, are behind a router with NAT that accepts no connection from outside (link: packets); default false

	Forward bool `yaml:"forward" json:"forward" default:"false"` // the router has a rule per host that lets the server connect (transport webhook, nat: true); default false

	IdleTimeout Duration `yaml:"idle_timeout" json:"idle_timeout" default:"0s" min:"0s" max:"10m"` // the router forgets a connection after this time without a packet (nat: true); 0s or 1s … 10m, default 0s = never
}

// A LinkKind is how a distance is emulated.
type LinkKind string

// StreamLink delays each connection's bytes inside the load generator, on every system. It loses
// none, and the kernels at both ends do not see the distance. PacketLink connects two network
// namespaces by a link of packets: the kernels' TCP behaves as over a real distance. It requires
// Linux, and root or the right to create a user namespace.
const (
	StreamLink LinkKind = "stream"
	PacketLink LinkKind = "packets"
)

// ShortPollSettings sets how often a client polls.
type ShortPollSettings struct {
	// A shorter interval than 1ms is a busy loop.
	Interval      Duration `yaml:"interval" json:"interval" default:"1s" min:"1ms" max:"1h"` // time between polls; at least 1ms, default 1s
	Pacing        Pacing   `yaml:"pacing" json:"pacing" default:"fixed-rate"`                // start of the interval; default fixed-rate
	NewConnection bool     `yaml:"new_connection" json:"new_connection" default:"false"`     // open a TCP connection for every poll
}

// Pacing is the instant from which the poll interval counts.
type Pacing string

// FixedRate polls every interval with a random phase. FixedDelay waits the interval after each response.
const (
	FixedRate  Pacing = "fixed-rate"
	FixedDelay Pacing = "fixed-delay"
)

// LongPollSettings sets how long a server may keep a poll open.
type LongPollSettings struct {
	// Proxies end longer polls.
	Timeout       Duration `yaml:"timeout" was:"hold" json:"timeout" default:"25s" min:"1s" max:"30s"`              // longest time without a response; 1s … 30s, default 25s
	BatchingDelay Duration `yaml:"batching_delay" was:"flush" json:"batching_delay" default:"0s" min:"0s" max:"1s"` // longest time for which the server may delay messages to send several in one write; at most 1s, default 0s = none
	NewConnection bool     `yaml:"new_connection" json:"new_connection" default:"false"`                            // open a TCP connection for every poll
}

// PushSettings are the settings of a streaming transport.
type PushSettings struct {
	BatchingDelay Duration `yaml:"batching_delay" was:"flush" json:"batching_delay" default:"0s" min:"0s" max:"1s"` // longest time for which the server may delay messages to send several in one write; at most 1s, default 0s = none
}

// Duration is a time.Duration, written with its unit: "250ms", "25s", "2m".
type Duration time.Duration

// Rate is events per second, written with its unit: "200/s", "30/min", "1/h".
type Rate float64

// Size is a number of bytes, written with its unit: "128B", "1KiB", "64KiB", "2kB".
type Size int64
