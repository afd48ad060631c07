package goroutine

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
)

// connect returns both ends of a new connection.
func connect(t *testing.T, traffic *client.Traffic) (ours *conn, theirs net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if ours, err = dial(t.Context(), &client.Config{Target: ln.Addr().String(), Traffic: traffic}, new(client.Distance)); err != nil {
		t.Fatal(err)
	}
	if theirs, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// tcpState returns the kernel's state of the client's end.
func tcpState(c *conn) (state uint8) {
	c.counting.Control(func(fd int) {
		if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			state = info.State
		}
	})
	return state
}

// send writes n bytes, and reads some of them at the other end.
func send(t *testing.T, from io.Writer, n int, to io.Reader, read int) {
	t.Helper()
	if _, err := from.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, read)); err != nil {
		t.Fatal(err)
	}
}

func TestTCPAgreesWithTraffic(t *testing.T) {
	for _, c := range []struct {
		name   string
		end    func(t *testing.T, ours *conn, theirs net.Conn)
		unread int64
		up     int64 // segments of closing
	}{
		{"the client closes", func(*testing.T, *conn, net.Conn) {}, 0, 2},
		{"the server closes first", func(t *testing.T, ours *conn, theirs net.Conn) {
			theirs.Close()
			if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
				t.Fatalf("read: got %v, want EOF", err)
			}
		}, 0, 1},
		{"the client closes with unread bytes", func(t *testing.T, ours *conn, theirs net.Conn) {
			send(t, theirs, 50, ours, 20)
		}, 30, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var traffic client.Traffic
			ours, theirs := connect(t, &traffic)
			send(t, ours, 1000, theirs, 1000)
			send(t, theirs, 300, ours, 300)
			c.end(t, ours, theirs)
			open := traffic.TCP()
			ours.Close()
			closed, counted := traffic.TCP(), traffic.Snapshot()
			if open.Up.Bytes != 1000 || open.Down.Bytes != counted.Down.Bytes+c.unread {
				t.Errorf("open: %d bytes up and %d down, want 1000 and %d", open.Up.Bytes, open.Down.Bytes, counted.Down.Bytes+c.unread)
			}
			if closed.Up.Bytes != counted.Up.Bytes || closed.Down.Bytes != counted.Down.Bytes {
				t.Errorf("closed: TCP counts %+v, want %d bytes up and %d down as Traffic", closed, counted.Up.Bytes, counted.Down.Bytes)
			}
			if up := closed.Up.Segments - open.Up.Segments; up != c.up {
				t.Errorf("closing takes %d segments up, want %d", up, c.up)
			}
			if down := closed.Down.Segments - open.Down.Segments; down != 1 {
				t.Errorf("closing takes %d segments down, want 1", down)
			}
		})
	}
}

// A client that writes to a server that has closed receives a reset, after the server's FIN,
// which is not a byte.
func TestTCPAgreesWithTrafficAfterAReset(t *testing.T) {
	for name, unread := range map[string]int{"all read": 0, "not all read": 30} {
		t.Run(name, func(t *testing.T) {
			var traffic client.Traffic
			ours, theirs := connect(t, &traffic)
			send(t, theirs, 300, ours, 300-unread)
			theirs.Close()
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for tcpState(ours) == unix.BPF_TCP_ESTABLISHED { // its FIN has not arrived
				<-tick.C
			}
			if _, err := ours.Write([]byte("goodbye")); err != nil {
				t.Fatal(err)
			}
			for tcpState(ours) != unix.BPF_TCP_CLOSE {
				<-tick.C
			}
			ours.Close()
			if tcp, counted := traffic.TCP().Down.Bytes, traffic.Snapshot().Down.Bytes; tcp != counted {
				t.Errorf("TCP counts %d bytes down, Traffic %d, want the same", tcp, counted)
			}
		})
	}
}

// Bytes that arrive while a connection is closed are in both counts or in neither.
func TestTCPAgreesWithTrafficDuringClose(t *testing.T) {
	const connections = 200
	for range connections {
		var traffic client.Traffic
		ours, theirs := connect(t, &traffic)
		reading := make(chan struct{})
		var goroutines sync.WaitGroup
		goroutines.Go(func() {
			for { // until the client has closed
				if _, err := theirs.Write([]byte{1, 2, 3, 4}); err != nil {
					return
				}
			}
		})
		goroutines.Go(func() {
			started := sync.OnceFunc(func() { close(reading) })
			for {
				_, err := ours.Read(make([]byte, 1))
				started()
				if err != nil {
					if !errors.Is(err, net.ErrClosed) {
						t.Errorf("read: got %v, want net.ErrClosed", err)
					}
					return
				}
			}
		})
		<-reading
		ours.Close()
		goroutines.Wait()
		if tcp, counted := traffic.TCP().Down.Bytes, traffic.Snapshot().Down.Bytes; tcp != counted {
			t.Fatalf("TCP counts %d bytes down, Traffic %d, want the same", tcp, counted)
		}
	}
}
