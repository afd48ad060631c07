package selftest

import (
	"fmt"
	"time"

	"pushbench/results"
)

// visits are the proofs about clients that answer, and about clients that come and go.
var visits = []claim{
	{name: "answers", says: "an answer takes the way there and the way back, from when its message was due", run: thereAndBack},
	{name: "visitors", says: "who comes waits for connecting, for the next message, and for its way", run: visitors},
}

// thereAndBack: 20 ms there, 20 ms back, and twice what the server knows that it held a
// message for, as an answer is a message, too. All clients answer, however they are reached.
func thereAndBack(l *lab) (rows []Row, err error) {
	const rtt, held = 40 * time.Millisecond, 25 * time.Millisecond
	rows, err = each([]string{"websocket", "sse", "longpoll"}, func(transport string) ([]Row, error) {
		e := reach{transport: transport, settings: "answers: {size: 64B}\n", clients: 20, rate: 5, rtt: rtt, window: 2 * time.Second}.experiment()
		return l.rows(e, func(t results.Trial) []Row {
			rows := append(answered(t), between(transport+" fastest answer over a round trip of 40 ms", " ms", 40, 44, ms(t.Answers.Latency.Histogram.Quantile(0))))
			if transport == "longpoll" { // of which some poll is on its way
				return rows
			}
			return append(rows, between(transport+" median answer", " ms", 40, 46, ms(t.Answers.Latency.Histogram.Quantile(0.5))))
		})
	})
	if err != nil {
		return rows, err
	}
	var found []time.Duration
	delayed, err := each([]string{"", "delay=" + held.String()}, func(lie string) ([]Row, error) {
		e := streams("websocket", 50, 1, 2*time.Second)
		e.settings, e.lie = "answers: {size: 64B}\n", lie
		return l.rows(e, func(t results.Trial) []Row {
			found = append(found, t.Answers.Latency.Histogram.Quantile(0.5))
			return answered(t)
		})
	})
	if rows = append(rows, delayed...); err != nil {
		return rows, err
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
	return each([]string{"websocket", "sse"}, func(transport string) ([]Row, error) {
		e := streams(transport, 5, 1, 8*time.Second)
		e.settings = fmt.Sprintf("visitors: {rate: 50/s}\nnetwork: {rtt: %s}\nwarmup: 500ms\n", rtt)
		return l.rows(e, func(t results.Trial) []Row {
			v := t.Visits
			return []Row{
				exactly(transport+" visitors that heard nothing", 0, v.First.Infinite),
				between(transport+" fastest until subscribed", " ms", ms(2*rtt), ms(2*rtt)+8, ms(v.Connect.Quantile(0))),
				uniformRow(transport+" first message: distance from uniform on (2 RTT, 2 RTT + P)", v.First.Histogram, v.Came, 2*rtt, period),
				lossless(t),
			}
		})
	})
}
