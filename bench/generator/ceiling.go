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

// MeasureCeiling measures the load generator's maximum rate, which it reports as a
// Ceiling.
type MeasureCeiling struct {
	Scenario string        `json:"scenario"` // resolved YAML, for its clients, topics and payloads
	Time     time.Duration `json:"time_ns"`  // maximum duration
}

// A Ceiling is the maximum rate of a load generator.
type Ceiling struct {
	PerSecond float64 `json:"per_second"` // publications and deliveries
}

// Maximum durations of the measurement.
const (
	CeilingTime      = 500 * time.Millisecond
	QuickCeilingTime = CeilingTime / 5
)

// measure runs a scenario at the maximum rate with the no-op transport. It sets up a separate
// driver in the same way as for a trial.
func (m MeasureCeiling) measure() (Ceiling, error) {
	if m.Time <= 0 {
		return Ceiling{}, fmt.Errorf("measure_ceiling: time_ns is %v, must be positive", m.Time)
	}
	s, err := scenarios.Read("scenario", strings.NewReader(m.Scenario))
	if err != nil {
		return Ceiling{}, err
	}
	s.Servers = 1 // the whole load on one load generator: several would share the same cores
	d := &driver{scenario: s, transport: transports.SSE, engine: client.Null(workers(s))}
	defer d.close()
	d.setPlan(ceilingPlan(s, m.Time), &Prepare{Repetition: 1})
	d.openBackend()
	publishes := d.plan.Publishers()
	for _, c := range d.own {
		d.open(c, publishes[c])
	}
	return d.ceiling(m.Time), nil
}

// ceiling publishes at the maximum rate for a limited time and returns that rate.
func (d *driver) ceiling(limit time.Duration) Ceiling {
	from := clock.Now()
	d.pacing.start = from.Add(-d.plan.Closes) // everything is due
	d.book.Begin(d.pacing.start)
	for w, p := range d.pacers {
		d.engine.Pace(w, p)
	}
	select {
	case <-d.published:
	case <-time.After(limit):
	}
	took := clock.Now().Sub(from)
	var done int64
	for _, r := range d.recorders {
		i := r.Take()
		done += i.Published + i.Delivered
	}
	d.halt()
	<-d.published
	return Ceiling{PerSecond: float64(done) / took.Seconds()}
}

// ceilingPlan returns more messages than any load generator can publish in the given time, with
// the scenario's fan-out, topics, publishers and payloads. Its window is one second.
func ceilingPlan(s *scenarios.Scenario, limit time.Duration) *schedule.Schedule {
	const fewest = 100 // messages
	var (
		share = limit.Seconds() / CeilingTime.Seconds()
		pairs = share * 2e6     // at about 150 ns each
		most  = share * 400_000 // messages: a plan takes memory
	)
	flat := *s
	flat.Warmup, flat.Window = 0, scenarios.Duration(time.Second)
	additional := s.DeliveryRate() + float64(s.Upstream.Rate) // deliveries and upstream messages per second
	perMessage := additional / float64(s.Publish.Rate)
	flat.Publish.Rate = scenarios.Rate(min(most, max(fewest, pairs/(1+perMessage))))
	flat.Upstream.Rate = s.Upstream.Rate * flat.Publish.Rate / s.Publish.Rate
	return schedule.New(&flat, 1)
}
