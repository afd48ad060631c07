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

// Headers must have the configured length to the byte: those of requests on every engine, and
// those of responses to polls (waiting or immediate) and publications on every library.
func TestHeadersArePadded(t *testing.T) {
	const request, response = 716, 193 // the values of Lubbers and Greco
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachLibrary(t, func(t *testing.T, library wire.Library) {
				t.Parallel()
				inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
					t.Parallel()
					server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: library, Limits: wire.Limits{ResponseHeaderBytes: response}})
					observer, traffic := clienttest.NewObserver(), new(client.Traffic)
					engine := newEngine(client.Config{
						Target: server.Addr, Transport: transport, Traffic: traffic, HeaderBytes: request,
						Interval: clienttest.Timeout / 1000, Pacing: scenarios.FixedRate, PollTimeout: clienttest.Timeout,
					})
					session := engine.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every), Publishes: true}, observer)
					observer.Await(t, "subscribe-ack", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, 0)) >= 1 })
					for id := range uint32(3) {
						session.Publish(id, "a", []byte("x"))
						observer.Await(t, "message and acknowledgement", func(calls []clienttest.Call) bool {
							return len(clienttest.Messages(calls, 0)) == int(id)+1 && len(clienttest.Events(calls, 0, client.Acked)) == int(id)+1
						})
					}
					session.Close()
					w := traffic.Snapshot()
					if written := []int64{w.Requests, w.Requests - 1}; w.Up.Headers%request != 0 || !slices.Contains(written, w.Up.Headers/request) { // closing may interrupt the write of a poll
						t.Errorf("%d bytes of headers up in %d requests, want %d each", w.Up.Headers, w.Requests, request)
					}
					responses := w.Requests
					if stream, streamed := heartbeats[transport]; streamed {
						responses, w.Down.Headers = responses-1, w.Down.Headers-stream.header
					}
					received := []int64{responses, responses - 1} // a poll may be in progress
					if w.Down.Headers%response != 0 || !slices.Contains(received, w.Down.Headers/response) {
						t.Errorf("%d bytes of headers down in %d responses, want %d each", w.Down.Headers, responses, response)
					}
				})
			})
		})
	}
}
