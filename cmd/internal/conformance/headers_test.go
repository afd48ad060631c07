package conformance

import (
	"slices"
	"testing"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/cmd/internal/inprocess"
	"pushbench/scenarios"
	"pushbench/servers/wire"
)

// Heads are as long as they are to be, to the byte, whoever reads and writes them: of
// requests on every engine, of answers to polls and publications on every stack, held or not.
func TestHeadsAreFilledUp(t *testing.T) {
	const request, answer = 716, 193 // those of Lubbers and Greco
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachLibrary(t, func(t *testing.T, stack wire.Library) {
				t.Parallel()
				inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
					t.Parallel()
					server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: stack, Limits: wire.Limits{ResponseHeaderBytes: answer}})
					witness, traffic := clienttest.NewObserver(), new(client.Traffic)
					engine := newEngine(client.Config{
						Target: server.Addr, Transport: transport, Traffic: traffic, HeaderBytes: request,
						Interval: clienttest.Timeout / 1000, Pacing: scenarios.FixedRate, PollTimeout: clienttest.Timeout,
					})
					session := engine.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every), Publishes: true}, witness)
					witness.Await(t, "subscribe-ack", func(told []clienttest.Call) bool { return len(clienttest.Batches(told, 0)) >= 1 })
					for id := range uint32(3) {
						session.Publish(id, "a", []byte("x"))
						witness.Await(t, "message and acknowledgement", func(told []clienttest.Call) bool {
							return len(clienttest.Messages(told, 0)) == int(id)+1 && len(clienttest.Events(told, 0, client.Acked)) == int(id)+1
						})
					}
					session.Close()
					w := traffic.Snapshot()
					if asked := []int64{w.Requests, w.Requests - 1}; w.Up.Headers%request != 0 || !slices.Contains(asked, w.Up.Headers/request) { // a poll can break off as it is written
						t.Errorf("%d bytes of heads up in %d requests, want %d each", w.Up.Headers, w.Requests, request)
					}
					answers := w.Requests
					if stream, streamed := pushed[transport]; streamed {
						answers, w.Down.Headers = answers-1, w.Down.Headers-stream.head
					}
					unanswered := []int64{answers, answers - 1} // a poll may be under way
					if w.Down.Headers%answer != 0 || !slices.Contains(unanswered, w.Down.Headers/answer) {
						t.Errorf("%d bytes of heads down in %d answers, want %d each", w.Down.Headers, answers, answer)
					}
				})
			})
		})
	}
}
