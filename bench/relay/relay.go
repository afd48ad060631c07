// Package relay stands between clients and a server and keeps every byte that
// passes: the truth that clients' own counters are held to.
//
// It owns the connections it relays and what it saw on them. It must never change,
// delay or retry anything by itself: it can only hang up, when it is told to.
package relay

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// A Relay relays connections to one server. It can hang up and refuse to relay,
// which is how clients come to reconnect.
type Relay struct {
	Addr string // host:port, for clients

	target  string
	ln      net.Listener
	working sync.WaitGroup

	mu      sync.Mutex // guards what follows
	blocked bool
	refuses int // every so many-th request is answered by a reset; 0: none
	asked   int // requests so far
	resets  int64
	links   []*link
}

// A link is one connection of a client's, and the relay's own to the server.
type link struct {
	Conversation
	near, far *net.TCPConn // far is nil when there is no server
	muted     bool         // what comes down is swallowed
}

// A Conversation is what passed on one connection.
type Conversation struct {
	Up, Down []byte
	Opened   time.Time
	Pieces   []Piece // of both directions, in the order in which they came
}

// A Piece is what one read found: what somebody wrote at once, as far as TCP left it whole.
type Piece struct {
	Up    bool
	At    time.Time
	Bytes int
}

// Start relays to a server's address, host:port, until Close.
func Start(target string) (*Relay, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a relay: %w", err)
	}
	r := &Relay{Addr: ln.Addr().String(), target: target, ln: ln}
	r.working.Go(r.accept)
	return r, nil
}

func (r *Relay) accept() {
	for {
		near, err := r.ln.Accept()
		if err != nil {
			return
		}
		r.working.Go(func() { r.serve(near.(*net.TCPConn)) })
	}
}

// Close hangs up on everybody and returns when nothing is relayed any more.
func (r *Relay) Close() {
	r.ln.Close()
	r.Block()
	r.mu.Lock()
	for _, l := range r.links {
		l.near.Close()
	}
	r.mu.Unlock()
	r.working.Wait()
}

// serve relays one connection until both directions have ended.
func (r *Relay) serve(near *net.TCPConn) {
	l := r.enter(near)
	defer near.Close()
	var down sync.WaitGroup
	if l.far != nil {
		defer l.far.Close()
		down.Go(func() { r.download(l) })
	}
	r.upload(l)
	if l.far != nil {
		_ = l.far.CloseWrite() // fails only if it is closed already
	}
	down.Wait()
}

// enter counts a connection, and connects it unless the relay is blocked.
func (r *Relay) enter(near *net.TCPConn) *link {
	far, _ := net.Dial("tcp", r.target) // no server: the client is hung up on
	r.mu.Lock()
	defer r.mu.Unlock()
	l := &link{near: near, Conversation: Conversation{Opened: time.Now()}}
	r.links = append(r.links, l)
	if far != nil {
		l.far = far.(*net.TCPConn)
	}
	if r.blocked || far == nil {
		l.hangUp()
	}
	return l
}

// hangUp ends what comes down. What the client still sends is read to its end:
// it has counted it.
func (l *link) hangUp() {
	_ = l.near.CloseWrite() // fails only if it is closed already
	if l.far != nil {
		l.far.Close()
	}
}

// upload keeps all that a client sends, and passes it on as long as that is possible.
func (r *Relay) upload(l *link) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.near.Read(buffer)
		if r.keep(l, buffer[:n]) {
			l.reset()
			return
		}
		if n > 0 && l.far != nil {
			_, _ = l.far.Write(buffer[:n]) // what the server does not get, it does not get
		}
		if err != nil {
			return
		}
	}
}

// requestEnd marks the end of each request line.
var requestEnd = []byte(" HTTP/1.1\r\n")

// keep keeps what a client sent, and reports whether to answer it by a reset. Requests
// are counted in each piece by itself: clients write one whole.
func (r *Relay) keep(l *link, piece []byte) (reset bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.Up = append(l.Up, piece...)
	l.note(true, len(piece))
	for range bytes.Count(piece, requestEnd) {
		r.asked++
		if r.refuses > 0 && r.asked%r.refuses == 0 {
			r.resets++
			reset = true
		}
	}
	return reset
}

// note keeps when a piece came.
func (l *link) note(up bool, n int) {
	if n > 0 {
		l.Pieces = append(l.Pieces, Piece{Up: up, At: time.Now(), Bytes: n})
	}
}

// shorten takes back what of the last piece down could not be passed on.
func (l *link) shorten(n int) {
	l.Down = l.Down[:len(l.Down)-n]
	for i, p := range slices.Backward(l.Pieces) {
		if !p.Up {
			l.Pieces[i].Bytes -= n
			return
		}
	}
}

// reset ends a connection as a server's crash does: RST rather than FIN.
func (l *link) reset() {
	_ = l.near.SetLinger(0) // fails only if it is closed already
	l.near.Close()
	if l.far != nil {
		l.far.Close()
	}
}

// Refuse answers every n-th request by a reset, before the server has seen it; 0
// refuses none.
func (r *Relay) Refuse(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuses = n
}

// Resets is how many requests were refused.
func (r *Relay) Resets() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resets
}

// download passes on what a server sends, and keeps it first, so that no client
// has read what the relay has not seen; what could not be passed on is taken back.
func (r *Relay) download(l *link) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.far.Read(buffer)
		r.mu.Lock()
		muted := l.muted
		if !muted {
			l.Down = append(l.Down, buffer[:n]...)
			l.note(false, n)
		}
		r.mu.Unlock()
		if muted && err == nil {
			continue
		}
		passed, failed := l.near.Write(buffer[:n])
		if failed != nil {
			r.mu.Lock()
			l.shorten(n - passed)
			r.mu.Unlock()
		}
		if err != nil || failed != nil {
			l.hangUp()
			return
		}
	}
}

// Mute swallows from now on what comes down on the connections that there are, as a
// router does that has forgotten them: neither side is told.
func (r *Relay) Mute() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.links {
		l.muted = true
	}
}

// Block hangs up on all clients, and on new ones at once, until Unblock.
func (r *Relay) Block() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocked = true
	for _, l := range r.links {
		l.hangUp()
	}
}

// Unblock relays again.
func (r *Relay) Unblock() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocked = false
}

// Accepted is how many connections clients opened, those that were hung up on included.
func (r *Relay) Accepted() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.links))
}

// Bytes are how many passed up and down, over all connections.
func (r *Relay) Bytes() (up, down int64) {
	for _, c := range r.Conversations() {
		up += int64(len(c.Up))
		down += int64(len(c.Down))
	}
	return up, down
}

// Requests are how many HTTP requests passed up.
func (r *Relay) Requests() (n int64) {
	for _, c := range r.Conversations() {
		n += int64(bytes.Count(c.Up, requestEnd))
	}
	return n
}

// Conversations are what passed so far, in the order in which the connections were opened.
func (r *Relay) Conversations() (all []Conversation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.links {
		all = append(all, Conversation{Up: slices.Clone(l.Up), Down: slices.Clone(l.Down), Opened: l.Opened, Pieces: slices.Clone(l.Pieces)})
	}
	return all
}
