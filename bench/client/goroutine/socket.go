package goroutine

import (
	"context"
	"errors"
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/internal/wire"
)

// closeWait bounds how long a closing session waits to send the close frame.
const closeWait = time.Second

// A socket is a WebSocket that receives batches and sends publications.
type socket struct {
	*session
	frame   []byte        // buffer of the last publication
	writing chan struct{} // a lock: full while a frame is written
	control []byte        // buffer of the last control frame
	closing *conn         // the connection whose close frame was written; guarded by writing
	opened  *conn         // the last connection, open or not; only the reading goroutine uses it

	mu   sync.Mutex // guards conn
	conn *conn      // connection to write frames on; nil: the client is not connected
}

// errClosing refuses a data frame after a close frame (RFC 6455, section 5.5.1).
var errClosing = errors.New("WebSocket is closing")

func newSocket(s *session) *socket { return &socket{session: s, writing: make(chan struct{}, 1)} }

// serve opens the WebSocket and reads it to its end. The connection remains in use until
// offline.
func (k *socket) serve(ctx context.Context) error {
	c, err := k.session.open(ctx)
	if err != nil {
		return err
	}
	k.opened = c
	if err := k.sendRequest(c); err != nil {
		return err
	}
	c.awaitBytes(k.Config.ReadTimeout)
	c.detach()
	defer onDone(ctx, func() { k.closeGracefully(c) })()
	defer k.sendHeartbeats()()
	return c.receive(k.session)
}

// sendHeartbeats sends heartbeats at intervals until stop is called, which does not wait: only the end of the connection
// unblocks a write.
func (k *socket) sendHeartbeats() (stop func()) {
	every := k.HeartbeatInterval()
	if every == 0 {
		return func() {}
	}
	ended := make(chan struct{})
	k.done.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if k.SendHeartbeat() != nil {
					return // the receiving goroutine reports the end of the connection
				}
			case <-ended:
				return
			}
		}
	})
	return func() { close(ended) }
}

// Opened puts the connection to use when the handshake is complete. Connected is reported
// later, so that a publication after Connected finds the connection.
func (k *socket) Opened() { k.setConn(k.opened) }

// offline closes the connection, if there is one. Disconnected is reported earlier, so that
// no publication is refused as offline before it.
func (k *socket) offline() {
	k.setConn(nil)
	if k.PublishesInSocket() {
		k.outbox.update((*client.Backlog).AbandonSent)
	}
	if k.opened != nil {
		k.opened.close()
		k.opened = nil
	}
}

// setConn sets the connection that frames are written on.
func (k *socket) setConn(c *conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conn = c
}

func (k *socket) current() *conn {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.conn
}

func (k *socket) online() bool { return k.current() != nil }

// send writes one publication as one frame.
func (k *socket) send(p client.Outgoing) error {
	c := k.current()
	if c == nil {
		return client.ErrOffline
	}
	k.outbox.sending(&p)
	k.writing <- struct{}{}
	defer func() { <-k.writing }()
	if k.closing == c {
		return errClosing
	}
	err := c.write(k.PublishFrame(&k.frame, p.ID, p.Topic, p.Payload))
	if err == nil && k.Unacknowledged() {
		k.Completed()
	}
	return err
}

// Control writes a control frame. No frame follows a close frame.
func (k *socket) Control(opcode byte, body []byte) error {
	c := k.current()
	if c == nil {
		return nil
	}
	k.writing <- struct{}{}
	defer func() { <-k.writing }()
	if k.closing == c {
		return nil
	}
	if opcode == wire.OpClose {
		k.closing = c
	}
	_ = c.SetWriteDeadline(time.Now().Add(k.Config.OpenTimeout)) // a server that does not read would stop the reader for ever
	defer func() { _ = c.SetWriteDeadline(time.Time{}) }()
	return c.write(k.ControlFrame(&k.control, opcode, body))
}

// Completed makes room for one more publication.
func (k *socket) Completed() { k.outbox.update((*client.Backlog).Completed) }

// closeGracefully sends a close frame, unless the server no longer reads, and closes the
// connection.
func (k *socket) closeGracefully(c *conn) {
	defer c.Close()
	c.skipDelay()
	k.setConn(nil)
	select {
	case k.writing <- struct{}{}:
		defer func() { <-k.writing }()
		if k.closing == c {
			return
		}
		k.closing = c
		_ = c.SetWriteDeadline(time.Now().Add(closeWait))
		var buffer []byte
		_ = c.write(k.CloseFrame(&buffer)) // the server may have closed already
	case <-time.After(closeWait):
	}
}
