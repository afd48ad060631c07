package trial

import (
	"time"

	"pushbench/bench/client/engines"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/bench/validity"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// evidence is the input of the checks, for a trial that ended without an error.
func (t *Trial) evidence() validity.Evidence {
	e := validity.Evidence{
		Trial:  t.result,
		Window: time.Duration(t.Scenario.Window),
		Margin: float64(t.Scenario.Compare.Margin) / 100,
		First:  t.First,
		Before: t.Before,

		Due:      dueBySecond(schedule.New(t.Scenario, t.Repetition)),
		Seconds:  t.seconds,
		InFlight: t.outcome.InFlight,

		Exact:      t.Setup.Engine == engines.EventLoop,
		Silent:     t.foreign(),
		NeverTried: t.result.Publishes.DroppedBy[record.NeverTried],
		Accepted:   t.audited.Servers.Accepted - t.audited.Probes,
		Overflows:  t.audited.Overflows,
		Backlog:    t.result.Settings[validity.HostPrefix+"sysctls.net.core.somaxconn"],
		Served:     t.audited.Servers.ClientRequests(),
		Total:      t.outcome.Total,
		Abandoned:  t.outcome.Abandoned,

		MinTimes: nearest(t.Scenario),
		Link:     t.result.Link,

		Pauses:             t.pauses,
		Stalls:             t.window.Stalls,
		Throttled:          t.window.Throttled,
		ThrottleShown:      t.window.ThrottledShown,
		OtherUser:          t.window.OtherUser,
		OtherCores:         t.window.OtherCores,
		CPUInterval:        t.window.Took,
		ServerRequested:    t.audited.ServerCores.Requested,
		ServerGot:          t.audited.ServerCores.Got,
		GeneratorRequested: t.audited.GeneratorCores.Requested,
		GeneratorGot:       t.audited.GeneratorCores.Got,
		Ceiling:            t.Setup.Ceiling,
		Rate:               offeredRate(t.Scenario),
	}
	if transports.Of(t.Measured.Transport).Timed {
		e.Poll = time.Duration(t.Scenario.ShortPoll.Interval)
	}
	return e
}

// dueBySecond counts the deliveries due in each second of a window.
func dueBySecond(plan *schedule.Schedule) []validity.Due {
	all := make([]validity.Due, int((plan.Closes-plan.Opens+time.Second-1)/time.Second))
	for _, m := range plan.Messages {
		if m.Due >= plan.Opens && m.Due < plan.Closes {
			n, second := int64(len(plan.Subscribers[m.Topic])), &all[int((m.Due-plan.Opens)/time.Second)]
			second.Pairs += n
			second.Squares += n * n
		}
	}
	return all
}

// nearest returns the minimum times of a scenario's link. A message that a client publishes
// crosses the link twice, up and down.
func nearest(s *scenarios.Scenario) validity.MinTimes {
	rtt := time.Duration(s.Network.RTT)
	if s.Network.Reorder > 0 {
		return validity.MinTimes{} // reordered packets skip the delay
	}
	if s.Publish.By != scenarios.ByBackend {
		return validity.MinTimes{Connect: rtt, Deliver: rtt}
	}
	return validity.MinTimes{Connect: rtt, Deliver: rtt / 2}
}

// offeredRate is the load on a scenario's load generators: publications, to each server,
// upstream messages and deliveries per second.
func offeredRate(s *scenarios.Scenario) float64 {
	return float64(s.Publish.Rate)*float64(s.Servers) + float64(s.Upstream.Rate) + s.DeliveryRate()
}
