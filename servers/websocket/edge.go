// Package websocket serves WebSockets (RFC 6455): batches down, publications up.
//
// It owns the sockets after the upgrade: each has one goroutine, which reads.
// It must never wait in a write, and never let a client's frame pass that the
// RFC or PROTOCOL.md forbids.
package websocket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// An Edge is a WebSocket server.
type Edge struct {
	service  *wire.Service
	frames   *wire.Cache[*websocket.PreparedMessage]
	server   *http.Server
	upgrader websocket.Upgrader
	readers  sync.WaitGroup
}

var _ wire.Edge = (*Edge)(nil)

// Buffers of a socket, in bytes. The reader's is its own for as long as it
// lives; the writer's is borrowed for an ack, batches need none.
const (
	readBuffer  = 512
	writeBuffer = 512
)

// New makes the edge of a service.
func New(s *wire.Service) *Edge {
	e := &Edge{service: s, frames: wire.NewCache(s.Hub, prepare)}
	e.server = s.NewNetHTTP(e.handle)
	e.upgrader = websocket.Upgrader{
		ReadBufferSize:  readBuffer,
		WriteBufferSize: writeBuffer,
		WriteBufferPool: &sync.Pool{},
		CheckOrigin:     func(*http.Request) bool { return true }, // Service.Handle did, by scheme too
		Error:           e.refuse,
	}
	return e
}

// prepare frames a batch once for all sockets.
func prepare(body []byte, _ hub.Cursor) *websocket.PreparedMessage {
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, body)
	if err != nil {
		panic(err) // it writes to memory
	}
	return m
}

// Serve accepts and serves until Shutdown.
func (e *Edge) Serve(ln net.Listener) error {
	err := e.server.Serve(e.service.Listen(ln))
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// stopGrace bounds how long requests may take at shutdown that are no sockets.
const stopGrace = 500 * time.Millisecond

// Shutdown sends every socket what is there and a close frame (1001), gives
// them closeWait to answer it, and closes the rest.
func (e *Edge) Shutdown(ctx context.Context) error {
	e.service.BeginShutdown()
	for _, conn := range e.service.Conns() {
		if c, ok := conn.State().(*client); ok {
			c.feed.Close(wire.Shutdown)
		}
	}
	brief, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	err := e.server.Shutdown(brief)
	if err != nil && ctx.Err() == nil {
		err = e.server.Close() // idle connections that never sent a request
	}
	if errors.Is(err, net.ErrClosed) {
		err = nil // the listener: BeginShutdown did that
	}
	e.service.AwaitSettled(ctx) // no reader is added after this
	e.waitForReaders(ctx)
	e.service.FinishShutdown(ctx)
	e.readers.Wait() // their connections are closed: they are on their way out
	return err
}

func (e *Edge) waitForReaders(ctx context.Context) {
	done := make(chan struct{})
	go func() { e.readers.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (e *Edge) handle(w http.ResponseWriter, hr *http.Request) {
	r, err := e.service.ReadNetHTTP(w, hr)
	if err != nil {
		wire.WriteNetHTTP(w, e.service.Refuse(err))
		return
	}
	answer, sub := e.service.Handle(r)
	if sub == nil {
		wire.WriteNetHTTP(w, answer)
		return
	}
	c := &client{edge: e, conn: wire.ConnOf(hr)}
	c.conn.SetState(c)
	if c.ws, err = e.upgrader.Upgrade(w, hr, nil); err != nil {
		c.conn.SetState(nil) // refuse has answered, or the connection broke
		return
	}
	e.open(c, sub)
}

// refuse answers what is not a handshake. RFC 6455 section 4.4 wants the
// version named.
func (e *Edge) refuse(w http.ResponseWriter, _ *http.Request, status int, _ error) {
	w.Header().Set("Sec-WebSocket-Version", "13")
	wire.WriteNetHTTP(w, e.service.Refuse(wire.BadUpgrade(status)))
}

// open sends the ack, if one is due, starts the feed and reads on a goroutine
// that net/http knows nothing of, so that its buffers can go.
func (e *Edge) open(c *client, sub *wire.Subscribe) {
	c.prepareReading()
	if sub.FromNow {
		body, now := e.service.Ack(sub.Set)
		sub.After = now
		e.service.Count.Acks.Add(1)
		if c.Send(prepare(body, now)) != nil {
			c.conn.Abort()
			return
		}
	}
	e.readers.Add(1)
	c.feed.Start(e.service, e.frames, c.conn, c, sub)
	go c.read()
}
