package generator

import (
	"fmt"
	"strings"

	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// MergeConnect weighs round trips by the clients that had them.
func MergeConnect(to *results.Connect, from results.Connect) {
	if all := to.Clients + from.Clients; all > 0 {
		to.RoundTrips = (to.RoundTrips*float64(to.Clients) + from.RoundTrips*float64(from.Clients)) / float64(all)
	}
	results.Merge(to, from)
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
	results.Merge(to, from)
	if !transports.Of(t).Timed {
		to.Latency.Independent = messages
	}
	to.Ack.Independent = messages
	to.Age.Independent = min(messages, to.Latency.Independent)
	to.Cut = to.Cut || from.Cut
}
