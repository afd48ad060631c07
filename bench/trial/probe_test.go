package trial

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
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

// The counters of another server would be taken for those of the measured one.
func TestRedirectOfAServersCountersIsRefused(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request follows the redirect") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer server.Close()
	p := newProbe(strings.TrimPrefix(server.URL, "http://"), nil, nil)
	defer p.http.CloseIdleConnections()
	if _, err := p.stats(t.Context()); err == nil || !strings.Contains(err.Error(), "status 302") {
		t.Errorf("got %v, want status 302", err)
	}
}
