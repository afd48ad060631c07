package bench

import (
	"time"

	"pushbench/bench/schedule"
	"pushbench/bench/validity"
	"pushbench/scenarios"
)

// dueBySecond is what is due in each second of a window.
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

// nearestBy is a scenario's: a message of the clients' own goes up before it comes down.
func nearestBy(s *scenarios.Scenario) validity.Nearest {
	rtt := time.Duration(s.Network.RTT)
	if s.Network.Reorder > 0 {
		return validity.Nearest{} // some packets do not wait at all
	}
	if s.Publish.By != scenarios.ByBackend {
		return validity.Nearest{Connect: rtt, Deliver: rtt}
	}
	return validity.Nearest{Connect: rtt, Deliver: rtt / 2}
}
