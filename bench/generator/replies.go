package generator

import (
	"net"
	"sync"
	"sync/atomic"

	"pushbench/bench/client"
	"pushbench/bench/client/goroutine"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// replies sends a client's reply to each message, and receives it at the backend next to the
// server. The backend receives replies by a webhook for every transport, so that this part is the
// same for all.
type replies struct {
	plan     *schedule.Schedule // of the replies; a reply has the index of its message
	run      uint32
	book     *record.Book
	recorder *record.Recorder // of the backend
	engine   client.Engine
	backend  client.Session
	traffic  client.Traffic // of the backend; not part of the transport's cost

	session func(client int32) client.Session
	replied []atomic.Bool // by index: a duplicate of a message gets no second reply
	pending chan pendingReply
	over    chan struct{}
	working sync.WaitGroup
	ending  sync.Once
}

// A pendingReply is a message that a client has received and not yet replied to.
type pendingReply struct {
	client int32
	index  uint32
}

// newReplies makes the driver's sinks send replies.
func newReplies(d *driver, config client.Config, run uint32) *replies {
	r := &replies{plan: d.plan.Replies(scenarios.ReplyTopic, int(d.scenario.Replies.Size)), run: run, session: d.session, over: make(chan struct{})}
	r.replied = make([]atomic.Bool, len(r.plan.Messages))
	r.pending = make(chan pendingReply, len(r.plan.Messages)) // room for all replies: a sink must not block
	r.book = record.NewBook(r.plan, d.scenario, transports.Webhook, run)
	r.recorder = record.NewRecorder(r.book, []int{0})
	host, _, _ := net.SplitHostPort(config.Target) // an invalid target fails when it is dialled
	r.engine = goroutine.New(client.Config{
		Target: config.Target, Transport: transports.Webhook, Traffic: &r.traffic, TLS: config.TLS, InBackendNamespace: config.InBackendNamespace,
		Receive: func(int) (listen, external string) { return net.JoinHostPort(host, "0"), "" },
	})
	for w, s := range d.sinks {
		d.sinks[w] = &replySink{sink: s, replies: r}
	}
	return r
}

// open opens the backend's session and starts sending replies.
func (r *replies) open() {
	r.backend = r.engine.Open(client.Subscription{Topics: r.plan.Topics, Delivery: string(scenarios.Every), AtServer: true}, r.recorder)
	r.working.Go(r.publish)
}

// publish publishes the pending replies. It runs in a separate goroutine, since a sink must not
// call a session.
func (r *replies) publish() {
	var data []byte
	for {
		select {
		case <-r.over:
			return
		case one := <-r.pending:
			data = payload.Append(data[:0], r.run, one.index, int(r.plan.Messages[one.index].Size))
			r.session(one.client).Publish(one.index|replyFlag, scenarios.ReplyTopic, data)
		}
	}
}

// replyFlag is the bit that marks the publication of a reply. Message indexes are below it.
const replyFlag = 1 << 31

// end ends the replies. Only replies that the backend has received by then count.
func (r *replies) end() {
	r.ending.Do(func() {
		close(r.over)
		r.working.Wait()
		if r.backend != nil {
			r.backend.Close()
		}
		r.engine.Close()
	})
}

// total is the result. Call it after end.
func (r *replies) total() (all results.Replies) {
	all.Ledger, all.Latency = r.recorder.Close()
	all.Latency.Independent = all.Ledger.Expected
	return all
}

// A replySink is a sink whose clients reply to messages.
type replySink struct {
	sink
	replies *replies
}

// Deliver passes a batch on and adds replies to its messages.
func (s *replySink) Deliver(c int, b *client.Batch, at clock.Instant) {
	s.sink.Deliver(c, b, at)
	for i := range b.Messages {
		run, index, err := payload.Parse(b.Messages[i].Data)
		if err == nil && run == s.replies.run && int(index) < len(s.replies.replied) && s.replies.replied[index].CompareAndSwap(false, true) {
			s.replies.pending <- pendingReply{int32(c), index}
		}
	}
}

// Event passes the events of replies to the replies' recorder, and all others on.
func (s *replySink) Event(c int, e client.Event, at clock.Instant) {
	switch e.Kind {
	case client.Sending, client.Acked, client.Failed, client.Dropped:
		if e.ID&replyFlag != 0 {
			e.ID &^= replyFlag
			s.replies.recorder.Event(c, e, at)
			return
		}
	}
	s.sink.Event(c, e, at)
}
