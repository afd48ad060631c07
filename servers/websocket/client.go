package websocket

import (
	"bufio"
	"bytes"
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

// closeWait is how long a peer may take to respond to a close frame.
// Closing immediately could reset the connection and lose the frame (RFC 6455
// section 7.1.1).
const closeWait = time.Second

// maxPings is how many pings a client may send per second.
const maxPings = 100

// A client is one socket. Between two messages of its peer it has no goroutine.
type client struct {
	edge   *edge
	ws     *websocket.Conn
	conn   *sock.Conn
	reader *bufio.Reader // through which ws reads conn; the poller does not report its buffered bytes
	feed   wire.Feed

	waits     bool         // reads wait for data, as a message has begun or the socket is closing; only the worker uses it
	unheard   atomic.Int32 // pings sent since something arrived
	closeSent bool         // under the feed's lock
	ended     atomic.Bool  // the feed has ended: a worker reads the rest and closes the connection
	idle      atomic.Bool  // no worker reads; the goroutine that sets it to false starts one

	pings  int // in the second that began at second; only the worker uses both
	second time.Time
}

// Shutdown sends the available messages and a close frame (1001).
func (c *client) Shutdown() { c.feed.Shutdown() }

// Settled reports whether the socket is open and not in its closing handshake, after which it is closed.
func (c *client) Settled() bool { return c.feed.Settled() && !c.ended.Load() }

// Send writes a frame that is shared by all clients.
func (c *client) Send(frame []byte) error {
	if c.closeSent {
		return websocket.ErrCloseSent // nothing may follow a close frame (RFC 6455 section 5.5.1)
	}
	_, err := c.conn.Write(frame)
	return err
}

// maxUnheard is how many heartbeats a peer may leave without a response. One is too few: a slow
// peer may have other data to read before the ping.
const maxUnheard = 2

// errUnheard reports that the peer has sent nothing since maxUnheard pings.
var errUnheard = errors.New("no response to pings")

// Beat sends an empty ping, to which the peer must respond with a pong (RFC 6455,
// section 5.5.2). Anything that it sends counts as a response.
func (c *client) Beat() error {
	if c.closeSent {
		return nil // the closing handshake has its own timeout
	}
	if c.unheard.Add(1) > maxUnheard {
		c.startClose(websocket.ClosePolicyViolation, "no response to pings")
		return errUnheard
	}
	_, err := c.conn.Write([]byte{finBit | pingOpcode, 0})
	return err
}

// End sends the close frame with the reason. The reading worker then
// closes the connection when the peer responds or closeWait ends. At Done
// the worker does so already.
func (c *client) End(why wire.Reason) {
	switch why {
	case wire.Gone:
		if !c.closeSent {
			c.conn.Abort()
		}
	case wire.Slow:
		c.startClose(websocket.CloseTryAgainLater, "too slow")
	case wire.Shutdown:
		c.startClose(websocket.CloseGoingAway, "shutting down")
	}
	c.ended.Store(true)
	c.startReading()
}

// startClose sends a close frame, unless one was sent, and sets the deadline for its response;
// under the feed's lock.
func (c *client) startClose(code int, reason string) {
	if c.closeSent {
		return
	}
	c.closeSent = true
	c.sendClose(code, reason)
	_ = c.conn.SetReadDeadline(time.Now().Add(closeWait)) // fails only if the connection is closed already
}

// Ready handles the connection's events.
func (c *client) Ready(e sock.Event) {
	if other := e &^ sock.Readable; other != 0 {
		c.feed.Ready(other)
	}
	if e&sock.Readable != 0 {
		c.startReading()
	}
}

// startReading makes a worker read, unless one already does.
func (c *client) startReading() {
	if c.idle.CompareAndSwap(true, false) {
		c.edge.service.Poller.Work(c)
	}
}

// releaseWorker releases the worker if there is nothing to read now. It returns false if there may be.
func (c *client) releaseWorker() bool {
	if c.reader.Buffered() > 0 || c.conn.Buffered() > 0 {
		return false
	}
	c.idle.Store(true)
	if c.conn.Watch(sock.Readable) == 0 && !c.ended.Load() {
		return true
	}
	return !c.idle.CompareAndSwap(true, false) // else another worker has been started
}

// sendClose sends a close frame. An error means that the peer has disconnected or one was sent before.
func (c *client) sendClose(code int, reason string) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Time{})
}

func (c *client) prepareReading() {
	c.ws.SetReadLimit(int64(c.edge.service.Limits.MaxFrame()))
	closeHandler := c.ws.CloseHandler()
	c.ws.SetCloseHandler(func(code int, text string) error {
		c.close()
		return closeHandler(code, text)
	})
	pingHandler := c.ws.PingHandler()
	c.ws.SetPingHandler(func(data string) error {
		if !c.allowPing(time.Now()) {
			return c.reject(websocket.ClosePolicyViolation, "too many pings")
		}
		return pingHandler(data)
	})
}

func (c *client) allowPing(now time.Time) bool {
	if now.Sub(c.second) >= time.Second {
		c.second, c.pings = now, 0
	}
	c.pings++
	return c.pings <= maxPings
}

// close stops the feed from sending: the worker is about to send a close frame.
func (c *client) close() {
	_ = c.feed.Exclusive(func() error {
		c.closeSent = true
		return nil
	})
}

// turnFrames is how many frames a worker reads before another socket has its turn.
const turnFrames = 32

// Work is a turn: it reads frames until there are no more, for at most turnFrames, or until the socket ends.
func (c *client) Work() {
	var err error
	var more bool
	for range turnFrames {
		more = true
		failed := c.edge.service.Guard(func() { more, err = c.readNext() })
		if failed != nil {
			err = c.reject(websocket.CloseInternalServerErr, "")
		}
		if err != nil {
			c.finish(err)
			return
		}
		if !more && c.releaseWorker() {
			return
		}
	}
	c.edge.service.Poller.Requeue(c)
}

// finish ends the socket after an error.
func (c *client) finish(err error) {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() && !c.ended.Load() { // else the closing handshake has timed out
		err = c.reject(websocket.ClosePolicyViolation, "message too slow")
	}
	c.feed.Close(wire.Done)
	if awaitsClose(err) {
		c.awaitClose()
	}
	_ = c.conn.Close()
}

// Abort closes the connection after a panic.
func (c *client) Abort() {
	c.feed.Fail()
	c.conn.Abort()
}

// awaitsClose reports whether the peer's response to the close frame is outstanding: not if
// it has arrived, the peer has disconnected, or the deadline has passed.
func awaitsClose(err error) bool {
	var closed *websocket.CloseError
	var network net.Error
	return !errors.As(err, &closed) && !errors.As(err, &network)
}

// awaitClose reads and discards until the peer has closed or closeWait
// ends: closing with unread bytes would reset the connection and could
// lose the close frame. After a framing error of gorilla, or a timeout, it reads bytes.
func (c *client) awaitClose() {
	c.waits = true
	_ = c.conn.SetReadDeadline(time.Now().Add(closeWait))
	var err error
	for err == nil {
		_, _, err = c.ws.NextReader()
	}
	if closed := (*websocket.CloseError)(nil); !errors.As(err, &closed) {
		_, _ = io.Copy(io.Discard, c.reader)
	}
}

// readNext handles a ping, a pong or a message. more is false if no frame has begun.
//
// gorilla waits for the next frame after a ping or a pong, with the goroutine that reads. So it gets only
// messages, and pings and pongs within one.
func (c *client) readNext() (more bool, err error) {
	c.waits = c.ended.Load() // what is left to wait for is the peer's close frame
	_, err = c.reader.Peek(1)
	if err == sock.ErrNothing {
		return false, nil
	}
	for err == nil {
		b, _ := c.reader.Peek(c.reader.Buffered())
		size := frameSize(b)
		switch {
		case size > c.reader.Size(), size == unmasked: // gorilla waits for its end, or refuses it
			c.begin()
			return true, c.readMessage()
		case 0 < size && size <= len(b):
			if opcode, data, ok := controlData(b[:size]); ok {
				return true, c.answer(opcode, data)
			}
			if b[0]&finBit == 0 {
				c.begin()
			}
			return true, c.readMessage()
		}
		if _, err = c.reader.Peek(len(b) + 1); err == sock.ErrNothing {
			c.begin()
			err = nil
		}
	}
	if network := net.Error(nil); !errors.As(err, &network) {
		err = c.readMessage() // gorilla reports the end of the stream
	}
	return true, err
}

// begin makes reads wait for the rest of a message, which has ReadTimeout from now.
func (c *client) begin() {
	if !c.waits {
		c.waits = true
		c.setDeadline(time.Now().Add(c.edge.service.Limits.ReadTimeout))
	}
}

// endMessage ends what begin has begun.
func (c *client) endMessage() {
	if c.waits {
		c.setDeadline(time.Time{})
	}
}

// setDeadline sets the deadline of reads, unless the feed has ended: then the closing handshake has its own.
func (c *client) setDeadline(t time.Time) {
	_ = c.feed.Exclusive(func() error { return c.conn.SetReadDeadline(t) }) // fails only on a closed connection
}

// answer handles the ping or pong in front of the reader.
func (c *client) answer(opcode byte, data []byte) (err error) {
	if opcode == pingOpcode {
		err = c.ws.PingHandler()(string(data))
	}
	_, _ = c.reader.Discard(2 + len(mask{}) + len(data)) // cannot fail: they are buffered
	c.endMessage()
	return err
}

// errRefused reports that the server has sent the close frame.
var errRefused = errors.New("refused")

// readMessage handles one message and waits for it if needed. gorilla responds to
// control frames as the RFC requires.
func (c *client) readMessage() error {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return err
	}
	c.edge.service.Count.FramesIn.Add(1)
	err = c.handle(kind, r)
	c.endMessage()
	return err
}

// handle handles one message; an error ends the socket.
func (c *client) handle(kind int, r io.Reader) error {
	if kind != websocket.TextMessage {
		return c.reject(websocket.CloseUnsupportedData, "text only")
	}
	data, err := c.readAll(r)
	switch {
	case err == errNoRoom:
		return c.reject(websocket.CloseTryAgainLater, "too many unfinished messages")
	case err != nil:
		return err
	}
	if !utf8.Valid(data) {
		return c.reject(websocket.CloseInvalidFramePayloadData, "not UTF-8")
	}
	p, err := parsePublication(data)
	if err != nil {
		return c.reject(websocket.ClosePolicyViolation, "not a publication")
	}
	return c.publish(p)
}

// readAll reads a message; if that has to wait, it counts its bytes.
func (c *client) readAll(r io.Reader) ([]byte, error) {
	if !c.waits {
		return io.ReadAll(r)
	}
	defer c.conn.Unreserve()
	var b bytes.Buffer // io.ReadAll copies also what has arrived of a message that does not end
	_, err := b.ReadFrom(&arriving{Reader: r, conn: c.conn})
	return b.Bytes(), err
}

// An arriving message counts among what all connections may use together.
type arriving struct {
	io.Reader
	conn *sock.Conn
	size int
}

// unreserved is how much of a message does not count: so small ones are accepted however many large ones arrive.
const unreserved = 4 << 10

// errNoRoom reports that all messages that are arriving use too much memory.
var errNoRoom = errors.New("too many unfinished messages")

// Read reads a part of the message.
func (a *arriving) Read(p []byte) (n int, err error) {
	n, err = a.Reader.Read(p)
	if a.size += n; a.size > unreserved && !a.conn.Reserve(n) {
		err = errNoRoom
	}
	return n, err
}

func (c *client) reject(code int, reason string) error {
	c.close()
	c.sendClose(code, reason)
	return errRefused
}

// publish appends the message and sends an acknowledgement or an error.
func (c *client) publish(p publication) error {
	seq, err := c.edge.service.Publish(p.topic, p.data)
	var response []byte
	if err != nil {
		response = appendRefusal(nil, p.id, err.Code)
	} else {
		response = appendAck(nil, p.id, seq)
	}
	return c.feed.Exclusive(func() error { return c.ws.WriteMessage(websocket.TextMessage, response) })
}
