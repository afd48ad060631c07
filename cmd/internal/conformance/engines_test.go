package conformance

import (
	"fmt"
	"slices"
	"testing"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/client/engines"
	"pushbench/cmd/internal/inprocess"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// The engines share no code that waits, reads or writes, so they check each other: for the
// same publications both deliver the same messages, in the same number of batches, requests and
// bytes. Headers are excluded, because they contain the server's address. A test of equal speed
// requires a quiet machine: see package timed.
func TestEnginesDeliverAndCountTheSame(t *testing.T) {
	for _, transport := range transports.Names[scenarios.Transport](func(t transports.Transport) bool { return t.Batches }) {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			var first string
			for _, engine := range engines.Names() {
				got := deliver(t, engine, transport)
				if first == "" {
					first = got
				}
				if got != first {
					t.Errorf("engine %s: got %s\nengine %s: got %s\nwant the same", engines.Names()[0], first, engine, got)
				}
			}
		})
	}
}

// deliver publishes some messages, each after the previous one was delivered, and returns the
// counts and messages of one client of an engine.
func deliver(t *testing.T, engine string, transport scenarios.Transport) string {
	server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference})
	observer, traffic := clienttest.NewObserver(), new(client.Traffic)
	e := inprocess.Engine(t, engine)(client.Config{Target: server.Addr, Transport: transport, Traffic: traffic, PollTimeout: clienttest.Timeout})
	session := e.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every)}, observer)
	t.Cleanup(session.Close)
	observer.Await(t, "subscribe-ack", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, 0)) == 1 })
	const messages = 100
	for i := range messages {
		if _, err := server.Service.Publish("a", fmt.Appendf(nil, "message %d", i)); err != nil {
			t.Fatal(err)
		}
		observer.Await(t, "message", func(calls []clienttest.Call) bool { return len(clienttest.Messages(calls, 0)) == i+1 })
	}
	if transport == transports.LongPoll { // the poll after the last response
		observer.Await(t, "last poll", func([]clienttest.Call) bool { return traffic.Snapshot().Polls == messages+2 })
	}
	var texts []string
	for _, m := range clienttest.Messages(observer.All(), 0) {
		texts = append(texts, fmt.Sprintf("%s#%d=%s", m.Topic, m.Seq, m.Data))
	}
	w := traffic.Snapshot()
	return fmt.Sprintf("%d batches, %d requests, %d dials, payload %d, envelope %d, framing %d down, payload %d, envelope %d, framing %d up; %v",
		len(clienttest.Batches(observer.All(), 0)), w.Requests, w.Dials, w.Down.Payload, w.Down.Envelope, w.Down.Framing, w.Up.Payload, w.Up.Envelope, w.Up.Framing, slices.Clip(texts))
}
