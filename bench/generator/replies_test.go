package generator

import (
	"sync/atomic"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/payload"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// asking is a plan of n messages, each to a client of its own, and what hears the answers.
func asking(t *testing.T, n int) (*answers, *answering) {
	t.Helper()
	s := &scenarios.Scenario{
		Clients: scenarios.Clients{Count: n}, Topics: scenarios.Topics{Count: n, PerClient: 1, Spread: scenarios.Even},
		Publish: scenarios.Publish{By: scenarios.ByBackend}, Payload: scenarios.Payload{Size: 64}, Delivery: scenarios.Every,
		Servers: 1, Window: scenarios.Duration(time.Second), Replies: scenarios.Replies{Size: 48},
	}
	var messages []schedule.Message
	for i := range n {
		messages = append(messages, schedule.Message{Due: time.Duration(i) * time.Millisecond, Publisher: schedule.Backend, Topic: int32(i), Size: 64})
	}
	plan := schedule.Of(s, messages)
	const run = 7
	a := &answers{plan: plan.Replies(scenarios.ReplyTopic, 48), run: run, asked: make(chan toAnswer, n)}
	a.answered = make([]atomic.Bool, n)
	a.book = record.NewBook(a.plan, s, transports.Webhook, run)
	a.book.Begin(0)
	a.recorder = record.NewRecorder(a.book, []int{0})
	book := record.NewBook(plan, s, transports.SSE, run)
	book.Begin(0)
	return a, &answering{sink: record.NewRecorder(book, []int{0, 1, 2}), answers: a}
}

// message is what comes of index i to the client that it is for.
func message(topic string, i uint32, size int) *client.Batch {
	return &client.Batch{Messages: []client.Message{{Topic: []byte(topic), Seq: 1, Data: payload.Append(nil, 7, i, size)}}}
}

// Each message is answered once, by who has it; what is lost was never there to answer, and
// counts as lost of the answers, too.
func TestEachMessageIsAnsweredOnce(t *testing.T) {
	a, sink := asking(t, 3)
	sink.Deliver(0, message("t0000", 0, 64), 1e6)
	sink.Deliver(0, message("t0000", 0, 64), 2e6) // comes twice
	sink.Deliver(1, message("t0001", 1, 64), 3e6)
	sink.Deliver(1, &client.Batch{Messages: []client.Message{{Data: []byte("not ours")}}}, 3e6)
	close(a.asked)
	var told []toAnswer
	for one := range a.asked {
		told = append(told, one)
	}
	if len(told) != 2 || told[0] != (toAnswer{0, 0}) || told[1] != (toAnswer{1, 1}) {
		t.Fatalf("asked %v, want client 0 to answer 0 and client 1 to answer 1", told)
	}
	a.recorder.Event(0, client.Event{Kind: client.Connected}, 0)
	a.recorder.Deliver(0, message(scenarios.ReplyTopic, 1, 48), 11e6)
	all := a.account()
	if l := all.Ledger; l.Expected != 3 || l.Unique != 1 || l.Lost != 2 {
		t.Errorf("ledger %+v, want 3 answers owed, 1 had, 2 lost", l)
	}
	if h := all.Latency.Histogram; h.Count() != 1 || h.Max() < 9900*time.Microsecond || h.Max() > 10100*time.Microsecond || all.Latency.Infinite != 2 {
		t.Errorf("round trips %v … %v, infinite %d; want one of 10 ms, which is due at 1 ms and there at 11", h.Quantile(0), h.Max(), all.Latency.Infinite)
	}
}

// What becomes of an answer's publication is not told of the message with its index.
func TestAnswersAreNotMessages(t *testing.T) {
	a, sink := asking(t, 3)
	sink.Event(1, client.Event{Kind: client.Sending, ID: 1 | answerID}, 2e6)
	sink.Event(1, client.Event{Kind: client.Acked, ID: 1 | answerID, Seq: 1}, 3e6)
	sink.Event(-1, client.Event{Kind: client.Sending, ID: 2}, 2e6)
	if p, _ := a.book.Publishes(); p.Acknowledged != 1 || p.Sent != 1 {
		t.Errorf("of the answers %d were sent and %d acknowledged, want 1 and 1", p.Sent, p.Acknowledged)
	}
}
