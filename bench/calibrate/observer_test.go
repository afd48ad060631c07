package calibrate

import (
	"math"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
)

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
