// Package websocket serves WebSocket (RFC 6455): batches down, publications up.
//
// It owns the sockets after the upgrade. gorilla upgrades, reads and responds; batches
// bypass it.
// It must never block in a write, and never accept a client's frame that the
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

// Buffers of a socket, in bytes. The read buffer lasts as long as the socket. The hijacker
// provides it: without a ReadBufferSize, gorilla uses the given reader if it has more than
// 256 bytes. The write buffer is pooled and used for acks; batches need none.
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
		CheckOrigin:     func(*http.Request) bool { return true },                // the service has checked it, including the scheme
		Error:           func(http.ResponseWriter, *http.Request, int, error) {}, // upgrade responds
	}
	return wire.NewEdge(s, e.upgrade, nil)
}

// upgrade lets gorilla accept the handshake, or refuses it.
func (e *edge) upgrade(x httpstack.Exchange, _ *httpstack.Request, sub *wire.Subscribe) {
	c := &client{edge: e, conn: x.Conn(), waits: true}
	c.conn.SetState(c)
	handshake := func(w http.ResponseWriter, r *http.Request) (err error) {
		if !validHandshake(r) {
			return websocket.HandshakeError{}
		}
		c.ws, err = e.upgrader.Upgrade(readerHijacker{w, c}, r, nil)
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

// validHandshake checks what gorilla does not: HTTP/1.1 (RFC 6455 section 4.2.1), one key
// (section 11.3.1), and one version, where gorilla accepts a list with 13 in it (section 11.3.5).
func validHandshake(r *http.Request) bool {
	version := r.Header["Sec-Websocket-Version"]
	return r.ProtoAtLeast(1, 1) && len(r.Header["Sec-Websocket-Key"]) == 1 && len(version) == 1 && version[0] == "13"
}

// A readerHijacker makes gorilla read through a client's reader, which shows whether
// bytes are left in it after a message.
type readerHijacker struct {
	http.ResponseWriter
	client *client
}

// Hijack is http.Hijacker's.
func (h readerHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	_, buffers, err := h.ResponseWriter.(http.Hijacker).Hijack() // the ResponseWriter of Exchange.Upgrade is one
	conn := workerConn{h.client.conn, h.client}
	if err == nil {
		h.client.reader = bufio.NewReaderSize(conn, readBuffer)
		if conn.Buffered() > 0 { // frames ahead of the 101: gorilla closes if the reader has any
			_, _ = h.client.reader.Peek(1)
		}
		buffers.Reader = h.client.reader
	}
	return conn, buffers, err
}

// A workerConn is a connection that workers read.
type workerConn struct {
	*sock.Conn
	client *client
}

// Read lets another worker run while it waits.
func (c workerConn) Read(p []byte) (n int, err error) {
	if c.client.waits {
		n, err = c.ReadWorking(p)
	} else {
		n, err = c.ReadNow(p)
	}
	if n > 0 && c.client.unheard.Load() > 0 {
		c.client.unheard.Store(0)
	}
	return n, err
}

// open sends the ack, if one is due, starts the feed, and reads when data arrives.
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
		c.startReading()
	}
}
