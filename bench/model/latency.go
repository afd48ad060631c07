// Package model contains the closed formulas with which a correct run must agree, and
// predicts the metrics of a scenario from them.
//
// It consists of pure functions, which the tests compare with simulations that share no code
// with them. It must never be adjusted to fit a measurement. Symbols, in seconds unless
// stated otherwise: d one-way delay, T poll interval, λ messages per second that one client
// expects, R re-poll gap of a long poll, τ its timeout, N subscribers of a message, w the
// time that the server needs to write it to one of them.
package model

import "math"

// ShortPollQuantile returns the q-quantile of delivery latency for polls at a fixed rate
// and random phase: latency is uniform on (d, d+T).
func ShortPollQuantile(d, interval, q float64) float64 { return d + q*interval }

// FanOutQuantile returns the q-quantile of delivery latency if one writer serves n
// subscribers of a message one after another in w each, and no other message waits: the
// i-th subscriber receives it d + iw after it was due.
func FanOutQuantile(d, w, n, q float64) float64 { return d + w*(1+q*(n-1)) }

// FixedDelayInterval replaces T if the client waits T after each response, which takes 2d
// and the service time s.
func FixedDelayInterval(d, s, interval float64) float64 { return interval + 2*d + s }

// FixedRateInterval replaces T if a response, which takes 2d, may arrive after the next poll
// was due: the client skips that poll.
func FixedRateInterval(d, interval float64) float64 {
	return interval * (math.Floor(2*d/interval) + 1)
}

// ShortPollRequests returns the number of polls per message and client.
func ShortPollRequests(rate, interval float64) float64 { return 1 / (rate * interval) }

// EmptyShare returns the share of polls without a message under Poisson arrivals.
func EmptyShare(rate, interval float64) float64 { return math.Exp(-rate * interval) }

// EmptySharePeriodic returns the share of polls without a message under periodic arrivals.
func EmptySharePeriodic(rate, interval float64) float64 { return max(0, 1-rate*interval) }

// ShortPollBatch returns the mean number of messages per non-empty response under Poisson
// arrivals.
func ShortPollBatch(rate, interval float64) float64 {
	return rate * interval / (1 - EmptyShare(rate, interval))
}

// ShortPollLatestShare returns the share of messages that are delivered under Poisson
// arrivals if each poll delivers only the newest message of a topic.
func ShortPollLatestShare(rate, interval float64) float64 {
	return (1 - math.Exp(-rate*interval)) / (rate * interval)
}

// LongPollBatch returns the mean number of messages per response under Poisson arrivals:
// those that arrived during the re-poll gap, or the one that the poll waited for.
func LongPollBatch(rate, gap float64) float64 { return rate*gap + math.Exp(-rate*gap) }

// LongPollDirect returns the share of messages that meet a parked poll and take d.
func LongPollDirect(rate, gap float64) float64 {
	return math.Exp(-rate*gap) / LongPollBatch(rate, gap)
}

// LongPollQuantile returns the q-quantile of delivery latency: one share takes d, the rest
// is uniform on (d, d+R).
func LongPollQuantile(d, rate, gap, q float64) float64 {
	direct := LongPollDirect(rate, gap)
	if q <= direct {
		return d
	}
	return d + gap*(q-direct)/(1-direct)
}

// LongPollMean returns the mean delivery latency.
func LongPollMean(d, rate, gap float64) float64 {
	return d + rate*gap*gap/(2*LongPollBatch(rate, gap))
}

// LongPollEmptyShare returns the share of responses that the timeout causes.
func LongPollEmptyShare(rate, gap, timeout float64) float64 { return math.Exp(-rate * (gap + timeout)) }

// LongPollCycle returns the mean time from one poll to the next, given a timeout.
func LongPollCycle(rate, gap, timeout float64) float64 {
	return gap + math.Exp(-rate*gap)*(1-math.Exp(-rate*timeout))/rate
}

// FrameHeader returns the size in bytes of the header of a WebSocket frame (RFC 6455,
// section 5.2) with a payload of n bytes.
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
