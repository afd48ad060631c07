package wire

import (
	"errors"
	"net"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
)

func TestTheReferenceIsWhatPeopleDeploy(t *testing.T) {
	for _, row := range []struct {
		stack     Stack
		transport string
		want      Stack
	}{
		{Reference, "shortpoll", FastHTTP},
		{Reference, "longpoll", FastHTTP},
		{Reference, "sse", FastHTTP},
		{Reference, "websocket", NetHTTP},
		{NetHTTP, "shortpoll", NetHTTP},
		{NetHTTP, "websocket", NetHTTP},
		{FastHTTP, "sse", FastHTTP},
		{FastHTTP, "websocket", FastHTTP},
	} {
		s, err := New(row.transport, row.stack, Limits{}, hub.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, onNetHTTP := s.NewServer(nil, nil).(*netServer)
		if s.library != row.want || onNetHTTP != (row.want == NetHTTP) || s.Stats().Stack != string(row.stack) {
			t.Errorf("%s on %s: built on %s, and the stats say %s", row.transport, row.stack, s.library, s.Stats().Stack)
		}
		s.Close()
	}
}

func TestAnUnknownStackIsAnError(t *testing.T) {
	for _, stack := range []Stack{"", "apache"} {
		if _, err := New("sse", stack, Limits{}, hub.Options{}); err == nil {
			t.Errorf("%q: got none", stack)
		}
	}
}

// What is gathered is one write, and then writes are direct again.
func TestACorkedAnswerIsOneWrite(t *testing.T) {
	s := service(t, "shortpoll", hub.Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := netListener{s.Listen(ln)}
	defer listener.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := accepted.(*netConn)
	defer c.Abort()
	sent := func() uint64 { return listener.Listener.(*sock.Listener).Counts().BytesOut }
	c.cork()
	for _, part := range []string{"head ", "body "} {
		if n, err := c.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if n := sent(); n != 0 {
		t.Errorf("%d bytes are sent before the whole is there", n)
	}
	c.uncork()
	_, _ = c.Write([]byte("next"))
	if n := sent(); n != uint64(len("head body next")) {
		t.Errorf("%d bytes sent, want all", n)
	}
}

func TestAResumedListenerThatIsClosedTakesNothing(t *testing.T) {
	l := newResumedListener()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	defer ours.Close()
	offered := make(chan bool)
	go func() { offered <- l.offer(ours) }()
	if c, err := l.Accept(); c != ours || err != nil || !<-offered {
		t.Errorf("got %v, %v, want what was offered", c, err)
	}
	for range 2 { // net/http closes twice
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if l.offer(ours) {
		t.Error("a closed listener took a connection")
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}
