package generator

import (
	"fmt"
	"strings"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/schedule"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A Gauge tells a generator to find its ceiling. Answered by Gauged.
type Gauge struct {
	Scenario string        `json:"scenario"` // resolved YAML: whose clients, topics and payloads to take
	Time     time.Duration `json:"time_ns"`  // for how long to run flat out, at most
}

// Gauged is what a generator did flat out.
type Gauged struct {
	PerSecond float64 `json:"per_second"` // publications and deliveries
}

// For how long a generator runs flat out, at most.
const (
	GaugeTime      = 500 * time.Millisecond
	QuickGaugeTime = GaugeTime / 5
)

// gauge runs a scenario flat out on the null transport. What it needs is built as for a
// trial, in a driver of its own.
func (g Gauge) gauge() (Gauged, error) {
	if g.Time <= 0 {
		return Gauged{}, fmt.Errorf("find a ceiling in %v: allowed is more than nothing", g.Time)
	}
	s, err := scenarios.Read("scenario", strings.NewReader(g.Scenario))
	if err != nil {
		return Gauged{}, err
	}
	s.Servers = 1 // all of the load on one generator: there are no more cores for several
	d := &driver{scenario: s, transport: transports.SSE, engine: client.Null(workers(s))}
	defer d.close()
	d.equip(flatOut(s, g.Time), &Prepare{Repetition: 1})
	d.openBackend()
	publishes := d.plan.Publishers()
	for _, c := range d.own {
		d.open(c, publishes[c])
	}
	return d.flatOut(g.Time), nil
}

// flatOut publishes as fast as it can for some time, and returns how fast that was.
func (d *driver) flatOut(limit time.Duration) Gauged {
	from := clock.Now()
	d.pacing.start = from.Add(-d.plan.Closes) // all is due
	d.book.Begin(d.pacing.start)
	for w, p := range d.pacers {
		d.engine.Pace(w, p)
	}
	select {
	case <-d.paced:
	case <-time.After(limit):
	}
	took := clock.Now().Sub(from)
	var done int64
	for _, r := range d.recorders {
		i := r.Take()
		done += i.Published + i.Delivered
	}
	d.halt()
	<-d.paced
	return Gauged{PerSecond: float64(done) / took.Seconds()}
}

// flatOut is more than any generator does in a time, with the scenario's own fan-out,
// topics, publishers and payloads. Its window is a second, all of it past.
func flatOut(s *scenarios.Scenario, limit time.Duration) *schedule.Schedule {
	const least = 100 // messages
	var (
		share = limit.Seconds() / GaugeTime.Seconds()
		pairs = share * 2e6     // and then some 150 ns for each
		most  = share * 400_000 // messages: a plan takes memory
	)
	flat := *s
	flat.Warmup, flat.Window = 0, scenarios.Duration(time.Second)
	beside := s.DeliveryRate() + float64(s.Upstream.Rate) // deliveries and inputs a second
	perMessage := beside / float64(s.Publish.Rate)
	flat.Publish.Rate = scenarios.Rate(min(most, max(least, pairs/(1+perMessage))))
	flat.Upstream.Rate = s.Upstream.Rate * flat.Publish.Rate / s.Publish.Rate
	return schedule.New(&flat, 1)
}
