package client

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/valyala/fasthttp"

	"pushbench/bench/clock"
)

// A receiver is a client that the server dials: it listens, leaves its URL with the
// server, and takes what is posted there. What it hears is its only sign of life from
// the server; a registration that the server forgot, or that leads nowhere, looks the same.
type receiver struct {
	*session
	header fasthttp.RequestHeader

	listener net.Listener
	working  sync.WaitGroup

	registered chan struct{} // closed when the server has answered: only then is it known what is posted
	closed     chan struct{} // closed when nothing more is taken

	mu    sync.Mutex // guards what follows, and what the session decodes with
	conns map[*conn]struct{}
	ended bool
}

// serve registers and receives until the session ends.
func (r *receiver) serve(ctx context.Context) error {
	if err := r.listen(ctx); err != nil {
		return err
	}
	defer r.working.Wait()
	defer r.end()
	release := atEnd(ctx, r.end)
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
	if r.engine.Receive != nil {
		at, _ = r.engine.Receive(r.sub.Client)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns, r.ended = make(map[*conn]struct{}), false
	r.registered, r.closed = make(chan struct{}), make(chan struct{})
	listener := net.ListenConfig{KeepAlive: -1} // heartbeats are ours, and here there are none
	return r.over.opens(func() (err error) {
		r.listener, err = listener.Listen(ctx, "tcp", at)
		return err
	})
}

// url is where the server can reach us.
func (r *receiver) url() string {
	at := ""
	if r.engine.Receive != nil {
		_, at = r.engine.Receive(r.sub.Client)
	}
	if at == "" {
		at = r.listener.Addr().String()
	}
	return "http://" + at + "/"
}

// register leaves the URL with the server, on a connection of its own.
func (r *receiver) register(ctx context.Context) error {
	l, err := openLine(ctx, r.engine, &r.over)
	if err != nil {
		return err
	}
	defer l.close()
	l.head = r.head()
	r.opened(l.conn)
	requestHeader(&r.header, fasthttp.MethodPost, r.engine.Target)
	r.header.SetContentType("text/plain; charset=utf-8")
	r.header.SetRequestURIBytes(r.appendStream(nil, "/v1/webhooks"))
	url := []byte(r.url())
	if err := l.send(&r.header, url); err != nil {
		return err
	}
	r.traffic.Up.Payload.Add(-int64(len(url))) // it is nobody's message
	r.traffic.Up.Envelope.Add(int64(len(url)))
	status, err := l.receive()
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		r.traffic.Down.Envelope.Add(int64(len(l.response.Body())))
		return fmt.Errorf("registration answered with status %d", status)
	}
	r.answered(l.conn, l.wired(), l.headerAt)
	if err := r.receive(l.response.Body(), clock.Now()); err != nil {
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
		t := &tap{Conn: raw, traffic: r.traffic}
		r.traffic.accepted(t)
		c := newConn(t)
		if !r.keep(c) {
			c.Close()
			return net.ErrClosed
		}
		r.working.Go(func() { r.take(c) })
	}
}

// keep says whether a connection is still to be served.
func (r *receiver) keep(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.conns[c] = struct{}{}
	}
	return !r.ended
}

// end closes all there is.
func (r *receiver) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	close(r.closed)
	r.listener.Close()
	for c := range r.conns {
		c.Close()
	}
	clear(r.conns)
}

// accepted is the answer to every post that was understood: no body, as nobody reads it.
const accepted = "HTTP/1.1 204 No Content\r\n\r\n"

// take serves one connection to its end.
func (r *receiver) take(c *conn) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.conns, c)
		c.Close()
	}()
	var request fasthttp.Request
	in := bufio.NewReader(c)
	for {
		before := c.plain()
		c.awaitHeader()
		if request.ReadLimitBody(in, maxBody) != nil {
			return // the server's to mend: it dials again, and posts what was not accepted
		}
		body := request.Body()
		r.traffic.Down.Framing.Add(c.plain() - before - int64(c.headerSize) - int64(len(body)))
		if !r.posted(body) {
			return
		}
		if _, err := c.Write([]byte(accepted)); err != nil {
			return
		}
		r.traffic.Up.Headers.Add(int64(len(accepted)))
	}
}

// posted takes what the server posted, and says whether that was a batch. One that comes
// again, since our answer to it was lost, is counted as what it is: duplicates.
func (r *receiver) posted(body []byte) bool {
	at := clock.Now()
	select {
	case <-r.registered:
	case <-r.closed:
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.ended && r.receive(body, at) == nil
}
