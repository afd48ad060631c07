package generator

import (
	"fmt"
	"strings"

	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// MergeConnect adds the result of another load generator. Round trips are averaged, weighted by
// the number of clients.
func MergeConnect(to *results.Connect, from results.Connect) {
	if all := to.Clients + from.Clients; all > 0 {
		to.RoundTrips = (to.RoundTrips*float64(to.Clients) + from.RoundTrips*float64(from.Clients)) / float64(all)
	}
	results.Merge(to, from)
}

// MergeOutcomes merges the outcomes of all load generators of a trial. Their settings must be equal.
func MergeOutcomes(all []*Outcome, t scenarios.Transport) (*Outcome, error) {
	sum := *all[0]
	flights := []validity.InFlight{sum.InFlight}
	for i, other := range all[1:] {
		if differ := validity.Differences(sum.Settings, other.Settings, nil); len(differ) > 0 {
			return nil, fmt.Errorf("load generator %d differs from the first: %s", i+2, strings.Join(differ, "; "))
		}
		flights = append(flights, other.InFlight)
		mergeOutcome(&sum, *other, t)
	}
	sum.InFlight = mergeFlights(flights)
	return &sum, nil
}

// mergeOutcome adds the outcome of another load generator of the trial, without its InFlight. Both
// publish the same messages, each to its own server, so their independent messages must not be
// added up. Poll cycles belong to single clients and are added up.
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
