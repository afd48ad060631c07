package bench

import (
	"context"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/generator"
	"pushbench/scenarios"
)

// measureCeiling has a generator, placed as those of the trials are, find its ceiling.
func (r *Rig) measureCeiling(ctx context.Context, s *scenarios.Scenario) (err error) {
	one := &replica{}
	defer func() {
		if ended := one.endGenerator(child.Grace(ctx)); err == nil {
			err = ended
		}
		if ctx.Err() != nil {
			err = errStopped
		}
	}()
	if err := one.startGenerator(r, nil); err != nil {
		return err
	}
	if err := one.generator.Send(generator.Order{Gauge: &generator.Gauge{Scenario: string(s.YAML()), Time: r.gaugeTime()}}); err != nil {
		return err
	}
	m, err := one.answer(ctx, child.AnswerWait)
	if err != nil {
		return err
	}
	if m.Gauged == nil {
		return generatorError("it did not find its ceiling")
	}
	r.ceiling = m.Gauged.PerSecond
	return nil
}

func (r *Rig) gaugeTime() time.Duration {
	if r.Quick {
		return generator.QuickGaugeTime
	}
	return generator.GaugeTime
}

// load is what a scenario asks of its generators: publications, to each server, inputs
// and deliveries a second.
func load(s *scenarios.Scenario) float64 {
	return float64(s.Publish.Rate)*float64(s.Servers) + float64(s.Inputs.Rate) + s.DeliveryRate()
}
