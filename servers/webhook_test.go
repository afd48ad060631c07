package servers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// A receiver receives posts and responds with the given statuses.
type receiver struct {
	*httptest.Server
	received chan batch

	mu       sync.Mutex
	statuses []int // of the next responses; then 204
}

func receive(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{received: make(chan batch, 4096), statuses: statuses}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		body, err := io.ReadAll(hr.Body)
		if err != nil {
			t.Errorf("read a post: %v", err)
		}
		if status := r.next(); status != http.StatusNoContent {
			w.WriteHeader(status)
			return
		}
		r.received <- parseBatch(t, body)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) next() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.statuses) == 0 {
		return http.StatusNoContent
	}
	status := r.statuses[0]
	r.statuses = r.statuses[1:]
	return status
}

// messages returns the next n messages, formatted as topic#seq=data.
func (r *receiver) messages(t *testing.T, n int) (all []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for len(all) < n {
		select {
		case b := <-r.received:
			for _, raw := range b.Messages {
				var m struct {
					Topic string
					Seq   uint64
					Data  string
				}
				if err := json.Unmarshal(raw, &m); err != nil {
					t.Fatal(err)
				}
				all = append(all, fmt.Sprintf("%s#%d=%s", m.Topic, m.Seq, m.Data))
			}
		case <-ctx.Done():
			t.Fatalf("received %d messages, want %d: %v", len(all), n, all)
		}
	}
	return all
}

// hook registers a webhook with a URL.
func hook(t *testing.T, s *server, url, query string) response {
	t.Helper()
	c := dial(t, s)
	defer c.Close()
	c.send(fmt.Sprintf("POST /v1/webhooks?%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", query, s.addr, len(url), url))
	return c.response("POST")
}

func hooked(t *testing.T, s *server, url, query string) batch {
	t.Helper()
	a := hook(t, s, url, query)
	if a.status != http.StatusOK {
		t.Fatalf("registering %s: %d %s", url, a.status, a.body)
	}
	return parseBatch(t, a.body)
}

var onWebhook = variant{"webhook", wire.Reference}

// Every message is posted once and in order, at any rate.
func TestWebhookPostsEveryMessage(t *testing.T) {
	on(t, "webhook", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		r := receive(t)
		hooked(t, s, r.URL+"/", "topic=a")
		const n = 500
		var want []string
		for i := range n {
			want = append(want, fmt.Sprintf("a#%d=%d", s.publish(t, "a", fmt.Sprint(i)), i))
		}
		if got := r.messages(t, n); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if w := stats(t, s).Webhooks; w.Registered != 1 || w.Failed != 0 || w.Posts == 0 || w.Posts > n {
			t.Errorf("stats: %+v", w)
		}
	})
}

// A post that is not accepted is repeated with the same content.
func TestWebhookIsRetried(t *testing.T) {
	s := start(t, onWebhook, wire.Limits{}, hub.Options{})
	r := receive(t, http.StatusInternalServerError, http.StatusFound)
	hooked(t, s, r.URL+"/", "topic=a")
	s.publish(t, "a", "x")
	if got := r.messages(t, 1); got[0] != "a#1=x" {
		t.Errorf("got %v", got)
	}
	w := stats(t, s).Webhooks
	if w.Posts != 3 || w.Failed != 2 || w.FailedBy["refused by the receiver"] != 2 || w.GivenUp != 0 {
		t.Errorf("stats: %+v", w)
	}
}

// A webhook continues from a cursor, and the response to its registration has only the cursor.
func TestWebhookResumesFromCursor(t *testing.T) {
	s := start(t, onWebhook, wire.Limits{}, hub.Options{})
	before := parseBatch(t, s.subscribeAck(t, "a"))
	s.publish(t, "a", "missed")
	r := receive(t)
	if ack := hooked(t, s, r.URL+"/", "topic=a&after="+before.Cursor); ack.Cursor != before.Cursor || len(ack.Messages) != 0 {
		t.Errorf("got response %+v, want only the cursor %s", ack, before.Cursor)
	}
	if got := r.messages(t, 1); got[0] != "a#1=missed" {
		t.Errorf("got %v", got)
	}
}

// subscribeAck returns the subscribe-ack of a webhook that receives no post.
func (s *server) subscribeAck(t *testing.T, topic string) []byte {
	t.Helper()
	return hook(t, s, "http://127.0.0.1:9/", "topic="+topic).body
}

// 410 ends a webhook; a second webhook with the same URL replaces the first.
func TestWebhookEndsOn410AndIsReplaced(t *testing.T) {
	s := start(t, onWebhook, wire.Limits{}, hub.Options{})
	r := receive(t, http.StatusGone)
	hooked(t, s, r.URL+"/", "topic=a")
	s.publish(t, "a", "unwanted")
	until(t, "ended", func() bool { w := stats(t, s).Webhooks; return w.Registered == 0 && w.GivenUp == 1 })
	for range 2 {
		hooked(t, s, r.URL+"/", "topic=a")
	}
	until(t, "replaced", func() bool { return stats(t, s).Webhooks.Registered == 1 })
	s.publish(t, "a", "once")
	s.publish(t, "a", "end")
	if got := r.messages(t, 2); !slices.Equal(got, []string{"a#2=once", "a#3=end"}) {
		t.Errorf("got %v", got)
	}
}

// Each webhook has one connection, which is kept as long as the webhook, also if several have the same receiver.
func TestWebhookKeepsItsConnection(t *testing.T) {
	s := start(t, onWebhook, wire.Limits{}, hub.Options{})
	const hooks, messages = 3, 5
	var opened, closed, posts atomic.Int64
	arrived := make(chan struct{})
	r := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := posts.Add(1)
		if n%hooks == 0 { // all of them have sent the same message
			for range hooks - 1 {
				arrived <- struct{}{}
			}
		} else {
			<-arrived
		}
		if n > hooks*(messages-1) {
			w.WriteHeader(http.StatusGone)
		}
	}))
	r.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed.Add(1)
		}
	}
	r.Start()
	defer r.Close()
	for i := range hooks {
		hooked(t, s, fmt.Sprintf("%s/%d", r.URL, i), "topic=a")
	}
	for i := range messages {
		s.publish(t, "a", "x")
		until(t, "posted", func() bool {
			return stats(t, s).Webhooks.Posts == int64(hooks*(i+1)) && posts.Load() == int64(hooks*(i+1))
		})
	}
	until(t, "closed", func() bool { return closed.Load() == opened.Load() && stats(t, s).Webhooks.Registered == 0 })
	if n := opened.Load(); n != hooks {
		t.Errorf("%d connections for %d webhooks", n, hooks)
	}
}

// A receiver may not fill the server's memory with headers.
func TestWebhookReadsFewHeaders(t *testing.T) {
	s := start(t, onWebhook, wire.Limits{}, hub.Options{})
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 128<<10))
	}))
	defer r.Close()
	hooked(t, s, r.URL+"/", "topic=a")
	s.publish(t, "a", "x")
	until(t, "refused", func() bool { return stats(t, s).Webhooks.FailedBy["connection lost"] > 0 })
}

// The stats report a receiver that cannot be reached, and the server can still stop.
func TestUnreachableWebhookIsReported(t *testing.T) {
	s := start(t, onWebhook, wire.Limits{}, hub.Options{})
	r := receive(t)
	unreachable := r.URL + "/"
	r.Close()
	hooked(t, s, unreachable, "topic=a")
	s.publish(t, "a", "x")
	until(t, "refused", func() bool { return stats(t, s).Webhooks.FailedBy["connection refused"] > 0 })
	s.stop(t)
}

func TestWebhookRejectsInvalidRequests(t *testing.T) {
	s := start(t, onWebhook, wire.Limits{}, hub.Options{})
	for url, want := range map[string]string{
		"":                          "bad_url",
		"https://127.0.0.1:1/":      "bad_url",
		"http://localhost:1/":       "bad_url",
		"http://127.0.0.1/":         "bad_url",
		"http://127.0.0.1:0/":       "bad_url",
		"http://user@127.0.0.1:1/":  "bad_url",
		"http://127.0.0.1:1/?query": "bad_url",
		"http://127.0.0.1:1/" + strings.Repeat("x", 2048): "bad_url",
		"http://127.0.0.1:1/\x7f":                         "bad_url",
		"http://169.254.169.254:80/":                      "forbidden_url",
		"http://[::1]:1/":                                 "forbidden_url",
		"http://[::ffff:10.0.0.1]:80/":                    "forbidden_url",
	} {
		if a := hook(t, s, url, "topic=a"); !strings.Contains(string(a.body), `"error":"`+want+`"`) {
			t.Errorf("%q: %d %s, want %s", url, a.status, a.body, want)
		}
	}
	for query, want := range map[string]string{"": "missing_topic", "topic=a&wait=1s": "unknown_parameter", "topic=a&after=x": "bad_cursor"} {
		if a := hook(t, s, "http://127.0.0.1:9/", query); !strings.Contains(string(a.body), `"error":"`+want+`"`) {
			t.Errorf("%q: %d %s, want %s", query, a.status, a.body, want)
		}
	}
	if w := stats(t, s).Webhooks; w.Registered != 0 {
		t.Errorf("%d webhooks are registered, want none", w.Registered)
	}
}

// A server without allowed networks has no webhooks.
func TestWebhooksAreOffByDefault(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		if a := hook(t, s, "http://127.0.0.1:9/", "topic=a"); a.status != http.StatusNotFound {
			t.Errorf("%d %s, want 404", a.status, a.body)
		}
	})
}
