package results

import (
	"math"
	"strconv"
	"strings"
	"time"
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

	AnswerP50   = "answer_p50"
	AnswerP99   = "answer_p99"
	AnswersLost = "answers_lost"

	Owed        = "owed"
	Delivered   = "delivered"
	Lost        = "lost"
	DeclaredGap = "declared_gap"
	Superseded  = "superseded"
	Duplicates  = "duplicates"
	Reordered   = "reordered"

	RequestsPerMessage = "requests_per_message"
	EmptyAnswerShare   = "empty_answer_share"
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

	FirstMessageP50  = "first_message_p50"
	FirstMessageP99  = "first_message_p99"
	VisitorsUnheard  = "visitors_unheard"
	VisitorsReadyP50 = "visitors_ready_p50"

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

// A Metric is a figure of a trial. Pooled trials have the same figures: their
// counts are added up and their histograms merged, then it is computed.
type Metric struct {
	Name   string
	Title  string // for people, without the unit
	Unit   string // "ms", "µs", "B", "KiB" or "" for a bare number
	Better Better

	of func(Trial) Value
}

// Of is the metric's value in a trial.
func (m Metric) Of(t Trial) Value { return m.of(t) }

// Metrics lists every metric in the order of a report.
var Metrics = []Metric{
	{P50, "latency p50", "ms", Lower, quantile(deliveryLatency, 0.5)},
	{P99, "latency p99", "ms", Lower, quantile(deliveryLatency, 0.99)},
	{P999, "latency p99.9", "ms", Lower, quantile(deliveryLatency, 0.999)},
	{Mean, "latency mean", "ms", Lower, ofAll(Histogram.Mean)},
	{Max, "latency max", "ms", Lower, ofAll(Histogram.Max)},
	{AgeMean, "age mean", "ms", Lower, meanAge},
	{AgeP99, "age p99", "ms", Lower, AgeQuantile(0.99)},
	{AckP50, "acknowledgement p50", "ms", Lower, quantile(ackLatency, 0.5)},
	{AckP99, "acknowledgement p99", "ms", Lower, quantile(ackLatency, 0.99)},
	{AnswerP50, "round trip p50", "ms", Lower, answered(quantile(answerLatency, 0.5))},
	{AnswerP99, "round trip p99", "ms", Lower, answered(quantile(answerLatency, 0.99))},
	{AnswersLost, "answers lost", "", Lower, answered(count(func(t Trial) int64 { return t.Answers.Ledger.Lost }))},

	{Owed, "owed", "", Neither, count(func(t Trial) int64 { return t.Ledger.Owed })},
	{Delivered, "delivered", "", Higher, count(func(t Trial) int64 { return t.Ledger.Unique })},
	{Lost, "lost", "", Lower, count(func(t Trial) int64 { return t.Ledger.Lost })},
	{DeclaredGap, "declared gap", "", Lower, count(func(t Trial) int64 { return t.Ledger.DeclaredGap })},
	{Superseded, "superseded", "", Neither, count(func(t Trial) int64 { return t.Ledger.Superseded })},
	{Duplicates, "duplicates", "", Lower, count(func(t Trial) int64 { return t.Ledger.Duplicates })},
	{Reordered, "reordered", "", Lower, count(func(t Trial) int64 { return t.Ledger.Reordered })},

	{RequestsPerMessage, "requests a message", "", Lower, perMessage(func(c Cost) float64 { return float64(c.Wire.Requests) })},
	{EmptyAnswerShare, "share of polls answered empty", "", Lower, emptyAnswers},
	{MessagesPerBatch, "messages a batch", "", Neither, func(t Trial) Value { return ratio(float64(t.Cost.Delivered), float64(t.Cost.Wire.Batches)) }},

	{WireBytesPerMessage, "wire bytes a message", "B", Lower, perMessage(func(c Cost) float64 { return float64(c.Wire.Bytes()) })},
	{PacketBytesPerMessage, "wire bytes a message with TCP/IP headers", "B", Lower, packetBytes},
	{PayloadShare, "payload share of the wire bytes", "", Higher, payloadShare},

	{HeaderBytesPerMessage, "bytes of heads a message", "B", Lower, perMessage(func(c Cost) float64 { return float64(c.Wire.Up.Headers + c.Wire.Down.Headers) })},
	{FramingBytesPerMessage, "bytes of framing a message", "B", Lower, perMessage(func(c Cost) float64 { return float64(c.Wire.Up.Framing + c.Wire.Down.Framing) })},

	{Cores, "server and generator CPU, in cores", "", Lower, cores(Cost.bothCPU)},
	{ServerCores, "server CPU, in cores", "", Lower, cores(Cost.serverCPU)},
	{ServerCPUPerMessage, "server CPU a message", "µs", Lower, cpuPerMessage(Cost.serverCPU)},
	{GeneratorCPUPerMessage, "generator CPU a message", "µs", Lower, cpuPerMessage(Cost.generatorCPU)},
	{CPUPerMessage, "server and generator CPU a message", "µs", Lower, cpuPerMessage(Cost.bothCPU)},
	{ServerMemoryPerClient, "server memory an idle client", "KiB", Lower, memoryPerClient(func(c Cost) Process { return c.Server })},
	{GeneratorMemoryPerClient, "generator memory an idle client", "KiB", Lower, memoryPerClient(func(c Cost) Process { return c.Generator })},

	{ConnectP50, "connect p50", "ms", Lower, StageQuantile("ready", 0.5)},
	{ConnectP99, "connect p99", "ms", Lower, StageQuantile("ready", 0.99)},
	{VisitorsReadyP50, "visitors subscribed p50", "ms", Lower, visited(func(t Trial) Value {
		return Latency{Histogram: t.Visits.Connect, Infinite: t.Visits.Came - t.Visits.Connect.Count(), Independent: t.Visits.Came}.value(0.5)
	})},
	{FirstMessageP50, "first message p50", "ms", Lower, visited(quantile(firstMessage, 0.5))},
	{FirstMessageP99, "first message p99", "ms", Lower, visited(quantile(firstMessage, 0.99))},
	{VisitorsUnheard, "visitors that heard nothing", "", Lower, visited(count(func(t Trial) int64 { return t.Visits.First.Infinite }))},
	{ConnectRoundTrips, "round trips to connect", "", Lower, connectRoundTrips},
	{ConnectServerCPU, "server CPU to connect", "µs", Lower, cpuPerConnection(func(s Spent) time.Duration { return s.CPU })},
	{ConnectServerUser, "of it outside the kernel", "µs", Lower, cpuPerConnection(func(s Spent) time.Duration { return s.User })},
	{ConnectServerSystem, "of it in the kernel", "µs", Lower, cpuPerConnection(func(s Spent) time.Duration { return s.System })},
	{ConnectBytesUp, "bytes up to connect", "B", Lower, perClient(func(c Connect) int64 { return c.BytesUp })},
	{ConnectBytesDown, "bytes down to connect", "B", Lower, perClient(func(c Connect) int64 { return c.BytesDown })},
}

// MetricByName finds a metric. Asking for a name that is no constant of this
// package is a mistake in the program, and panics.
func MetricByName(name string) Metric {
	for _, m := range Metrics {
		if m.Name == name {
			return m
		}
	}
	panic("results: no metric is called " + strconv.Quote(name))
}

// A Known says whether a value can be printed.
type Known int

// What there is to say about a value.
const (
	Shown    Known = iota // it is X
	NotShown              // not measured here, or undefined
	TooFew                // fewer than Need independent observations
	Infinite              // never arrived: more was lost than the quantile leaves out
)

// A Value is a metric's figure, or why there is none.
type Value struct {
	X          float64 // in the metric's unit, when Shown
	Known      Known
	Have, Need int64 // independent observations, when TooFew
}

// String prints the value: three significant digits, ∞, n/a (too few) or – (not measured).
func (v Value) String() string {
	switch v.Known {
	case NotShown:
		return "–"
	case TooFew:
		return "n/a"
	case Infinite:
		return "∞"
	default:
		return Number(v.X)
	}
}

// Number prints x with three significant digits, thousands separated and never
// fewer digits than its whole part has, and a whole number as one: 0.412, 49.8, 50, 1,024.
func Number(x float64) string {
	size := math.Abs(x)
	switch {
	case math.IsInf(x, 1):
		return "∞"
	case size >= 99.95:
		return thousands(strconv.FormatFloat(x, 'f', 0, 64))
	case size >= 0.9995 && x == math.Trunc(x), x == 0:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 9.995:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case size >= 0.9995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case size >= 0.001:
		return strconv.FormatFloat(x, 'f', 3, 64)
	default:
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
}

// Count prints a whole number with its thousands separated.
func Count(n int64) string { return thousands(strconv.FormatInt(n, 10)) }

func thousands(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Milliseconds is d in the unit of the latency metrics.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func deliveryLatency(t Trial) Latency { return t.Latency }
func ackLatency(t Trial) Latency      { return t.Ack }

func quantile(of func(Trial) Latency, q float64) func(Trial) Value {
	return func(t Trial) Value { return of(t).value(q) }
}

// value is the quantile q in ms, or why it cannot be printed.
func (l Latency) value(q float64) Value {
	d, infinite, ok := l.Quantile(q)
	switch {
	case ok:
		return Value{X: Milliseconds(d)}
	case infinite:
		return Value{Known: Infinite}
	default:
		return Value{Known: TooFew, Have: l.Independent, Need: Needed(q)}
	}
}

// ofAll is a figure of the delivery latencies that one lost message makes infinite.
func ofAll(f func(Histogram) time.Duration) func(Trial) Value {
	return func(t Trial) Value {
		switch l := t.Latency; {
		case l.Infinite > 0:
			return Value{Known: Infinite}
		case l.Histogram.Count() == 0:
			return Value{Known: NotShown}
		default:
			return Value{X: Milliseconds(f(l.Histogram))}
		}
	}
}

func count(of func(Trial) int64) func(Trial) Value {
	return func(t Trial) Value { return Value{X: float64(of(t))} }
}

// ratio is a/b: infinite when only b is zero, undefined when both are.
func ratio(a, b float64) Value {
	switch {
	case b != 0:
		return Value{X: a / b}
	case a == 0:
		return Value{Known: NotShown}
	default:
		return Value{Known: Infinite}
	}
}

func perMessage(of func(Cost) float64) func(Trial) Value {
	return func(t Trial) Value { return ratio(of(t.Cost), float64(t.Cost.Delivered)) }
}

// emptyAnswers is undefined for transports that do not poll.
func emptyAnswers(t Trial) Value {
	if t.Cost.Wire.Polls == 0 {
		return Value{Known: NotShown}
	}
	return ratio(float64(t.Cost.Wire.EmptyAnswers), float64(t.Cost.Wire.Polls))
}

// Bytes is what crossed in both directions, without TCP/IP headers.
func (w Wire) Bytes() int64 { return w.Up.Bytes + w.Down.Bytes }

// What TCP/IP adds to the payload, in bytes, over IPv4 on Linux as it comes. Link
// headers are not counted.
const (
	SegmentHeader    = 52 // of every segment: 20 of IP, 20 of TCP, 12 for the timestamp option (RFC 7323)
	HandshakeOptions = 16 // of every connection: SYN and its answer carry 8 more each (segment size, SACK, window scale)
)

// packetBytes takes its segments from TCP_INFO, the bare acknowledgements among
// them. Held against a network interface's counters it is right within 1 %.
func packetBytes(t Trial) Value {
	w := t.Cost.Wire
	if w.Up.Segments == 0 || w.Down.Segments == 0 {
		return Value{Known: NotShown}
	}
	all := w.Bytes() + SegmentHeader*(w.Up.Segments+w.Down.Segments) + HandshakeOptions*w.Dials
	return ratio(float64(all), float64(t.Cost.Delivered))
}

func payloadShare(t Trial) Value {
	w := t.Cost.Wire
	if w.Bytes() == 0 {
		return Value{Known: NotShown}
	}
	return ratio(float64(w.Up.Payload+w.Down.Payload), float64(w.Bytes()))
}

func (c Cost) serverCPU() time.Duration    { return c.Server.CPU }
func (c Cost) generatorCPU() time.Duration { return c.Generator.CPU }

// bothCPU is zero, which is not shown, unless both halves are there.
func (c Cost) bothCPU() time.Duration {
	if c.Server.CPU == 0 || c.Generator.CPU == 0 {
		return 0
	}
	return c.Server.CPU + c.Generator.CPU
}

// cpuPerMessage takes a CPU time of zero as not shown: no process runs for nothing.
func cpuPerMessage(of func(Cost) time.Duration) func(Trial) Value {
	return func(t Trial) Value {
		cpu := of(t.Cost)
		if cpu == 0 {
			return Value{Known: NotShown}
		}
		return ratio(float64(cpu)/float64(time.Microsecond), float64(t.Cost.Delivered))
	}
}

// cores is how many cores were kept busy.
func cores(of func(Cost) time.Duration) func(Trial) Value {
	return func(t Trial) Value {
		if of(t.Cost) == 0 || t.Cost.Span == 0 {
			return Value{Known: NotShown}
		}
		return Value{X: float64(of(t.Cost)) / float64(t.Cost.Span)}
	}
}

// memoryPerClient is what the clients, reporters among them, added to the resident memory. It may be
// slightly negative when a process gave memory back meanwhile.
func memoryPerClient(of func(Cost) Process) func(Trial) Value {
	return func(t Trial) Value {
		p, clients := of(t.Cost), t.Connect.Clients-t.Connect.Failed+t.Connect.Reporters
		if p.MemoryIdle == 0 || p.MemoryBase == 0 || clients <= 0 {
			return Value{Known: NotShown}
		}
		return Value{X: float64(p.MemoryIdle-p.MemoryBase) / 1024 / float64(clients)}
	}
}

// StageQuantile is the quantile q of a stage of connecting. It asks for as many
// independent observations as any other quantile: here each client is one. A
// client that failed never got through.
func StageQuantile(stage string, q float64) func(Trial) Value {
	return func(t Trial) Value {
		c := t.Connect
		through := c.Stages[stage].Count()
		if through == 0 {
			return Value{Known: NotShown}
		}
		return Latency{Histogram: c.Stages[stage], Infinite: max(0, c.Clients-through), Independent: c.Clients}.value(q)
	}
}

func connectRoundTrips(t Trial) Value {
	if t.Connect.RoundTrips == 0 {
		return Value{Known: NotShown}
	}
	return Value{X: t.Connect.RoundTrips}
}

// cpuPerConnection takes a CPU time of zero as not shown, unless it is a half of one
// that is: 10 ms ticks can miss a half.
func cpuPerConnection(of func(Spent) time.Duration) func(Trial) Value {
	return func(t Trial) Value {
		clients := t.Connect.Clients - t.Connect.Failed
		if t.Connect.Server.CPU == 0 || clients <= 0 {
			return Value{Known: NotShown}
		}
		return Value{X: float64(of(t.Connect.Server)) / float64(time.Microsecond) / float64(clients)}
	}
}

func perClient(of func(Connect) int64) func(Trial) Value {
	return func(t Trial) Value {
		clients := t.Connect.Clients - t.Connect.Failed
		if clients <= 0 {
			return Value{Known: NotShown}
		}
		return Value{X: float64(of(t.Connect)) / float64(clients)}
	}
}
