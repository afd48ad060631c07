// Package model holds the closed forms that a correct run must agree with, and what they
// predict of a scenario.
//
// It owns formulas and nothing else: pure functions, which the tests hold against
// simulations that share no code with them. It must never be adjusted to fit a
// measurement. Symbols, in seconds unless said otherwise: d one-way delay, T poll interval,
// λ messages per second that one client expects, R re-poll gap of a long poll, τ its
// timeout, N subscribers of a message, w the time that the server takes to write it to one
// of them.
package model

import "math"

// ShortPollQuantile is the q-quantile of delivery latency when polls come at a
// fixed rate and random phase: latency is uniform on (d, d+T).
func ShortPollQuantile(d, interval, q float64) float64 { return d + q*interval }

// FanOutQuantile is the q-quantile of delivery latency when one writer serves n
// subscribers of a message one after another, w each, and no other message waits:
// the i-th is served d + iw after it was due.
func FanOutQuantile(d, w, n, q float64) float64 { return d + w*(1+q*(n-1)) }

// FixedDelayInterval is the interval to put in place of T when the client waits
// T after each answer, which takes 2d and the service time s.
func FixedDelayInterval(d, s, interval float64) float64 { return interval + 2*d + s }

// FixedRateInterval is the interval to put in place of T when an answer, which takes
// 2d, may come after the next poll was to be sent: that one is left out.
func FixedRateInterval(d, interval float64) float64 {
	return interval * (math.Floor(2*d/interval) + 1)
}

// ShortPollRequests is how many polls one message costs a client.
func ShortPollRequests(rate, interval float64) float64 { return 1 / (rate * interval) }

// EmptyShare is the share of polls that find nothing, under Poisson arrivals.
func EmptyShare(rate, interval float64) float64 { return math.Exp(-rate * interval) }

// EmptySharePeriodic is the same for messages that come at a fixed period.
func EmptySharePeriodic(rate, interval float64) float64 { return max(0, 1-rate*interval) }

// ShortPollBatch is how many messages an answer that has any carries, under Poisson arrivals.
func ShortPollBatch(rate, interval float64) float64 {
	return rate * interval / (1 - EmptyShare(rate, interval))
}

// ShortPollLatestShare is the share of messages ever delivered when only the
// newest of a topic is, under Poisson arrivals.
func ShortPollLatestShare(rate, interval float64) float64 {
	return (1 - math.Exp(-rate*interval)) / (rate * interval)
}

// LongPollBatch is how many messages one answer carries, under Poisson arrivals:
// those that came while the poll was being re-armed, or the one that was waited for.
func LongPollBatch(rate, rearm float64) float64 { return rate*rearm + math.Exp(-rate*rearm) }

// LongPollDirect is the share of messages that find a parked poll and take d.
func LongPollDirect(rate, rearm float64) float64 {
	return math.Exp(-rate*rearm) / LongPollBatch(rate, rearm)
}

// LongPollQuantile is the q-quantile of delivery latency: a share takes d, the
// rest is uniform on (d, d+R).
func LongPollQuantile(d, rate, rearm, q float64) float64 {
	direct := LongPollDirect(rate, rearm)
	if q <= direct {
		return d
	}
	return d + rearm*(q-direct)/(1-direct)
}

// LongPollMean is the mean delivery latency.
func LongPollMean(d, rate, rearm float64) float64 {
	return d + rate*rearm*rearm/(2*LongPollBatch(rate, rearm))
}

// LongPollEmptyShare is the share of answers that the hold's end brings.
func LongPollEmptyShare(rate, rearm, hold float64) float64 { return math.Exp(-rate * (rearm + hold)) }

// LongPollCycle is the mean time from one poll to the next, with a hold.
func LongPollCycle(rate, rearm, hold float64) float64 {
	return rearm + math.Exp(-rate*rearm)*(1-math.Exp(-rate*hold))/rate
}

// FrameHeader is the size in bytes of a WebSocket frame's header (RFC 6455,
// section 5.2) for a payload of n bytes.
func FrameHeader(n int, masked bool) int {
	size := 2
	if n > 125 {
		size = 4
	}
	if n > 65535 {
		size = 10
	}
	if masked {
		size += 4
	}
	return size
}
