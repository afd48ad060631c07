package longpoll

import (
	"sync"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// A phase is the owner of a client's connection.
//
//	serving --poll without a message--> entering --> parked --response--> serving
//	   |                                               |
//	   +---- closed, disconnected or too slow: closed -+
type phase uint8

const (
	serving  phase = iota // the HTTP library, or the poller between two requests
	entering              // in transfer from the library to this package
	parked                // this package: a poll is waiting
	closed                // none
)

// A client is a polling connection. Its subscription lasts from poll to poll,
// armed only while a poll is waiting.
type client struct {
	edge *edge
	conn *sock.Conn

	mu          sync.Mutex
	phase       phase
	taken       httpstack.Taken
	follow      *hub.Subscription // nil before the first waiting poll
	cursor      hub.Cursor
	delivery    hub.Delivery
	origin      string      // of the page of another site that may read the response
	last        bool        // the connection ends with this response
	deadline    time.Time   // of the waiting poll
	timer       *time.Timer // fires at deadline, without effect if no poll is waiting; nil before the first waiting poll
	respondedAt time.Time   // when the last response was written; zero before
}

// recordPoll records that the connection's next poll has arrived, which ends its re-poll gap.
func (c *client) recordPoll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.respondedAt.IsZero() {
		gap := int64(time.Since(c.respondedAt))
		c.edge.service.Count.RepollGaps.Do(func(g *wire.RepollGaps) {
			g.Count++
			g.SumNs += gap
			g.MaxNs = max(g.MaxNs, gap)
		})
	}
}

func (c *client) recordResponse(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.respondedAt = at
}

// enter records that the connection is in transfer to park.
func (c *client) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == serving {
		c.phase = entering
	}
}

// Settled reports whether the connection is not in transfer.
func (c *client) Settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase != entering
}

// park makes a poll wait. It arms the subscription before it checks the log again, so that
// no message published in the meantime is missed.
func (c *client) park(taken httpstack.Taken, sub *wire.Subscribe, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscribe(sub.Set)
	c.phase, c.taken, c.cursor, c.delivery, c.origin, c.last = parked, taken, sub.After, sub.Delivery, sub.Origin, last
	c.edge.service.Count.WaitingPolls.Add(1)
	c.conn.Handle(c)
	c.deadline = time.Now().Add(sub.Wait)
	if c.timer == nil {
		c.timer = time.AfterFunc(sub.Wait, func() { c.edge.service.GuardSubscription(c, c.expire) })
	} else {
		c.timer.Reset(sub.Wait)
	}
	if c.conn.Watch(sock.Hangup) != 0 {
		c.abort()
		return
	}
	c.check()
	if c.phase == parked && c.edge.service.Closing() {
		c.respond()
	}
}

// subscribe follows a set; most polls request the set of the previous poll.
func (c *client) subscribe(set *hub.TopicSet) {
	switch {
	case c.follow == nil:
		c.edge.service.Count.Subscribers.Add(1)
	case c.follow.Set() == set:
		return
	default:
		c.follow.Close()
	}
	c.follow = c.edge.service.Hub.Subscribe(set, c)
}

// Wake responds to the waiting poll if the log has something for it. The hub calls it.
func (c *client) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == parked {
		c.check()
	}
}

// check responds if there is something, else arms; c.mu is held.
func (c *client) check() {
	for !c.follow.Arm(c.cursor) {
		if b := c.next(); b != nil {
			c.write(b)
			return
		}
	}
}

func (c *client) next() *wire.Batch[*httpstack.Poll] {
	b, err := c.edge.polls.Next(&c.cursor, c.follow.Set(), c.delivery)
	if err != nil { // cannot happen: the cursor was checked when the poll arrived
		return nil
	}
	return b
}

// respond ends the wait with the available messages, or with 204.
func (c *client) respond() {
	if b := c.next(); b != nil {
		c.write(b)
		return
	}
	c.edge.service.Count.EmptyResponses.Add(1)
	c.finish(c.edge.service.HTTP.AppendResponse(nil, c.finalize(c.edge.service.NoContent())))
}

// write responds with a batch, in the same bytes as for all other clients.
func (c *client) write(b *wire.Batch[*httpstack.Poll]) {
	c.edge.service.Count.Sent(b.Messages, b.Gaps)
	if r := c.finalize(c.edge.service.Batch(b.Frame.Body)); r.Close || r.Origin != "" {
		c.finish(c.edge.service.HTTP.AppendResponse(nil, r))
		return
	}
	c.finish(c.edge.service.HTTP.WholePoll(b.Frame))
}

func (c *client) finalize(r httpstack.Response) httpstack.Response {
	r.Close = r.Close || c.last
	c.last, r.Origin = r.Close, c.origin
	return r
}

// finish writes a response and returns the connection to the library.
func (c *client) finish(response []byte) {
	c.follow.Disarm()
	c.edge.service.Count.WaitingPolls.Add(-1)
	c.phase = serving
	_, err := c.conn.Write(response)
	if err != nil || c.last {
		c.release()
		_ = c.conn.Close() // the peer has its response, and an error has no recipient
		return
	}
	c.respondedAt = time.Now()
	c.taken.Resume()
}

// Ready handles the connection's events while a poll is waiting.
func (c *client) Ready(e sock.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e&sock.Stalled != 0 { // the unsent bytes belong to an earlier response
		c.edge.service.Count.SlowClosed.Add(1)
	}
	if e&(sock.Stalled|sock.Hangup) != 0 {
		c.abort()
	}
}

// expire ends the wait of a poll at its deadline. A timer that was set for an earlier poll
// must not end the next one.
func (c *client) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == parked && !time.Now().Before(c.deadline) {
		c.respond()
	}
}

// Shutdown responds to a waiting poll, with the available messages or with 204.
func (c *client) Shutdown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == parked {
		c.respond()
	}
}

// Fail ends a poll after a panic.
func (c *client) Fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == parked {
		c.abort()
	}
}

// abort closes the connection immediately; c.mu is held.
func (c *client) abort() {
	c.release()
	c.conn.Abort()
}

// release frees the client's resources of a closed connection; c.mu is held.
func (c *client) release() {
	if c.phase == parked {
		c.edge.service.Count.WaitingPolls.Add(-1)
	}
	c.phase = closed
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.taken != nil {
		c.taken.Release()
		c.taken = nil
	}
	if c.follow != nil {
		c.follow.Close()
		c.follow = nil
		c.edge.service.Count.Subscribers.Add(-1)
	}
}
