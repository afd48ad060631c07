package wire

import (
	"sync/atomic"

	"pushbench/servers/sock"
)

// A Seat is the place with the HTTP library that a connection which was taken from
// it has kept.
type Seat interface {
	Resume() // gives the connection back: the next request is the library's
	Leave()  // lets the seat go
}

// A rest is a connection between two requests. It has no goroutine and no buffers;
// when there is something to read it is the library's, for one turn.
type rest struct {
	*sock.Conn
	service *Service
	turn    func()           // has the library serve, soon
	closed  func(*sock.Conn) // told when the connection was closed here or by the library; may be nil
	resting atomic.Bool      // who sets it back to false deals with the connection
	idle    Alarm            // of Limits.IdleTimeout
}

// Resume begins a rest.
func (r *rest) Resume() {
	if r.idle.Ring == nil {
		r.idle.Ring = r.stop
	}
	r.Handle(r)
	r.idle.Set(r.service.Limits.IdleTimeout)
	r.resting.Store(true)
	switch {
	case r.service.Closing(): // who stops the others may have looked before we were there to see
		go r.stop() // not at once: who resumes may hold what closed takes
	case r.Buffered() > 0, r.Watch(sock.Readable) != 0:
		r.begin()
	}
}

// Leave lets the timer go.
func (r *rest) Leave() { r.idle.Stop() }

// begin ends a rest because the library has work.
func (r *rest) begin() {
	if r.resting.CompareAndSwap(true, false) {
		r.idle.Off()
		r.turn()
	}
}

// stop ends a rest by closing the connection.
func (r *rest) stop() {
	if r.resting.CompareAndSwap(true, false) {
		_ = r.Close() // nobody is owed an answer
		r.gone()
	}
}

// gone lets go of what belongs to a connection that is closed.
func (r *rest) gone() {
	r.Leave()
	if r.closed != nil {
		r.closed(r.Conn)
	}
}

// Ready takes the connection's events, in a turn also those of its failing.
func (r *rest) Ready(e sock.Event) {
	broken := e&(sock.Stalled|sock.Hangup) != 0
	if !broken {
		r.begin()
		return
	}
	if e&sock.Stalled != 0 {
		r.Stall()
	} else {
		r.Abort()
	}
	if r.resting.CompareAndSwap(true, false) {
		r.gone()
	}
}

// stopResting closes the connections that are between two requests.
func (s *Service) stopResting() {
	for _, c := range s.Conns() {
		if r, ok := c.Handler().(*rest); ok {
			r.stop()
		}
	}
}
