package model

import "math"

// Age of information: how long ago the newest message that a client holds of a topic
// was due. In these forms λ is the rate of one topic, P its period, and every instant
// weighs alike. A topic drawn uniformly for each message of a Poisson process has a
// Poisson process of its own. Whether a client gets every message or only the latest
// makes no difference: the newest comes with either.

// Age is a distribution of ages of which all of its parts are independent: a fixed delay,
// then a time that is uniform on (0, Spread) and the topic's own, since its newest
// message was due: exponential at rate Rate, or uniform on (0, Period).
//
// For polls at a fixed rate and random phase Spread is T: the poll that brought what is
// held is uniform on (0, T) ago, and found what a stranger to the publisher's clock finds.
// For pushes it is how far apart one writer's first and last subscriber are.
type Age struct {
	Delay  float64
	Spread float64
	Rate   float64 // of Poisson arrivals; 0 when periodic
	Period float64 // of periodic ones
}

// Mean is d + T/2 + 1/λ, or d + T/2 + P/2.
func (a Age) Mean() float64 { return a.Delay + a.Spread/2 + a.gap() }

// gap is the mean time since a message was due.
func (a Age) gap() float64 {
	if a.Rate > 0 {
		return 1 / a.Rate
	}
	return a.Period / 2
}

// Quantile is the age that is not exceeded in a share q of the time.
func (a Age) Quantile(q float64) float64 {
	if a.Rate > 0 {
		return a.Delay + uniformAndExponential(a.Spread, a.Rate, 1-q)
	}
	return a.Delay + twoUniforms(a.Spread, a.Period, 1-q)
}

// twoUniforms is what the sum of uniforms on (0, s) and (0, p) exceeds with a chance of
// tail, at most a half: the density is a trapezoid, whose upper slope is as long as the
// shorter of both.
func twoUniforms(s, p, tail float64) float64 {
	short, long := min(s, p), max(s, p)
	if tail*long >= short/2 { // beyond the slope
		return long + short/2 - tail*long
	}
	return long + short - math.Sqrt(2*tail*short*long)
}

// uniformAndExponential is what the sum of a uniform on (0, t) and an exponential of the
// given rate exceeds with a chance of tail. Beyond t that chance is
// e^(−λx) (e^(λt) − 1)/(λt), which can be solved for x. Up to t it is
// 1 − x/t + (1 − e^(−λx))/(λt), which falls from 1 and is halved into.
func uniformAndExponential(t, rate, tail float64) float64 {
	if t == 0 {
		return -math.Log(tail) / rate
	}
	if x := t + math.Log(-math.Expm1(-rate*t)/(rate*t*tail))/rate; x >= t {
		return x
	}
	lo, hi := 0.0, t
	for range 60 {
		x := (lo + hi) / 2
		if 1-x/t-math.Expm1(-rate*x)/(rate*t) > tail {
			lo = x
		} else {
			hi = x
		}
	}
	return (lo + hi) / 2
}

// LongPollAge is the mean age, under Poisson arrivals, of one of k topics with the same
// rate that a client waits for in one long poll, answered at once and re-armed after
// R. Of an age there is what is old when an answer leaves, X, and the time since the
// answer left, which is E[C²]/(2E[C]) on average for cycles C of R, and of an
// exponential wait when nothing came meanwhile: independent of X.
//
// X is 0 when the topic's own message was waited for, what is left of R when the newest
// came during R, and else the X before and a cycle more.
func LongPollAge(d, rate, k, rearm float64) float64 {
	quietTopic, quiet := math.Exp(-rate*rearm), math.Exp(-k*rate*rearm)
	wait := 1 / (k * rate)
	cycle := rearm + quiet*wait
	squared := rearm*rearm + quiet*(2*rearm*wait+2*wait*wait)
	others, othersWaited := quietTopic-quiet, quiet*(1-1/k) // an answer without the topic's message
	came := (1 - quietTopic*(1+rate*rearm)) / rate
	old := (came + others*rearm + othersWaited*(rearm+wait)) / (1 - others - othersWaited)
	return d + old + squared/(2*cycle)
}
