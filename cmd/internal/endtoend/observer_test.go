package endtoend

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	monitor "pushbench/bench/host"
	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

// An observerEffect is what recording costs: medians over pairs of trials, of one
// that records and one whose generator discards what it receives.
type observerEffect struct {
	Transport scenarios.Transport
	Pairs     int // that count
	Discarded int // pairs in which a trial delivered nothing, each measured again

	// µs of CPU per delivered message, with recording and without.
	Server, ServerBare       float64
	Generator, GeneratorBare float64

	// Medians of the pairs' own differences, in percent of the trial without recording.
	ServerChange, GeneratorChange float64
}

// observe measures what recording costs one transport, in interleaved pairs of
// which every other begins with the other side. All else is as in any trial: fresh
// processes, the same schedule, the same rate.
func observe(ctx context.Context, rig *trial.Setup, s *scenarios.Scenario, transport scenarios.Transport, pairs int) (effect observerEffect, err error) {
	err = monitor.WithMonitor(rig.Idle, func(m *monitor.Monitor) error {
		rig.Monitor = m
		effect, err = observePairs(transport, pairs, func(pair int, discard bool) (results.Trial, error) {
			t := &trial.Trial{
				Setup: rig, Scenario: s, Repetition: pair + 1, Discard: discard,
				Measured: scenarios.Configuration{Transport: transport, Library: s.Library, BatchingDelay: s.BatchingDelay(transport)},
			}
			return t.Measure(ctx) // its checks are not looked at: without a record they cannot hold
		})
		return err
	})
	return effect, err
}

// observeAttempts is how often a pair is measured before it is given up: on a machine that
// is busy with something else a short trial may deliver nothing, which says nothing of its cost.
const observeAttempts = 3

// observePairs measures each pair until both of its trials have delivered something.
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
				return effect, fmt.Errorf("%s delivered nothing in a trial of each of %d attempts: this machine is too busy, or the window too short", transport, attempt)
			}
		}
	}
	effect.Pairs = len(sides[0])
	effect.Server, effect.ServerBare, effect.ServerChange = compareCosts(metric.ServerCPUPerMessage, sides[0], sides[1])
	effect.Generator, effect.GeneratorBare, effect.GeneratorChange = compareCosts(metric.GeneratorCPUPerMessage, sides[0], sides[1])
	return effect, nil
}

// compareCosts gives medians of a metric, and of its change in percent.
func compareCosts(name string, recorded, bare []results.Trial) (with, without, change float64) {
	var a, b, changes []float64
	for i := range recorded {
		x, y := summary.Measure(name, recorded[i]).X, summary.Measure(name, bare[i]).X
		a, b, changes = append(a, x), append(b, y), append(changes, 100*(x-y)/y)
	}
	return summary.Median(a), summary.Median(b), summary.Median(changes)
}

// A trial that delivers nothing, as a busy machine can make one, does not end the measurement:
// its pair is measured again, and only a pair that never delivers is an error.
func TestObserveMeasuresAgainWhatDeliveredNothing(t *testing.T) {
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
		t.Errorf("got %+v, %v after %d trials; want 2 pairs, 1 of them measured again, 1 µs", effect, err, calls)
	}
	if _, err := observePairs("longpoll", 1, func(int, bool) (results.Trial, error) { return deliver(0) }); err == nil {
		t.Error("nothing delivered at all: no error")
	}
}

func TestCompareCostsPairs(t *testing.T) {
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
