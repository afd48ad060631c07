package wire

import (
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
)

// A countingSink receives frames of a peer that reads at once.
type countingSink struct {
	bytes, want atomic.Int64
	complete    chan struct{} // closed when all wanted bytes are sent
}

func (s *countingSink) Send(frame []byte) error {
	if n := s.bytes.Add(int64(len(frame))); n-int64(len(frame)) < s.want.Load() && n >= s.want.Load() {
		close(s.complete)
	}
	return nil
}

func (s *countingSink) Beat() error { return nil }

func (s *countingSink) End(Reason) {}

// A blocker occupies a worker.
type blocker chan struct{}

func (b blocker) Work() { <-b }

// A subscriber that has much to catch up must not keep the goroutine that sends to it.
func TestCatchingUpTakesTurns(t *testing.T) {
	const messages, size, batch = 64, 8 << 10, 16 << 10
	s := service(t, "sse", hub.Options{MaxBatchBytes: batch})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := sock.Listen(ln, s.Poller)
	defer l.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	set, err := s.Hub.Set([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	for range messages {
		if _, err := s.Publish("a", []byte(strings.Repeat("x", size))); err != nil {
			t.Fatal(err)
		}
	}
	blocked := make(blocker)
	for range runtime.GOMAXPROCS(0) {
		s.Poller.Work(blocked)
	}
	sink := &countingSink{complete: make(chan struct{})}
	sink.want.Store(messages * size)
	frames := NewCache(s.Hub, func(body []byte, _ hub.Cursor) []byte { return body })
	var f Feed
	f.Start(s, frames, conn.(*sock.Conn), sink, &Subscribe{Set: set, After: hub.Cursor{Epoch: s.Hub.Epoch()}})
	if n := sink.bytes.Load(); n < pumpBytes || n > pumpBytes+batch {
		t.Errorf("%d bytes in the first turn, want about %d", n, pumpBytes)
	}
	close(blocked)
	<-sink.complete
	f.Close(Done)
}
