// Package metric names what is measured of a trial: names, titles, units and directions of
// metrics, and the grammar of the assertions and requirements that are written of them.
//
// It owns what scenarios ask by and results answer by, and imports nothing of ours. How a
// metric is computed from a trial is said by package summary: this one must never know what
// a trial is.
package metric

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The names of the metrics: of predictions, of columns and of benchmark units.
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

	ReplyP50    = "answer_p50"
	ReplyP99    = "answer_p99"
	RepliesLost = "answers_lost"

	Expected    = "owed"
	Delivered   = "delivered"
	Lost        = "lost"
	DeclaredGap = "declared_gap"
	Superseded  = "superseded"
	Duplicates  = "duplicates"
	Reordered   = "reordered"

	RequestsPerMessage = "requests_per_message"
	EmptyResponseShare = "empty_answer_share"
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
	ServerMemoryPerClient    = "server_memory_per_client"
	GeneratorMemoryPerClient = "generator_memory_per_client"

	FirstMessageP50    = "first_message_p50"
	FirstMessageP99    = "first_message_p99"
	ShortLivedUnserved = "visitors_unheard"
	ShortLivedReadyP50 = "visitors_ready_p50"

	ConnectP50        = "connect_p50"
	ConnectP99        = "connect_p99"
	ConnectRoundTrips = "connect_round_trips"

	ConnectServerCPU    = "connect_server_cpu"
	ConnectServerUser   = "connect_server_user"
	ConnectServerSystem = "connect_server_system"
	ConnectBytesUp      = "connect_bytes_up"
	ConnectBytesDown    = "connect_bytes_down"
)

// Better says which way a metric improves. The zero value says neither.
type Better int

// Which way a metric improves.
const (
	Neither Better = iota
	Lower
	Higher
)

// A Metric is one figure of a trial.
type Metric struct {
	Name    string
	Title   string // for people, without the unit
	Unit    string // "ms", "µs", "B", "KiB" or "" for a bare number
	Better  Better
	Primary bool // a scenario may ask for verdicts by it: less is better, and every transport has it
}

// All lists every metric in the order of a report.
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
	{ReplyP50, "round trip p50", "ms", Lower, true},
	{ReplyP99, "round trip p99", "ms", Lower, true},
	{RepliesLost, "answers lost", "", Lower, false},
	{Expected, "owed", "", Neither, false},
	{Delivered, "delivered", "", Higher, false},
	{Lost, "lost", "", Lower, false},
	{DeclaredGap, "declared gap", "", Lower, false},
	{Superseded, "superseded", "", Neither, false},
	{Duplicates, "duplicates", "", Lower, false},
	{Reordered, "reordered", "", Lower, false},
	{RequestsPerMessage, "requests a message", "", Lower, false},
	{EmptyResponseShare, "share of polls answered empty", "", Lower, false},
	{MessagesPerBatch, "messages a batch", "", Neither, false},
	{WireBytesPerMessage, "wire bytes a message", "B", Lower, true},
	{PacketBytesPerMessage, "wire bytes a message with TCP/IP headers", "B", Lower, true},
	{PayloadShare, "payload share of the wire bytes", "", Higher, false},
	{HeaderBytesPerMessage, "bytes of heads a message", "B", Lower, false},
	{FramingBytesPerMessage, "bytes of framing a message", "B", Lower, false},
	{Cores, "server and generator CPU, in cores", "", Lower, true},
	{ServerCores, "server CPU, in cores", "", Lower, false},
	{ServerCPUPerMessage, "server CPU a message", "µs", Lower, true},
	{GeneratorCPUPerMessage, "generator CPU a message", "µs", Lower, true},
	{CPUPerMessage, "server and generator CPU a message", "µs", Lower, true},
	{ServerMemoryPerClient, "server memory an idle client", "KiB", Lower, true},
	{GeneratorMemoryPerClient, "generator memory an idle client", "KiB", Lower, false},
	{ConnectP50, "connect p50", "ms", Lower, true},
	{ConnectP99, "connect p99", "ms", Lower, true},
	{ShortLivedReadyP50, "visitors subscribed p50", "ms", Lower, false},
	{FirstMessageP50, "first message p50", "ms", Lower, false},
	{FirstMessageP99, "first message p99", "ms", Lower, false},
	{ShortLivedUnserved, "visitors that heard nothing", "", Lower, false},
	{ConnectRoundTrips, "round trips to connect", "", Lower, false},
	{ConnectServerCPU, "server CPU to connect", "µs", Lower, true},
	{ConnectServerUser, "of it outside the kernel", "µs", Lower, false},
	{ConnectServerSystem, "of it in the kernel", "µs", Lower, false},
	{ConnectBytesUp, "bytes up to connect", "B", Lower, false},
	{ConnectBytesDown, "bytes down to connect", "B", Lower, false},
}

// Primary names the metrics that a scenario may ask for verdicts by.
func Primary() (names []string) {
	for _, m := range All {
		if m.Primary {
			names = append(names, m.Name)
		}
	}
	return names
}

// ByName finds a metric. A name that is no constant of this package is a mistake in the
// program, and panics.
func ByName(name string) Metric {
	i := slices.IndexFunc(All, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		panic("metric: no metric is called " + strconv.Quote(name))
	}
	return All[i]
}

// subjects are what has statistics beside the delivery latency.
var subjects = []string{"age", "ack", "answer", "connect"}

// subjectTitles are how people read them.
var subjectTitles = map[string]string{"": "latency", "age": "age", "ack": "acknowledgement", "answer": "round trip", "connect": "connect"}

var percentile = regexp.MustCompile(`^(?:(` + strings.Join(subjects, "|") + `)_)?p(?:(50|99|999)|\(([0-9]+(?:\.[0-9]+)?)\))$`)

// named are the percentiles that have a metric of their own.
var named = map[string]float64{"50": 0.5, "99": 0.99, "999": 0.999}

// Percentile takes the name of a percentile apart: "age_p(99.9)" and "age_p999" are the
// quantile 0.999 of "age". The subject of the delivery latency is "". ok is false for any
// other name.
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

// Find finds a metric, or makes that of any percentile.
func Find(name string) (m Metric, ok bool) {
	if i := slices.IndexFunc(All, func(m Metric) bool { return m.Name == name }); i >= 0 {
		return All[i], true
	}
	subject, _, ok := Percentile(name)
	_, number, written := strings.Cut(strings.TrimSuffix(name, ")"), "(")
	if !ok || !written {
		return Metric{}, false
	}
	return Metric{Name: name, Title: subjectTitles[subject] + " p" + number, Unit: "ms", Better: Lower}, true
}
