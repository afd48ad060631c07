package wire

import (
	"sync"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
)

// A Reason says why a feed ends.
type Reason uint8

// Why a feed ends.
const (
	Gone     Reason = iota // the peer is gone, or the connection is not usable any more
	Slow                   // the peer keeps up so badly that the policy closes it
	Shutdown               // the server shuts down
	Done                   // the edge ends the connection itself
)

// A Sink frames what a feed sends. Its methods are called one at a time and
// must not call the feed.
type Sink interface {
	Send(frame []byte) error // one write
	Beat() error             // says nothing but that the server is there: one write
	End(why Reason)          // called once, last: say goodbye, close
}

// A Feed pushes a subscription's batches into a connection that never waits:
// it has no goroutine and no queue. It writes when the hub wakes it, stops
// while the connection has something unsent, and goes on when that is drained.
type Feed struct {
	service  *Service
	cache    *Cache[[]byte]
	conn     *sock.Conn
	sink     Sink
	delivery hub.Delivery

	mu             sync.Mutex
	follow         *hub.Subscription
	cursor         hub.Cursor
	started        bool // Start is over
	caughtUp       bool // it has once caught up: a gap from now on is its own slowness
	ended          bool
	heartbeatTimer *time.Timer // of Limits.Heartbeat; nil before the first
}

// Start subscribes and sends what is there. The caller has sent the ack, if
// one is due, and set sub.After to its cursor; the connection's events come here
// through Ready.
func (f *Feed) Start(s *Service, cache *Cache[[]byte], conn *sock.Conn, sink Sink, sub *Subscribe) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.service, f.cache, f.conn, f.sink = s, cache, conn, sink
	f.cursor, f.delivery = sub.After, sub.Delivery
	f.follow = s.Hub.Subscribe(sub.Set, f)
	s.Count.Subscribers.Add(1)
	f.pump()
	f.restartHeartbeat()
	if s.Closing() { // Shutdown may have come before there was a subscription to end
		f.close(Shutdown)
	}
	f.started = true
}

// restart has the heartbeat wait for quiet from now on.
func (f *Feed) restartHeartbeat() {
	every := f.service.Limits.Heartbeat
	if every == 0 || f.ended {
		return
	}
	if f.heartbeatTimer == nil {
		f.heartbeatTimer = time.AfterFunc(every, f.heartbeat)
		return
	}
	f.heartbeatTimer.Reset(every)
}

// tick is the heartbeat. One that finds something unsent is not needed.
func (f *Feed) heartbeat() {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.ended:
		return
	case f.conn.Unsent():
	case f.sink.Beat() != nil:
		f.end(Gone)
		return
	}
	f.restartHeartbeat()
}

// Settled says that Start is over.
func (f *Feed) Settled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started
}

// Wake sends what is new. The hub calls it.
func (f *Feed) Wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pump()
}

// Ready takes the connection's events.
func (f *Feed) Ready(e sock.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.follow == nil: // Start is still to come, and finds out by itself
	case e&sock.Hangup != 0:
		f.end(Gone)
	case e&sock.Stalled != 0:
		f.end(Slow)
	case e&sock.Drained != 0:
		f.pump()
	}
}

// Shutdown sends what is there and ends the feed.
func (f *Feed) Shutdown() { f.Close(Shutdown) }

// Close ends the feed; at Shutdown it first sends what is there. Before Start
// it does nothing: Start looks for itself whether the server is closing.
func (f *Feed) Close(why Reason) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.follow != nil {
		f.close(why)
	}
}

func (f *Feed) close(why Reason) {
	if why == Shutdown {
		f.pump()
	}
	f.end(why)
}

// Exclusive runs write while the sink is not used, unless the feed has ended.
func (f *Feed) Exclusive(write func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil
	}
	return write()
}

// pump sends batches until there are none or one does not fit.
func (f *Feed) pump() {
	for !f.ended {
		if f.conn.Unsent() {
			return // Drained brings us back
		}
		b, err := f.cache.Next(&f.cursor, f.follow.Set(), f.delivery)
		switch {
		case err != nil: // cannot be: the cursor is the hub's own
			f.end(Gone)
		case b != nil:
			f.send(b)
		case f.follow.Arm(f.cursor):
			f.caughtUp = true
			return
		}
	}
}

func (f *Feed) send(b *Batch[[]byte]) {
	if b.Gaps > 0 && f.caughtUp && f.service.Limits.Slow == SlowClose {
		f.end(Slow)
		return
	}
	f.service.Count.Sent(b.Messages, b.Gaps) // first: who has read it may ask for the count
	if err := f.sink.Send(b.Frame); err != nil {
		f.end(Gone)
		return
	}
	f.cursor = b.Next
	f.restartHeartbeat()
}

func (f *Feed) end(why Reason) {
	if f.ended {
		return
	}
	f.ended = true
	if f.heartbeatTimer != nil {
		f.heartbeatTimer.Stop()
	}
	f.follow.Close()
	f.service.Count.Subscribers.Add(-1)
	if why == Slow {
		f.service.Count.SlowClosed.Add(1)
	}
	f.sink.End(why)
}
