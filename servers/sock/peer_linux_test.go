//go:build linux && !portable

package sock

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// vanish makes a peer drop everything that arrives, as a machine does that has lost its power.
func vanish(t *testing.T, peer *net.TCPConn) {
	t.Helper()
	raw, err := peer.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	drop := unix.SockFprog{Len: 1, Filter: &unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}} // 0 bytes of each segment
	err = errors.Join(raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &drop)
	}), err)
	if err != nil {
		t.Fatal(err)
	}
}

// accept returns both ends of a connection of a poller's own listener.
func accept(t *testing.T, p *Poller) (*Conn, *net.TCPConn) {
	t.Helper()
	l := listen(t, p)
	t.Cleanup(func() { l.Close() })
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.(*Conn).Abort)
	return c.(*Conn), peer.(*net.TCPConn)
}

// Without it the kernel would try for a quarter of an hour, and a heartbeat would change nothing.
func TestVanishedPeerIsReported(t *testing.T) {
	p, err := NewPoller(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.vanishedAfter = 300 * time.Millisecond
	c, peer := accept(t, p)
	e := make(testHandler, 10)
	c.Handle(e)
	c.Watch(Hangup)
	vanish(t, peer)
	if _, err := c.Write([]byte("heartbeat")); err != nil {
		t.Fatal(err)
	}
	e.wait(t, Hangup)
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("got %v, want %v", err, syscall.ETIMEDOUT)
	}
}

// Without memory for another watch, one connection is lost, not the listener.
func TestConnectionThatCannotBeWatchedIsClosed(t *testing.T) {
	p, err := NewPoller(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l := listen(t, p)
	defer l.Close()
	unwatchable, accept := true, l.accept
	l.accept = func(noDelay bool) (socket, error) {
		s, err := accept(noDelay)
		if unwatchable && err == nil {
			err = p.add(&Conn{socket: s}) // epoll_ctl refuses to add it a second time
		}
		unwatchable = false
		return s, err
	}
	var peers [2]net.Conn
	for i := range peers {
		if peers[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		defer peers[i].Close()
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := peers[0].Read(make([]byte, 1)); err == nil || c.RemoteAddr().String() != peers[1].LocalAddr().String() {
		t.Errorf("the connection that cannot be watched is open (%v), or %v is not accepted", err, peers[1].LocalAddr())
	}
	if n := l.Counts(); n.AcceptErrors != 1 || n.Open != 1 {
		t.Errorf("got %+v, want 1 error and 1 open", n)
	}
}

// The kernel reports room only when a third of its buffer is free. A peer that reads on must not be called slow
// until then, and one that has stopped must be.
func TestProgressOfSlowPeerIsSeen(t *testing.T) {
	c, peer, _ := pair(t, time.Hour) // checked by the test instead of the timer
	e := make(testHandler, 100)
	c.Handle(e)
	fill(t, c)
	old := time.Now().Add(-2 * time.Hour)
	check := func() (stalled bool) {
		c.mu.Lock()
		c.since = old
		c.mu.Unlock()
		c.stalled()
		return len(e) > 0
	}
	until(t, "stopped", check) // what was in flight has been acknowledged, and nothing more
	for len(e) > 0 {
		<-e
	}
	progressed := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.delivered() != c.progress
	}
	until(t, "read further", func() bool {
		if _, err := io.ReadFull(peer, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		return progressed()
	})
	if n, _ := pending(c); n == 0 || check() {
		t.Errorf("a peer that has read on is called slow, with %d bytes pending", n)
	}
}

// Closing with unread bytes would reset the connection, and the peer could lose what was sent to it.
func TestLingeringCloseDiscardsWhatArrives(t *testing.T) {
	c, peer, l := pair(t, time.Minute)
	if _, err := c.Write([]byte("413")); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := peer.Write(make([]byte, 8<<20))
		sent <- errors.Join(err, peer.CloseWrite())
	}()
	c.Linger()
	if err := <-sent; err != nil {
		t.Errorf("the peer could not send: %v", err)
	}
	if got, err := io.ReadAll(peer); err != nil || string(got) != "413" {
		t.Errorf("the peer got %q, %v", got, err)
	}
	until(t, "closed", func() bool { return l.Counts().Open == 0 })
}
