package trial

import (
	"context"
	"net"
	"testing"
	"time"
)

// A server that was stopped still has a listen queue, in which connections are opened.
func TestStoppedServerIsNamed(t *testing.T) {
	queue, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer queue.Close()
	p := newProbe(queue.Addr().String(), nil, nil)
	p.http.Timeout = 20 * time.Millisecond
	const want = "the server did not respond to GET /v1/stats within 20ms: it is stopped, or overloaded"
	if _, err := p.stats(t.Context()); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.stats(ended); err == nil || err.Error() == want {
		t.Errorf("a trial that ended: %v", err)
	}
}
