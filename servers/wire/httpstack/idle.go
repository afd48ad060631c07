package httpstack

import (
	"sync/atomic"
	"time"

	"pushbench/servers/sock"
)

// An idleConn is a connection between two requests. It has no goroutine and no buffers;
// when there is something to read it is the library's, for one turn.
type idleConn struct {
	*sock.Conn
	stack   *Stack
	turn    func()           // has the library serve, soon
	closed  func(*sock.Conn) // called when the connection was closed here or by the library
	idle    atomic.Bool      // who sets it back to false deals with the connection
	timeout *time.Timer      // of Config.IdleTimeout; nil before the first idle time
}

// Resume makes the connection idle.
func (c *idleConn) Resume() {
	c.Handle(c)
	if c.timeout == nil {
		c.timeout = time.AfterFunc(c.stack.IdleTimeout, c.stop)
	} else {
		c.timeout.Reset(c.stack.IdleTimeout)
	}
	c.idle.Store(true)
	switch {
	case c.stack.Closing(): // who stops the others may have looked before we were there to see
		go c.stop() // not at once: who resumes may hold what closed takes
	case c.Buffered() > 0, c.Watch(sock.Readable) != 0:
		c.begin()
	}
}

// Release stops the timer.
func (c *idleConn) Release() {
	if c.timeout != nil {
		c.timeout.Stop()
	}
}

// begin ends the idle time because the library has work. The timer keeps running: it has
// no effect on a connection that is not idle, and the next idle time resets it.
func (c *idleConn) begin() {
	if c.idle.CompareAndSwap(true, false) {
		c.turn()
	}
}

// stop ends the idle time by closing the connection.
func (c *idleConn) stop() {
	if c.idle.CompareAndSwap(true, false) {
		_ = c.Close() // no request is waiting for an answer
		c.cleanUp()
	}
}

// gone lets go of what belongs to a connection that is closed.
func (c *idleConn) cleanUp() {
	c.Release()
	c.closed(c.Conn)
}

// Ready takes the connection's events, in a turn also those of its failing.
func (c *idleConn) Ready(e sock.Event) {
	broken := e&(sock.Stalled|sock.Hangup) != 0
	if !broken {
		c.begin()
		return
	}
	if e&sock.Stalled != 0 {
		c.Stall()
	} else {
		c.Abort()
	}
	if c.idle.CompareAndSwap(true, false) {
		c.cleanUp()
	}
}

// closeIdle closes the connections that are between two requests.
func (s *Stack) closeIdle() {
	for _, conn := range s.Conns() {
		if c, ok := conn.Handler().(*idleConn); ok {
			c.stop()
		}
	}
}
