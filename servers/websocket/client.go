package websocket

import (
	"errors"
	"io"
	"net"
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

// A client is one socket.
type client struct {
	edge *Edge
	ws   *websocket.Conn
	conn *sock.Conn
	feed wire.Feed[*websocket.PreparedMessage]

	closing bool // a close frame was sent; under the feed's lock

	pings  int // in the second that began at second; of the reader
	second time.Time
}

// Entering says that the socket is not open yet.
func (c *client) Entering() bool { return c.feed.Entering() }

// Send writes a frame that was prepared once for everybody.
func (c *client) Send(frame *websocket.PreparedMessage) error {
	err := c.ws.WritePreparedMessage(frame)
	c.closing = c.closing || errors.Is(err, websocket.ErrCloseSent)
	return err
}

// End sends the close frame that says why, and leaves the rest to the reader,
// which closes the connection when the peer answers or closeWait is over.
func (c *client) End(why wire.Reason) {
	switch {
	case why == wire.Done, c.closing: // the reader is at it
		return
	case why == wire.Gone:
		c.conn.Abort()
		return
	case why == wire.Slow:
		c.sendClose(websocket.CloseTryAgainLater, "too slow")
	case why == wire.Shutdown:
		c.sendClose(websocket.CloseGoingAway, "shutting down")
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(closeWait)) // fails only if it is closed already
}

// sendClose sends a close frame. An error means that the peer is gone or one was sent before.
func (c *client) sendClose(code int, reason string) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Time{})
}

func (c *client) prepareReading() {
	c.ws.SetReadLimit(int64(c.edge.service.Limits.MaxFrame()))
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

// read handles what the client sends until the socket ends, and closes it.
func (c *client) read() {
	defer c.edge.readers.Done()
	defer c.conn.Close()
	var err error
	if failed := c.edge.service.Guard(func() { err = c.readFrames() }); failed != nil {
		c.sendClose(websocket.CloseInternalServerErr, "")
		err = errRefused
	}
	c.feed.Close(wire.Done)
	if awaitsClose(err) {
		c.awaitClose()
	}
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
		_, _ = io.Copy(io.Discard, c.conn)
	}
}

// errRefused says that this side has sent the close frame.
var errRefused = errors.New("refused")

// readFrames handles messages until one ends the socket. gorilla has answered
// what the RFC wants answered.
func (c *client) readFrames() error {
	for {
		kind, r, err := c.ws.NextReader()
		if err != nil {
			return err
		}
		c.edge.service.Count.FramesIn.Add(1)
		if err := c.handle(kind, r); err != nil {
			return err
		}
	}
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
