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

// pairOf is a connection of ours and the server's end of it.
func pairOf(t *testing.T, traffic *client.Traffic) (ours *conn, theirs net.Conn) {
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

// tcpState is the kernel's, of our end.
func tcpState(c *conn) (state uint8) {
	c.counting.Control(func(fd int) {
		if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			state = info.State
		}
	})
	return state
}

// send writes n bytes and has the other side read so many of them.
func send(t *testing.T, from io.Writer, n int, to io.Reader, read int) {
	t.Helper()
	if _, err := from.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, read)); err != nil {
		t.Fatal(err)
	}
}

func TestTCPCountsWhatWeCount(t *testing.T) {
	for _, c := range []struct {
		name   string
		end    func(t *testing.T, ours *conn, theirs net.Conn)
		unread int64
		up     int64 // segments of closing
	}{
		{"we end", func(*testing.T, *conn, net.Conn) {}, 0, 2},
		{"the server ends first", func(t *testing.T, ours *conn, theirs net.Conn) {
			theirs.Close()
			if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
				t.Fatalf("read %v, want the end", err)
			}
		}, 0, 1},
		{"we end without having read all", func(t *testing.T, ours *conn, theirs net.Conn) {
			send(t, theirs, 50, ours, 20)
		}, 30, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var traffic client.Traffic
			ours, theirs := pairOf(t, &traffic)
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
				t.Errorf("closed: TCP counts %+v, we count %d bytes up and %d down", closed, counted.Up.Bytes, counted.Down.Bytes)
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

// Who says goodbye to a server that has closed is answered by a reset, and the server's
// FIN, which is no byte, was there before.
func TestTCPCountsWhatWeCountOfAResetConnection(t *testing.T) {
	for name, unread := range map[string]int{"all read": 0, "not all read": 30} {
		t.Run(name, func(t *testing.T) {
			var traffic client.Traffic
			ours, theirs := pairOf(t, &traffic)
			send(t, theirs, 300, ours, 300-unread)
			theirs.Close()
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for tcpState(ours) == unix.BPF_TCP_ESTABLISHED { // its FIN is on its way
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
				t.Errorf("TCP counts %d bytes down, we count %d", tcp, counted)
			}
		})
	}
}

// What arrives while a connection is being closed is in both counts or in neither.
func TestTCPCountsWhatWeCountWhileItCloses(t *testing.T) {
	const connections = 200
	for range connections {
		var traffic client.Traffic
		ours, theirs := pairOf(t, &traffic)
		reading := make(chan struct{})
		var ends sync.WaitGroup
		ends.Go(func() {
			for { // until we are gone
				if _, err := theirs.Write([]byte{1, 2, 3, 4}); err != nil {
					return
				}
			}
		})
		ends.Go(func() {
			started := sync.OnceFunc(func() { close(reading) })
			for {
				_, err := ours.Read(make([]byte, 1))
				started()
				if err != nil {
					if !errors.Is(err, net.ErrClosed) {
						t.Errorf("read %v, want that it is closed", err)
					}
					return
				}
			}
		})
		<-reading
		ours.Close()
		ends.Wait()
		if tcp, counted := traffic.TCP().Down.Bytes, traffic.Snapshot().Down.Bytes; tcp != counted {
			t.Fatalf("TCP counts %d bytes down, we count %d", tcp, counted)
		}
	}
}
