package generator

import (
	"context"
	"fmt"
	"time"

	"pushbench/bench/clock"
	"pushbench/results/metric"
	"pushbench/scenarios"
)

// Limits are the highest load on another host, per second. The plan is below them, but a server can make clients send
// more than that: it responds to polls at once, or ends their connections.
type Limits struct {
	Requests scenarios.Rate `json:"requests"`
	Connects scenarios.Rate `json:"connects"` // new connections
}

// guardEvery is the time between two looks at what was sent.
const guardEvery = 100 * time.Millisecond

// An allowance is a rate that may be exceeded for a moment: by what it allows in excessTime, and by chance.
type allowance struct {
	rate   float64 // per second
	chance float64
	excess float64 // so far
	last   int64   // count at the last look
}

const (
	excessTime = 2 * time.Second
	chance     = 200
)

// exceeded notes a count after some time, and reports whether it grew too fast.
func (a *allowance) exceeded(count int64, after time.Duration) bool {
	a.excess = max(0, a.excess+float64(count-a.last)-a.rate*after.Seconds())
	a.last = count
	return a.excess > a.rate*excessTime.Seconds()+a.chance
}

// guard ends the trial when the clients exceed the limits.
func (d *driver) guard(ctx context.Context, l Limits) {
	requests := allowance{rate: float64(l.Requests), chance: chance}
	if d.scenario.Publish.Arrivals == scenarios.Burst {
		requests.chance += float64(d.scenario.Publish.Burst)
	}
	connects := allowance{rate: float64(l.Connects), chance: chance}
	for last := clock.Now(); clock.Wait(ctx, last.Add(guardEvery)); {
		now := clock.Now()
		after := now.Sub(last)
		last = now
		switch {
		case requests.exceeded(d.traffic.Requests.Load(), after):
			d.exceeded <- fmt.Errorf("the clients sent more than %s requests per second to another host, because its server responds to polls or ends connections at once; use another transport, or raise messages in --host-limits", metric.Number(float64(l.Requests)))
			return
		case connects.exceeded(d.traffic.Dials.Load(), after):
			d.exceeded <- fmt.Errorf("the clients opened more than %s connections per second to another host, because its server ends them; mend the server, or raise connects in --host-limits", metric.Number(float64(l.Connects)))
			return
		}
	}
}
