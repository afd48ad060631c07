package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The closed forms are held against simulations that share nothing with them.

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Abs(want) {
		t.Errorf("%s: formula says %.5g, simulation %.5g (tolerance %g %%)", what, got, want, 100*tolerance)
	}
}

func poissonTimes(random *rand.Rand, rate float64, n int) []float64 {
	times := make([]float64, n)
	at := 0.0
	for i := range times {
		at += random.ExpFloat64() / rate
		times[i] = at
	}
	return times
}

func quantile(xs []float64, q float64) float64 {
	slices.Sort(xs)
	return xs[min(int(q*float64(len(xs))), len(xs)-1)]
}

func TestShortPolling(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ d, interval, rate float64 }{{0, 1, 4}, {0.05, 1, 0.3}, {0.01, 0.2, 20}} {
		times := poissonTimes(random, c.rate, 200_000)
		phase := random.Float64() * c.interval
		latencies := make([]float64, 0, len(times))
		answers := map[int]int{}
		for _, at := range times {
			k := math.Ceil((at - phase) / c.interval)
			latencies = append(latencies, phase+k*c.interval-at+c.d)
			answers[int(k)]++
		}
		polls := (times[len(times)-1] - times[0]) / c.interval
		near(t, "p50", ShortPollQuantile(c.d, c.interval, 0.5), quantile(latencies, 0.5), 0.02)
		near(t, "p99", ShortPollQuantile(c.d, c.interval, 0.99), quantile(latencies, 0.99), 0.02)
		near(t, "requests a message", ShortPollRequests(c.rate, c.interval), polls/float64(len(times)), 0.02)
		near(t, "empty share", 1-EmptyShare(c.rate, c.interval), float64(len(answers))/polls, 0.02)
		near(t, "batch", ShortPollBatch(c.rate, c.interval), float64(len(times))/float64(len(answers)), 0.02)
		near(t, "latest share", ShortPollLatestShare(c.rate, c.interval), float64(len(answers))/float64(len(times)), 0.02)
	}
}

func TestLongPolling(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ d, rearm, rate float64 }{{0.05, 0.1, 2}, {0.05, 0.1, 10}, {0.01, 0.02, 100}, {0, 0.001, 4}} {
		times := poissonTimes(random, c.rate, 300_000)
		var latencies []float64
		batches, mean := 0, 0.0
		parked := 0.0 // when the server has a poll to answer
		for i := 0; i < len(times); {
			leaves := max(times[i], parked)
			for batches++; i < len(times) && times[i] <= leaves; i++ {
				latencies = append(latencies, leaves-times[i]+c.d)
				mean += leaves - times[i] + c.d
			}
			parked = leaves + c.rearm
		}
		mean /= float64(len(times))
		near(t, "batch", LongPollBatch(c.rate, c.rearm), float64(len(times))/float64(batches), 0.02)
		near(t, "mean", LongPollMean(c.d, c.rate, c.rearm), mean, 0.02)
		for _, q := range []float64{0.5, 0.9, 0.99} {
			near(t, "quantile", c.d+c.rearm+LongPollQuantile(c.d, c.rate, c.rearm, q), c.d+c.rearm+quantile(latencies, q), 0.03)
		}
	}
}

func TestLongPollingHold(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const rate, rearm, hold = 0.5, 0.1, 3.0
	times := poissonTimes(random, rate, 200_000)
	cycles, empty, parked := 0, 0, 0.0
	for i := 0; i < len(times); cycles++ {
		if times[i] > parked+hold {
			empty++
			parked += hold + rearm
			continue
		}
		leaves := max(times[i], parked)
		for i < len(times) && times[i] <= leaves {
			i++
		}
		parked = leaves + rearm
	}
	near(t, "empty share", LongPollEmptyShare(rate, rearm, hold), float64(empty)/float64(cycles), 0.03)
	near(t, "cycle", LongPollCycle(rate, rearm, hold), parked/float64(cycles), 0.03)
}

func TestPeriodicAndFixedDelay(t *testing.T) {
	if got := EmptySharePeriodic(0.25, 1); got != 0.75 {
		t.Errorf("one message every four polls: empty share %g, want 0.75", got)
	}
	if got := EmptySharePeriodic(4, 1); got != 0 {
		t.Errorf("four messages a poll: empty share %g, want 0", got)
	}
	if got := FixedDelayInterval(0.1, 0.05, 1); math.Abs(got-1.25) > 1e-12 {
		t.Errorf("fixed delay: %g, want 1.25", got)
	}
}

func TestFrameHeader(t *testing.T) {
	for _, c := range []struct{ n, server, client int }{{0, 2, 6}, {125, 2, 6}, {126, 4, 8}, {65535, 4, 8}, {65536, 10, 14}} {
		if s, m := FrameHeader(c.n, false), FrameHeader(c.n, true); s != c.server || m != c.client {
			t.Errorf("%d bytes: %d from a server, %d from a client; want %d and %d", c.n, s, m, c.server, c.client)
		}
	}
}

// Servers write in any order of subscribers; each subscriber's place is as likely as another.
func TestFanOut(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	const d, w, n = 0.001, 0.00003, 500
	var latencies []float64
	for range 400 {
		clock := d
		for range random.Perm(n) {
			clock += w
			latencies = append(latencies, clock)
		}
	}
	for _, q := range []float64{0.1, 0.5, 0.9, 0.99} {
		near(t, "fan-out", FanOutQuantile(d, w, n, q), quantile(latencies, q), 0.005)
	}
	near(t, "the last", FanOutQuantile(d, w, n, 1), d+n*w, 1e-12)
}

// A poll is sent at the first beat after the answer to the one before.
func TestBeatsThatAnAnswerComesTooLateFor(t *testing.T) {
	for _, c := range []struct{ d, interval float64 }{{0.004, 1}, {0.02, 0.03}, {0.02, 0.035}, {0.05, 0.03}, {0.1, 0.015}} {
		const polls = 1000
		asked, sent := 0.0, 0
		for beat := 1; sent < polls; beat++ {
			if at := float64(beat) * c.interval; at > asked+2*c.d {
				asked = at
				sent++
			}
		}
		near(t, "interval", FixedRateInterval(c.d, c.interval), asked/polls, 1e-9)
	}
}
