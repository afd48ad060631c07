package client

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// A wire is a connection from which the reader's bytes come.
type wire struct {
	net.Conn
	io.Reader
}

func (w wire) Read(p []byte) (int, error) { return w.Reader.Read(p) }

// cutAt gives the text in two reads.
func cutAt(text string, at int) io.Reader {
	return io.MultiReader(strings.NewReader(text[:at]), strings.NewReader(text[at:]))
}

// readSome reads until an error, in buffers of the given size.
func readSome(r io.Reader, size int) (text string, err error) {
	p := make([]byte, size)
	for {
		n, err := r.Read(p)
		text += string(p[:n])
		if err != nil {
			return text, err
		}
	}
}

// Wherever a read ends, the header's size is known when its last byte was handed
// out, nothing beyond it is handed out with it, and nothing is lost.
func TestHeaderEndsWhereItEnds(t *testing.T) {
	const body = "\r\n\r\nbody\r\n\r\n"
	for _, header := range []string{
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\r\n",
		"HTTP/1.1 200 OK\r\nA: \r b\r\n\r\n",
		"HTTP/1.1 200 OK\nA: b\n\n",
		"HTTP/1.1 200 OK\nA: b\r\n\n",
	} {
		whole := header + body
		for at := range len(whole) + 1 {
			for _, size := range []int{1, 3, 4096} {
				var traffic Traffic
				c := newConn(&tap{Conn: wire{Reader: cutAt(whole, at)}, traffic: &traffic})
				c.awaitHeader()
				got := ""
				for p := make([]byte, size); c.inHeader; {
					n, err := c.Read(p)
					if got += string(p[:n]); err != nil {
						t.Fatalf("%q cut at %d: got %v, want no error", header, at, err)
					}
				}
				if got != header || c.headerSize != len(header) || c.headerAt == 0 {
					t.Errorf("cut at %d, buffer %d: got header %q of %d bytes, want %q of %d, and an instant", at, size, got, c.headerSize, header, len(header))
				}
				rest, _ := readSome(c, size)
				if rest != body {
					t.Errorf("cut at %d, buffer %d: got %q beyond the header, want %q", at, size, rest, body)
				}
				if got, want := traffic.Down.Bytes.Load(), int64(len(whole)); got != want {
					t.Errorf("cut at %d, buffer %d: got %d bytes counted, want %d", at, size, got, want)
				}
				if got, want := traffic.Down.Headers.Load(), int64(len(header)); got != want {
					t.Errorf("cut at %d, buffer %d: got %d header bytes counted, want %d", at, size, got, want)
				}
			}
		}
	}
}

// Two answers may come in one read; the second is awaited after the first was taken.
func TestHeadersBehindOneAnother(t *testing.T) {
	const one, two = "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
	var traffic Traffic
	c := newConn(&tap{Conn: wire{Reader: iotest.DataErrReader(strings.NewReader(one + two + "body"))}, traffic: &traffic})
	for _, want := range []string{one, two} {
		c.awaitHeader()
		p := make([]byte, 4096)
		if n, _ := c.Read(p); string(p[:n]) != want {
			t.Errorf("got %q, want %q", p[:n], want)
		}
	}
	if rest, _ := readSome(c, 4096); rest != "body" {
		t.Errorf("got %q, want %q", rest, "body")
	}
	if got, want := traffic.Down.Headers.Load(), int64(len(one+two)); got != want {
		t.Errorf("got %d header bytes, want %d", got, want)
	}
}

func TestConnCountsWhatItCarries(t *testing.T) {
	ln := listen(t)
	go func() {
		peer, err := ln.Accept()
		if err != nil {
			return
		}
		defer peer.Close()
		_, _ = io.CopyN(peer, peer, 5)
	}()
	var traffic Traffic
	c, err := dial(context.Background(), &Config{Target: ln.Addr().String(), Traffic: &traffic}, new(distance))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := io.Copy(&got, c); err != nil || got.String() != "hello" {
		t.Errorf("got %q, %v, want hello", got.String(), err)
	}
	if up, down := traffic.Up.Bytes.Load(), traffic.Down.Bytes.Load(); up != 5 || down != 5 || traffic.Dials.Load() != 1 {
		t.Errorf("got %d up, %d down, %d dials, want 5, 5, 1", up, down, traffic.Dials.Load())
	}
	c.Close()
	c.Close() // the second time changes nothing
	if len(traffic.open) != 0 {
		t.Errorf("got %d connections open after Close, want 0", len(traffic.open))
	}
}

func TestAtEnd(t *testing.T) {
	var done atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	released := atEnd(ctx, func() { done.Add(1) })
	released()
	ran := atEnd(ctx, func() { done.Add(10) })
	cancel()
	ran() // waits for it, if it has begun
	before := done.Load()
	released()
	ran()
	if after := done.Load(); after != before || after%10 != 0 {
		t.Errorf("got %d, then %d, want the same, and nothing of what was released", before, after)
	}
}
