package scenarios

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// Limits of the fields. They are wide enough for any question that one run can
// answer, and narrow enough that a slip of the pen is caught before it runs.
const (
	maxClients   = 1_000_000
	maxTopics    = 1_000_000
	maxPerClient = 256 // topics of one subscription, PROTOCOL.md
	maxBurst     = 10_000
	maxBlocks    = 1000
	maxHosts     = 1000 // behind one router: its kernel knows the way to as many neighbours (gc_thresh3)
	maxSizes     = 64
	maxFlushes   = 8 // or heartbeats, of a sweep: a block runs each for three transports
	maxSwept     = 16
	maxClaims    = 64
	maxWeight    = 1e6
	minWeight    = 1e-6
	maxTimes     = 1e9

	minRequest, maxRequest   Size = 256, 7 << 10 // servers take heads of 8 KiB
	minAnswer, maxAnswerHead Size = 128, 4 << 10

	maxSkew = 10

	maxVisitors Rate = 400 // a port that was left rests for a minute: 28,000 of them last so long

	minRate Rate = 1.0 / 3600 // a window is no longer than an hour
	maxRate Rate = 1e6

	minInterval = Duration(time.Millisecond) // polling faster is a busy loop
	minHold     = Duration(time.Second)
	maxHold     = Duration(30 * time.Second) // proxies cut longer ones
	maxAnswer   = Duration(5 * time.Second)  // that a client waits for an answer beyond what a poll may be held
	maxFlush    = Duration(time.Second)
	minQuiet    = Duration(time.Second)           // of heartbeats and of routers that forget: conntrack counts whole seconds
	minDrain    = Duration(10 * time.Millisecond) // what is due as the window closes arrives later, if only by a system call
	minWindow   = Duration(time.Millisecond)
	maxPhase    = Duration(time.Hour) // of window, warmup, interval
	maxPause    = Duration(10 * time.Minute)

	minMargin Percent = 0.1 // a rig that tells less apart has not been built
	maxMargin Percent = 100

	maxRTT            = Duration(2 * time.Second) // four of them, with jitter, fit into the 10 s that connecting may take
	maxJitter         = Duration(time.Second)
	maxShare  Percent = 50 // of packets: more is no network
	minLine   Size    = 1e3
	maxLine   Size    = 1e9
)

// defaults is the scenario of which every written field replaces a part.
func defaults() Scenario {
	return Scenario{
		Transports: append([]Transport(nil), Transports...),
		Clients:    Clients{ConnectRate: 2000},
		Topics:     Topics{Count: 1, PerClient: 1, Spread: Even, Skew: 1},
		Publish:    Publish{Arrivals: Poisson, Burst: 10},
		Delivery:   Every,
		Network:    Network{Link: StreamLink},
		ShortPoll:  ShortPollSettings{Interval: Duration(time.Second), Pacing: FixedRate},
		LongPoll:   LongPollSettings{Hold: Duration(25 * time.Second)},
		Servers:    1,
		Stack:      Reference,
		Idle:       Duration(time.Second),
		Warmup:     Duration(time.Second),
		Drain:      Duration(5 * time.Second),
		Blocks:     4,
		Seed:       1,
		Compare:    Compare{Primary: []string{metric.P50, metric.P99, metric.ServerCPUPerMessage}, Margin: 5},
	}
}

// fields is the format: every field of s, whether it must be there, and what it
// may hold. The reader and the schema both come from this table, so a new field
// is a line here and one in Scenario.
func fields(s *Scenario) object {
	return object{
		{"version", required, whole(&s.Version, Version, Version)},
		{"name", required, identifier(&s.Name)},
		{"description", optional, prose(&s.Description)},
		{"question", optional, prose(&s.Question)},
		{"transports", defaulted, listOfTransports(&s.Transports)},
		{"clients", required, object{
			{"count", required, whole(&s.Clients.Count, 1, maxClients)},
			{"connect_rate", defaulted, rate(&s.Clients.ConnectRate)},
		}},
		{"topics", optional, object{
			{"count", defaulted, whole(&s.Topics.Count, 1, maxTopics)},
			{"per_client", defaulted, whole(&s.Topics.PerClient, 1, maxPerClient)},
			{"spread", defaulted, choice(&s.Topics.Spread, Even, Random, Zipf)},
			{"skew", defaulted, fraction(&s.Topics.Skew, 0, maxSkew)},
		}},
		{"publish", required, object{
			{"by", required, choice(&s.Publish.By, ByClients, ByBackend, ByReporters)},
			{"rate", required, rate(&s.Publish.Rate)},
			{"arrivals", defaulted, choice(&s.Publish.Arrivals, Poisson, Periodic, Burst)},
			{"burst", defaulted, whole(&s.Publish.Burst, 1, maxBurst)},
		}},
		{"visitors", optional, object{
			{"rate", required, rate(&s.Visitors.Rate)},
		}},
		{"inputs", optional, object{
			{"rate", required, rate(&s.Inputs.Rate)},
			{"size", required, size(&s.Inputs.Size)},
		}},
		{"answers", optional, object{
			{"size", required, size(&s.Answers.Size)},
		}},
		{"payload", required, object{
			{"size", optional, size(&s.Payload.Size)},
			{"sizes", optional, sizes(&s.Payload.Sizes)},
		}},
		{"delivery", defaulted, choice(&s.Delivery, Every, Latest)},
		{"network", optional, object{
			{"link", defaulted, choice(&s.Network.Link, StreamLink, PacketLink)},
			{"rtt", defaulted, duration(&s.Network.RTT, 0, maxRTT)},
			{"jitter", defaulted, duration(&s.Network.Jitter, 0, maxJitter)},
			{"rate", optional, line(&s.Network.Rate)},
			{"loss", defaulted, share(&s.Network.Loss)},
			{"reorder", defaulted, share(&s.Network.Reorder)},
			{"tls", defaulted, truth(&s.Network.TLS)},
			{"nat", defaulted, truth(&s.Network.NAT)},
			{"forward", defaulted, truth(&s.Network.Forward)},
			{"idle_timeout", defaulted, duration(&s.Network.IdleTimeout, 0, maxPause)},
		}},
		{"shortpoll", optional, object{
			{"interval", defaulted, duration(&s.ShortPoll.Interval, minInterval, maxPhase)},
			{"pacing", defaulted, choice(&s.ShortPoll.Pacing, FixedRate, FixedDelay)},
			{"new_connection", defaulted, truth(&s.ShortPoll.NewConnection)},
		}},
		{"longpoll", optional, object{
			{"hold", defaulted, duration(&s.LongPoll.Hold, minHold, maxHold)},
			{"flush", defaulted, duration(&s.LongPoll.Flush, 0, maxFlush)},
			{"new_connection", defaulted, truth(&s.LongPoll.NewConnection)},
		}},
		{"sse", optional, object{{"flush", defaulted, duration(&s.SSE.Flush, 0, maxFlush)}}},
		{"websocket", optional, object{{"flush", defaulted, duration(&s.WebSocket.Flush, 0, maxFlush)}}},
		{"headers", optional, object{
			{"request", optional, head(&s.Headers.Request, minRequest, maxRequest)},
			{"answer", optional, head(&s.Headers.Answer, minAnswer, maxAnswerHead)},
		}},
		{"heartbeat", defaulted, duration(&s.Heartbeat, 0, maxPause)},
		{"servers", defaulted, whole(&s.Servers, 1, MaxServers)},
		{"stack", defaulted, choice(&s.Stack, Stacks...)},
		{"sweep", optional, someOf(sweepFields(s))},
		{"idle", defaulted, duration(&s.Idle, 0, maxPause)},
		{"warmup", defaulted, duration(&s.Warmup, 0, maxPhase)},
		{"window", required, duration(&s.Window, minWindow, maxPhase)},
		{"drain", defaulted, duration(&s.Drain, minDrain, maxPause)},
		{"blocks", defaulted, whole(&s.Blocks, 1, maxBlocks)},
		{"seed", defaulted, seed(&s.Seed)},
		{"compare", optional, object{
			{"primary", defaulted, metrics(&s.Compare.Primary)},
			{"margin", defaulted, quantity(&s.Compare.Margin, ParsePercent, minMargin, maxMargin, percentGrammar, "a percentage", "%")},
		}},
		{"needs", optional, claims(&s.Needs, true)},
		{"claims", optional, claims(&s.Claims, false)},
		{"abort_on_fail", optional, truth(&s.AbortOnFail)},
		{"published", optional, object{
			{"source", required, prose(&s.Published.Source)},
			{"missing", optional, prose(&s.Published.Missing)},
			{"figures", required, publishedFigures(&s.Published.Figures)},
		}},
	}
}

// listOfTransports are the ones to compare, each at most once.
func listOfTransports(target *[]Transport) rule {
	return list[Transport]{
		target: target, most: len(AllTransports),
		item:     func(t *Transport) rule { return choice(t, AllTransports...) },
		distinct: func(t Transport) string { return string(t) },
		allowed:  "a list of " + strings.Join(transports.Names(nil), ", ") + ", each at most once",
		initial:  func(all []Transport) any { return all },
	}
}

// metrics are those that get verdicts, each at most once.
func metrics(target *[]string) rule {
	return list[string]{
		target: target, most: len(metric.Primary()),
		item:     func(m *string) rule { return choice(m, metric.Primary()...) },
		distinct: func(m string) string { return m },
		allowed:  "a list of metrics such as p50, p99, server_cpu_per_message, each at most once",
		initial:  func(all []string) any { return all },
	}
}

// stacks are the ones to compare, each at most once.
func stacks(target *[]Stack) rule {
	return list[Stack]{
		target: target, most: len(Stacks),
		item:     func(s *Stack) rule { return choice(s, Stacks...) },
		distinct: func(s Stack) string { return string(s) },
		allowed:  "a list of reference, nethttp, fasthttp, each at most once",
		initial:  func(all []Stack) any { return all },
	}
}

// sweepFields are those of a sweep: an axis each.
func sweepFields(s *Scenario) (all object) {
	for _, a := range axes {
		all = append(all, a.field(s))
	}
	return all
}

// listOfDurations are values of an axis to compare, each at most once.
func listOfDurations(target *[]Duration, most int, least, longest Duration) rule {
	item := func(d *Duration) rule { return duration(d, least, longest) }
	return listOf(target, most, item, Duration.String, "durations with their units")
}

// listOf are values to compare, each at most once; what says what they are.
func listOf[T any](target *[]T, most int, item func(*T) rule, distinct func(T) string, what string) rule {
	return list[T]{
		target: target, most: most, item: item, distinct: distinct,
		allowed: fmt.Sprintf("a list of 1 to %d %s, each once", most, what),
		initial: func(all []T) any { return all },
	}
}

// publishedFigures are what somebody else has found.
func publishedFigures(target *[]metric.PublishedFigure) rule {
	return list[metric.PublishedFigure]{
		target: target, most: maxClaims,
		item: func(f *metric.PublishedFigure) rule {
			return object{
				{"what", required, prose(&f.What)},
				{"says", required, prose(&f.Says)},
				{"figure", required, valueOf(&f.Figure, &f.Case, &f.Metric)},
				{"over", optional, valueOf(&f.Over, &f.OverCase, &f.OverMetric)},
				{"times", optional, fraction(&f.Times, minWeight, maxTimes)},
				{"unit", optional, prose(&f.Unit)},
				{"predicted", optional, prose(&f.Predicted)},
			}
		},
		distinct: func(f metric.PublishedFigure) string { return f.What },
		allowed:  "a list of 1 to 64 of {what: …, says: …, figure: …}, each once",
		initial:  func(all []metric.PublishedFigure) any { return all },
	}
}

// truths are the settings of a switch to compare, each at most once.
func truths(target *[]bool) rule {
	return list[bool]{
		target: target, most: 2,
		item:     func(b *bool) rule { return truth(b) },
		distinct: strconv.FormatBool,
		allowed:  "a list of false, true, each at most once",
		initial:  func(all []bool) any { return all },
	}
}

// sizes are payload sizes with their weights.
func sizes(target *[]SizeWeight) rule {
	return list[SizeWeight]{
		target: target, most: maxSizes,
		item: func(sw *SizeWeight) rule {
			return object{
				{"size", required, size(&sw.Size)},
				{"weight", required, fraction(&sw.Weight, minWeight, maxWeight)},
			}
		},
		distinct: func(sw SizeWeight) string { return sw.Size.String() },
		allowed:  "a list of 1 to 64 of {size: …, weight: …}, each size once",
		initial:  func(all []SizeWeight) any { return all },
	}
}
