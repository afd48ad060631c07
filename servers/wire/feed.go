package wire

import (
	"math"
	"sync"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
)

// A Reason is the reason for the end of a feed.
type Reason uint8

// The reasons for the end of a feed.
const (
	Gone     Reason = iota // the peer has disconnected, or the connection is unusable
	Slow                   // the peer is so slow that the policy closes the connection
	Shutdown               // the server shuts down
	Done                   // the edge ends the connection itself
)

// A Sink writes the frames of a feed. Its methods are called sequentially and
// must not call the feed.
type Sink interface {
	Send(frame []byte) error // one write
	Beat() error             // sends a heartbeat: one write
	End(why Reason)          // called once, last: end the stream, close
}

// A Feed pushes a subscription's batches into a connection whose writes never block:
// it has no goroutine and no queue. It writes when the hub wakes it, stops
// while the connection has unsent bytes, and continues when they are drained.
type Feed struct {
	service  *Service
	cache    *Cache[[]byte]
	conn     *sock.Conn
	sink     Sink
	delivery hub.Delivery

	mu             sync.Mutex
	follow         *hub.Subscription
	cursor         hub.Cursor
	started        bool // Start has returned
	caughtUp       bool // it has caught up once: later gaps are due to a slow peer
	ended          bool
	queued         bool        // a worker will call pump
	heartbeatTimer *time.Timer // of Limits.Heartbeat; nil before the first
}

// Start subscribes and sends the available messages. The caller has sent the ack, if
// one is due, and set sub.After to its cursor; Ready receives the connection's events.
func (f *Feed) Start(s *Service, cache *Cache[[]byte], conn *sock.Conn, sink Sink, sub *Subscribe) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.service, f.cache, f.conn, f.sink = s, cache, conn, sink
	f.cursor, f.delivery = sub.After, sub.Delivery
	f.follow = s.Hub.Subscribe(sub.Set, f)
	s.Count.Subscribers.Add(1)
	f.pump(pumpBytes)
	f.restartHeartbeat()
	if s.Closing() { // Shutdown may have been called before there was a subscription to end
		f.close(Shutdown)
	}
	f.started = true
}

// restartHeartbeat restarts the heartbeat interval.
func (f *Feed) restartHeartbeat() {
	every := f.service.Limits.Heartbeat
	if every == 0 || f.ended {
		return
	}
	if f.heartbeatTimer == nil {
		f.heartbeatTimer = time.AfterFunc(every, func() { f.service.GuardSubscription(f, f.heartbeat) })
		return
	}
	f.heartbeatTimer.Reset(every)
}

// heartbeat sends a heartbeat, unless there are unsent bytes.
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

// Settled reports whether Start has returned.
func (f *Feed) Settled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started
}

// Wake sends new messages. The hub calls it.
func (f *Feed) Wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pump(pumpBytes)
}

// Work continues a pump that was long.
func (f *Feed) Work() {
	f.service.Poller.Poll() // connections with new events are served first
	f.service.GuardSubscription(f, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.queued = false
		f.pump(pumpBytes)
	})
}

// Ready handles the connection's events.
func (f *Feed) Ready(e sock.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.follow == nil: // Start has not been called; it checks the connection itself
	case e&sock.Hangup != 0:
		f.end(Gone)
	case e&sock.Stalled != 0:
		f.end(Slow)
	case e&sock.Drained != 0:
		f.pump(pumpBytes)
	}
}

// Shutdown sends the available messages and ends the feed.
func (f *Feed) Shutdown() { f.Close(Shutdown) }

// Close ends the feed; at Shutdown it first sends the available messages. Before Start
// it does nothing: Start checks whether the server is closing.
func (f *Feed) Close(why Reason) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.follow != nil {
		f.close(why)
	}
}

// Fail ends the feed after a panic.
func (f *Feed) Fail() { f.Close(Gone) }

func (f *Feed) close(why Reason) {
	if why == Shutdown {
		f.pump(math.MaxInt)
	}
	f.end(why)
}

// Exclusive runs write while the feed does not use the sink, unless the feed has ended.
func (f *Feed) Exclusive(write func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil
	}
	return write()
}

// pumpBytes is how much a pump sends before the other connections have their turn: a subscriber that reads as fast as
// the server sends could otherwise keep the goroutine of a shard, or of the poller, for hundreds of megabytes.
const pumpBytes = 64 << 10

// pump sends batches until there are none, one does not fit, or they have limit bytes.
func (f *Feed) pump(limit int) {
	for sent := 0; !f.ended; {
		if f.conn.Unsent() {
			return // Drained calls pump again
		}
		if sent >= limit {
			if !f.queued {
				f.queued = true
				f.service.Poller.Work(f)
			}
			return
		}
		b, err := f.cache.Next(&f.cursor, f.follow.Set(), f.delivery)
		switch {
		case err != nil: // cannot happen: the cursor is the hub's own
			f.end(Gone)
		case b != nil:
			f.send(b)
			sent += b.bytes
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
	f.service.Count.Sent(b.Messages, b.Gaps) // first: a client that has read the batch may request the count
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
