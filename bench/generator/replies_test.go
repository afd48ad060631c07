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

// replyTo returns replies and a sink for a plan of n messages, each to a different client.
func replyTo(t *testing.T, n int) (*replies, *replySink) {
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
	r := &replies{plan: plan.Replies(scenarios.ReplyTopic, 48), run: run, pending: make(chan pendingReply, n)}
	r.replied = make([]atomic.Bool, n)
	r.book = record.NewBook(r.plan, s, transports.Webhook, run)
	r.book.Begin(0)
	r.recorder = record.NewRecorder(r.book, []int{0})
	book := record.NewBook(plan, s, transports.SSE, run)
	book.Begin(0)
	return r, &replySink{sink: record.NewRecorder(book, []int{0, 1, 2}), replies: r}
}

// message is the batch with the message of index i, as its client receives it.
func message(topic string, i uint32, size int) *client.Batch {
	return &client.Batch{Messages: []client.Message{{Topic: []byte(topic), Data: payload.Append(nil, 7, i, size)}}}
}

// The receiving client replies to each message once. The reply to a lost message counts as lost.
func TestOneReplyPerMessage(t *testing.T) {
	r, sink := replyTo(t, 3)
	sink.Deliver(0, message("t0000", 0, 64), 1e6)
	sink.Deliver(0, message("t0000", 0, 64), 2e6) // duplicate
	sink.Deliver(1, message("t0001", 1, 64), 3e6)
	sink.Deliver(1, &client.Batch{Messages: []client.Message{{Data: []byte("not ours")}}}, 3e6)
	close(r.pending)
	var pending []pendingReply
	for one := range r.pending {
		pending = append(pending, one)
	}
	if len(pending) != 2 || pending[0] != (pendingReply{0, 0}) || pending[1] != (pendingReply{1, 1}) {
		t.Fatalf("pending %v, want replies of client 0 to message 0 and of client 1 to message 1", pending)
	}
	r.recorder.Event(0, client.Event{Kind: client.Connected}, 0)
	r.recorder.Deliver(0, message(scenarios.ReplyTopic, 1, 48), 11e6)
	all := r.total()
	if l := all.Ledger; l.Expected != 3 || l.Delivered != 1 || l.Lost != 2 {
		t.Errorf("ledger %+v, want 3 replies expected, 1 delivered, 2 lost", l)
	}
	if h := all.Latency.Histogram; h.Count() != 1 || h.Max() < 9900*time.Microsecond || h.Max() > 10100*time.Microsecond || all.Latency.Infinite != 2 {
		t.Errorf("round trips %v … %v, infinite %d; want one of 10 ms, from 1 ms to 11 ms", h.Quantile(0), h.Max(), all.Latency.Infinite)
	}
}

// The events of a reply's publication are not attributed to the message with the same index.
func TestRepliesAreCountedSeparately(t *testing.T) {
	r, sink := replyTo(t, 3)
	sink.Event(1, client.Event{Kind: client.Sending, ID: 1 | replyFlag}, 2e6)
	sink.Event(1, client.Event{Kind: client.Acked, ID: 1 | replyFlag, Seq: 1}, 3e6)
	sink.Event(-1, client.Event{Kind: client.Sending, ID: 2}, 2e6)
	if p, _ := r.book.Publishes(); p.Acknowledged != 1 || p.Sent != 1 {
		t.Errorf("replies sent %d, acknowledged %d; want 1 and 1", p.Sent, p.Acknowledged)
	}
}
