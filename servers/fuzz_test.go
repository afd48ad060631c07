package servers_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// Any bytes on a connection, to any transport on any library: no handler panics, the connection ends, and the server
// continues to serve.
func FuzzConnection(f *testing.F) {
	all := variants(clientDialled)
	for i := range all {
		f.Add(byte(i), []byte("GET /v1/poll?topic=a HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	}
	socket := "GET /v1/ws?topic=a HTTP/1.1\r\nHost: localhost\r\n" + handshake + "\r\n"
	for i, v := range all {
		if v.transport == "websocket" {
			f.Add(byte(i), append([]byte(socket), "\x81\x80\x00\x00\x00\x00\x88\x80\x00\x00\x00\x00"...))
		}
	}
	f.Add(byte(0), []byte(post1+"Content-Length: 1\r\n\r\nx"+post1+"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"))
	servers := make([]*server, len(all))
	for i, v := range all {
		servers[i] = start(f, v, wire.Limits{ReadTimeout: time.Second, IdleTimeout: time.Second, SlowAfter: time.Second, MaxPayload: 1024}, hub.Options{MaxTopics: 1000, MaxBytes: 1 << 20})
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		s := servers[int(which)%len(servers)]
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write(data) // a server that refuses early may reset the rest
		_ = c.(*net.TCPConn).CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(testTimeout))
		buffer := make([]byte, 4096)
		for err == nil {
			_, err = c.Read(buffer)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection does not end")
		}
		if n := s.service.Stats().Panics; n != 0 {
			t.Fatalf("%d handlers panicked", n)
		}
	})
}
