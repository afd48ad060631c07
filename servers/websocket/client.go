package websocket

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"pushbench/servers/sock"
	"pushbench/servers/wire"
)

// closeWait is how long a peer that was sent a close frame may take to answer
// it. Closing at once could reset the connection and lose the frame (RFC 6455
// section 7.1.1).
const closeWait = time.Second

// maxPings is how many pings a client may send in one second.
const maxPings = 100

// A client is one socket. Between two messages of its peer it has no goroutine.
type client struct {
	edge  *edge
	ws    *websocket.Conn
	conn  *sock.Conn
	input *bufio.Reader // through which ws reads conn; the poller does not report what it holds
	feed  wire.Feed

	closing bool        // a close frame was sent; under the feed's lock
	ended   atomic.Bool // the feed has: a worker sees to the rest, and closes the connection
	idle    atomic.Bool // nobody reads; who sets it back to false has a worker do it

	pings  int // in the second that began at second; of the reader
	second time.Time
}

// Shutdown sends what is there and a close frame (1001).
func (c *client) Shutdown() { c.feed.Shutdown() }

// Settled says that the socket is open, and not saying goodbye: after that it is closed.
func (c *client) Settled() bool { return c.feed.Settled() && !c.ended.Load() }

// Send writes a frame that was made once for everybody.
func (c *client) Send(frame []byte) error {
	if c.closing {
		return websocket.ErrCloseSent // nothing may follow that (RFC 6455 section 5.5.1)
	}
	_, err := c.conn.Write(frame)
	return err
}

// Beat sends a ping with nothing in it, which the peer must answer by a pong (RFC 6455,
// section 5.5.2). Nobody waits for it: a client that hears no ping knows what it needs to.
func (c *client) Beat() error {
	if c.closing {
		return nil // the goodbye has its own time
	}
	_, err := c.conn.Write([]byte{finBit | pingOpcode, 0})
	return err
}

// End sends the close frame that says why, and leaves the rest to the reader,
// which closes the connection when the peer answers or closeWait is over. At Done
// the reader is at it.
func (c *client) End(why wire.Reason) {
	switch why {
	case wire.Gone:
		if !c.closing {
			c.conn.Abort()
		}
	case wire.Slow:
		c.sayGoodbye(websocket.CloseTryAgainLater, "too slow")
	case wire.Shutdown:
		c.sayGoodbye(websocket.CloseGoingAway, "shutting down")
	}
	c.ended.Store(true)
	c.summon()
}

// sayGoodbye sends a close frame, unless one was sent, and allows for its answer;
// under the feed's lock.
func (c *client) sayGoodbye(code int, reason string) {
	if c.closing {
		return
	}
	c.closing = true
	c.sendClose(code, reason)
	_ = c.conn.SetReadDeadline(time.Now().Add(closeWait)) // fails only if it is closed already
}

// Ready takes the connection's events.
func (c *client) Ready(e sock.Event) {
	if other := e &^ sock.Readable; other != 0 {
		c.feed.Ready(other)
	}
	if e&sock.Readable != 0 {
		c.summon()
	}
}

// summon has a worker read, unless one does.
func (c *client) summon() {
	if c.idle.CompareAndSwap(true, false) {
		c.edge.service.Poller.Work(c)
	}
}

// rests lets the worker go if there is nothing to read now. If it does not, there may be.
func (c *client) rests() bool {
	if c.input.Buffered() > 0 || c.conn.Buffered() > 0 {
		return false
	}
	c.idle.Store(true)
	if c.conn.Watch(sock.Readable) == 0 && !c.ended.Load() {
		return true
	}
	return !c.idle.CompareAndSwap(true, false) // another is on its way
}

// sendClose sends a close frame. An error means that the peer is gone or one was sent before.
func (c *client) sendClose(code int, reason string) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Time{})
}

func (c *client) prepareReading() {
	c.ws.SetReadLimit(int64(c.edge.service.Limits.MaxFrame()))
	goodbye := c.ws.CloseHandler()
	c.ws.SetCloseHandler(func(code int, text string) error {
		c.close()
		return goodbye(code, text)
	})
	answer := c.ws.PingHandler()
	c.ws.SetPingHandler(func(data string) error {
		if !c.allowPing(time.Now()) {
			return c.reject(websocket.ClosePolicyViolation, "too many pings")
		}
		return answer(data)
	})
}

func (c *client) allowPing(now time.Time) bool {
	if now.Sub(c.second) >= time.Second {
		c.second, c.pings = now, 0
	}
	c.pings++
	return c.pings <= maxPings
}

// close keeps the feed from sending more: the reader is about to send a close frame.
func (c *client) close() {
	_ = c.feed.Exclusive(func() error {
		c.closing = true
		return nil
	})
}

// Work reads what has come, until there is nothing more or the socket ends.
func (c *client) Work() {
	var err error
	for err == nil {
		failed := c.edge.service.Guard(func() { err = c.readMessage() })
		if failed != nil {
			err = c.reject(websocket.CloseInternalServerErr, "")
		}
		if err == nil && c.rests() {
			return
		}
	}
	c.feed.Close(wire.Done)
	if awaitsClose(err) {
		c.awaitClose()
	}
	_ = c.conn.Close()
}

// awaitsClose says whether the peer is still to answer our close frame: not if
// it has, or is gone, or has had its time.
func awaitsClose(err error) bool {
	var answered *websocket.CloseError
	var network net.Error
	return !errors.As(err, &answered) && !errors.As(err, &network)
}

// awaitClose reads, without looking, until the peer has closed or closeWait is
// over: closing over unread bytes would reset the connection and could take
// the close frame with it. Where gorilla has given up on the frames, bytes are read.
func (c *client) awaitClose() {
	_ = c.conn.SetReadDeadline(time.Now().Add(closeWait))
	var err error
	for err == nil {
		_, _, err = c.ws.NextReader()
	}
	if awaitsClose(err) {
		_, _ = io.Copy(io.Discard, c.input)
	}
}

// errRefused says that this side has sent the close frame.
var errRefused = errors.New("refused")

// readMessage handles one message, which it may have to wait for. gorilla has answered
// what the RFC wants answered.
func (c *client) readMessage() error {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return err
	}
	c.edge.service.Count.FramesIn.Add(1)
	return c.handle(kind, r)
}

// handle takes one message; an error ends the socket.
func (c *client) handle(kind int, r io.Reader) error {
	if kind != websocket.TextMessage {
		return c.reject(websocket.CloseUnsupportedData, "text only")
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if !utf8.Valid(data) {
		return c.reject(websocket.CloseInvalidFramePayloadData, "not UTF-8")
	}
	u, err := parseUp(data)
	if err != nil {
		return c.reject(websocket.ClosePolicyViolation, "not a publication")
	}
	return c.publish(u)
}

func (c *client) reject(code int, reason string) error {
	c.close()
	c.sendClose(code, reason)
	return errRefused
}

// publish appends the message and acknowledges it, or says why not.
func (c *client) publish(u up) error {
	seq, err := c.edge.service.Publish(u.topic, u.data)
	var reply []byte
	if err != nil {
		reply = appendRefusal(nil, u.id, err.Code)
	} else {
		reply = appendAck(nil, u.id, seq)
	}
	return c.feed.Exclusive(func() error { return c.ws.WriteMessage(websocket.TextMessage, reply) })
}
