package scenarios

import (
	"cmp"
	"slices"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// ComparedBy returns the metrics of the declared comparisons: the scenario's, or by default those by
// which a transport is chosen, one of latency and one of cost. With both, four transports compared with
// one of them make six comparisons, which 8 repetitions can decide.
//
// Two builds of the servers share the load generator, so their servers' own CPU is compared as well.
func (s *Scenario) ComparedBy(builds bool) []string {
	if s.Compare.Primary != nil {
		return s.Compare.Primary
	}
	latest := s.Delivery == Latest
	all := []string{s.latencyMetric(), metric.Cost(s.Cost == ByPrice, latest)}
	switch {
	case builds && latest:
		all = append(all, metric.ServerCores)
	case builds:
		all = append(all, metric.ServerCPUPerMessage)
	}
	return all
}

// ComparedWith returns the transport with which each other one is compared; "" if every pair is compared.
func (s *Scenario) ComparedWith() Transport {
	switch s.Compare.Against {
	case AllPairs:
		return ""
	default:
		return Transport(cmp.Or(s.Compare.Against, transports.WebSocket))
	}
}

// tailObservations is the number of messages, and of polls, that make a p99 probable. A p99 needs 1,000
// independent observations; a Poisson schedule has up to a tenth fewer than planned.
const tailObservations = 1100

// latencyMetric returns the metric of latency, or of age if only the latest message counts: the tail if
// the window has enough observations for it.
func (s *Scenario) latencyMetric() string {
	tail, middle := metric.P99, metric.P50
	if s.Delivery == Latest {
		tail, middle = metric.AgeP99, metric.AgeMean
	}
	observations := float64(slices.Min(sweptOr(s.Sweep.Rate, s.Publish.Rate))) * s.Window.seconds()
	if s.measures(isTimed) {
		polls := float64(slices.Min(sweptOr(s.Sweep.Clients, s.Clients.Count))) * s.Window.seconds() / s.longestInterval().seconds()
		observations = min(observations, polls)
	}
	if observations < tailObservations {
		return middle
	}
	return tail
}
