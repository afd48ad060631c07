package model

import "math"

// Age of information is the time since the newest message of a topic that a client holds
// was due. In these formulas λ is the rate of one topic, P its period, and all times have
// equal weight. If a topic is drawn uniformly for each message of a Poisson process, the
// messages of each topic form a Poisson process. The age is the same whether a client gets
// every message or only the latest: both include the newest.

// Age is the distribution of a sum of independent parts: a fixed delay, a time that is
// uniform on (0, Spread), and the time since the newest message of the topic was due. The
// last part is exponential with rate Rate, or uniform on (0, Period).
//
// For polls at a fixed rate and random phase, Spread is T: the last poll was sent at a
// uniform time in (0, T) before, independent of the publisher. For pushes, Spread is the
// time between the writes to the first and the last subscriber of one writer.
type Age struct {
	Delay  float64
	Spread float64
	Rate   float64 // of Poisson arrivals; 0 when periodic
	Period float64 // of periodic arrivals
}

// Mean returns d + T/2 + 1/λ, or d + T/2 + P/2.
func (a Age) Mean() float64 { return a.Delay + a.Spread/2 + a.meanGap() }

// meanGap returns the mean time since the newest message was due.
func (a Age) meanGap() float64 {
	if a.Rate > 0 {
		return 1 / a.Rate
	}
	return a.Period / 2
}

// Quantile returns the age that is not exceeded for a share q of the time.
func (a Age) Quantile(q float64) float64 {
	if a.Rate > 0 {
		return a.Delay + uniformAndExponential(a.Spread, a.Rate, 1-q)
	}
	return a.Delay + twoUniforms(a.Spread, a.Period, 1-q)
}

// twoUniforms returns the value that the sum of uniforms on (0, s) and (0, p) exceeds with
// probability tail ≤ 1/2. The density is a trapezoid whose slopes are as wide as the
// smaller of s and p.
func twoUniforms(s, p, tail float64) float64 {
	short, long := min(s, p), max(s, p)
	if tail*long >= short/2 { // beyond the slope
		return long + short/2 - tail*long
	}
	return long + short - math.Sqrt(2*tail*short*long)
}

// uniformAndExponential returns the value that the sum of a uniform on (0, t) and an
// exponential of the given rate exceeds with probability tail. Above t the probability is
// e^(−λx) (e^(λt) − 1)/(λt), which is solved for x. Up to t it is
// 1 − x/t + (1 − e^(−λx))/(λt), which decreases from 1 and is solved by bisection.
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

// LongPollAge returns the mean age under Poisson arrivals of one of k topics with equal
// rates in one long poll. The server responds immediately, and the next poll arrives after
// R. The age is the sum of X, the age when the response is sent, and the time since then,
// which is independent of X. The mean of that time is E[C²]/(2E[C]). A cycle C is R, plus an
// exponential wait if no message arrived during R.
//
// X is 0 if the poll waited for a message of this topic. X is the rest of R if the newest
// message arrived during R. Otherwise X is the X of the previous response plus one cycle.
func LongPollAge(d, rate, k, gap float64) float64 {
	silentTopic, silent := math.Exp(-rate*gap), math.Exp(-k*rate*gap)
	wait := 1 / (k * rate)
	cycle := gap + silent*wait
	squared := gap*gap + silent*(2*gap*wait+2*wait*wait)
	otherAtOnce, otherAfterWait := silentTopic-silent, silent*(1-1/k) // responses without a message of this topic
	arrived := (1 - silentTopic*(1+rate*gap)) / rate
	old := (arrived + otherAtOnce*gap + otherAfterWait*(gap+wait)) / (1 - otherAtOnce - otherAfterWait)
	return d + old + squared/(2*cycle)
}
