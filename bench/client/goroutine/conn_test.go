package goroutine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A source is a connection that reads from a Reader.
type source struct {
	net.Conn
	io.Reader
}

func (s source) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// splitAt returns the text in two reads.
func splitAt(text string, at int) io.Reader {
	return io.MultiReader(strings.NewReader(text[:at]), strings.NewReader(text[at:]))
}

// A splitter consumes a number of pieces of one size.
type splitter struct {
	size, left int
	pieces     []string
	consumed   []int64 // before each
	conn       *conn
}

func (s *splitter) Consume(in []byte, at clock.Instant) (n int, done bool, err error) {
	if len(in) < s.size {
		return 0, false, nil
	}
	if at == 0 {
		return 0, false, errors.New("no instant of arrival")
	}
	s.consumed = append(s.consumed, s.conn.Consumed())
	s.pieces = append(s.pieces, string(in[:s.size]))
	s.left--
	return s.size, s.left == 0, nil
}

// However the bytes are split into reads, the same pieces are consumed: none beyond the last,
// and none is lost.
func TestReceiveDoesNotDependOnReadSizes(t *testing.T) {
	whole := strings.Repeat("0123456789", 2_000)
	for _, size := range []int{1, 7, 10, 4_000, 4_096, 4_097, 19_999} {
		for name, reader := range map[string]io.Reader{
			"at once":            strings.NewReader(whole),
			"byte by byte":       iotest.OneByteReader(strings.NewReader(whole)),
			"in two":             splitAt(whole, 4_096),
			"data with the end":  iotest.DataErrReader(strings.NewReader(whole)),
			"in halves of reads": iotest.HalfReader(strings.NewReader(whole)),
		} {
			var traffic client.Traffic
			c := newConn(&countingConn{Conn: source{Reader: reader}, traffic: &traffic})
			count := len(whole) / size
			first := &splitter{size: size, left: (count + 1) / 2, conn: c}
			if err := c.receive(first); err != nil || first.left != 0 {
				t.Fatalf("pieces of %d, %s: %v, %d left", size, name, err, first.left)
			}
			rest := &splitter{size: size, conn: c}
			want := io.EOF
			if len(whole)%size != 0 {
				want = io.ErrUnexpectedEOF
			}
			if err := c.receive(rest); err != want {
				t.Errorf("pieces of %d, %s: ended with %v, want %v", size, name, err, want)
			}
			pieces := append(first.pieces, rest.pieces...)
			if got := strings.Join(pieces, ""); len(pieces) != count || got != whole[:count*size] {
				t.Errorf("pieces of %d, %s: got %d pieces of %d bytes in all, want %d pieces", size, name, len(pieces), len(got), count)
			}
			for i, got := range append(first.consumed, rest.consumed...) {
				if got != int64(i*size) {
					t.Fatalf("pieces of %d, %s: got %d bytes consumed before piece %d", size, name, got, i)
				}
			}
			if got, want := traffic.Down.Bytes.Load(), int64(len(whole)); got != want {
				t.Errorf("pieces of %d, %s: got %d bytes counted, want %d", size, name, got, want)
			}
			if got, want := traffic.Down.Envelope.Load(), int64(len(whole)%size); got != want {
				t.Errorf("pieces of %d, %s: got %d unread bytes counted, want %d", size, name, got, want)
			}
		}
	}
}

func TestConnCountsItsBytes(t *testing.T) {
	ln := listen(t)
	go func() {
		peer, err := ln.Accept()
		if err != nil {
			return
		}
		defer peer.Close()
		_, _ = io.CopyN(peer, peer, 5)
	}()
	var traffic client.Traffic
	c, err := dial(context.Background(), &client.Config{Target: ln.Addr().String(), Traffic: &traffic}, new(client.Distance))
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

	// A request that was counted and cannot be written is in no part.
	request := "GET / HTTP/1.1\r\n\r\n"
	before := traffic.Snapshot()
	traffic.Requests.Add(1)
	traffic.Up.Headers.Add(int64(len(request)))
	if err := c.write([]byte(request)); err == nil {
		t.Error("a closed connection accepted a request")
	}
	if after := traffic.Snapshot(); after.Up != before.Up || after.Requests != before.Requests {
		t.Errorf("got %+v and %d requests, want %+v and %d", after.Up, after.Requests, before.Up, before.Requests)
	}
}

func TestOnDoneIsCancelled(t *testing.T) {
	var done atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	cancelled := onDone(ctx, func() { done.Add(1) })
	cancelled()
	ran := onDone(ctx, func() { done.Add(10) })
	cancel()
	ran() // waits for it, if it has begun
	before := done.Load()
	cancelled()
	ran()
	if after := done.Load(); after != before || after%10 != 0 {
		t.Errorf("got %d, then %d, want the same, without the cancelled call", before, after)
	}
}
