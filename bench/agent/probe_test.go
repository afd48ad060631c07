package agent

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
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

func TestServerStats(t *testing.T) {
	var earlier ServerStats
	stats := `{"accepted":5,"requests":{"total":100,"poll":40,"publish":2,"upgrade":1,"sse":0,"other":3,"stats":7,"healthz":9},"repoll_gaps":{"count":30,"sum_ns":9000},"new":{"field":1}}`
	s, err := readStats([]byte(stats))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.ClientRequests(); got != 46 {
		t.Errorf("%d requests from clients, want 46: without the probe's own and the total", got)
	}
	earlier.RepollGap.Count, earlier.RepollGap.Sum = 20, 4000
	if got := s.repollGap(earlier); got != 500*time.Nanosecond {
		t.Errorf("re-poll gap %v, want 500ns: the mean of the ten since the earlier reading", got)
	}
	if got := s.repollGap(s); got != 0 {
		t.Errorf("re-poll gap %v without polls, want 0", got)
	}
}

// A baseline may be a build whose /v1/stats has the former names.
func TestStatsOfAnEarlierBuild(t *testing.T) {
	const now = `{"library":"nethttp","repoll_gaps":{"count":3,"sum_ns":9},"batching_delay_ns":5,"limits":{"max_poll_timeout_ns":7,"response_header_bytes":300}}`
	const former = `{"stack":"nethttp","rearm":{"count":3,"sum_ns":9},"flush_ns":5,"limits":{"hold_ns":7,"answer_head_bytes":300},"lies":{},"parked":1,"empty_answers":2}`
	want, err := readStats([]byte(now))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readStats([]byte(former))
	if err != nil || !reflect.DeepEqual(got, want) || got.Library != "nethttp" || got.RepollGap.Sum != 9 || len(got.settings) != 4 {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := readStats([]byte(`{"stack":"nethttp","library":"nethttp"}`)); err == nil {
		t.Error("a server with both names of a field is accepted")
	}
}
