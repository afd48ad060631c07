package generator

import (
	"sync"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/scenarios"
)

// A lobby is an engine whose sessions only know whether they are closed.
type lobby struct {
	client.Engine
	mu     sync.Mutex
	open   map[int]bool
	asked  []client.Subscription
	closed int
}

func (l *lobby) Open(sub client.Subscription, _ client.Sink) client.Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, sub)
	l.open[sub.Client] = true
	return guest{l, sub.Client}
}

type guest struct {
	in *lobby
	id int
}

func (guest) Publish(uint32, string, []byte) {}

func (g guest) Close() {
	g.in.mu.Lock()
	defer g.in.mu.Unlock()
	delete(g.in.open, g.id)
	g.in.closed++
}

// Who hears something is timed from when it was due to come; who does not counts as never having; all leave.
func TestVisitorsComeHearAndLeave(t *testing.T) {
	const clients = 2
	s := &scenarios.Scenario{
		Clients: scenarios.Clients{Count: clients}, Topics: scenarios.Topics{Count: 2, PerClient: 1, Spread: scenarios.Even},
		Publish: scenarios.Publish{By: scenarios.ByClients}, Servers: 1, Window: scenarios.Duration(time.Second),
	}
	l := &lobby{open: map[int]bool{}}
	d := &driver{scenario: s, plan: schedule.Of(s, nil), engine: l, recorders: []*record.Recorder{nil}, phases: []float64{0.1, 0.2}}
	v := newVisitors(d, 1)
	now := clock.Now()
	v.open(2, now, false) // in the warm-up
	for id := 3; id < 6; id++ {
		v.open(id, now, true)
	}
	if sub := l.asked[1]; sub.Topics[0] != "t0001" || sub.Client != 3 || sub.Publishes {
		t.Errorf("visitor 3 asked for %+v, want what client 1 does, and no way up", sub)
	}
	message := &client.Batch{Messages: []client.Message{{}}}
	v.Event(3, client.Event{Kind: client.Connected}, now.Add(2*time.Millisecond))
	v.Deliver(3, &client.Batch{Ack: true}, now.Add(2*time.Millisecond)) // no message yet
	v.Deliver(3, message, now.Add(40*time.Millisecond))
	v.Deliver(3, message, now.Add(90*time.Millisecond))
	v.Deliver(2, message, now.Add(time.Millisecond))
	v.Event(4, client.Event{Kind: client.Disconnected, Cause: "refused"}, now)
	if v.heard() {
		t.Error("all are said to have heard something")
	}
	v.end()
	v.open(6, now, true) // too late
	a := v.total()
	if a.Came != 3 || a.First.Histogram.Count() != 1 || a.First.Infinite != 2 || a.First.Independent != 3 || a.LostBy["refused"] != 1 {
		t.Errorf("%+v, want 3 that came, 1 that heard, 2 that did not, 1 refused", a)
	}
	if first := a.First.Histogram.Max(); first < 39*time.Millisecond || first > 41*time.Millisecond {
		t.Errorf("a first message after %v, want 40 ms", first)
	}
	if ready := a.Connect.Max(); a.Connect.Count() != 1 || ready < 1900*time.Microsecond || ready > 2100*time.Microsecond {
		t.Errorf("subscribed after %v, want 2 ms", ready)
	}
	if len(l.open) != 0 || l.closed != 4 {
		t.Errorf("%d sessions are open, %d were closed; want 0 and 4", len(l.open), l.closed)
	}
}
