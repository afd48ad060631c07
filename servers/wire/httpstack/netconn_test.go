package httpstack

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pushbench/servers/sock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each library has its own server type.
func TestServerUsesItsLibrary(t *testing.T) {
	for _, library := range []Library{NetHTTP, FastHTTP} {
		_, onNetHTTP := New(Config{Library: library}).NewServer(nil, nil).(*netServer)
		if onNetHTTP != (library == NetHTTP) {
			t.Errorf("%s: built on the other library", library)
		}
	}
}

// accept returns an accepted connection whose peer is silent, and its listener.
func accept(t *testing.T) (*sock.Conn, *sock.Listener) {
	t.Helper()
	poller, err := sock.NewPoller(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(poller.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := sock.Listen(ln, poller)
	t.Cleanup(func() { listener.Close() })
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := accepted.(*sock.Conn)
	t.Cleanup(c.Abort)
	return c, listener
}

// A client that requests long responses without end has short turns: what the server writes counts as well.
func TestTurnEndsAfterLongResponse(t *testing.T) {
	conn, _ := accept(t)
	c := &fastConn{}
	c.Conn = conn
	if _, err := c.Write(make([]byte, turnBytes)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.begin(make([]byte, 1)); err != io.EOF || !c.spent {
		t.Errorf("got %v, and the turn has ended because it was long: %t; want the end of a long turn", err, c.spent)
	}
}

// Corked bytes are one write; after uncork, writes are direct.
func TestCorkedResponseIsOneWrite(t *testing.T) {
	conn, listener := accept(t)
	c := &netConn{Conn: conn}
	sent := func() uint64 { return listener.Counts().BytesOut }
	c.cork()
	for _, part := range []string{"head ", "body "} {
		if n, err := c.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if n := sent(); n != 0 {
		t.Errorf("%d bytes were sent before uncork", n)
	}
	c.uncork()
	_, _ = c.Write([]byte("next"))
	if n := sent(); n != uint64(len("head body next")) {
		t.Errorf("%d bytes were sent, want all", n)
	}
}

func TestClosedResumedListenerAcceptsNothing(t *testing.T) {
	l := newResumedListener()
	near, far := net.Pipe()
	defer far.Close()
	defer near.Close()
	offered := make(chan bool)
	go func() { offered <- l.offer(near) }()
	if c, err := l.Accept(); c != near || err != nil || !<-offered {
		t.Errorf("got %v, %v, want the offered connection", c, err)
	}
	for range 2 { // net/http closes twice
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if l.offer(near) {
		t.Error("a closed listener accepted a connection")
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}
