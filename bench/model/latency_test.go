package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The tests compare the closed formulas with simulations that share no code with them.

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Abs(want) {
		t.Errorf("%s: formula %.5g, simulation %.5g (tolerance %g %%)", what, got, want, 100*tolerance)
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

func TestShortPollingAgreesWithSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ d, interval, rate float64 }{{0, 1, 4}, {0.05, 1, 0.3}, {0.01, 0.2, 20}} {
		times := poissonTimes(random, c.rate, 200_000)
		phase := random.Float64() * c.interval
		latencies := make([]float64, 0, len(times))
		responses := map[int]int{}
		for _, at := range times {
			k := math.Ceil((at - phase) / c.interval)
			latencies = append(latencies, phase+k*c.interval-at+c.d)
			responses[int(k)]++
		}
		polls := (times[len(times)-1] - times[0]) / c.interval
		near(t, "p50", ShortPollQuantile(c.d, c.interval, 0.5), quantile(latencies, 0.5), 0.02)
		near(t, "p99", ShortPollQuantile(c.d, c.interval, 0.99), quantile(latencies, 0.99), 0.02)
		near(t, "requests per message", ShortPollRequests(c.rate, c.interval), polls/float64(len(times)), 0.02)
		near(t, "empty share", 1-EmptyShare(c.rate, c.interval), float64(len(responses))/polls, 0.02)
		near(t, "batch", ShortPollBatch(c.rate, c.interval), float64(len(times))/float64(len(responses)), 0.02)
		near(t, "latest share", ShortPollLatestShare(c.rate, c.interval), float64(len(responses))/float64(len(times)), 0.02)
	}
}

func TestLongPollingAgreesWithSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ d, gap, rate float64 }{{0.05, 0.1, 2}, {0.05, 0.1, 10}, {0.01, 0.02, 100}, {0, 0.001, 4}} {
		times := poissonTimes(random, c.rate, 300_000)
		var latencies []float64
		batches, mean := 0, 0.0
		parked := 0.0 // when a poll is parked at the server
		for i := 0; i < len(times); {
			sent := max(times[i], parked)
			for batches++; i < len(times) && times[i] <= sent; i++ {
				latencies = append(latencies, sent-times[i]+c.d)
				mean += sent - times[i] + c.d
			}
			parked = sent + c.gap
		}
		mean /= float64(len(times))
		near(t, "batch", LongPollBatch(c.rate, c.gap), float64(len(times))/float64(batches), 0.02)
		near(t, "mean", LongPollMean(c.d, c.rate, c.gap), mean, 0.02)
		for _, q := range []float64{0.5, 0.9, 0.99} {
			near(t, "quantile", c.d+c.gap+LongPollQuantile(c.d, c.rate, c.gap, q), c.d+c.gap+quantile(latencies, q), 0.03)
		}
	}
}

func TestLongPollTimeoutAgreesWithSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const rate, gap, timeout = 0.5, 0.1, 3.0
	times := poissonTimes(random, rate, 200_000)
	cycles, empty, parked := 0, 0, 0.0
	for i := 0; i < len(times); cycles++ {
		if times[i] > parked+timeout {
			empty++
			parked += timeout + gap
			continue
		}
		sent := max(times[i], parked)
		for i < len(times) && times[i] <= sent {
			i++
		}
		parked = sent + gap
	}
	near(t, "empty share", LongPollEmptyShare(rate, gap, timeout), float64(empty)/float64(cycles), 0.03)
	near(t, "cycle", LongPollCycle(rate, gap, timeout), parked/float64(cycles), 0.03)
}

func TestPeriodicArrivalsAndFixedDelay(t *testing.T) {
	if got := EmptySharePeriodic(0.25, 1); got != 0.75 {
		t.Errorf("one message per four polls: empty share %g, want 0.75", got)
	}
	if got := EmptySharePeriodic(4, 1); got != 0 {
		t.Errorf("four messages per poll: empty share %g, want 0", got)
	}
	if got := FixedDelayInterval(0.1, 0.05, 1); math.Abs(got-1.25) > 1e-12 {
		t.Errorf("fixed delay: %g, want 1.25", got)
	}
}

func TestFrameHeaderDependsOnSizeAndMask(t *testing.T) {
	for _, c := range []struct{ n, server, client int }{{0, 2, 6}, {125, 2, 6}, {126, 4, 8}, {65535, 4, 8}, {65536, 10, 14}} {
		if s, m := FrameHeader(c.n, false), FrameHeader(c.n, true); s != c.server || m != c.client {
			t.Errorf("%d bytes: %d from a server, %d from a client; want %d and %d", c.n, s, m, c.server, c.client)
		}
	}
}

// Servers write to the subscribers in any order; all positions are equally likely.
func TestFanOutAgreesWithSimulation(t *testing.T) {
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
	near(t, "the last subscriber", FanOutQuantile(d, w, n, 1), d+n*w, 1e-12)
}

// A client sends a poll at the first tick after the previous response.
func TestLateResponseSkipsTicks(t *testing.T) {
	for _, c := range []struct{ d, interval float64 }{{0.004, 1}, {0.02, 0.03}, {0.02, 0.035}, {0.05, 0.03}, {0.1, 0.015}} {
		const polls = 1000
		lastPoll, sent := 0.0, 0
		for tick := 1; sent < polls; tick++ {
			if at := float64(tick) * c.interval; at > lastPoll+2*c.d {
				lastPoll = at
				sent++
			}
		}
		near(t, "interval", FixedRateInterval(c.d, c.interval), lastPoll/polls, 1e-9)
	}
}
