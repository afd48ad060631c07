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

// The contract holds whatever lies between: a distance, or one that varies, on a
// thin line. Whatever breaks at a constant distance breaks in the few cases.
func TestConformanceThroughALink(t *testing.T) {
	for _, c := range []struct {
		name   string
		link   client.Link
		amount amount
	}{
		{"10 ms", client.Link{RTT: 10 * time.Millisecond}, amount(!whole)},
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

// through puts a link before the clients of an engine.
func through(link client.Link, newEngine func(client.Config) client.Engine) func(client.Config) client.Engine {
	return func(c client.Config) client.Engine {
		c.Link = link
		return newEngine(c)
	}
}

// A farther is a server, and an engine whose clients are far from it.
type farther struct {
	*testing.T
	server  *inprocess.Server
	relay   *relay.Relay
	witness *clienttest.Observer
	traffic client.Traffic
	engine  client.Engine
}

func newFarther(t *testing.T, newEngine func(client.Config) client.Engine, c client.Config) *farther {
	server := inprocess.Start(t, inprocess.Server{Transport: string(c.Transport), Library: wire.Reference})
	f := &farther{T: t, server: server, relay: relayed(t, server.Addr), witness: clienttest.NewObserver()}
	c.Target, c.Traffic, c.PollTimeout = f.relay.Addr, &f.traffic, 25*time.Second
	f.engine = newEngine(c)
	return f
}

// open opens a client and waits until it is subscribed.
func (f *farther) open(c int, publishes bool, topic string) client.Session {
	f.Helper()
	session := f.engine.Open(client.Subscription{Client: c, Worker: c % f.engine.Workers(), Topics: []string{topic}, Delivery: "every", Publishes: publishes}, f.witness)
	f.Cleanup(session.Close)
	f.witness.Await(f, "subscribe-ack", func(told []clienttest.Call) bool { return len(clienttest.Batches(told, c)) > 0 })
	return session
}

// when are the instants at which a client was told events of a kind.
func (f *farther) when(c int, kind client.Kind) (all []monotonic.Instant) {
	for _, one := range f.witness.All() {
		if one.Client == c && one.Batch == nil && one.Event.Kind == kind {
			all = append(all, one.At)
		}
	}
	return all
}

const roundTrip = 20 * time.Millisecond

// Connecting takes a round trip, the first answer another; a publication takes half
// of one to the server, and half of one from there to whoever is subscribed.
func TestNothingIsFasterThanTheLink(t *testing.T) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				f := newFarther(t, newEngine, client.Config{Transport: transport, Interval: time.Millisecond, Pacing: scenarios.FixedRate, Link: client.Link{RTT: roundTrip}})
				author := f.open(0, true, "a")
				f.open(1, false, "a")
				for c := range 2 {
					s := clienttest.Events(f.witness.All(), c, client.Connected)[0].Stages
					if s.TCP < roundTrip || s.Response < 2*roundTrip || s.Ready < s.Response {
						t.Errorf("client %d connected by %+v, want at least 1, 2 and 2 round trips of %v", c, s, roundTrip)
					}
				}
				author.Publish(1, "a", []byte("x"))
				f.witness.Await(t, "message and acknowledgement", func(told []clienttest.Call) bool {
					return len(clienttest.Messages(told, 0)) == 1 && len(clienttest.Messages(told, 1)) == 1 && len(clienttest.Events(told, 0, client.Acked)) == 1
				})
				sent := f.when(0, client.Sending)[0]
				if acked := f.when(0, client.Acked)[0]; acked < sent.Add(roundTrip) {
					t.Errorf("acknowledged %v after it was sent, want at least %v", acked.Sub(sent), roundTrip)
				}
				for _, one := range f.witness.All() {
					if one.Batch != nil && len(one.Batch.Messages) > 0 && one.At < sent.Add(roundTrip) {
						t.Errorf("client %d has it %v after it was sent, want at least %v", one.Client, one.At.Sub(sent), roundTrip)
					}
				}
			})
		})
	}
}

// A poll takes a round trip; on a connection of its own it takes two.
func TestAPollTakesItsRoundTrips(t *testing.T) {
	for _, c := range []struct {
		anew bool
		want time.Duration
	}{{false, roundTrip}, {true, 2 * roundTrip}} {
		inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
			t.Parallel()
			f := newFarther(t, newEngine, client.Config{
				Transport: transports.ShortPoll, Interval: time.Millisecond, Pacing: scenarios.FixedDelay,
				NewConnection: c.anew, Link: client.Link{RTT: roundTrip},
			})
			f.open(0, false, "a")
			f.witness.Await(t, "five polls", func(told []clienttest.Call) bool { return len(clienttest.Events(told, 0, client.Polled)) >= 5 })
			answered := f.when(0, client.Polled)
			for i := range answered[1:] {
				if gap := answered[i+1].Sub(answered[i]); gap < c.want+time.Millisecond {
					t.Errorf("new connection %v: an answer %v after the one before, want at least %v and the interval", c.anew, gap, c.want)
				}
			}
		})
	}
}

// What is in the link when a client closes is lost, and counted nowhere.
func TestWhatIsInTheLinkIsLostWithItsConnection(t *testing.T) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
				t.Parallel()
				f := newFarther(t, newEngine, client.Config{Transport: transport, Interval: time.Millisecond, Pacing: scenarios.FixedRate, Link: client.Link{RTT: 100 * time.Millisecond}})
				author := f.open(0, true, "a")
				for id := range uint32(5) {
					author.Publish(id, "a", []byte("never heard of"))
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
