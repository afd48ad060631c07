package conformance

import (
	"slices"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/cmd/internal/inprocess"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// pushed are the transports that a server can be quiet on for ever, with the bytes of the
// answer's head, of a heartbeat and of what a client says to one.
var pushed = map[scenarios.Transport]struct{ head, down, up int64 }{
	transports.SSE:        {head: 142, down: 8},
	transports.HTTPStream: {head: 145, down: 6},
	transports.WebSocket:  {head: 129, down: 2, up: 6},
}

func TestEveryStreamIsPushed(t *testing.T) {
	for _, transport := range transports.Names[scenarios.Transport](func(t transports.Transport) bool { return t.Streams }) {
		if pushed[transport].head == 0 {
			t.Errorf("%s: its heartbeats are not tested", transport)
		}
	}
}

// Beats are heard, counted as what they are, and answered where that is asked for: a
// client that waits for a while, though not for ever, keeps a connection on which
// nothing else comes.
func TestHeartbeats(t *testing.T) {
	const every, beats = 50 * time.Millisecond, 8
	for transport, beat := range pushed {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference, Limits: wire.Limits{Heartbeat: every}})
				witness, traffic := clienttest.NewObserver(), new(client.Traffic)
				engine := newEngine(client.Config{Target: server.Addr, Transport: transport, Traffic: traffic, ReadTimeout: clienttest.Timeout})
				session := engine.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every)}, witness)
				defer session.Close()
				witness.Await(t, "subscribe-ack", func(told []clienttest.Call) bool { return len(clienttest.Batches(told, 0)) == 1 })
				from := traffic.Snapshot()
				limit := time.After(clienttest.Timeout)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					now := traffic.Snapshot()
					heard, answered := now.Down.Framing-from.Down.Framing, now.Up.Framing-from.Up.Framing
					if heard >= beats*beat.down && answered >= beats*beat.up {
						if heard%beat.down != 0 || beat.up > 0 && answered%beat.up != 0 || beat.up == 0 && answered != 0 {
							t.Errorf("%d bytes came and %d went up, in beats of %d and %d", heard, answered, beat.down, beat.up)
						}
						break
					}
					select {
					case <-tick.C:
					case <-limit:
						t.Fatalf("%d bytes came and %d went up, want %d beats", heard, answered, beats)
					}
				}
				if lost := clienttest.Events(witness.All(), 0, client.Disconnected); len(lost) > 0 {
					t.Errorf("the connection was lost: %+v", lost)
				}
			})
		})
	}
}

// A client that hears nothing for its patience takes the connection for dead and comes
// back with its cursor: what was sent meanwhile is late, and not lost.
func TestSilenceEndsAConnection(t *testing.T) {
	const patience = 200 * time.Millisecond
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference, Limits: wire.Limits{Heartbeat: patience / 8}})
				relay := relayed(t, server.Addr)
				witness := clienttest.NewObserver()
				engine := newEngine(client.Config{
					Target: relay.Addr, Transport: transport, Traffic: new(client.Traffic), ReadTimeout: patience,
					Interval: patience / 8, Pacing: scenarios.FixedRate, PollTimeout: patience / 8,
				})
				session := engine.Open(client.Subscription{Topics: []string{"a"}, Delivery: string(scenarios.Every)}, witness)
				defer session.Close()
				witness.Await(t, "subscribe-ack", func(told []clienttest.Call) bool { return len(clienttest.Batches(told, 0)) >= 1 })
				relay.Mute()
				silent := func(told []clienttest.Call) bool {
					return slices.ContainsFunc(clienttest.Events(told, 0, client.Disconnected), func(e client.Event) bool { return e.Cause == client.ErrSilent.Error() })
				}
				witness.Await(t, "end of the patience", silent)
				if _, err := server.Service.Publish("a", []byte("meanwhile")); err != nil {
					t.Fatal(err)
				}
				witness.Await(t, "what was sent meanwhile", func(told []clienttest.Call) bool { return len(clienttest.Messages(told, 0)) == 1 })
			})
		})
	}
}
