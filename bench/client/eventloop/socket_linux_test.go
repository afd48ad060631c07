package eventloop

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/client/internal/wire"
	"pushbench/scenarios/transports"
)

// A server that requests heartbeats and does not read them makes a client queue a bounded number. One pong waits at most.
func TestHeartbeatsThatAreNotReadAreBounded(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	made, err := New(client.Config{Target: "127.0.0.1:1", Transport: transports.WebSocket, Traffic: new(client.Traffic), Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	s := newSession(made.(*engine).loops[0], client.Subscription{Topics: []string{"a"}}, clienttest.NewObserver())
	s.fd = pair[0]
	body := make([]byte, 100)
	for err == nil {
		err = s.socket.Control(wire.OpText, body)
	}
	if !errors.Is(err, errUnread) || len(s.out) > 2*maxQueued {
		t.Errorf("%d bytes wait: %v", len(s.out), err)
	}
	waiting := len(s.out)
	for range 10 {
		if err := s.socket.Control(wire.OpPong, nil); err != nil && !errors.Is(err, errUnread) {
			t.Error(err)
		}
	}
	if got := len(s.out) - waiting; got > 6 {
		t.Errorf("%d bytes of pongs wait, want at most one pong", got)
	}
}
