package selftest

import (
	"fmt"
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
func thereAndBack(l *lab) (rows []Row, err error) {
	const rtt = 40 * time.Millisecond
	for _, transport := range []string{transports.WebSocket, transports.SSE, transports.LongPoll} {
		t, err := l.reach(reach{transport: transport, settings: "answers: {size: 64B}\n", clients: 20, rate: 5, rtt: rtt, window: 2 * time.Second})
		if err != nil {
			return rows, err
		}
		rows = append(rows, answered(t)...)
		rows = append(rows, between(transport+" fastest answer over a round trip of 40 ms", " ms", 40, 44, ms(t.Answers.Latency.Histogram.Quantile(0))))
		if !transports.Of(transport).Holds { // of which some poll is on its way
			rows = append(rows, between(transport+" median answer", " ms", 40, 46, ms(t.Answers.Latency.Histogram.Quantile(0.5))))
		}
	}
	const held = 25 * time.Millisecond
	var found [2]time.Duration
	for i, lie := range []string{"", "delay=" + held.String()} {
		run, err := l.measure(experiment{scenario: streams(transports.WebSocket, 50, 1, "2s") + "answers: {size: 64B}\n", lie: lie})
		if err != nil {
			return rows, err
		}
		t := lastTrial(run, transports.WebSocket)
		rows = append(rows, answered(t)...)
		found[i] = t.Answers.Latency.Histogram.Quantile(0.5)
	}
	return append(rows, took("p50 of answers where each of both ways is held for 25 ms", found[0]+2*held, found[1], 2*time.Millisecond)), nil
}

func answered(t results.Trial) []Row {
	return []Row{
		exactly(t.Transport+" answers owed, one a message", t.Ledger.Owed, t.Answers.Ledger.Owed),
		exactly(t.Transport+" answers lost", 0, t.Answers.Ledger.Lost),
		exactly(t.Transport+" answers that came twice", 0, t.Answers.Ledger.Duplicates),
	}
}

// visitors: the request is at the server one and a half round trips after the dial; from then
// on the next message of a period is uniformly far away, and takes half a round trip.
func visitors(l *lab) (rows []Row, err error) {
	const rtt, period = 40 * time.Millisecond, 200 * time.Millisecond
	for _, transport := range []string{transports.WebSocket, transports.SSE} {
		run, err := l.measure(experiment{scenario: fmt.Sprintf(`transports: [%s]
clients: {count: 1}
visitors: {rate: 50/s}
publish: {by: backend, rate: 5/s, arrivals: periodic}
payload: {size: 64B}
network: {rtt: %s}
idle: 0s
warmup: 500ms
drain: 2s
window: 8s
blocks: 1
`, transport, rtt)})
		if err != nil {
			return rows, err
		}
		t := lastTrial(run, transport)
		v := t.Visits
		rows = append(rows,
			exactly(transport+" visitors that heard nothing", 0, v.First.Infinite),
			between(transport+" fastest until subscribed", " ms", ms(2*rtt), ms(2*rtt)+8, ms(v.Connect.Quantile(0))),
			between(fmt.Sprintf("%s first message: distance from uniform on (2 RTT, 2 RTT + P), m = %d", transport, v.Came), "", 0,
				kolmogorovLimit(v.Came, period), kolmogorov(v.First.Histogram, uniform(2*rtt, period))),
			lossless(t))
	}
	return rows, nil
}
