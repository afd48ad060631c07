// Package relay relays connections between clients and a server and records every byte. The
// tests compare the counters of the clients with this record.
//
// It owns the relayed connections and their record. It must not change, delay or retry
// anything: it can only close connections, and only when requested.
package relay

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// A Relay relays connections to one server. It can close connections and refuse to relay, so
// that clients reconnect.
type Relay struct {
	Addr string // host:port, for clients

	target  string
	secured *tls.Config // of connections to the server; nil: no TLS
	ln      net.Listener
	running sync.WaitGroup

	mu         sync.Mutex // guards what follows
	blocked    bool
	resetEvery int // every n-th request causes a reset; 0: none
	requests   int // requests so far
	resets     int64
	links      []*link
	room       int    // bytes that may still be recorded, if full is set
	full       func() // called when there is no more room; nil: no limit
	over       bool   // full was called
}

// A link is one connection of a client, and the connection of the relay to the server.
type link struct {
	Conversation
	client *net.TCPConn
	server halfCloser // nil if it is unreachable
	muted  bool       // discard data from the server
	cut    bool       // discard data to the server, too
	ends   bool       // reset the connection after left more bytes from the server
	left   int
}

// A halfCloser is a connection that can end one direction: TCP, or TLS over it.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// A Conversation is the record of one connection.
type Conversation struct {
	Up, Down []byte
	Opened   time.Time
	Pieces   []Piece // of both directions, in order of arrival
}

// A Piece is the data of one read. It is one write of the sender unless TCP split it.
type Piece struct {
	Up    bool
	At    time.Time
	Bytes int
}

// Start relays to a server's address, host:port, until Close. If secured is not nil, the relay speaks TLS with the
// server and cleartext with the clients.
func Start(target string, secured *tls.Config) (*Relay, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a relay: %w", err)
	}
	r := &Relay{Addr: ln.Addr().String(), target: target, secured: secured, ln: ln}
	r.running.Go(r.accept)
	return r, nil
}

func (r *Relay) accept() {
	for {
		client, err := r.ln.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.serve(client.(*net.TCPConn)) })
	}
}

// Close closes all connections and returns when the relay has stopped.
func (r *Relay) Close() {
	r.ln.Close()
	r.Block()
	r.mu.Lock()
	for _, l := range r.links {
		l.client.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

// serve relays one connection until both directions have ended.
func (r *Relay) serve(client *net.TCPConn) {
	l := r.connect(client)
	defer client.Close()
	var down sync.WaitGroup
	if l.server != nil {
		defer l.server.Close()
		down.Go(func() { r.download(l) })
	}
	r.upload(l)
	if l.server != nil {
		_ = l.server.CloseWrite() // fails only if already closed
	}
	down.Wait()
}

// connect records a connection, and connects it to the server unless the relay is blocked.
func (r *Relay) connect(client *net.TCPConn) *link {
	server := r.dial() // without a server, the client connection is closed below
	r.mu.Lock()
	defer r.mu.Unlock()
	l := &link{client: client, server: server, Conversation: Conversation{Opened: time.Now()}}
	r.links = append(r.links, l)
	if r.blocked || r.over || server == nil {
		l.hangUp()
	}
	return l
}

// dial connects to the server; nil: it is unreachable.
func (r *Relay) dial() halfCloser {
	c, err := net.DialTimeout("tcp", r.target, dialWithin)
	if err != nil {
		return nil
	}
	if r.secured == nil {
		return c.(*net.TCPConn)
	}
	secured := tls.Client(c, r.secured)
	_ = c.SetDeadline(time.Now().Add(dialWithin))
	if secured.Handshake() != nil {
		c.Close()
		return nil
	}
	_ = c.SetDeadline(time.Time{})
	return secured
}

// dialWithin is the longest time to connect to the server.
const dialWithin = 10 * time.Second

// hangUp closes the direction to the client. It continues to read from the client, which has
// counted the bytes that it sent.
func (l *link) hangUp() {
	_ = l.client.CloseWrite() // fails only if already closed
	if l.server != nil {
		l.server.Close()
	}
}

// upload records all data from a client, and forwards it while the server is connected.
func (r *Relay) upload(l *link) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buffer)
		if r.record(l, buffer[:n]) {
			l.reset()
			return
		}
		if n > 0 && l.server != nil && !r.isCut(l) {
			_, _ = l.server.Write(buffer[:n]) // an error means that the server has closed the connection
		}
		if err != nil {
			return
		}
	}
}

// requestEnd marks the end of each request line.
var requestEnd = []byte(" HTTP/1.1\r\n")

// record records data from a client, and reports whether to reset the connection. It counts
// requests per piece: clients write a request in one piece.
func (r *Relay) record(l *link, piece []byte) (reset bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.Up = append(l.Up, piece...)
	l.note(true, len(piece))
	if reset = r.exceeds(len(piece)); reset {
		return true
	}
	for range bytes.Count(piece, requestEnd) {
		r.requests++
		if r.resetEvery > 0 && r.requests%r.resetEvery == 0 {
			r.resets++
			reset = true
		}
	}
	return reset
}

// Most is as much of a target's traffic as is recorded, in bytes.
const Most = 16 << 20

// ErrMost is the error of more.
var ErrMost = errors.New("the server sends without end: more than 16 MiB in the seconds in which it is tried")

// Limit bounds what the relay records from now on, in bytes. A server, or a client that answers it, may send without end:
// the relay then resets the connection, opens no other one, and calls full, which must not call the relay.
func (r *Relay) Limit(n int, full func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.room, r.full = n, full
}

// exceeds notes n recorded bytes, and reports whether they exceed the limit. mu is locked.
func (r *Relay) exceeds(n int) bool {
	if r.full == nil {
		return false
	}
	if r.room -= n; r.room < 0 && !r.over {
		r.over = true
		r.full()
	}
	return r.over
}

// note records size and arrival time of a piece.
func (l *link) note(up bool, n int) {
	if n > 0 {
		l.Pieces = append(l.Pieces, Piece{Up: up, At: time.Now(), Bytes: n})
	}
}

// truncate removes the last n bytes from the record of the last piece down.
func (l *link) truncate(n int) {
	l.Down = l.Down[:len(l.Down)-n]
	for i, p := range slices.Backward(l.Pieces) {
		if !p.Up {
			l.Pieces[i].Bytes -= n
			return
		}
	}
}

// reset ends a connection like a crash of the server: RST rather than FIN.
func (l *link) reset() {
	_ = l.client.SetLinger(0) // fails only if already closed
	l.client.Close()
	if l.server != nil {
		l.server.Close()
	}
}

// Refuse resets the connection of every n-th request before the server receives it; 0
// refuses none.
func (r *Relay) Refuse(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resetEvery = n
}

// Resets returns the number of refused requests.
func (r *Relay) Resets() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resets
}

// download records data from the server and then forwards it, so that no client has read
// unrecorded data. It removes data from the record that it could not forward.
func (r *Relay) download(l *link) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buffer)
		r.mu.Lock()
		muted, ends := l.muted, l.ends && n >= l.left
		if ends {
			n = l.left
		}
		l.left -= n
		if !muted {
			l.Down = append(l.Down, buffer[:n]...)
			l.note(false, n)
			ends = ends || r.exceeds(n)
		}
		r.mu.Unlock()
		if muted && err == nil {
			continue
		}
		passed, failed := l.client.Write(buffer[:n])
		if failed != nil {
			r.mu.Lock()
			l.truncate(n - passed)
			r.mu.Unlock()
		}
		if ends {
			l.reset()
			return
		}
		if err != nil || failed != nil {
			l.hangUp()
			return
		}
	}
}

// Mute discards data from the server on all current connections from now on, like a router that has lost their state:
// neither side is notified. With both, it discards data to the server, too, as without a network.
func (r *Relay) Mute(both bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.links {
		l.muted, l.cut = true, both
	}
}

// ResetAfter resets all current connections after n more bytes from the server each: in the middle of a message.
func (r *Relay) ResetAfter(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.links {
		l.ends, l.left = true, n
	}
}

func (r *Relay) isCut(l *link) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.cut
}

// Block closes all client connections, and new ones immediately, until Unblock.
func (r *Relay) Block() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocked = true
	for _, l := range r.links {
		l.hangUp()
	}
}

// Unblock ends the effect of Block.
func (r *Relay) Unblock() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocked = false
}

// Accepted returns the number of connections that clients opened, including closed ones.
func (r *Relay) Accepted() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.links))
}

// Bytes returns the number of bytes up and down over all connections.
func (r *Relay) Bytes() (up, down int64) {
	for _, c := range r.Conversations() {
		up += int64(len(c.Up))
		down += int64(len(c.Down))
	}
	return up, down
}

// Requests returns the number of HTTP requests from clients.
func (r *Relay) Requests() (n int64) {
	for _, c := range r.Conversations() {
		n += int64(bytes.Count(c.Up, requestEnd))
	}
	return n
}

// Conversations returns the record so far, in the order in which connections opened.
func (r *Relay) Conversations() (all []Conversation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.links {
		all = append(all, Conversation{Up: slices.Clone(l.Up), Down: slices.Clone(l.Down), Opened: l.Opened, Pieces: slices.Clone(l.Pieces)})
	}
	return all
}
