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

// answers has each client answer each message, and the backend, which stands beside the
// server, hear it: by a webhook, whatever the transport, so that it is told alike by all.
type answers struct {
	plan     *schedule.Schedule // of answers, which have the indexes of what they answer
	run      uint32
	book     *record.Book
	recorder *record.Recorder // the backend's
	engine   client.Engine
	backend  client.Session
	traffic  client.Traffic // of the backend: no part of what the transport costs

	session  func(client int32) client.Session
	answered []atomic.Bool // by index: a message that comes twice is answered once
	asked    chan toAnswer
	over     chan struct{}
	working  sync.WaitGroup
	ending   sync.Once
}

// toAnswer is a message that a client has.
type toAnswer struct {
	client int32
	index  uint32
}

// newAnswers gives the driver's sinks what it takes to answer.
func newAnswers(d *driver, config client.Config, run uint32) *answers {
	a := &answers{plan: d.plan.Replies(scenarios.ReplyTopic, int(d.scenario.Replies.Size)), run: run, session: d.session, over: make(chan struct{})}
	a.answered = make([]atomic.Bool, len(a.plan.Messages))
	a.asked = make(chan toAnswer, len(a.plan.Messages)) // each at most once: who tells it never waits
	a.book = record.NewBook(a.plan, d.scenario, transports.Webhook, run)
	a.recorder = record.NewRecorder(a.book, []int{0})
	host, _, _ := net.SplitHostPort(config.Target) // what it is not is refused when it is dialled
	a.engine = goroutine.New(client.Config{
		Target: config.Target, Transport: transports.Webhook, Traffic: &a.traffic, TLS: config.TLS, InBackendNamespace: config.InBackendNamespace,
		Receive: func(int) (listen, known string) { return net.JoinHostPort(host, "0"), "" },
	})
	for w, s := range d.sinks {
		d.sinks[w] = &answering{sink: s, answers: a}
	}
	return a
}

// open has the backend listen, and the clients' answers begin.
func (a *answers) open() {
	a.backend = a.engine.Open(client.Subscription{Topics: a.plan.Topics, Delivery: string(scenarios.Every), AtServer: true}, a.recorder)
	a.working.Go(a.answer)
}

// answer publishes what is asked for. It is a goroutine of its own, as a sink may call no session.
func (a *answers) answer() {
	var data []byte
	for {
		select {
		case <-a.over:
			return
		case one := <-a.asked:
			data = payload.Append(data[:0], a.run, one.index, int(a.plan.Messages[one.index].Size))
			a.session(one.client).Publish(one.index|answerID, scenarios.ReplyTopic, data)
		}
	}
}

// answerID tells the publication of an answer from that of a message: a plan has fewer.
const answerID = 1 << 31

// end ends the answering; what the backend has heard by then counts.
func (a *answers) end() {
	a.ending.Do(func() {
		close(a.over)
		a.working.Wait()
		if a.backend != nil {
			a.backend.Close()
		}
		a.engine.Close()
	})
}

// account is what came of it. Call it after end.
func (a *answers) account() (all results.Replies) {
	all.Ledger, all.Latency = a.recorder.Close()
	all.Latency.Independent = all.Ledger.Expected
	return all
}

// answering is a sink that has its clients answer.
type answering struct {
	sink
	answers *answers
}

// Deliver passes a batch on, and has its messages answered.
func (s *answering) Deliver(c int, b *client.Batch, at clock.Instant) {
	s.sink.Deliver(c, b, at)
	for i := range b.Messages {
		run, index, err := payload.Parse(b.Messages[i].Data)
		if err == nil && run == s.answers.run && int(index) < len(s.answers.answered) && s.answers.answered[index].CompareAndSwap(false, true) {
			s.answers.asked <- toAnswer{int32(c), index}
		}
	}
}

// Event tells answers' outcomes from messages'.
func (s *answering) Event(c int, e client.Event, at clock.Instant) {
	switch e.Kind {
	case client.Sending, client.Acked, client.Failed, client.Dropped:
		if e.ID&answerID != 0 {
			e.ID &^= answerID
			s.answers.recorder.Event(c, e, at)
			return
		}
	}
	s.sink.Event(c, e, at)
}
