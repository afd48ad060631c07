package generator

import (
	"fmt"
	"strings"

	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// MergeConnect adds what connecting took the clients of another recorder or generator.
func MergeConnect(to *results.Connect, from results.Connect) {
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
	for cause, n := range from.FailedBy {
		to.FailedBy[cause] += n
	}
	for name, h := range from.Stages {
		sum := to.Stages[name]
		sum.Merge(h)
		to.Stages[name] = sum
	}
}

// MergeInterval adds what came in the same second to the clients of another generator.
func MergeInterval(to *results.Interval, from results.Interval) {
	to.Length = max(to.Length, from.Length)
	to.Published += from.Published
	to.Delivered += from.Delivered
	to.Counted += from.Counted
	to.Latency.Merge(from.Latency)
}

// MergeOutcomes is what all generators of a trial found together. They must have run with the
// same settings.
func MergeOutcomes(all []*Outcome, t scenarios.Transport) (*Outcome, error) {
	sum := *all[0]
	flights := []validity.Flight{sum.Flight}
	for i, other := range all[1:] {
		if differ := validity.Differences(sum.Settings, other.Settings, nil); len(differ) > 0 {
			return nil, fmt.Errorf("generator %d differs from the first: %s", i+2, strings.Join(differ, "; "))
		}
		flights = append(flights, other.Flight)
		mergeOutcome(&sum, *other, t)
	}
	sum.Flight = mergeFlights(flights)
	return &sum, nil
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
	for cause, n := range from.Broken {
		to.Broken[cause] += n
	}
	to.Cut = to.Cut || from.Cut
}
