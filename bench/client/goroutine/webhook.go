package goroutine

import (
	"context"
	"net"
	"sync"

	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
)

// A receiver is a client that the server dials: it listens, registers its URL with the
// server, and receives webhooks there. It cannot distinguish a server without messages from
// one that lost its registration or cannot reach its URL.
type receiver struct {
	*session

	listener net.Listener
	working  sync.WaitGroup

	registered chan struct{} // closed when the server has responded: webhooks are decoded only afterwards
	closed     chan struct{} // closed when no more webhooks are accepted

	mu      sync.Mutex // guards the fields below, and the session's decoder
	conns   map[*conn]struct{}
	stopped bool
}

// serve registers and receives until the session ends.
func (r *receiver) serve(ctx context.Context) error {
	if err := r.listen(ctx); err != nil {
		return err
	}
	defer r.working.Wait()
	defer r.stop()
	release := onDone(ctx, r.stop)
	defer release()
	acceptErr := make(chan error, 1)
	r.working.Go(func() { acceptErr <- r.accept() })
	if err := r.register(ctx); err != nil {
		return err
	}
	return <-acceptErr
}

func (r *receiver) listen(ctx context.Context) error {
	at := "127.0.0.1:0"
	if r.Config.Receive != nil {
		at, _ = r.Config.Receive(r.Sub.Client)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns, r.stopped = make(map[*conn]struct{}), false
	r.registered, r.closed = make(chan struct{}), make(chan struct{})
	listener := net.ListenConfig{KeepAlive: -1} // no TCP keep-alive probes: they would add segments
	return r.distance.OpenSocket(func() (err error) {
		r.listener, err = listener.Listen(ctx, "tcp", at)
		return err
	})
}

// url returns the URL at which the server reaches the client.
func (r *receiver) url() string {
	at := ""
	if r.Config.Receive != nil {
		_, at = r.Config.Receive(r.Sub.Client)
	}
	if at == "" {
		at = r.listener.Addr().String()
	}
	return "http://" + at + "/"
}

// register registers the URL with the server, on a separate connection.
func (r *receiver) register(ctx context.Context) error {
	c, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	r.URL = r.url()
	if err := r.sendRequest(c); err != nil {
		return err
	}
	close(r.registered)
	return nil
}

// accept accepts the server's connections until the listener is closed.
func (r *receiver) accept() error {
	for {
		raw, err := r.listener.Accept()
		if err != nil {
			return err
		}
		counting := &countingConn{Conn: raw, traffic: r.Traffic}
		r.Traffic.Accepted(counting)
		c := newConn(counting)
		if !r.track(c) {
			c.Close()
			return net.ErrClosed
		}
		r.working.Go(func() { r.serveConn(c) })
	}
}

// track records a connection, unless the receiver is stopped, and reports whether to serve it.
func (r *receiver) track(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.conns[c] = struct{}{}
	}
	return !r.stopped
}

// stop closes the listener and all connections.
func (r *receiver) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	r.stopped = true
	close(r.closed)
	r.listener.Close()
	for c := range r.conns {
		c.Close()
	}
	clear(r.conns)
}

// accepted is the response to every valid webhook: without a body, as the server reads none.
const accepted = "HTTP/1.1 204 No Content\r\n\r\n"

// serveConn serves one connection to its end. After a failure the server reconnects, and
// posts again what was not accepted.
func (r *receiver) serveConn(c *conn) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.conns, c)
		c.Close()
	}()
	_ = c.receive(&postReader{receiver: r, conn: c})
}

// A postReader reads the webhooks on one connection.
type postReader struct {
	receiver *receiver
	conn     *conn
	buffer   wire.Room
	partial  *wire.Partial
}

// Consume consumes one webhook and responds to it.
func (p *postReader) Consume(in []byte, at clock.Instant) (n int, done bool, err error) {
	p.buffer.Partial = &p.partial
	m, header, err := wire.ParseRequest(in, &p.buffer)
	if err != nil || m.Size == 0 {
		return 0, false, err
	}
	r := p.receiver
	r.Traffic.Down.Headers.Add(int64(header))
	r.Traffic.Down.Framing.Add(int64(m.Size - header - len(m.Body)))
	if err := r.receivePost(m.Body, at); err != nil {
		return m.Size, false, err
	}
	r.Traffic.Up.Headers.Add(int64(len(accepted)))
	return m.Size, false, p.conn.write([]byte(accepted))
}

// receivePost receives the body of a webhook, which must be a batch. A batch that the server
// posts again, because the client's response was lost, counts as duplicates.
func (r *receiver) receivePost(body []byte, at clock.Instant) error {
	select {
	case <-r.registered:
	case <-r.closed:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		r.Traffic.Down.Envelope.Add(int64(len(body)))
		return net.ErrClosed
	}
	return r.Receive(body, at)
}
