package httpstack

import (
	"sync/atomic"
	"time"

	"pushbench/servers/sock"
)

// An idleConn is a connection between two requests. It has no goroutine and no buffers;
// when there is something to read, the library has it for one turn.
type idleConn struct {
	*sock.Conn
	stack   *Stack
	turn    func()           // queues the connection for the library
	closed  func(*sock.Conn) // called when this package or the library has closed the connection
	idle    atomic.Bool      // the goroutine that sets it to false handles the connection
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
	case c.stack.Closing(): // closeIdle may have run before this connection was idle
		go c.stop() // asynchronous: the caller may hold a lock that closed takes
	case c.Unsent(): // Drained begins the next turn: who does not read gets no more responses
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

// begin ends the idle time because there is something to read. The timer keeps running: it has
// no effect on a connection that is not idle, and the next idle time resets it.
func (c *idleConn) begin() {
	if c.idle.CompareAndSwap(true, false) {
		c.turn()
	}
}

// stop ends the idle time by closing the connection.
func (c *idleConn) stop() {
	if c.idle.CompareAndSwap(true, false) {
		_ = c.Close() // no request is waiting for a response
		c.cleanUp()
	}
}

// cleanUp releases the resources of a closed connection.
func (c *idleConn) cleanUp() {
	c.Release()
	c.closed(c.Conn)
}

// Ready handles the connection's events, during a turn also its failures.
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
