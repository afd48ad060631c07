package bench

import (
	"maps"
	"slices"

	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

func mergeCounts(to, from map[string]int64) {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		to[key] += from[key]
	}
}

func mergeConnect(to *results.Connect, from results.Connect) {
	if all := to.Clients + from.Clients; all > 0 {
		to.RoundTrips = (to.RoundTrips*float64(to.Clients) + from.RoundTrips*float64(from.Clients)) / float64(all)
	}
	to.Clients += from.Clients
	to.BytesUp += from.BytesUp
	to.BytesDown += from.BytesDown
	to.Failed += from.Failed
	to.Reporters += from.Reporters
	to.Took = max(to.Took, from.Took)
	to.Dials += from.Dials
	mergeCounts(to.FailedBy, from.FailedBy)
	for name, h := range from.Stages {
		sum := to.Stages[name]
		sum.Merge(h)
		to.Stages[name] = sum
	}
}

// mergeInterval adds what came in the same second to the clients of another generator.
func mergeInterval(to *results.Interval, from results.Interval) {
	to.Length = max(to.Length, from.Length)
	to.Published += from.Published
	to.Delivered += from.Delivered
	to.Counted += from.Counted
	to.Latency.Merge(from.Latency)
}

// mergeOutcome adds what another generator of the trial found, but for its Flight. Both
// publish the same messages, each to its own server, so there are no more independent ones
// than one of them had; poll cycles are each client's own.
func mergeOutcome(to *Outcome, from Outcome, t scenarios.Transport) {
	messages := to.Ack.Independent
	to.Publishes.Add(from.Publishes)
	to.Ledger.Add(from.Ledger)
	to.Latency.Add(from.Latency)
	to.Ack.Add(from.Ack)
	to.Freshness.Add(from.Freshness)
	to.Answers.Add(from.Answers)
	to.Visits.Add(from.Visits)
	if !transports.Of(t).Timed {
		to.Latency.Independent = messages
	}
	to.Ack.Independent = messages
	to.Freshness.Independent = min(messages, to.Latency.Independent)
	to.Span = max(to.Span, from.Span)
	to.Delivered += from.Delivered
	to.Wire.Add(from.Wire)
	to.Total.Add(from.Total)
	to.Abandoned += from.Abandoned
	to.Goroutines += from.Goroutines
	mergeCounts(to.Broken, from.Broken)
	to.Cut = to.Cut || from.Cut
}

// minus is what was counted since an earlier reading.
func minus(a, b results.Wire) results.Wire {
	return results.Wire{
		Up:           minusDirection(a.Up, b.Up),
		Down:         minusDirection(a.Down, b.Down),
		Requests:     a.Requests - b.Requests,
		Polls:        a.Polls - b.Polls,
		EmptyAnswers: a.EmptyAnswers - b.EmptyAnswers,
		Batches:      a.Batches - b.Batches,
		Dials:        a.Dials - b.Dials,
		Reconnects:   a.Reconnects - b.Reconnects,
	}
}

func minusDirection(a, b results.Direction) results.Direction {
	return results.Direction{
		Bytes:    a.Bytes - b.Bytes,
		Payload:  a.Payload - b.Payload,
		Envelope: a.Envelope - b.Envelope,
		Framing:  a.Framing - b.Framing,
		Headers:  a.Headers - b.Headers,
		Segments: a.Segments - b.Segments,
	}
}
