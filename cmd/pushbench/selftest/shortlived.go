package selftest

import (
	"time"

	"pushbench/results"
	"pushbench/scenarios/transports"
)

// clientChecks cover replies and short-lived clients.
var clientChecks = []check{
	{name: "replies", title: "the latency of a reply is the round trip, counted from when its message is due", run: replies},
	{name: "short-lived", title: "a short-lived client waits for its connection, the next message, and the delivery", run: shortLived},
}

// replies expects 20 ms for each direction, plus twice the injected delay: a reply is a
// message, too. Clients of every transport reply.
func replies(l *lab) ([]Result, error) {
	const rtt, injected = 40 * time.Millisecond, 25 * time.Millisecond
	const settings = "replies: {size: 64B}\n"
	far := experiment{settings: settings, clients: 20, rate: 5, rtt: rtt, window: 2 * time.Second}
	far.rows = func(t results.Trial) []Result {
		rows := append(replyRows(t), between("fastest reply, round trip 40 ms", " ms", 40, 44, ms(t.Replies.Latency.Histogram.Quantile(0))))
		if t.Transport != transports.LongPoll { // some polls are in transit
			rows = append(rows, between("median reply", " ms", 40, 46, ms(t.Replies.Latency.Histogram.Quantile(0.5))))
		}
		return prefixed(t.Transport, rows...)
	}
	prompt := streams(50, 1, 2*time.Second)
	prompt.settings = settings
	delayed := prompt
	delayed.inject = "delay=" + injected.String()
	var median time.Duration
	prompt.rows = func(t results.Trial) []Result {
		median = t.Replies.Latency.Histogram.Quantile(0.5)
		return prefixed(t.Transport, replyRows(t)...)
	}
	delayed.rows = func(t results.Trial) []Result {
		return append(prefixed(t.Transport, replyRows(t)...),
			took("p50 of replies, each direction delayed by 25 ms", median+2*injected, t.Replies.Latency.Histogram.Quantile(0.5), 2*time.Millisecond))
	}
	return l.rows(append(far.over(transports.WebSocket, transports.SSE, transports.LongPoll), prompt, delayed)...)
}

func replyRows(t results.Trial) []Result {
	return []Result{
		exactly("replies expected, one per message", t.Ledger.Expected, t.Replies.Ledger.Expected),
		exactly("replies lost", 0, t.Replies.Ledger.Lost),
		exactly("duplicate replies", 0, t.Replies.Ledger.Duplicates),
	}
}

// shortLived expects the request at the server 1.5 round trips after the dial. The time to
// the next periodic message is then uniform, and its delivery takes half a round trip.
func shortLived(l *lab) ([]Result, error) {
	const rtt, period = 40 * time.Millisecond, 200 * time.Millisecond
	e := streams(5, 1, 8*time.Second)
	e.rtt, e.settings = rtt, "short_lived: {rate: 50/s}\n"
	e.rows = func(t results.Trial) []Result {
		v := t.ShortLived
		return append(prefixed(t.Transport,
			exactly("short-lived clients without a message", 0, v.First.Infinite),
			between("fastest until subscribed", " ms", ms(2*rtt), ms(2*rtt)+8, ms(v.Connect.Quantile(0))),
			uniformRow("first message: distance from uniform on (2 RTT, 2 RTT + P)", v.First.Histogram, v.Started, 2*rtt, period)), lossless(t))
	}
	return l.rows(e.over(transports.WebSocket, transports.SSE)...)
}
