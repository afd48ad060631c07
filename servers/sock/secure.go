package sock

import (
	"crypto/tls"
	"net"
	"time"
)

// A secure is TLS (RFC 8446) between a connection's socket and its reader and writer.
// Pending bytes and byte counts are those of its records.
//
// A read moves all decrypted bytes into Conn.buffered: the poller would not report a record
// that waits inside crypto/tls.
type secure struct {
	tls        *tls.Conn
	receive    func([]byte) (int, error) // reads the socket in the current call
	handshaken bool                      // the handshake is done
}

// handshakeTimeout is how long a client may take over its handshake.
const handshakeTimeout = 10 * time.Second

// newSecure makes the server's side of TLS over a connection.
func newSecure(c *Conn, config *tls.Config) *secure {
	s := new(secure)
	s.tls = tls.Server(records{c, s}, config)
	return s
}

// read reads decrypted bytes. A handshake cannot be postponed: if receive does not
// wait, handshakeReceive waits for the handshake.
func (s *secure) read(c *Conn, p []byte, receive, handshakeReceive func([]byte) (int, error)) (int, error) {
	if !s.handshaken {
		if err := s.handshake(c, receive, handshakeReceive); err != nil {
			return 0, err
		}
	}
	s.receive = receive
	n, err := s.tls.Read(p)
	if n > 0 {
		if !c.receivedAny.Load() {
			c.firstByte()
		}
		s.receive = nothing
		s.drain(c)
	}
	return n, err
}

// nothing is an empty socket.
func nothing([]byte) (int, error) { return 0, ErrNothing }

// handshake waits for the client's part. A blocking receive has its own deadline, which
// handshake does not change.
func (s *secure) handshake(c *Conn, receive, handshakeReceive func([]byte) (int, error)) error {
	s.receive = receive
	if handshakeReceive != nil {
		s.receive = handshakeReceive
		if err := c.setReadDeadline(time.Now().Add(handshakeTimeout)); err != nil {
			return err
		}
		defer func() { _ = c.setReadDeadline(time.Time{}) }() // fails on a closed connection, as the next read will
	}
	if err := s.tls.Handshake(); err != nil {
		return err
	}
	s.handshaken = true
	return c.awaitFirstByte()
}

// drain moves all bytes that are decrypted, or can be without the socket, into the connection.
func (s *secure) drain(c *Conn) {
	var chunk [512]byte
	for {
		n, err := s.tls.Read(chunk[:])
		c.buffered = append(c.buffered, chunk[:n]...)
		if err != nil {
			return // no more data, or a broken record, which the next read reports
		}
	}
}

// records is the connection below TLS.
type records struct {
	*Conn
	secure *secure
}

// Read reads the socket.
func (r records) Read(p []byte) (int, error) { return r.Conn.readSocket(p, r.secure.receive) }

// Write writes to the socket.
func (r records) Write(p []byte) (int, error) { return r.Conn.writeSocket(p) }

// Close does nothing: the owner of the connection closes it.
func (r records) Close() error { return nil }

var _ net.Conn = records{}
