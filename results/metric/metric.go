// Package metric defines the metrics of a trial: names, titles, units and directions, and the
// grammar of the assertions and requirements about them.
//
// It owns the vocabulary that scenarios and results share, and imports no other package of
// this module. Package summary computes a metric from a trial: this package must never know
// what a trial is.
package metric

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Names of the metrics, used in predictions, CSV columns and benchmark units.
const (
	P50  = "p50"
	P99  = "p99"
	P999 = "p999"
	Mean = "mean"
	Max  = "max"

	AgeMean = "age_mean"
	AgeP99  = "age_p99"

	AckP50 = "ack_p50"
	AckP99 = "ack_p99"

	ReplyP50    = "reply_p50"
	ReplyP99    = "reply_p99"
	RepliesLost = "replies_lost"

	Expected    = "expected"
	Delivered   = "delivered"
	Lost        = "lost"
	DeclaredGap = "declared_gap"
	Superseded  = "superseded"
	Duplicates  = "duplicates"
	Reordered   = "reordered"

	RequestsPerMessage = "requests_per_message"
	EmptyResponseShare = "empty_response_share"
	MessagesPerBatch   = "messages_per_batch"

	WireBytesPerMessage   = "wire_bytes_per_message"
	PacketBytesPerMessage = "packet_bytes_per_message"
	PayloadShare          = "payload_share"

	HeaderBytesPerMessage  = "header_bytes_per_message"
	FramingBytesPerMessage = "framing_bytes_per_message"

	Cores                    = "cores"
	ServerCores              = "server_cores"
	ServerCPUPerMessage      = "server_cpu_per_message"
	GeneratorCPUPerMessage   = "generator_cpu_per_message"
	CPUPerMessage            = "cpu_per_message"
	Price                    = "price"
	ServerMemoryPerClient    = "server_memory_per_client"
	ServerMemoryStartup      = "server_memory_startup"
	GeneratorMemoryPerClient = "generator_memory_per_client"

	FirstMessageP50          = "first_message_p50"
	FirstMessageP99          = "first_message_p99"
	ShortLivedWithoutMessage = "short_lived_without_message"
	ShortLivedReadyP50       = "short_lived_ready_p50"

	ConnectP50        = "connect_p50"
	ConnectP99        = "connect_p99"
	ConnectRoundTrips = "connect_round_trips"

	ConnectServerCPU    = "connect_server_cpu"
	ConnectServerUser   = "connect_server_user"
	ConnectServerSystem = "connect_server_system"
	ConnectBytesUp      = "connect_bytes_up"
	ConnectBytesDown    = "connect_bytes_down"
)

// Better is the direction in which a metric improves. The zero value is Neither.
type Better int

// Directions in which a metric improves.
const (
	Neither Better = iota
	Lower
	Higher
)

// A Metric describes one value of a trial.
type Metric struct {
	Name    string
	Title   string // for display, without the unit
	Unit    string // "ms", "µs", "B", "KiB" or "" for a bare number
	Better  Better
	Primary bool // a scenario may declare it for verdicts: lower is better, and every transport has it
}

// All lists every metric in the order of the report.
var All = []Metric{
	{P50, "latency p50", "ms", Lower, true},
	{P99, "latency p99", "ms", Lower, true},
	{P999, "latency p99.9", "ms", Lower, true},
	{Mean, "latency mean", "ms", Lower, true},
	{Max, "latency max", "ms", Lower, true},
	{AgeMean, "age mean", "ms", Lower, true},
	{AgeP99, "age p99", "ms", Lower, true},
	{AckP50, "acknowledgement p50", "ms", Lower, true},
	{AckP99, "acknowledgement p99", "ms", Lower, true},
	{ReplyP50, "reply round trip p50", "ms", Lower, true},
	{ReplyP99, "reply round trip p99", "ms", Lower, true},
	{RepliesLost, "replies lost", "", Lower, false},
	{Expected, "expected", "", Neither, false},
	{Delivered, "delivered", "", Higher, false},
	{Lost, "lost", "", Lower, false},
	{DeclaredGap, "declared gap", "", Lower, false},
	{Superseded, "superseded", "", Neither, false},
	{Duplicates, "duplicates", "", Lower, false},
	{Reordered, "reordered", "", Lower, false},
	{RequestsPerMessage, "requests per message", "", Lower, false},
	{EmptyResponseShare, "share of empty poll responses", "", Lower, false},
	{MessagesPerBatch, "messages per batch", "", Neither, false},
	{WireBytesPerMessage, "bytes on the wire per message", "B", Lower, true},
	{PacketBytesPerMessage, "bytes on the wire per message with TCP/IP headers", "B", Lower, true},
	{PayloadShare, "payload share of the bytes on the wire", "", Higher, false},
	{HeaderBytesPerMessage, "header bytes per message", "B", Lower, false},
	{FramingBytesPerMessage, "framing bytes per message", "B", Lower, false},
	{Cores, "server and generator CPU, in cores", "", Lower, true},
	{ServerCores, "server CPU, in cores", "", Lower, false},
	{ServerCPUPerMessage, "server CPU per message", "µs", Lower, true},
	{GeneratorCPUPerMessage, "generator CPU per message", "µs", Lower, true},
	{CPUPerMessage, "server and generator CPU per message", "µs", Lower, true},
	{ServerMemoryPerClient, "server memory per idle client", "KiB", Lower, true},
	{ServerMemoryStartup, "server memory without clients", "KiB", Lower, false},
	{GeneratorMemoryPerClient, "generator memory per idle client", "KiB", Lower, false},
	{Price, "price per 1,000 clients and month", "", Lower, true},
	{ConnectP50, "connect p50", "ms", Lower, true},
	{ConnectP99, "connect p99", "ms", Lower, true},
	{ShortLivedReadyP50, "time to subscribe of short-lived clients p50", "ms", Lower, false},
	{FirstMessageP50, "time to first message p50", "ms", Lower, false},
	{FirstMessageP99, "time to first message p99", "ms", Lower, false},
	{ShortLivedWithoutMessage, "short-lived clients without a message", "", Lower, false},
	{ConnectRoundTrips, "round trips per connect", "", Lower, false},
	{ConnectServerCPU, "server CPU per connect", "µs", Lower, true},
	{ConnectServerUser, "server user CPU per connect", "µs", Lower, false},
	{ConnectServerSystem, "server kernel CPU per connect", "µs", Lower, false},
	{ConnectBytesUp, "bytes up per connect", "B", Lower, false},
	{ConnectBytesDown, "bytes down per connect", "B", Lower, false},
}

// Counted reports whether the metric is an exact number of messages or clients.
func (m Metric) Counted() bool {
	switch m.Name {
	case RepliesLost, Expected, Delivered, Lost, DeclaredGap, Superseded, Duplicates, Reordered, ShortLivedWithoutMessage:
		return true
	}
	return false
}

// Cost returns the metric by which a transport is the cheapest: the price, or CPU per message of server
// and generator together. If only the latest message is delivered, CPU is counted per second of
// wall-clock time: a transport that skips more messages would divide the same work by fewer of them.
func Cost(byPrice, latestOnly bool) string {
	switch {
	case byPrice:
		return Price
	case latestOnly:
		return Cores
	default:
		return CPUPerMessage
	}
}

// Primary lists the metrics that a scenario may declare for verdicts.
func Primary() (names []string) {
	for _, m := range All {
		if m.Primary {
			names = append(names, m.Name)
		}
	}
	return names
}

// ByName returns a metric. It panics on a name that is not a constant of this package, as
// that is a programming error.
func ByName(name string) Metric {
	i := slices.IndexFunc(All, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		panic("metric: unknown metric " + strconv.Quote(name))
	}
	return All[i]
}

// subjects are the prefixes of the statistics other than those of the delivery latency.
var subjects = []string{"age", "ack", "reply", "connect"}

// subjectTitles are their titles.
var subjectTitles = map[string]string{"": "latency", "age": "age", "ack": "acknowledgement", "reply": "reply round trip", "connect": "connect"}

var percentile = regexp.MustCompile(`^(?:(` + strings.Join(subjects, "|") + `)_)?p(?:(50|99|999)|\(([0-9]+(?:\.[0-9]+)?)\))$`)

// named are the percentiles with a metric in All.
var named = map[string]float64{"50": 0.5, "99": 0.99, "999": 0.999}

// Percentile parses the name of a percentile: "age_p(99.9)" and "age_p999" are the quantile
// 0.999 of "age". The subject of the delivery latency is "". ok is false for any other name.
func Percentile(name string) (subject string, q float64, ok bool) {
	found := percentile.FindStringSubmatch(name)
	if found == nil {
		return "", 0, false
	}
	if q, ok = named[found[2]]; ok {
		return found[1], q, true
	}
	percent, err := strconv.ParseFloat(found[3], 64)
	return found[1], percent / 100, err == nil && percent > 0 && percent < 100
}

// Find returns a metric by its name, or creates one for any percentile.
func Find(name string) (m Metric, ok bool) {
	if i := slices.IndexFunc(All, func(m Metric) bool { return m.Name == name }); i >= 0 {
		return All[i], true
	}
	subject, _, ok := Percentile(name)
	_, number, parenthesized := strings.Cut(strings.TrimSuffix(name, ")"), "(")
	if !ok || !parenthesized {
		return Metric{}, false
	}
	return Metric{Name: name, Title: subjectTitles[subject] + " p" + number, Unit: "ms", Better: Lower}, true
}
