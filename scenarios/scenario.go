// Package scenarios holds what a benchmark asks: a Scenario, its strict YAML
// reader, and the scenarios that ship with pushbench.
//
// It owns the names, units, defaults and limits of every field. It must never
// know how a scenario is measured or who serves it: of ours it imports transports, and the
// names and the grammar of metrics.
package scenarios

import (
	"time"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// Version is the scenario format this package reads.
const Version = 1

// A Transport is one way in which messages get from a server to its clients.
type Transport string

// Transports lists, in report order, what a scenario measures that names none.
var Transports = transports.Names[Transport](func(t transports.Transport) bool { return t.Default })

// ClientOpened lists, in report order, every transport whose clients open the connections.
var ClientOpened = transports.Names[Transport](transports.ClientDials)

// AllTransports lists every transport in report order.
var AllTransports = transports.Names[Transport](nil)

// A Delivery says what a client is owed of each topic.
type Delivery string

// Every message, or only the newest that is not yet sent (positions, game state).
const (
	Every  Delivery = "every"
	Latest Delivery = "latest"
)

// A Scenario is one question: who publishes what to whom, over which
// transports, for how long. Read returns it complete, with defaults resolved.
type Scenario struct {
	Version     int    `yaml:"version" json:"version" required:"true" min:"1" max:"1"`                                                                                        // of the format: 1
	Name        string `yaml:"name" json:"name" required:"true" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" allowed:"1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit"` // of files and in reports: [a-z0-9][a-z0-9_-]{0,63}
	Description string `yaml:"description" json:"description"`                                                                                                                // what is modelled, in a sentence or two
	Question    string `yaml:"question" json:"question"`                                                                                                                      // the question a run of it answers

	Transports []Transport `yaml:"transports" json:"transports" default:"[shortpoll, longpoll, sse, websocket]"` // default: these four
	Clients    Clients     `yaml:"clients" json:"clients" required:"true"`
	Topics     Topics      `yaml:"topics" json:"topics"`
	Publish    Publish     `yaml:"publish" json:"publish" required:"true"`
	ShortLived ShortLived  `yaml:"short_lived,omitempty" was:"visitors" json:"visitors"` // clients that come and go beside; default none
	Upstream   Upstream    `yaml:"upstream,omitempty" was:"inputs" json:"inputs"`        // what clients send up beside, owed to nobody; default nothing
	Replies    Replies     `yaml:"replies,omitempty" was:"answers" json:"answers"`       // what each client sends back for each message; default nothing
	Payload    Payload     `yaml:"payload" json:"payload" required:"true"`
	Delivery   Delivery    `yaml:"delivery" json:"delivery" default:"every"` // default every
	Network    Network     `yaml:"network" json:"network"`

	ShortPoll  ShortPollSettings `yaml:"shortpoll" json:"shortpoll"`
	LongPoll   LongPollSettings  `yaml:"longpoll" json:"longpoll"`
	SSE        PushSettings      `yaml:"sse" json:"sse"`
	HTTPStream PushSettings      `yaml:"httpstream,omitempty" json:"httpstream"`
	WebSocket  PushSettings      `yaml:"websocket" json:"websocket"`

	Headers   Headers  `yaml:"headers,omitempty" json:"headers"`                           // the size of heads; default as they are
	Heartbeat Duration `yaml:"heartbeat" json:"heartbeat" default:"0s" min:"0s" max:"10m"` // after so long without a message the server says that it is there, by a ping, a comment or an empty line, or by answering a poll; a client that hears nothing for two and a half of them connects anew; 0s or 1s … 10m, default 0s = neither

	Servers int `yaml:"servers" json:"servers" default:"1" min:"1" max:"64"` // replicas of the server, each with a generator of its own; clients are dealt out among them; default 1

	Library Library `yaml:"library" was:"stack" json:"stack" default:"reference"` // default reference
	Sweep   Sweep   `yaml:"sweep,omitempty" json:"sweep" min:"1"`                 // what a block varies besides the transport; default nothing

	Idle   Duration `yaml:"idle" json:"idle" default:"1s" min:"0s" max:"10m"`        // all clients connected, nothing published: memory per idle client; default 1s
	Warmup Duration `yaml:"warmup" json:"warmup" default:"1s" min:"0s" max:"1h"`     // published but not counted; default 1s
	Window Duration `yaml:"window" json:"window" required:"true" min:"1ms" max:"1h"` // counted, by due instant
	// At least 10ms: what is due as the window closes arrives later, if only by a system call.
	Drain       Duration `yaml:"drain" json:"drain" default:"5s" min:"10ms" max:"10m"`                  // at most this long after the window for what is still on its way, 10ms or more; default 5s
	Repetitions int      `yaml:"repetitions" was:"blocks" json:"blocks" default:"4" min:"1" max:"1000"` // each block runs every case once, a case being a transport with a stack and a flush window; default 4
	Seed        uint64   `yaml:"seed" json:"seed" default:"1" min:"0" max:"18446744073709551615"`       // default 1; schedules, phases and orders all come from it

	Compare      Compare            `yaml:"compare" json:"compare"`
	Requirements []metric.Assertion `yaml:"requirements,omitempty" was:"needs" json:"needs" kind:"assertion" items:"64" allowed:"a metric, one of < <= > >= == !=, and a bound, such as \"p(99) < 50ms\" or \"lost == 0\""`                                            // what the application asks of whichever transport it takes: a run says which is cheapest of those that meet all of it; default nothing
	Assertions   []metric.Assertion `yaml:"assertions,omitempty" was:"claims" json:"claims" kind:"assertion" items:"64" allowed:"a figure, one of < <= > >= == !=, and a bound, such as \"lost == 0\", \"websocket p(99) < 50ms\" or \"sse p(99) < 0.5 * shortpoll\""` // what a run must find, or fail; default nothing

	AbortOnFail bool `yaml:"abort_on_fail,omitempty" json:"abort_on_fail"` // end a run after the block in which it is sure that a claim is broken, from the fourth on; default false

	Published metric.Published `yaml:"published,omitempty" json:"published"` // what somebody else has found, to stand beside what a run finds; default nothing

	Warnings []string `yaml:"-" json:"-"` // about deprecated names in the file that it was read from
}

// Compare says, before anything is measured, what the transports are judged by.
type Compare struct {
	Primary []string `yaml:"primary" json:"primary" default:"[p50, p99, server_cpu_per_message]" kind:"metric" allowed:"metrics such as p50, p99, server_cpu_per_message"` // metrics that get verdicts; default p50, p99, server_cpu_per_message
	// At least 0.1%: no test setup tells less apart.
	Margin Percent `yaml:"margin" json:"margin" default:"5%" min:"0.1%" max:"100%"` // difference that matters, 0.1% … 100%; default 5%
}

// Percent is a share of a hundred, written with its sign: "5%", "0.5%".
type Percent float64

// Clients says how many clients subscribe and how fast they connect.
type Clients struct {
	Count       int  `yaml:"count" json:"count" required:"true" min:"1" max:"1000000"`                    // 1 … 1,000,000
	ConnectRate Rate `yaml:"connect_rate" json:"connect_rate" default:"2000/s" min:"1/h" max:"1000000/s"` // connections started a second; default 2000/s
}

// Topics says how many topics there are and how clients spread over them.
type Topics struct {
	Count int `yaml:"count" json:"count" default:"1" min:"1" max:"1000000"` // default 1
	// At most 256, as in one subscription of PROTOCOL.md.
	PerClient int     `yaml:"per_client" json:"per_client" default:"1" min:"1" max:"256"` // topics each client subscribes to; default 1
	Spread    Spread  `yaml:"spread" json:"spread" default:"even"`                        // default even
	Skew      float64 `yaml:"skew" json:"skew" default:"1" min:"0" max:"10"`              // exponent of zipf; default 1, ignored otherwise
}

// A Spread says how clients choose their topics.
type Spread string

// Even deals topics out in turn, Random draws them uniformly, Zipf by popularity.
const (
	Even   Spread = "even"
	Random Spread = "random"
	Zipf   Spread = "zipf"
)

// Publish says who publishes, how often, and when.
type Publish struct {
	By Publisher `yaml:"by" json:"by" required:"true"`
	// At least 1/h, as a window is no longer than an hour.
	Rate     Rate     `yaml:"rate" json:"rate" required:"true" min:"1/h" max:"1000000/s"` // messages a second of all publishers together
	Arrivals Arrivals `yaml:"arrivals" json:"arrivals" default:"poisson"`                 // default poisson
	Burst    int      `yaml:"burst" json:"burst" default:"10" min:"1" max:"10000"`        // messages a burst (arrivals: burst); default 10
}

// A Publisher says whose connection a message goes up on.
type Publisher string

// ByClients: the subscribed clients publish to their own topics over their own
// transport. ByBackend: one publisher beside the server posts to the topics in turn.
// ByReporters: for each topic there is one client more, which publishes to it over its
// own transport and subscribes to nothing.
const (
	ByClients     Publisher = "clients"
	ByBackend     Publisher = "backend"
	ByPublishOnly Publisher = "publish_only"
)

// Visitors come while the clients are served, subscribe to the topics of one of them, leave
// when they have heard a first message, and are owed nothing. Those of the window's last
// second, or of the last quarter of a shorter one, are not counted: nothing may be said after them.
type ShortLived struct {
	Rate Rate `yaml:"rate" json:"rate" required:"true" min:"1/h" max:"1000000/s"` // that come a second on average, each by itself (Poisson)
}

// Inputs are what the clients send to the server beside the messages, each at the same
// period with a phase of its own: a player's keys, which the server takes and no other
// client is owed. They go up like publications, to topics that nobody is subscribed to.
type Upstream struct {
	Rate Rate `yaml:"rate" json:"rate" required:"true" min:"1/h" max:"1000000/s"` // a second, of all clients together
	Size Size `yaml:"size" json:"size" required:"true" min:"32B" max:"64KiB"`     // bytes each, 32B … 64KiB
}

// Answers are what a message asks for: each client sends one back, over its own way up, as
// soon as it has the message, to the backend that published it. The round trip counts from
// the message's due instant until the backend has the answer, by a webhook, beside the server.
type Replies struct {
	Size Size `yaml:"size" json:"size" required:"true" min:"32B" max:"64KiB"` // bytes each, 32B … 64KiB
}

// Headers are the sizes of heads in bytes, to which a header that says nothing fills them
// up: what browsers send of their own accord, and cookies. A head that is longer stays as it is.
type Headers struct {
	// Servers take heads of 8 KiB.
	Request  Size `yaml:"request,omitempty" json:"request" min:"256B" max:"7KiB"`              // of each request of a client's, 256B … 7KiB; default as it is
	Response Size `yaml:"response,omitempty" was:"answer" json:"answer" min:"128B" max:"4KiB"` // of each answer to a poll or a publication, 128B … 4KiB; default as it is
}

// Arrivals says how due instants are spread in time.
type Arrivals string

// Poisson draws exponential gaps, Periodic keeps the same gap (a random phase
// for each publisher), Burst has one publisher publish Burst messages at one instant, periodically.
const (
	Poisson  Arrivals = "poisson"
	Periodic Arrivals = "periodic"
	Burst    Arrivals = "burst"
)

// Payload says how many bytes each message carries. Exactly one of Size and Sizes is set. A
// size is at least 32B, as a payload carries its own identity (run, index, checksum), and at
// most 64KiB.
type Payload struct {
	Size  Size         `yaml:"size,omitempty" json:"size,omitempty" min:"32B" max:"64KiB"`
	Sizes []SizeWeight `yaml:"sizes,omitempty" json:"sizes,omitempty" items:"64" allowed:"of {size: …, weight: …}, each size once"` // drawn by weight from the seed
}

// A SizeWeight is one payload size and its share of the messages.
type SizeWeight struct {
	Size   Size    `yaml:"size" json:"size" required:"true" min:"32B" max:"64KiB"`
	Weight float64 `yaml:"weight" json:"weight" required:"true" min:"0.000001" max:"1000000"` // relative to the sum of all
}

// MaxServers is how many servers may share the clients. Beyond that one machine measures
// its own scheduler.
const MaxServers = 64

// Network says how far the clients are from the server, beside which a backend publisher
// stands.
type Network struct {
	Link LinkKind `yaml:"link" json:"link" default:"stream"` // default stream
	// At most 2s: four of them, with jitter, fit into the 10 s that connecting may take.
	RTT    Duration `yaml:"rtt" json:"rtt" default:"0s" min:"0s" max:"2s"`                                                                              // round trip added, default 0s, at most 2s
	Jitter Duration `yaml:"jitter" json:"jitter" default:"0s" min:"0s" max:"1s"`                                                                        // the most that a byte or a packet waits beyond half of it, uniform, none overtaking others; default 0s, at most 1s
	Rate   Size     `yaml:"rate,omitempty" json:"rate,omitempty" min:"1kB" max:"1000MB" allowed:"bytes a second with their unit (B, kB, KiB, MB, MiB)"` // bytes a second in each direction, of each connection of a stream link, of the whole link of packets; 1kB … 1000MB; unlimited when absent
	// More than half of the packets is no network.
	Loss    Percent `yaml:"loss" json:"loss" default:"0%" min:"0%" max:"50%"`       // of the packets each way, each by itself (link: packets); default 0%, at most 50%
	Reorder Percent `yaml:"reorder" json:"reorder" default:"0%" min:"0%" max:"50%"` // of the packets each way that do not wait at all, and so overtake (link: packets); default 0%, at most 50%
	TLS     bool    `yaml:"tls" json:"tls" default:"false"`                         // TLS 1.3 on every connection, without resumption; default false
	NAT     bool    `yaml:"nat" json:"nat" default:"false"`                         // the clients, each with an address of its own, are behind a router that gives them its own and lets nobody in (link: packets); default false

	Forward bool `yaml:"forward" json:"forward" default:"false"` // the router has a rule for each host that lets the server in (transport webhook, nat: true); default false

	IdleTimeout Duration `yaml:"idle_timeout" json:"idle_timeout" default:"0s" min:"0s" max:"10m"` // after so long without a packet the router forgets a connection (nat: true); 0s or 1s … 10m, default 0s = never
}

// A LinkKind says how a distance is made.
type LinkKind string

// StreamLink delays each connection's bytes inside the generator, on every system. It
// loses none, and the kernels at both ends know of no distance. PacketLink joins two
// network namespaces by a link of packets: the kernels' TCP is that of a real distance.
// It needs Linux, and root or the right to make a user namespace.
const (
	StreamLink LinkKind = "stream"
	PacketLink LinkKind = "packets"
)

// ShortPollSettings says how often a client asks.
type ShortPollSettings struct {
	// Faster than 1ms is a busy loop.
	Interval      Duration `yaml:"interval" json:"interval" default:"1s" min:"1ms" max:"1h"` // default 1s, at least 1ms
	Pacing        Pacing   `yaml:"pacing" json:"pacing" default:"fixed-rate"`                // default fixed-rate
	NewConnection bool     `yaml:"new_connection" json:"new_connection" default:"false"`     // open a TCP connection for every poll
}

// Pacing says from where the poll interval counts.
type Pacing string

// FixedRate polls every Interval at a random phase; FixedDelay waits Interval after each answer.
const (
	FixedRate  Pacing = "fixed-rate"
	FixedDelay Pacing = "fixed-delay"
)

// LongPollSettings says how long a server may hold a poll.
type LongPollSettings struct {
	// Proxies cut longer polls.
	Timeout       Duration `yaml:"timeout" was:"hold" json:"hold" default:"25s" min:"1s" max:"30s"`        // default 25s, 1s … 30s
	BatchingDelay Duration `yaml:"batching_delay" was:"flush" json:"flush" default:"0s" min:"0s" max:"1s"` // flush window, default 0s = never hold messages back; at most 1s
	NewConnection bool     `yaml:"new_connection" json:"new_connection" default:"false"`                   // open a TCP connection for every poll
}

// PushSettings is what the streaming transports share.
type PushSettings struct {
	BatchingDelay Duration `yaml:"batching_delay" was:"flush" json:"flush" default:"0s" min:"0s" max:"1s"` // flush window, default 0s = never hold messages back; at most 1s
}

// Duration is a time.Duration written with its unit: "250ms", "25s", "2m".
type Duration time.Duration

// Rate is events a second, written with its unit: "200/s", "30/min", "1/h".
type Rate float64

// Size is bytes, written with its unit: "128B", "1KiB", "64KiB", "2kB".
type Size int64
