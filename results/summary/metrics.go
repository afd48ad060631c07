package summary

import (
	"strconv"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
)

// Measure returns a metric of a trial, or any percentile: see metric.Find. It panics on any other
// name, as that is a programming error. Pooled trials have the same metrics: their counts are
// summed and their histograms merged before the metric is computed.
func Measure(name string, t results.Trial) Value {
	if of, ok := measures[name]; ok {
		return of(t)
	}
	subject, q, ok := metric.Percentile(name)
	if !ok {
		panic("summary: unknown metric " + strconv.Quote(name))
	}
	switch subject {
	case "age":
		return AgeQuantile(t, q)
	case "ack":
		return quantile(t.Ack, q)
	case "reply":
		return ifShown(t.Replies.Ledger.Expected != 0, quantile(t.Replies.Latency, q))
	case "connect":
		return StageQuantile(t, "ready", q)
	default:
		return quantile(t.Latency, q)
	}
}

// measures computes the metrics that are not percentiles of a latency or of the age.
var measures = map[string]func(results.Trial) Value{
	metric.Mean:    ofAll(results.Histogram.Mean),
	metric.Max:     ofAll(results.Histogram.Max),
	metric.AgeMean: func(t results.Trial) Value { return ifShown(t.Age.Covered != 0, ms(t.Age.Mean())) },
	metric.RepliesLost: func(t results.Trial) Value {
		return ifShown(t.Replies.Ledger.Expected != 0, number(t.Replies.Ledger.Lost))
	},

	metric.Expected:    count(func(t results.Trial) int64 { return t.Ledger.Expected }),
	metric.Delivered:   count(func(t results.Trial) int64 { return t.Ledger.Delivered }),
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
	metric.ServerMemoryPerClient:    idleMemory(serverPerClient),
	metric.ServerMemoryStartup:      idleMemory(serverStartup),
	metric.GeneratorMemoryPerClient: idleMemory(func(m results.IdleMemory) float64 { return perClient(m, m.Generator) }),

	metric.Price: func(t results.Trial) Value { return Amount(t.Prices.OrDefault().Total(UsageOf(t))) },

	metric.ShortLivedReadyP50: shortLived(func(v results.ShortLived) Value {
		return quantile(results.Latency{Histogram: v.Connect, Infinite: v.Started - v.Connect.Count(), Independent: v.Started}, 0.5)
	}),
	metric.FirstMessageP50:          shortLived(func(v results.ShortLived) Value { return quantile(v.First, 0.5) }),
	metric.FirstMessageP99:          shortLived(func(v results.ShortLived) Value { return quantile(v.First, 0.99) }),
	metric.ShortLivedWithoutMessage: shortLived(func(v results.ShortLived) Value { return number(v.First.Infinite) }),

	metric.ConnectRoundTrips:   func(t results.Trial) Value { return ifShown(t.Connect.RoundTrips != 0, number(t.Connect.RoundTrips)) },
	metric.ConnectServerCPU:    cpuPerConnection(func(t results.CPUTime) time.Duration { return t.CPU }),
	metric.ConnectServerUser:   cpuPerConnection(func(t results.CPUTime) time.Duration { return t.User }),
	metric.ConnectServerSystem: cpuPerConnection(func(t results.CPUTime) time.Duration { return t.System }),
	metric.ConnectBytesUp:      func(t results.Trial) Value { return perConnection(t.Connect, float64(t.Connect.BytesUp)) },
	metric.ConnectBytesDown:    func(t results.Trial) Value { return perConnection(t.Connect, float64(t.Connect.BytesDown)) },
}

// quantile returns the quantile q in ms, or why it cannot be printed.
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

// ofAll returns a statistic of the delivery latencies that one lost message makes infinite.
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

// ifShown returns v if ok, else NotShown.
func ifShown(ok bool, v Value) Value {
	if !ok {
		return Value{Known: NotShown}
	}
	return v
}

// ratio returns a/b: infinite if only b is zero, undefined if both are.
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

// AgeQuantile returns the age that a share q of the time does not exceed. The time of a
// subscription without a message counts as infinitely old.
func AgeQuantile(t results.Trial, q float64) Value {
	a := t.Age
	return ifShown(a.Covered+a.Never != 0, quantile(results.Latency{Histogram: a.Age, Infinite: int64(a.Never), Independent: a.Independent}, q))
}

func perMessage(of func(results.Wire) int64) func(results.Trial) Value {
	return func(t results.Trial) Value { return perDelivery(of(t.Cost.Wire), t) }
}

// perDelivery is a cost per message that was delivered within the window. If all messages came after a short window, it
// is undefined; infinite is the cost of a server that delivers nothing.
func perDelivery[N int64 | float64](cost N, t results.Trial) Value {
	if t.Cost.Delivered == 0 && t.Ledger.Delivered > 0 {
		return Value{Known: NotShown}
	}
	return ratio(cost, N(t.Cost.Delivered))
}

// Bytes that TCP/IP adds to the payload, over IPv4 on Linux with default settings, without link
// headers.
const (
	SegmentHeader    = 52 // per segment: 20 of IP, 20 of TCP, 12 for the timestamp option (RFC 7323)
	HandshakeOptions = 16 // per connection: SYN and SYN-ACK have 8 more each (segment size, SACK, window scale)
)

// packetBytes uses the segment counts of TCP_INFO, which include pure acknowledgements. It agrees
// with the counters of a network interface within 1 %.
func packetBytes(t results.Trial) Value {
	w := t.Cost.Wire
	all := w.Bytes() + SegmentHeader*(w.Up.Segments+w.Down.Segments) + HandshakeOptions*w.Dials
	return ifShown(w.Up.Segments != 0 && w.Down.Segments != 0, perDelivery(all, t))
}

func serverCPU(c results.Cost) time.Duration { return c.Server.CPU }

// bothCPU returns zero, which is not shown, unless both parts were measured.
func bothCPU(c results.Cost) time.Duration {
	if c.Server.CPU == 0 || c.Generator.CPU == 0 {
		return 0
	}
	return c.Server.CPU + c.Generator.CPU
}

// cpuPerMessage treats a CPU time of zero as not measured: every process uses CPU.
func cpuPerMessage(of func(results.Cost) time.Duration) func(results.Trial) Value {
	return func(t results.Trial) Value {
		cpu := of(t.Cost)
		return ifShown(cpu != 0, perDelivery(float64(cpu)/float64(time.Microsecond), t))
	}
}

// cores returns the mean number of busy cores.
func cores(of func(results.Cost) time.Duration) func(results.Trial) Value {
	return func(t results.Trial) Value {
		return ifShown(of(t.Cost) != 0 && t.Cost.Span != 0, ratio(float64(of(t.Cost)), float64(t.Cost.Span)))
	}
}

// enoughIdle is the minimum number of added clients of a slope: a process allocates in steps of up to some hundred KiB.
const enoughIdle = 1000

// idleMemory returns a value of the memory probe in KiB, if there was one with enough clients.
func idleMemory(of func(results.IdleMemory) (bytes float64)) func(results.Trial) Value {
	return func(t results.Trial) Value {
		m := t.Cost.Idle
		return ifShown(m.Probes > 0 && m.Added/enoughIdle >= m.Probes, Value{X: of(m) / 1024})
	}
}

// perClient is the slope: the memory that one more client adds. It may be slightly negative if clients keep no
// connection open.
func perClient(m results.IdleMemory, sizes results.ResidentSizes) float64 {
	return float64(sizes.All-sizes.First) / float64(m.Added)
}

func serverPerClient(m results.IdleMemory) float64 { return perClient(m, m.Server) }

// serverStartup is the intercept: the memory of a server that has served clients and has none.
func serverStartup(m results.IdleMemory) float64 {
	return (float64(m.Server.Resident) - float64(m.First)*serverPerClient(m)) / float64(m.Probes)
}

// shortLived returns a metric of the short-lived clients, if there are any.
func shortLived(of func(results.ShortLived) Value) func(results.Trial) Value {
	return func(t results.Trial) Value { return ifShown(t.ShortLived.Started != 0, of(t.ShortLived)) }
}

// StageQuantile returns the quantile q of a stage of connecting. It requires as many independent
// observations as any other quantile; each client is one. A client that failed counts as infinite.
func StageQuantile(t results.Trial, stage string, q float64) Value {
	c := t.Connect
	completed := c.Stages[stage].Count()
	return ifShown(completed != 0, quantile(results.Latency{Histogram: c.Stages[stage], Infinite: max(0, c.Clients-completed), Independent: c.Clients}, q))
}

// cpuPerConnection treats a CPU time of zero as not measured. A zero user or system part of a
// measured CPU time is valid: ticks of 10 ms can miss it.
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
