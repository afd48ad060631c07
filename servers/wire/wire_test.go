package wire

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"pushbench/servers/faults"
	"pushbench/servers/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func service(t testing.TB, transport string, o hub.Options) *Service {
	t.Helper()
	s, err := New(transport, Reference, Limits{}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// net/url must read every query that parseQuery accepts, with the same result.
func FuzzParseQuery(f *testing.F) {
	f.Add("topic=a&topic=b&after=0123456789abcdef.1&delivery=latest&wait=25s")
	f.Add("topic=%41+b&&=")
	f.Add("topic=%zz")
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseQuery(raw)
		if err != nil || strings.Contains(raw, ";") { // net/url rejects semicolons
			return
		}
		want, parseErr := url.ParseQuery(raw)
		if parseErr != nil {
			t.Fatalf("%q is accepted, but %v", raw, parseErr)
		}
		if strings.Join(q.topics, "&") != strings.Join(want["topic"], "&") ||
			q.after.value != want.Get("after") || q.delivery.value != want.Get("delivery") || q.wait.value != want.Get("wait") {
			t.Errorf("%q: got %+v, want %v", raw, q, want)
		}
	})
}

func TestSubscribersAtSameCursorShareOneBatch(t *testing.T) {
	s := service(t, "longpoll", hub.Options{})
	polls := s.NewPolls()
	ab, err := s.Hub.Set([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	start, _ := s.Hub.Start(ab)
	if b, err := polls.Since(start, ab, hub.Every); b != nil || err != nil {
		t.Errorf("got %v, %v from an empty hub, want nothing", b, err)
	}
	_, _ = s.Publish("a", []byte("x"))
	first, _ := polls.Since(start, ab, hub.Every)
	second, _ := polls.Since(start, ab, hub.Every)
	if first == nil || first != second {
		t.Errorf("got %p and %p, want the same batch", first, second)
	}
	if latest, _ := polls.Since(start, ab, hub.Latest); latest == first {
		t.Error("another delivery got the same batch")
	}
	_, _ = s.Publish("b", []byte("y"))
	if more, _ := polls.Since(start, ab, hub.Every); more == first || more.Messages != 2 {
		t.Errorf("got %+v, want a new batch of both", more)
	}
}

func TestCacheIsBounded(t *testing.T) {
	s := service(t, "longpoll", hub.Options{RingMessages: 10 * cacheEntries, MaxBatchBytes: 10 << 10})
	polls := s.NewPolls()
	set, _ := s.Hub.Set([]string{"a"})
	start, _ := s.Hub.Start(set)
	for range 2 * cacheEntries {
		_, _ = s.Publish("a", []byte(strings.Repeat("x", 1000)))
		b, err := polls.Since(start, set, hub.Every)
		if err != nil || b == nil {
			t.Fatal(b, err)
		}
	}
	if len(polls.batches) > cacheEntries || len(polls.batches) != len(polls.order) || polls.bytes > cacheBytes {
		t.Errorf("%d batches, %d keys, %d bytes", len(polls.batches), len(polls.order), polls.bytes)
	}
}

// Clients that resume from another epoch, each with other topics, must not keep all of these in the hub.
func TestCacheKeepsFewTopics(t *testing.T) {
	s := service(t, "longpoll", hub.Options{})
	polls := s.NewPolls()
	names := make([]string, 256)
	for i := range 200 {
		for j := range names {
			names[j] = fmt.Sprintf("%d.%d", i, j)
		}
		set, err := s.Hub.Set(names)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := polls.Since(hub.Cursor{Epoch: s.Hub.Epoch() + 1}, set, hub.Every); err != nil || b.Gaps != len(names) {
			t.Fatal(b, err)
		}
	}
	if kept := len(names) * len(polls.batches); kept > cacheBytes/topicBytes {
		t.Errorf("the topics of %d batches are kept: %d", len(polls.batches), kept)
	}
}

// A dropped message leaves an empty batch: the cursor moves on, nothing is sent.
func TestNextSkipsEmptyBatches(t *testing.T) {
	s := service(t, "sse", hub.Options{})
	s.Inject(faults.Faults{Drop: 1})
	polls := s.NewPolls()
	set, _ := s.Hub.Set([]string{"a"})
	at, _ := s.Hub.Start(set)
	_, _ = s.Publish("a", nil)
	if b, err := polls.Next(&at, set, hub.Every); b != nil || err != nil || at.Number != 1 {
		t.Errorf("got %v, %v and cursor %d, want nothing and 1", b, err, at.Number)
	}
}

func TestPanicReturnsErrorAndIsCounted(t *testing.T) { // F46
	s := service(t, "shortpoll", hub.Options{})
	if r := s.Guard(func() {}); r != nil {
		t.Errorf("got %+v from a handler that did not panic", r)
	}
	r := s.Guard(func() { panic("intended by the test") })
	if r == nil || r.Status != 500 || !r.Close || strings.Contains(string(r.Body), "test") {
		t.Errorf("got %+v, want 500, close, and no text of the panic", r)
	}
	if n := s.Stats().Panics; n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
}

// An endingSink records the end of its feed.
type endingSink chan Reason

func (endingSink) Send([]byte) error { return nil }
func (endingSink) Beat() error       { return nil }
func (s endingSink) End(why Reason)  { s <- why }

func TestPanicOfAWakeEndsOnlyItsSubscription(t *testing.T) {
	s := service(t, "sse", hub.Options{Shards: 1})
	set, _ := s.Hub.Set([]string{"a"})
	sink := make(endingSink, 1)
	f := &Feed{service: s, sink: sink} // without a connection: Wake panics
	f.follow = s.Hub.Subscribe(set, f)
	now, _ := s.Hub.Start(set)
	f.follow.Arm(now)
	_, _ = s.Publish("a", nil)
	if why := <-sink; why != Gone {
		t.Errorf("ended for reason %d, want %d", why, Gone)
	}
	if n := s.Stats().Panics; n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
}

func TestUnknownTransportIsRejected(t *testing.T) {
	if _, err := New("pigeon", Reference, Limits{}, hub.Options{}); err == nil {
		t.Error("got no error")
	}
}

func BenchmarkEncode(b *testing.B) {
	s := service(b, "longpoll", hub.Options{})
	set, _ := s.Hub.Set([]string{"a"})
	start, _ := s.Hub.Start(set)
	_, _ = s.Publish("a", []byte(strings.Repeat("x", 128)))
	read, err := s.Hub.Since(start, set, hub.Every)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		encode(&read)
	}
}

func BenchmarkCacheHit(b *testing.B) {
	s := service(b, "longpoll", hub.Options{})
	polls := s.NewPolls()
	set, _ := s.Hub.Set([]string{"a"})
	start, _ := s.Hub.Start(set)
	_, _ = s.Publish("a", []byte("x"))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = polls.Since(start, set, hub.Every)
	}
}

func BenchmarkParseQuery(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = parseQuery("topic=chat&after=0123456789abcdef.1f&wait=25s")
	}
}

// Only a name can be rebound to the server's address: an address never can.
func TestOnlyHostNamesOfThisMachineAreAllowed(t *testing.T) {
	h := allowHosts(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, nil)
	for host, want := range map[string]bool{
		"192.0.2.1": true, "192.0.2.1:80": true, "localhost": true, "[::1]": true, "[::1]:80": true,
		"": false, ":80": false, "192.0.2.2": false, "evil.example": false, "evil.example:80": false, "[evil.example]": false,
		"localhost:x": false, "localhost@evil.example": false, "localhost.evil.example": false, "[::1": false, "[::1]x": false, "::1": false, "[192.0.2.1]x:80": false,
	} {
		if got := h.allow(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
