package endtoend

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

// An observerEffect is the cost of recording: medians over pairs of trials, of which one
// records and the other has a load generator that discards received messages.
type observerEffect struct {
	Transport scenarios.Transport
	Pairs     int // valid pairs
	Discarded int // pairs with a trial that delivered no message; each was repeated

	// µs of CPU per delivered message, with recording and without.
	Server, ServerBare       float64
	Generator, GeneratorBare float64

	// Medians of the pairs' own differences, in percent of the trial without recording.
	ServerChange, GeneratorChange float64
}

// observe measures the cost of recording for one transport, in pairs that alternate the order
// of their trials. All else is as in any trial: fresh
// processes, the same schedule, the same rate.
func observe(ctx context.Context, setup *trial.Setup, s *scenarios.Scenario, transport scenarios.Transport, pairs int) (effect observerEffect, err error) {
	if _, err := setup.Begin(ctx, s); err != nil {
		return effect, err
	}
	effect, err = observePairs(transport, pairs, func(pair int, discard bool) (results.Trial, error) {
		t := &trial.Trial{
			Setup: setup, Scenario: s, Repetition: pair + 1, Discard: discard,
			Measured: scenarios.Configuration{Transport: transport, Library: s.Library, BatchingDelay: s.BatchingDelay(transport)},
		}
		return t.Measure(ctx) // its validity checks are ignored: they fail without a record
	})
	return effect, errors.Join(err, setup.Finish())
}

// observeAttempts is the maximum number of measurements of a pair: on a busy machine
// a short trial may deliver no message, and then has no cost per message.
const observeAttempts = 3

// observePairs repeats each pair until both of its trials have delivered messages.
func observePairs(transport scenarios.Transport, pairs int, measure func(pair int, discard bool) (results.Trial, error)) (observerEffect, error) {
	effect := observerEffect{Transport: transport}
	var sides [2][]results.Trial // recorded, discarded
	for pair := range pairs {
		for attempt := 1; ; attempt++ {
			var both [2]results.Trial
			for turn := range both {
				side := (turn + pair) % 2
				var err error
				if both[side], err = measure(pair, side == 1); err != nil {
					return effect, err
				}
			}
			if both[0].Cost.Delivered > 0 && both[1].Cost.Delivered > 0 {
				sides[0], sides[1] = append(sides[0], both[0]), append(sides[1], both[1])
				break
			}
			if effect.Discarded++; attempt == observeAttempts {
				return effect, fmt.Errorf("%s delivered no message in a trial of each of %d attempts: the machine is too busy, or the window too short", transport, attempt)
			}
		}
	}
	effect.Pairs = len(sides[0])
	effect.Server, effect.ServerBare, effect.ServerChange = compareCosts(metric.ServerCPUPerMessage, sides[0], sides[1])
	effect.Generator, effect.GeneratorBare, effect.GeneratorChange = compareCosts(metric.GeneratorCPUPerMessage, sides[0], sides[1])
	return effect, nil
}

// compareCosts returns medians of a metric, and of its change in percent.
func compareCosts(name string, recorded, bare []results.Trial) (with, without, change float64) {
	var a, b, changes []float64
	for i := range recorded {
		x, y := summary.Measure(name, recorded[i]).X, summary.Measure(name, bare[i]).X
		a, b, changes = append(a, x), append(b, y), append(changes, 100*(x-y)/y)
	}
	return summary.Median(a), summary.Median(b), summary.Median(changes)
}

// A trial without deliveries, as on a busy machine, does not end the measurement:
// its pair is repeated, and only a pair that never delivers is an error.
func TestObserveRepeatsPairsWithoutDeliveries(t *testing.T) {
	deliver := func(n int64) (results.Trial, error) {
		return results.Trial{Cost: results.Cost{Delivered: n, Server: results.Process{CPU: time.Millisecond}, Generator: results.Process{CPU: time.Millisecond}}}, nil
	}
	calls := 0
	effect, err := observePairs("longpoll", 2, func(_ int, discard bool) (results.Trial, error) {
		if calls++; calls == 2 {
			return deliver(0)
		}
		return deliver(1000)
	})
	if err != nil || effect.Pairs != 2 || effect.Discarded != 1 || calls != 6 || effect.Server != 1 {
		t.Errorf("got %+v, %v after %d trials; want 2 pairs, 1 repetition of a pair, 1 µs", effect, err, calls)
	}
	if _, err := observePairs("longpoll", 1, func(int, bool) (results.Trial, error) { return deliver(0) }); err == nil {
		t.Error("no error without any delivery")
	}
}

func TestCompareCostsUsesPairs(t *testing.T) {
	trials := func(cpu ...time.Duration) (all []results.Trial) {
		for _, c := range cpu {
			all = append(all, results.Trial{Cost: results.Cost{Delivered: 1000, Server: results.Process{CPU: c}}})
		}
		return all
	}
	with, without, change := compareCosts(metric.ServerCPUPerMessage,
		trials(11*time.Millisecond, 44*time.Millisecond, 21*time.Millisecond), trials(10*time.Millisecond, 40*time.Millisecond, 20*time.Millisecond))
	if with != 21 || without != 20 || math.Abs(change-10) > 1e-9 {
		t.Errorf("got %v and %v µs and %v %%, want 21, 20 and 10: the pairs' median, not that of the medians", with, without, change)
	}
}
