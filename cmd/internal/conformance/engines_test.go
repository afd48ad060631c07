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

// The engines share no code that waits, reads or writes, so they check each other: of the
// same publications both deliver the same messages, in as many batches, requests and bytes.
// Heads are left out, as they name the server's address. That the engines are equally fast
// takes a quiet machine: see package timed.
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

// deliver publishes some messages, each when the one before has come, and says what one
// client of an engine made of them.
func deliver(t *testing.T, engine string, transport scenarios.Transport) string {
	server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference})
	witness, traffic := clienttest.NewObserver(), new(client.Traffic)
	e := inprocess.Engine(t, engine)(client.Config{Target: server.Addr, Transport: transport, Traffic: traffic, PollTimeout: clienttest.Timeout})
	session := e.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every)}, witness)
	t.Cleanup(session.Close)
	witness.Await(t, "subscribe-ack", func(told []clienttest.Call) bool { return len(clienttest.Batches(told, 0)) == 1 })
	const messages = 100
	for i := range messages {
		if _, err := server.Service.Publish("a", fmt.Appendf(nil, "message %d", i)); err != nil {
			t.Fatal(err)
		}
		witness.Await(t, "message", func(told []clienttest.Call) bool { return len(clienttest.Messages(told, 0)) == i+1 })
	}
	if transport == transports.LongPoll { // the poll after the last answer
		witness.Await(t, "last poll", func([]clienttest.Call) bool { return traffic.Snapshot().Polls == messages+2 })
	}
	var texts []string
	for _, m := range clienttest.Messages(witness.All(), 0) {
		texts = append(texts, fmt.Sprintf("%s#%d=%s", m.Topic, m.Seq, m.Data))
	}
	w := traffic.Snapshot()
	return fmt.Sprintf("%d batches, %d requests, %d dials, payload %d, envelope %d, framing %d down, payload %d, envelope %d, framing %d up; %v",
		len(clienttest.Batches(witness.All(), 0)), w.Requests, w.Dials, w.Down.Payload, w.Down.Envelope, w.Down.Framing, w.Up.Payload, w.Up.Envelope, w.Up.Framing, slices.Clip(texts))
}
