package summary

import (
	"strconv"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
)

// Measure is a metric of a trial, or any percentile: see metric.Find. A name of neither is a
// mistake in the program, and panics. Pooled trials have the same metrics: their counts are
// added up and their histograms merged, then the metric is computed.
func Measure(name string, t results.Trial) Value {
	if of, ok := measures[name]; ok {
		return of(t)
	}
	subject, q, ok := metric.Percentile(name)
	if !ok {
		panic("summary: no metric is called " + strconv.Quote(name))
	}
	switch subject {
	case "age":
		return AgeQuantile(t, q)
	case "ack":
		return quantile(t.Ack, q)
	case "answer":
		return ifShown(t.Replies.Ledger.Expected != 0, quantile(t.Replies.Latency, q))
	case "connect":
		return StageQuantile(t, "ready", q)
	default:
		return quantile(t.Latency, q)
	}
}

// measures compute the metrics that are no percentiles of what is measured of every trial.
var measures = map[string]func(results.Trial) Value{
	metric.Mean:    ofAll(results.Histogram.Mean),
	metric.Max:     ofAll(results.Histogram.Max),
	metric.AgeMean: func(t results.Trial) Value { return ifShown(t.Age.Covered != 0, ms(t.Age.Mean())) },
	metric.RepliesLost: func(t results.Trial) Value {
		return ifShown(t.Replies.Ledger.Expected != 0, number(t.Replies.Ledger.Lost))
	},

	metric.Expected:    count(func(t results.Trial) int64 { return t.Ledger.Expected }),
	metric.Delivered:   count(func(t results.Trial) int64 { return t.Ledger.Unique }),
	metric.Lost:        count(func(t results.Trial) int64 { return t.Ledger.Lost }),
	metric.DeclaredGap: count(func(t results.Trial) int64 { return t.Ledger.DeclaredGap }),
	metric.Superseded:  count(func(t results.Trial) int64 { return t.Ledger.Superseded }),
	metric.Duplicates:  count(func(t results.Trial) int64 { return t.Ledger.Duplicates }),
	metric.Reordered:   count(func(t results.Trial) int64 { return t.Ledger.Reordered }),

	metric.RequestsPerMessage: perMessage(func(w results.Wire) int64 { return w.Requests }),
	metric.EmptyResponseShare: func(t results.Trial) Value { return ratio(t.Cost.Wire.EmptyResponses, t.Cost.Wire.Polls) }, // undefined for transports that do not poll
	metric.MessagesPerBatch:   func(t results.Trial) Value { return ratio(t.Cost.Delivered, t.Cost.Wire.Batches) },

	metric.WireBytesPerMessage:   perMessage(results.Wire.Bytes),
	metric.PacketBytesPerMessage: packetBytes,
	metric.PayloadShare: func(t results.Trial) Value {
		w := t.Cost.Wire
		return ratio(w.Up.Payload+w.Down.Payload, w.Bytes())
	},

	metric.HeaderBytesPerMessage:  perMessage(func(w results.Wire) int64 { return w.Up.Headers + w.Down.Headers }),
	metric.FramingBytesPerMessage: perMessage(func(w results.Wire) int64 { return w.Up.Framing + w.Down.Framing }),

	metric.Cores:                    cores(bothCPU),
	metric.ServerCores:              cores(serverCPU),
	metric.ServerCPUPerMessage:      cpuPerMessage(serverCPU),
	metric.GeneratorCPUPerMessage:   cpuPerMessage(func(c results.Cost) time.Duration { return c.Generator.CPU }),
	metric.CPUPerMessage:            cpuPerMessage(bothCPU),
	metric.ServerMemoryPerClient:    memoryPerClient(func(c results.Cost) results.Process { return c.Server }),
	metric.GeneratorMemoryPerClient: memoryPerClient(func(c results.Cost) results.Process { return c.Generator }),

	metric.ShortLivedReadyP50: visited(func(v results.Visits) Value {
		return quantile(results.Latency{Histogram: v.Connect, Infinite: v.Came - v.Connect.Count(), Independent: v.Came}, 0.5)
	}),
	metric.FirstMessageP50:    visited(func(v results.Visits) Value { return quantile(v.First, 0.5) }),
	metric.FirstMessageP99:    visited(func(v results.Visits) Value { return quantile(v.First, 0.99) }),
	metric.ShortLivedUnserved: visited(func(v results.Visits) Value { return number(v.First.Infinite) }),

	metric.ConnectRoundTrips:   func(t results.Trial) Value { return ifShown(t.Connect.RoundTrips != 0, number(t.Connect.RoundTrips)) },
	metric.ConnectServerCPU:    cpuPerConnection(func(s results.CPUTime) time.Duration { return s.CPU }),
	metric.ConnectServerUser:   cpuPerConnection(func(s results.CPUTime) time.Duration { return s.User }),
	metric.ConnectServerSystem: cpuPerConnection(func(s results.CPUTime) time.Duration { return s.System }),
	metric.ConnectBytesUp:      func(t results.Trial) Value { return perConnection(t.Connect, float64(t.Connect.BytesUp)) },
	metric.ConnectBytesDown:    func(t results.Trial) Value { return perConnection(t.Connect, float64(t.Connect.BytesDown)) },
}

// quantile is the quantile q in ms, or why it cannot be printed.
func quantile(l results.Latency, q float64) Value {
	d, infinite, ok := l.Quantile(q)
	switch {
	case ok:
		return ms(d)
	case infinite:
		return Value{Known: Infinite}
	default:
		return Value{Known: TooFew, Have: l.Independent, Requirement: results.Needed(q)}
	}
}

// ofAll is a value of the delivery latencies that one lost message makes infinite.
func ofAll(f func(results.Histogram) time.Duration) func(results.Trial) Value {
	return func(t results.Trial) Value {
		switch l := t.Latency; {
		case l.Infinite > 0:
			return Value{Known: Infinite}
		case l.Histogram.Count() == 0:
			return Value{Known: NotShown}
		default:
			return ms(f(l.Histogram))
		}
	}
}

func count(of func(results.Trial) int64) func(results.Trial) Value {
	return func(t results.Trial) Value { return number(of(t)) }
}

func number[N int64 | float64](x N) Value { return Value{X: float64(x)} }

func ms(d time.Duration) Value { return number(metric.Milliseconds(d)) }

// ifShown is v, where there is one.
func ifShown(ok bool, v Value) Value {
	if !ok {
		return Value{Known: NotShown}
	}
	return v
}

// ratio is a/b: infinite when only b is zero, undefined when both are.
func ratio[N int64 | float64](a, b N) Value {
	switch {
	case b != 0:
		return Value{X: float64(a) / float64(b)}
	case a == 0:
		return Value{Known: NotShown}
	default:
		return Value{Known: Infinite}
	}
}

// AgeQuantile is the age that a share q of the time does not exceed. What never came is
// older than anything that did.
func AgeQuantile(t results.Trial, q float64) Value {
	f := t.Age
	return ifShown(f.Covered+f.Never != 0, quantile(results.Latency{Histogram: f.Age, Infinite: int64(f.Never), Independent: f.Independent}, q))
}

func perMessage(of func(results.Wire) int64) func(results.Trial) Value {
	return func(t results.Trial) Value { return ratio(of(t.Cost.Wire), t.Cost.Delivered) }
}

// What TCP/IP adds to the payload, in bytes, over IPv4 on Linux as it comes. Link
// headers are not counted.
const (
	SegmentHeader    = 52 // of every segment: 20 of IP, 20 of TCP, 12 for the timestamp option (RFC 7323)
	HandshakeOptions = 16 // of every connection: SYN and its answer carry 8 more each (segment size, SACK, window scale)
)

// packetBytes takes its segments from TCP_INFO, the bare acknowledgements among
// them. Held against a network interface's counters it is right within 1 %.
func packetBytes(t results.Trial) Value {
	w := t.Cost.Wire
	all := w.Bytes() + SegmentHeader*(w.Up.Segments+w.Down.Segments) + HandshakeOptions*w.Dials
	return ifShown(w.Up.Segments != 0 && w.Down.Segments != 0, ratio(all, t.Cost.Delivered))
}

func serverCPU(c results.Cost) time.Duration { return c.Server.CPU }

// bothCPU is zero, which is not shown, unless both halves are there.
func bothCPU(c results.Cost) time.Duration {
	if c.Server.CPU == 0 || c.Generator.CPU == 0 {
		return 0
	}
	return c.Server.CPU + c.Generator.CPU
}

// cpuPerMessage takes a CPU time of zero as not shown: no process runs for nothing.
func cpuPerMessage(of func(results.Cost) time.Duration) func(results.Trial) Value {
	return func(t results.Trial) Value {
		cpu := of(t.Cost)
		return ifShown(cpu != 0, ratio(float64(cpu)/float64(time.Microsecond), float64(t.Cost.Delivered)))
	}
}

// cores is how many cores were kept busy.
func cores(of func(results.Cost) time.Duration) func(results.Trial) Value {
	return func(t results.Trial) Value {
		return ifShown(of(t.Cost) != 0 && t.Cost.Span != 0, ratio(float64(of(t.Cost)), float64(t.Cost.Span)))
	}
}

// memoryPerClient is what the clients, reporters among them, added to the resident memory. It may be
// slightly negative when a process gave memory back meanwhile.
func memoryPerClient(of func(results.Cost) results.Process) func(results.Trial) Value {
	return func(t results.Trial) Value {
		p, clients := of(t.Cost), t.Connect.Clients-t.Connect.Failed+t.Connect.PublishOnly
		return ifShown(p.MemoryIdle != 0 && p.MemoryBase != 0 && clients > 0, ratio(float64(p.MemoryIdle-p.MemoryBase)/1024, float64(clients)))
	}
}

// visited is a value of the visitors, where there are any.
func visited(of func(results.Visits) Value) func(results.Trial) Value {
	return func(t results.Trial) Value { return ifShown(t.Visits.Came != 0, of(t.Visits)) }
}

// StageQuantile is the quantile q of a stage of connecting. It takes as many
// independent observations as any other quantile: here each client is one. A
// client that failed never got through.
func StageQuantile(t results.Trial, stage string, q float64) Value {
	c := t.Connect
	through := c.Stages[stage].Count()
	return ifShown(through != 0, quantile(results.Latency{Histogram: c.Stages[stage], Infinite: max(0, c.Clients-through), Independent: c.Clients}, q))
}

// cpuPerConnection takes a CPU time of zero as not shown, unless it is a half of one
// that is: 10 ms ticks can miss a half.
func cpuPerConnection(of func(results.CPUTime) time.Duration) func(results.Trial) Value {
	return func(t results.Trial) Value {
		spent := t.Connect.Server
		return ifShown(spent.CPU != 0, perConnection(t.Connect, float64(of(spent))/float64(time.Microsecond)))
	}
}

func perConnection(c results.Connect, x float64) Value {
	clients := c.Clients - c.Failed
	return ifShown(clients > 0, ratio(x, float64(clients)))
}
