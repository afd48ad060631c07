package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/cmd/internal/inprocess"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// heartbeats has the transports with heartbeats, with the bytes of the response's
// headers, of a heartbeat and of the client's response to it.
var heartbeats = map[scenarios.Transport]struct{ header, down, up int64 }{
	transports.SSE:        {header: 179, down: 8},
	transports.HTTPStream: {header: 182, down: 6},
	transports.WebSocket:  {header: 129, down: 2, up: 6},
}

func TestEveryStreamHasHeartbeats(t *testing.T) {
	for _, transport := range transports.Names[scenarios.Transport](func(t transports.Transport) bool { return t.Streams }) {
		if heartbeats[transport].header == 0 {
			t.Errorf("%s: no test of its heartbeats", transport)
		}
	}
}

// Heartbeats are received, counted as framing, and receive a response if the transport requires
// one: a client with a read timeout keeps a connection that carries only heartbeats.
func TestHeartbeats(t *testing.T) {
	const every, count = 50 * time.Millisecond, 8
	for transport, one := range heartbeats {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference, Limits: wire.Limits{Heartbeat: every}})
				observer, traffic := clienttest.NewObserver(), new(client.Traffic)
				engine := newEngine(client.Config{Target: server.Addr, Transport: transport, Traffic: traffic, ReadTimeout: clienttest.Timeout})
				session := engine.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every)}, observer)
				defer session.Close()
				observer.Await(t, "subscribe-ack", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, 0)) == 1 })
				from := traffic.Snapshot()
				limit := time.After(clienttest.Timeout)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					now := traffic.Snapshot()
					received, sent := now.Down.Framing-from.Down.Framing, now.Up.Framing-from.Up.Framing
					if received >= count*one.down && sent >= count*one.up {
						if received%one.down != 0 || one.up > 0 && sent%one.up != 0 || one.up == 0 && sent != 0 {
							t.Errorf("%d bytes down and %d up, want multiples of %d and %d", received, sent, one.down, one.up)
						}
						break
					}
					select {
					case <-tick.C:
					case <-limit:
						t.Fatalf("%d bytes down and %d up, want %d heartbeats", received, sent, count)
					}
				}
				if lost := clienttest.Events(observer.All(), 0, client.Disconnected); len(lost) > 0 {
					t.Errorf("the connection was lost: %+v", lost)
				}
			})
		})
	}
}

// A client that receives nothing within its read timeout reconnects with its cursor:
// messages sent in the meantime are late, but not lost. Its own data may still arrive, or not.
func TestReadTimeoutReconnects(t *testing.T)    { readTimeoutReconnects(t, false) }
func TestPartitionedClientResumes(t *testing.T) { readTimeoutReconnects(t, true) }

func readTimeoutReconnects(t *testing.T, both bool) {
	const timeout = 200 * time.Millisecond
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference, Limits: wire.Limits{Heartbeat: timeout / 8}})
				relay := relayed(t, server.Addr)
				observer := clienttest.NewObserver()
				engine := newEngine(client.Config{
					Target: relay.Addr, Transport: transport, Traffic: new(client.Traffic), ReadTimeout: timeout,
					Interval: timeout / 8, Pacing: scenarios.FixedRate, PollTimeout: timeout / 8,
				})
				session := engine.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every)}, observer)
				defer session.Close()
				observer.Await(t, "subscribe-ack", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, 0)) >= 1 })
				relay.Mute(both)
				silent := func(calls []clienttest.Call) bool {
					return slices.ContainsFunc(clienttest.Events(calls, 0, client.Disconnected), func(e client.Event) bool { return e.Cause == client.ErrSilent.Error() })
				}
				observer.Await(t, "read timeout", silent)
				if _, err := server.Service.Publish("a", []byte("in the meantime")); err != nil {
					t.Fatal(err)
				}
				observer.Await(t, "message sent in the meantime", func(calls []clienttest.Call) bool { return len(clienttest.Messages(calls, 0)) == 1 })
			})
		})
	}
}

// A client whose connection is reset in the middle of a message delivers nothing of it, and receives it once, after it has
// reconnected with its cursor.
func TestResetInAMessageLosesNothing(t *testing.T) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference})
				relay := relayed(t, server.Addr)
				observer := clienttest.NewObserver()
				const interval = 20 * time.Millisecond
				engine := newEngine(client.Config{
					Target: relay.Addr, Transport: transport, Traffic: new(client.Traffic), ReadTimeout: clienttest.Timeout,
					Interval: interval, Pacing: scenarios.FixedRate, PollTimeout: clienttest.Timeout,
				})
				session := engine.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every)}, observer)
				defer session.Close()
				observer.Await(t, "subscribe-ack", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, 0)) >= 1 })
				relay.ResetAfter(40)
				text := strings.Repeat("message ", 20)
				if _, err := server.Service.Publish("a", []byte(text)); err != nil {
					t.Fatal(err)
				}
				if _, err := server.Service.Publish("a", []byte("the next")); err != nil {
					t.Fatal(err)
				}
				observer.Await(t, "both messages", func(calls []clienttest.Call) bool { return len(clienttest.Messages(calls, 0)) >= 2 })
				if got := clienttest.Messages(observer.All(), 0); len(got) != 2 || string(got[0].Data) != text {
					t.Errorf("received %d messages, want each of two once: %+v", len(got), got)
				}
				if len(clienttest.Events(observer.All(), 0, client.Disconnected)) == 0 {
					t.Error("the connection was not reset")
				}
			})
		})
	}
}
