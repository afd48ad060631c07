package goroutine

import (
	"context"
	"net"
	"sync"

	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
)

// A receiver is a client that the server dials: it listens, leaves its URL with the
// server, and takes what is posted there. What arrives is its only sign of life from
// the server; a registration that the server forgot, or that leads nowhere, looks the same.
type receiver struct {
	*session

	listener net.Listener
	working  sync.WaitGroup

	registered chan struct{} // closed when the server has answered: only then is it known what is posted
	closed     chan struct{} // closed when nothing more is taken

	mu      sync.Mutex // guards what follows, and what the session decodes with
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
	accepted := make(chan error, 1)
	r.working.Go(func() { accepted <- r.accept() })
	if err := r.register(ctx); err != nil {
		return err
	}
	return <-accepted
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
	listener := net.ListenConfig{KeepAlive: -1} // heartbeats are ours, and here there are none
	return r.distance.OpenSocket(func() (err error) {
		r.listener, err = listener.Listen(ctx, "tcp", at)
		return err
	})
}

// url is where the server can reach us.
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

// register leaves the URL with the server, on a connection of its own.
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

// accept takes the server's connections until the listener is closed.
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

// keep reports whether a connection is still to be served.
func (r *receiver) track(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.conns[c] = struct{}{}
	}
	return !r.stopped
}

// end closes all there is.
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

// accepted is the answer to every post that was understood: no body, as the server reads none.
const accepted = "HTTP/1.1 204 No Content\r\n\r\n"

// serveConn serves one connection to its end. What fails is the server's to mend: it
// dials again, and posts what was not accepted.
func (r *receiver) serveConn(c *conn) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.conns, c)
		c.Close()
	}()
	_ = c.receive(&postReader{receiver: r, conn: c})
}

// posts are what the server posts on one connection.
type postReader struct {
	receiver *receiver
	conn     *conn
	room     []byte
}

// Take takes one post and answers it.
func (p *postReader) Consume(in []byte, at clock.Instant) (n int, done bool, err error) {
	m, head, err := wire.ParseRequest(in, &p.room)
	if err != nil || m.Size == 0 {
		return 0, false, err
	}
	r := p.receiver
	r.Traffic.Down.Headers.Add(int64(head))
	r.Traffic.Down.Framing.Add(int64(m.Size - head - len(m.Body)))
	if err := r.receivePost(m.Body, at); err != nil {
		return m.Size, false, err
	}
	r.Traffic.Up.Headers.Add(int64(len(accepted)))
	return m.Size, false, p.conn.write([]byte(accepted))
}

// posted takes what the server posted, which must be a batch. One that comes again, since
// our answer to it was lost, is counted as what it is: duplicates.
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
