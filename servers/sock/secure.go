package sock

import (
	"crypto/tls"
	"net"
	"time"
)

// A secure is TLS (RFC 8446) between a connection's socket and who reads and writes it.
// Its records are what waits when the kernel takes no more, and what is counted.
//
// What a read decrypts is handed over whole, into Conn.before: a record that waited
// inside crypto/tls would be announced by no poller.
type secure struct {
	tls     *tls.Conn
	receive func([]byte) (int, error) // how to read the socket now
	greeted bool                      // the handshake is done
}

// handshakeTimeout is how long a client may take over its handshake.
const handshakeTimeout = 10 * time.Second

// newSecure makes the server's side of TLS over a connection.
func newSecure(c *Conn, config *tls.Config) *secure {
	s := new(secure)
	s.tls = tls.Server(records{c, s}, config)
	return s
}

// read reads what is decrypted. A handshake cannot be put off: where receive does not
// wait, it is waited for by greet.
func (s *secure) read(c *Conn, p []byte, receive, greet func([]byte) (int, error)) (int, error) {
	if !s.greeted {
		if err := s.handshake(c, receive, greet); err != nil {
			return 0, err
		}
	}
	s.receive = receive
	n, err := s.tls.Read(p)
	if n > 0 {
		s.receive = nothing
		s.drain(c)
	}
	return n, err
}

// nothing is an empty socket.
func nothing([]byte) (int, error) { return 0, ErrNothing }

// handshake waits for the client's part. Who waits for what it reads has a deadline of
// its own, which is left as it is.
func (s *secure) handshake(c *Conn, receive, greet func([]byte) (int, error)) error {
	s.receive = receive
	if greet != nil {
		s.receive = greet
		if err := c.setReadDeadline(time.Now().Add(handshakeTimeout)); err != nil {
			return err
		}
		defer func() { _ = c.setReadDeadline(time.Time{}) }() // fails on what is closed, as the next read will
	}
	if err := s.tls.Handshake(); err != nil {
		return err
	}
	s.greeted = true
	return nil
}

// drain moves what is decrypted, or can be without the socket, into the connection.
func (s *secure) drain(c *Conn) {
	var some [512]byte
	for {
		n, err := s.tls.Read(some[:])
		c.before = append(c.before, some[:n]...)
		if err != nil {
			return // there is nothing, or a broken record, which breaks the next read, too
		}
	}
}

// A records is the connection below TLS.
type records struct {
	*Conn
	secure *secure
}

// Read is the socket's.
func (r records) Read(p []byte) (int, error) { return r.Conn.take(p, r.secure.receive) }

// Write is the socket's.
func (r records) Write(p []byte) (int, error) { return r.Conn.put(p) }

// Close does nothing: the connection is closed by who has it.
func (r records) Close() error { return nil }

var _ net.Conn = records{}
