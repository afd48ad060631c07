package conformance

import (
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	monotonic "pushbench/bench/clock"
	"pushbench/bench/relay"
	"pushbench/cmd/internal/inprocess"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// The contract must be met over a link: with a constant delay, and with a varying delay at a low
// rate. The smoke tests suffice for the constant delay.
func TestConformanceThroughALink(t *testing.T) {
	for _, c := range []struct {
		name   string
		link   client.Link
		amount suite
	}{
		{"10 ms", client.Link{RTT: 10 * time.Millisecond}, suite(!nightly)},
		{"2 ms, jitter and 5 MB per second", client.Link{RTT: 2 * time.Millisecond, Jitter: 4 * time.Millisecond, Rate: 5e6, Seed: 1}, all},
	} {
		t.Run(c.name, func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				run(t, c.amount, through(c.link, newEngine), inprocess.Server{Library: wire.Reference})
			})
		})
	}
}

// through puts a link between an engine's clients and the server.
func through(link client.Link, newEngine func(client.Config) client.Engine) func(client.Config) client.Engine {
	return func(c client.Config) client.Engine {
		c.Link = link
		return newEngine(c)
	}
}

// A remoteServer is a server, and an engine whose clients reach it through a link.
type remoteServer struct {
	*testing.T
	server   *inprocess.Server
	relay    *relay.Relay
	observer *clienttest.Observer
	traffic  client.Traffic
	engine   client.Engine
}

func newRemoteServer(t *testing.T, newEngine func(client.Config) client.Engine, c client.Config) *remoteServer {
	server := inprocess.Start(t, inprocess.Server{Transport: string(c.Transport), Library: wire.Reference})
	f := &remoteServer{T: t, server: server, relay: relayed(t, server.Addr), observer: clienttest.NewObserver()}
	c.Target, c.Traffic, c.PollTimeout = f.relay.Addr, &f.traffic, 25*time.Second
	f.engine = newEngine(c)
	return f
}

// open opens a client and waits until it is subscribed.
func (f *remoteServer) open(c int, publishes bool, topic string) client.Session {
	f.Helper()
	session := f.engine.Open(client.Subscription{Client: c, Worker: c % f.engine.Workers(), Topics: []string{topic}, Delivery: "every", Publishes: publishes}, f.observer)
	f.Cleanup(session.Close)
	f.observer.Await(f, "subscribe-ack", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, c)) > 0 })
	return session
}

// timesOf returns the instants of a client's events of one kind.
func (f *remoteServer) timesOf(c int, kind client.Kind) (all []monotonic.Instant) {
	for _, one := range f.observer.All() {
		if one.Client == c && one.Batch == nil && one.Event.Kind == kind {
			all = append(all, one.At)
		}
	}
	return all
}

const roundTrip = 20 * time.Millisecond

// Connecting takes one round trip, the first response another. A publication takes half
// a round trip to the server, and half of one from there to each subscriber.
func TestLinkDelaysEveryMessage(t *testing.T) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				f := newRemoteServer(t, newEngine, client.Config{Transport: transport, Interval: time.Millisecond, Pacing: scenarios.FixedRate, Link: client.Link{RTT: roundTrip}})
				author := f.open(0, true, "a")
				f.open(1, false, "a")
				for c := range 2 {
					s := clienttest.Events(f.observer.All(), c, client.Connected)[0].Stages
					if s.TCP < roundTrip || s.Response < 2*roundTrip || s.Ready < s.Response {
						t.Errorf("client %d: connection stages %+v, want at least 1, 2 and 2 round trips of %v", c, s, roundTrip)
					}
				}
				author.Publish(1, "a", []byte("x"))
				f.observer.Await(t, "message and acknowledgement", func(calls []clienttest.Call) bool {
					return len(clienttest.Messages(calls, 0)) == 1 && len(clienttest.Messages(calls, 1)) == 1 && len(clienttest.Events(calls, 0, client.Acked)) == 1
				})
				sent := f.timesOf(0, client.Sending)[0]
				if acked := f.timesOf(0, client.Acked)[0]; acked < sent.Add(roundTrip) {
					t.Errorf("acknowledged %v after it was sent, want at least %v", acked.Sub(sent), roundTrip)
				}
				for _, one := range f.observer.All() {
					if one.Batch != nil && len(one.Batch.Messages) > 0 && one.At < sent.Add(roundTrip) {
						t.Errorf("client %d received it %v after it was sent, want at least %v", one.Client, one.At.Sub(sent), roundTrip)
					}
				}
			})
		})
	}
}

// A poll takes one round trip; on a new connection it takes two.
func TestPollTakesItsRoundTrips(t *testing.T) {
	for _, c := range []struct {
		newConnection bool
		want          time.Duration
	}{{false, roundTrip}, {true, 2 * roundTrip}} {
		inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
			t.Parallel()
			f := newRemoteServer(t, newEngine, client.Config{
				Transport: transports.ShortPoll, Interval: time.Millisecond, Pacing: scenarios.FixedDelay,
				NewConnection: c.newConnection, Link: client.Link{RTT: roundTrip},
			})
			f.open(0, false, "a")
			f.observer.Await(t, "five polls", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, 0, client.Polled)) >= 5 })
			responses := f.timesOf(0, client.Polled)
			for i := range responses[1:] {
				if gap := responses[i+1].Sub(responses[i]); gap < c.want+time.Millisecond {
					t.Errorf("new connection %v: response %v after the previous one, want at least %v and the interval", c.newConnection, gap, c.want)
				}
			}
		})
	}
}

// Bytes in the link when a client closes are lost and not counted.
func TestBytesInLinkAreLostOnClose(t *testing.T) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				f := newRemoteServer(t, newEngine, client.Config{Transport: transport, Interval: time.Millisecond, Pacing: scenarios.FixedRate, Link: client.Link{RTT: 100 * time.Millisecond}})
				author := f.open(0, true, "a")
				for id := range uint32(5) {
					author.Publish(id, "a", []byte("never received"))
				}
				author.Close()
				awaitBytes(t, f.relay, &f.traffic)
				w := f.traffic.Snapshot()
				for _, d := range []results.Direction{w.Up, w.Down} {
					if parts := d.Payload + d.Envelope + d.Framing + d.Headers; parts != d.Bytes || min(d.Payload, d.Envelope, d.Framing, d.Headers) < 0 {
						t.Errorf("%+v, want parts that add up, none negative", d)
					}
				}
				if w.Requests != f.relay.Requests() {
					t.Errorf("%d requests counted, the relay saw %d", w.Requests, f.relay.Requests())
				}
			})
		})
	}
}
