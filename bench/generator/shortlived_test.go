package generator

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/scenarios"
)

// A fakeEngine only records which of its sessions are open.
type fakeEngine struct {
	client.Engine
	mu            sync.Mutex
	open          map[int]bool
	subscriptions []client.Subscription
	closed        int
}

func (e *fakeEngine) Open(sub client.Subscription, _ client.Sink) client.Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.subscriptions = append(e.subscriptions, sub)
	e.open[sub.Client] = true
	return fakeSession{e, sub.Client}
}

type fakeSession struct {
	engine *fakeEngine
	id     int
}

func (fakeSession) Publish(uint32, string, []byte) {}

func (s fakeSession) Close() {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	delete(s.engine.open, s.id)
	s.engine.closed++
}

// The time to the first message is measured from when the client was due. A client without a
// message counts as infinite. All sessions are closed.
func TestShortLivedClientsAreMeasured(t *testing.T) {
	const clients = 2
	s := &scenarios.Scenario{
		Clients: scenarios.Clients{Count: clients}, Topics: scenarios.Topics{Count: 2, PerClient: 1, Spread: scenarios.Even},
		Publish: scenarios.Publish{By: scenarios.ByClients}, Servers: 1, Window: scenarios.Duration(time.Second),
	}
	e := &fakeEngine{open: map[int]bool{}}
	d := &driver{scenario: s, plan: schedule.Of(s, nil), engine: e, recorders: []*record.Recorder{nil}, phases: []float64{0.1, 0.2}}
	v := newShortLivedClients(d, 1)
	now := clock.Now()
	v.open(2, now, false) // in the warm-up
	for id := 3; id < 6; id++ {
		v.open(id, now, true)
	}
	if sub := e.subscriptions[1]; sub.Topics[0] != "t0001" || sub.Client != 3 || sub.Publishes {
		t.Errorf("short-lived client 3 subscribes to %+v, want the topics of client 1, without publishing", sub)
	}
	message := &client.Batch{Messages: []client.Message{{}}}
	v.Event(3, client.Event{Kind: client.Connected}, now.Add(2*time.Millisecond))
	v.Deliver(3, &client.Batch{Ack: true}, now.Add(2*time.Millisecond)) // no message yet
	v.Deliver(3, message, now.Add(40*time.Millisecond))
	v.Deliver(3, message, now.Add(90*time.Millisecond))
	v.Deliver(2, message, now.Add(time.Millisecond))
	v.Event(4, client.Event{Kind: client.Disconnected, Cause: "refused"}, now)
	if v.settled() {
		t.Error("settled, although clients wait for a message")
	}
	v.end()
	v.open(6, now, true) // too late
	a := v.total()
	if a.Started != 3 || a.First.Histogram.Count() != 1 || a.First.Infinite != 2 || a.First.Independent != 3 || a.LostBy["refused"] != 1 {
		t.Errorf("%+v, want 3 clients, 1 with a message, 2 without, 1 refused", a)
	}
	if first := a.First.Histogram.Max(); first < 39*time.Millisecond || first > 41*time.Millisecond {
		t.Errorf("first message after %v, want 40 ms", first)
	}
	if ready := a.Connect.Max(); a.Connect.Count() != 1 || ready < 1900*time.Microsecond || ready > 2100*time.Microsecond {
		t.Errorf("subscribed after %v, want 2 ms", ready)
	}
	for i := range 1000 {
		v.clients[7] = &shortLivedClient{counts: true}
		v.Event(7, client.Event{Kind: client.Disconnected, Cause: fmt.Sprint(i)}, now)
	}
	if got := len(v.total().LostBy); got > 100 {
		t.Errorf("%d causes that a server wrote are counted separately", got)
	}
	if len(e.open) != 0 || e.closed != 4 {
		t.Errorf("%d sessions are open, %d were closed; want 0 and 4", len(e.open), e.closed)
	}
}
