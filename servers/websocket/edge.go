// Package websocket serves WebSockets (RFC 6455): batches down, publications up.
//
// It owns the sockets after the upgrade. gorilla upgrades, reads and answers; batches
// are written past it.
// It must never wait in a write, and never let a client's frame pass that the
// RFC or PROTOCOL.md forbids.
package websocket

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"pushbench/servers/sock"
	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// An edge is a WebSocket server.
type edge struct {
	service  *wire.Service
	frames   *wire.Cache[[]byte]
	upgrader websocket.Upgrader
}

// Buffers of a socket, in bytes. The reader's lasts as long as the socket. The hijacker
// provides it: without a ReadBufferSize, gorilla takes a reader of more than 256 bytes as
// its own. The writer's is borrowed for an ack; batches need none.
const (
	readBuffer  = 512
	writeBuffer = 512
)

// New makes the edge of a service.
func New(s *wire.Service) *wire.Edge {
	e := &edge{service: s, frames: wire.NewCache(s.Hub, appendFrame)}
	e.upgrader = websocket.Upgrader{
		WriteBufferSize: writeBuffer,
		WriteBufferPool: &sync.Pool{},
		CheckOrigin:     func(*http.Request) bool { return true },                // the service did, by scheme too
		Error:           func(http.ResponseWriter, *http.Request, int, error) {}, // upgrade answers
	}
	return wire.NewEdge(s, e.upgrade, nil)
}

// upgrade has gorilla answer the handshake, or refuse it.
func (e *edge) upgrade(x httpstack.Exchange, _ *httpstack.Request, sub *wire.Subscribe) {
	c := &client{edge: e, conn: x.Conn()}
	c.conn.SetState(c)
	handshake := func(w http.ResponseWriter, r *http.Request) (err error) {
		if !proper(r) {
			return websocket.HandshakeError{}
		}
		c.ws, err = e.upgrader.Upgrade(inputHijacker{w, c}, r, nil)
		return err
	}
	err := x.Upgrade(handshake, func() { e.open(c, sub) })
	if err == nil {
		return
	}
	c.conn.SetState(nil)
	if refused := (websocket.HandshakeError{}); errors.As(err, &refused) { // else the connection broke
		x.Respond(e.service.Refuse(wire.ErrUpgrade))
	}
}

// proper says whether a handshake is what gorilla does not look at: of HTTP/1.1 (RFC 6455,
// section 4.2.1), and with one key (section 11.3.1).
func proper(r *http.Request) bool {
	return r.ProtoAtLeast(1, 1) && len(r.Header["Sec-Websocket-Key"]) == 1
}

// An inputHijacker has gorilla read through a client's input, which shows whether
// anything is left there after a message.
type inputHijacker struct {
	http.ResponseWriter
	client *client
}

// Hijack is http.Hijacker's.
func (h inputHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	_, buffers, err := h.ResponseWriter.(http.Hijacker).Hijack() // what Exchange.Upgrade lends is one
	conn := workerConn{h.client.conn}
	if err == nil && buffers.Reader.Buffered() == 0 { // else gorilla closes
		h.client.input = bufio.NewReaderSize(conn, readBuffer)
		buffers.Reader = h.client.input
	}
	return conn, buffers, err
}

// A workerConn is a connection that is read by workers.
type workerConn struct{ *sock.Conn }

// Read lets another worker in while it waits.
func (c workerConn) Read(p []byte) (int, error) { return c.ReadWorking(p) }

// open sends the ack, if one is due, starts the feed, and reads when there is something.
func (e *edge) open(c *client, sub *wire.Subscribe) {
	c.prepareReading()
	if sub.FromNow && c.Send(appendFrame(e.service.Ack(sub), sub.After)) != nil {
		c.conn.Abort()
		return
	}
	c.conn.Handle(c)
	c.feed.Start(e.service, e.frames, c.conn, c, sub)
	c.idle.Store(true)
	if c.conn.Watch(sock.Readable) != 0 || c.ended.Load() {
		c.summon()
	}
}
