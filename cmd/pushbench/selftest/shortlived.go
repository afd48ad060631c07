package selftest

import (
	"time"

	"pushbench/results"
	"pushbench/scenarios/transports"
)

// visits are the proofs about clients that answer, and about clients that come and go.
var visits = []claim{
	{name: "answers", says: "an answer takes the way there and the way back, from when its message was due", run: thereAndBack},
	{name: "visitors", says: "who comes waits for connecting, for the next message, and for its way", run: visitors},
}

// thereAndBack: 20 ms there, 20 ms back, and twice what the server knows that it held a
// message for, as an answer is a message, too. All clients answer, however they are reached.
func thereAndBack(l *lab) ([]Result, error) {
	const rtt, held = 40 * time.Millisecond, 25 * time.Millisecond
	const answers = "answers: {size: 64B}\n"
	far := experiment{settings: answers, clients: 20, rate: 5, rtt: rtt, window: 2 * time.Second}
	far.rows = func(t results.Trial) []Result {
		rows := append(answered(t), between("fastest answer over a round trip of 40 ms", " ms", 40, 44, ms(t.Replies.Latency.Histogram.Quantile(0))))
		if t.Transport != transports.LongPoll { // of which some poll is on its way
			rows = append(rows, between("median answer", " ms", 40, 46, ms(t.Replies.Latency.Histogram.Quantile(0.5))))
		}
		return of(t.Transport, rows...)
	}
	prompt := streams(50, 1, 2*time.Second)
	prompt.settings = answers
	delayed := prompt
	delayed.lie = "delay=" + held.String()
	var median time.Duration
	prompt.rows = func(t results.Trial) []Result {
		median = t.Replies.Latency.Histogram.Quantile(0.5)
		return of(t.Transport, answered(t)...)
	}
	delayed.rows = func(t results.Trial) []Result {
		return append(of(t.Transport, answered(t)...),
			took("p50 of answers where each of both ways is held for 25 ms", median+2*held, t.Replies.Latency.Histogram.Quantile(0.5), 2*time.Millisecond))
	}
	return l.rows(append(far.over(transports.WebSocket, transports.SSE, transports.LongPoll), prompt, delayed)...)
}

func answered(t results.Trial) []Result {
	return []Result{
		exactly("answers owed, one a message", t.Ledger.Expected, t.Replies.Ledger.Expected),
		exactly("answers lost", 0, t.Replies.Ledger.Lost),
		exactly("answers that came twice", 0, t.Replies.Ledger.Duplicates),
	}
}

// visitors: the request is at the server one and a half round trips after the dial; from then
// on the next message of a period is uniformly far away, and takes half a round trip.
func visitors(l *lab) ([]Result, error) {
	const rtt, period = 40 * time.Millisecond, 200 * time.Millisecond
	e := streams(5, 1, 8*time.Second)
	e.rtt, e.settings = rtt, "visitors: {rate: 50/s}\n"
	e.rows = func(t results.Trial) []Result {
		v := t.Visits
		return append(of(t.Transport,
			exactly("visitors that heard nothing", 0, v.First.Infinite),
			between("fastest until subscribed", " ms", ms(2*rtt), ms(2*rtt)+8, ms(v.Connect.Quantile(0))),
			uniformRow("first message: distance from uniform on (2 RTT, 2 RTT + P)", v.First.Histogram, v.Came, 2*rtt, period)), lossless(t))
	}
	return l.rows(e.over(transports.WebSocket, transports.SSE)...)
}
