package longpoll

import (
	"sync"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// A phase says who has a client's connection.
//
//	serving --poll without an answer--> entering --> parked --answer--> serving
//	   |                                               |
//	   +--------------- closed, gone, or too slow: left
type phase uint8

const (
	serving  phase = iota // the HTTP library, or nobody between two requests
	entering              // nobody yet: on its way from the library to us
	parked                // we: a poll is held
	left                  // nobody: closed
)

// A client is a polling connection. Its subscription stays from poll to poll,
// armed only while one is held.
type client struct {
	edge *edge
	conn *sock.Conn

	mu       sync.Mutex
	phase    phase
	taken    httpstack.Taken
	follow   *hub.Subscription // nil before the first poll that is held
	cursor   hub.Cursor
	delivery hub.Delivery
	last     bool        // the connection ends with this answer
	until    time.Time   // the poll is held
	hold     *time.Timer // fires at until, without effect where no poll is held; nil before the first poll that is held
	answers  time.Time   // when the last answer was written; zero before
}

// polled notes that the connection's next poll is here: its re-poll gap is over.
func (c *client) polled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answers.IsZero() {
		gap := int64(time.Since(c.answers))
		c.edge.service.Count.RepollGaps.Do(func(g *wire.RepollGaps) {
			g.Count++
			g.SumNs += gap
			g.MaxNs = max(g.MaxNs, gap)
		})
	}
}

func (c *client) answered(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = at
}

// depart notes that the connection is on its way to park.
func (c *client) depart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == serving {
		c.phase = entering
	}
}

// Settled says that the connection is either the library's or ours.
func (c *client) Settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase != entering
}

// park holds a poll. It is armed before it looks at the log once more, so that
// nothing published meanwhile is missed.
func (c *client) park(taken httpstack.Taken, sub *wire.Subscribe, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscribe(sub.Set)
	c.phase, c.taken, c.cursor, c.delivery, c.last = parked, taken, sub.After, sub.Delivery, last
	c.edge.service.Count.Parked.Add(1)
	c.conn.Handle(c)
	c.until = time.Now().Add(sub.Wait)
	if c.hold == nil {
		c.hold = time.AfterFunc(sub.Wait, c.expire)
	} else {
		c.hold.Reset(sub.Wait)
	}
	if c.conn.Watch(sock.Hangup) != 0 {
		c.abort()
		return
	}
	c.look()
	if c.phase == parked && c.edge.service.Closing() {
		c.answer()
	}
}

// subscribe follows a set; most polls ask for that of the poll before.
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

// Wake answers the held poll if the log has something for it. The hub calls it.
func (c *client) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == parked {
		c.look()
	}
}

// look answers if there is something, else arms; c.mu is held.
func (c *client) look() {
	for !c.follow.Arm(c.cursor) {
		if b := c.next(); b != nil {
			c.write(b)
			return
		}
	}
}

func (c *client) next() *wire.Batch[wire.Response] {
	b, err := c.edge.polls.Next(&c.cursor, c.follow.Set(), c.delivery)
	if err != nil { // cannot be: the cursor was checked when the poll came
		return nil
	}
	return b
}

// answer ends the hold with what is there, or with 204.
func (c *client) answer() {
	if b := c.next(); b != nil {
		c.write(b)
		return
	}
	c.edge.service.Count.Empty.Add(1)
	c.finish(c.edge.service.HTTP.AppendResponse(nil, c.final(c.edge.service.NoContent())))
}

// write answers with a batch, in the bytes that all others get.
func (c *client) write(b *wire.Batch[wire.Response]) {
	c.edge.service.Count.Sent(b.Messages, b.Gaps)
	whole := b.Frame.Whole
	if r := c.final(c.edge.service.Batch(b.Frame.Body)); r.Close {
		whole = c.edge.service.HTTP.AppendResponse(nil, r)
	}
	c.finish(whole)
}

func (c *client) final(r httpstack.Response) httpstack.Response {
	r.Close = r.Close || c.last
	c.last = r.Close
	return r
}

// finish writes an answer and gives the connection back.
func (c *client) finish(answer []byte) {
	c.follow.Disarm()
	c.edge.service.Count.Parked.Add(-1)
	c.phase = serving
	_, err := c.conn.Write(answer)
	if err != nil || c.last {
		c.release()
		_ = c.conn.Close() // the peer has its answer, and an error has no recipient
		return
	}
	c.answers = time.Now()
	c.taken.Resume()
}

// Ready takes the connection's events while a poll is held.
func (c *client) Ready(e sock.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e&sock.Stalled != 0 { // what is unsent is of an answer before
		c.edge.service.Count.SlowClosed.Add(1)
	}
	if e&(sock.Stalled|sock.Hangup) != 0 {
		c.abort()
	}
}

// expire ends a hold that lasted long enough. A timer that was set for an earlier poll
// must not end the next one.
func (c *client) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == parked && !time.Now().Before(c.until) {
		c.answer()
	}
}

// Shutdown answers a held poll, with what is there or with 204.
func (c *client) Shutdown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == parked {
		c.answer()
	}
}

// abort closes the connection now; c.mu is held.
func (c *client) abort() {
	c.release()
	c.conn.Abort()
}

// release frees what the client holds of a connection that is closed; c.mu is held.
func (c *client) release() {
	if c.phase == parked {
		c.edge.service.Count.Parked.Add(-1)
	}
	c.phase = left
	if c.hold != nil {
		c.hold.Stop()
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
