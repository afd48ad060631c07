package sock

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lingerLimit is how long Linger waits for the peer to end, and lingerTurn how many bytes it discards in a turn.
const (
	lingerLimit = time.Second
	lingerTurn  = 64 << 10
)

// closeWrite ends the stream of sent bytes; reading continues.
func (c *Conn) closeWrite() error {
	if c.secure != nil {
		_ = c.secure.tls.CloseWrite() // fails before the handshake and on a broken connection
	}
	return c.control(func(fd int) error { return os.NewSyscallError("shutdown", unix.Shutdown(fd, unix.SHUT_WR)) })
}

// Linger closes the connection like Close, but first discards what the peer still sends: closing with
// unread bytes resets the connection, and the peer may lose a response that explains why it was refused
// (RFC 9112 section 9.6).
func (c *Conn) Linger() {
	c.mu.Lock()
	wait := len(c.pending) == 0 && !c.closing
	if wait {
		c.handler = nil
	}
	c.mu.Unlock()
	if !wait || c.closeWrite() != nil {
		_ = c.Close()
		return
	}
	l := &lingering{conn: c}
	l.limit = time.AfterFunc(lingerLimit, c.Abort)
	c.Handle(l)
	c.poller.Work(l)
}

// A lingering connection is half closed: what arrives is discarded, by turns.
type lingering struct {
	conn  *Conn
	limit *time.Timer
}

// Work is a turn.
func (l *lingering) Work() {
	var piece [4096]byte
	for n := 0; n < lingerTurn; {
		m, err := l.conn.receiveNow(piece[:])
		n += m
		switch {
		case err == ErrNothing && l.conn.Watch(Readable) == 0:
			return
		case err != nil && err != ErrNothing:
			l.end()
			return
		}
	}
	l.conn.poller.Requeue(l)
}

// Ready handles the connection's events.
func (l *lingering) Ready(e Event) {
	if e&Hangup != 0 {
		l.end()
		return
	}
	l.conn.poller.Work(l)
}

func (l *lingering) end() {
	l.limit.Stop()
	l.conn.Abort()
}
