package hub

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open starts a hub that ends with the test.
func open(t testing.TB, o Options) *Hub {
	t.Helper()
	h := New(o)
	t.Cleanup(h.Close)
	return h
}

func mustSet(t testing.TB, h *Hub, names ...string) *TopicSet {
	t.Helper()
	s, err := h.Set(names)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPublish(t testing.TB, h *Hub, topic, data string) uint64 {
	t.Helper()
	seq, err := h.Publish(topic, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func since(t testing.TB, h *Hub, c Cursor, s *TopicSet, d Delivery) Read {
	t.Helper()
	r, err := h.Since(c, s, d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// text joins a read's objects, for comparing.
func text(r Read) string {
	var all []string
	for _, m := range r.Messages {
		all = append(all, string(m.Object))
	}
	return strings.Join(all, " ")
}

func TestMessagesAreMergedInHubOrder(t *testing.T) {
	h := open(t, Options{})
	s := mustSet(t, h, "b", "a")
	start, seqs := h.Start(s)
	for _, m := range []string{"a1", "b1", "x1", "a2"} {
		mustPublish(t, h, m[:1], m)
	}
	r := since(t, h, start, s, Every)
	want := `{"topic":"a","seq":1,"data":"a1"} {"topic":"b","seq":1,"data":"b1"} {"topic":"a","seq":2,"data":"a2"}`
	if got := text(r); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if diff := cmp.Diff([]uint64{0, 0}, seqs); diff != "" {
		t.Error(diff)
	}
	if r.Next.Number != 4 || len(r.Gaps) != 0 {
		t.Errorf("got next %d and gaps %v, want 4 and none", r.Next.Number, r.Gaps)
	}
}

func TestNextCursorIsNewestOfItsTopics(t *testing.T) {
	h := open(t, Options{})
	mustPublish(t, h, "a", "1")
	mustPublish(t, h, "other", "2")
	s := mustSet(t, h, "a")
	if r := since(t, h, Cursor{Epoch: h.Epoch()}, s, Every); r.Next.Number != 1 {
		t.Errorf("got cursor %d, want 1", r.Next.Number)
	}
	// A cursor between the set's newest message and the hub's newest one is valid.
	if r := since(t, h, Cursor{h.Epoch(), 2}, s, Every); !r.Empty() || r.Next.Number != 2 {
		t.Errorf("got %+v, want nothing and the same cursor", r)
	}
}

func TestCursorAheadOfLogIsRejected(t *testing.T) {
	h := open(t, Options{})
	s := mustSet(t, h, "a")
	if _, err := h.Since(Cursor{h.Epoch(), 1}, s, Every); err != ErrAhead {
		t.Errorf("got %v, want %v", err, ErrAhead)
	}
}

func TestGapsAreExactWithinIndex(t *testing.T) {
	const ring = 4
	h := open(t, Options{RingMessages: ring})
	s := mustSet(t, h, "a", "b")
	var cursors []Cursor // cursors[i]: cursor after i messages of a
	for i := range ring * indexFactor {
		c, _ := h.Start(s)
		cursors = append(cursors, c)
		mustPublish(t, h, "a", fmt.Sprint(i))
		mustPublish(t, h, "other", "so that hub numbers and seqs differ")
	}
	last := uint64(len(cursors))
	for read, c := range cursors {
		var want []Gap
		if first := uint64(read) + 1; first <= last-ring {
			want = []Gap{{Topic: "a", From: first, To: last - ring}}
		}
		if diff := cmp.Diff(want, since(t, h, c, s, Every).Gaps); diff != "" {
			t.Errorf("%d read: %s", read, diff)
		}
	}
}

func TestGapBeyondIndexIsNeverTooShort(t *testing.T) {
	const ring = 2
	h := open(t, Options{RingMessages: ring})
	s := mustSet(t, h, "a")
	for range 10 {
		mustPublish(t, h, "a", "early")
	}
	c, _ := h.Start(s)
	mustPublish(t, h, "other", "another hub number")
	for range ring*indexFactor + 5 {
		mustPublish(t, h, "a", "late")
	}
	got := since(t, h, c, s, Every).Gaps
	want := []Gap{{Topic: "a", From: 1, To: 10 + ring*indexFactor + 5 - ring}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOtherEpochYieldsGapAndAllRetainedMessages(t *testing.T) {
	h := open(t, Options{RingMessages: 2})
	s := mustSet(t, h, "a", "b")
	for i := range 3 {
		mustPublish(t, h, "a", fmt.Sprint(i))
	}
	r := since(t, h, Cursor{h.Epoch() + 1, 77}, s, Every)
	want := []Gap{{Topic: "a", From: 1, NewEpoch: true}, {Topic: "b", From: 1, NewEpoch: true}, {Topic: "a", From: 1, To: 1}}
	if diff := cmp.Diff(want, r.Gaps); diff != "" {
		t.Error(diff)
	}
	if len(r.Messages) != 2 || r.Next != (Cursor{h.Epoch(), 3}) {
		t.Errorf("got %d messages and next %v, want 2 and number 3 of this epoch", len(r.Messages), r.Next)
	}
}

func TestRingIsBoundedByBytesButKeepsNewest(t *testing.T) {
	h := open(t, Options{RingBytes: 100})
	s := mustSet(t, h, "a")
	mustPublish(t, h, "a", "small")
	mustPublish(t, h, "a", strings.Repeat("x", 1000))
	r := since(t, h, Cursor{Epoch: h.Epoch()}, s, Every)
	if len(r.Messages) != 1 || r.Gaps[0] != (Gap{Topic: "a", From: 1, To: 1}) {
		t.Errorf("got %d messages and gaps %v, want 1 message and a gap at seq 1", len(r.Messages), r.Gaps)
	}
}

func TestLongReadIsSplitAndContinued(t *testing.T) {
	h := open(t, Options{MaxBatchBytes: 100, RingMessages: 8})
	s := mustSet(t, h, "a", "b")
	for i := range 20 {
		mustPublish(t, h, []string{"a", "a", "b"}[i%3], strings.Repeat("x", i))
	}
	c, got, missed := Cursor{Epoch: h.Epoch()}, 0, uint64(0)
	for {
		r := since(t, h, c, s, Every)
		if r.Empty() {
			break
		}
		got += len(r.Messages)
		for _, g := range r.Gaps {
			missed += g.To - g.From + 1
		}
		c = r.Next
	}
	if got != 14 || missed != 6 { // 14 of a and 6 of b were published, 8 and 6 are retained
		t.Errorf("got %d messages and %d missed, want 14 and 6", got, missed)
	}
}

func TestLatestReturnsNewestOfEachTopic(t *testing.T) {
	h := open(t, Options{RingMessages: 2})
	s := mustSet(t, h, "a", "b")
	for _, m := range []string{"a1", "b1", "a2", "a3", "a4"} {
		mustPublish(t, h, m[:1], m)
	}
	r := since(t, h, Cursor{Epoch: h.Epoch()}, s, Latest)
	want := `{"topic":"b","seq":1,"data":"b1"} {"topic":"a","seq":4,"data":"a4"}`
	if got := text(r); got != want || len(r.Gaps) != 0 {
		t.Errorf("got %s, gaps %v, want %s and no gap", got, r.Gaps, want)
	}
}

func TestDataIsEscapedOnlyWhereJSONRequires(t *testing.T) {
	h := open(t, Options{})
	s := mustSet(t, h, "a")
	mustPublish(t, h, "a", "\"\\\n\r\t\x00\x1f\x7f/<é\u2028😀")
	want := `{"topic":"a","seq":1,"data":"\"\\\n\r\t\u0000\u001f` + "\x7f/<é\u2028😀\"}"
	if got := text(since(t, h, Cursor{Epoch: h.Epoch()}, s, Every)); got != want {
		t.Errorf("got %s want %s", got, want)
	}
}

func TestSetsOfSameTopicsAreSamePointer(t *testing.T) {
	h := open(t, Options{MaxTopics: 3})
	ab := mustSet(t, h, "a", "b")
	if ba := mustSet(t, h, "b", "a"); ba != ab {
		t.Errorf("got %p and %p, want one pointer", ab, ba)
	}
	defer h.Subscribe(ab, make(wakeChan, 1)).Close()
	if _, err := h.Set([]string{"c", "d"}); err != ErrFull {
		t.Errorf("got %v, want %v", err, ErrFull)
	}
	mustPublish(t, h, "c", "the rejected set must not have created a topic")
	if _, err := h.Publish("d", nil); err != ErrFull {
		t.Errorf("got %v, want %v", err, ErrFull)
	}
}

// A wakeChan is a waker that tests can wait for.
type wakeChan chan struct{}

func (w wakeChan) Wake() { w <- struct{}{} }

func (w wakeChan) wait(t *testing.T) {
	t.Helper()
	select {
	case <-w:
	case <-time.After(10 * time.Second):
		t.Fatal("not woken within 10 s")
	}
}

func TestArmWakesOnceForNewMessagesOnly(t *testing.T) {
	h := open(t, Options{})
	s := mustSet(t, h, "a", "b")
	waker := make(wakeChan, 10)
	sub := h.Subscribe(s, waker)
	now, _ := h.Start(s)
	if !sub.Arm(now) {
		t.Fatal("Arm reports messages in an empty hub")
	}
	mustPublish(t, h, "b", "1")
	waker.wait(t)
	if sub.Arm(now) {
		t.Error("Arm does not report the published message")
	}
	now, _ = h.Start(s)
	sub.Arm(now)
	mustPublish(t, h, "other", "not in the set")
	mustPublish(t, h, "a", "in the set")
	waker.wait(t)
	mustPublish(t, h, "a", "not armed")
	sub.Close()
	sub.Close() // twice is allowed
	h.Close()   // waits for the shards: no Wake is possible afterwards
	if len(waker) != 0 {
		t.Errorf("%d wakes, want none after Close", len(waker))
	}
}

func TestCursorOfOtherEpochDoesNotArm(t *testing.T) {
	h := open(t, Options{})
	sub := h.Subscribe(mustSet(t, h, "a"), make(wakeChan, 1))
	defer sub.Close()
	if sub.Arm(Cursor{Epoch: h.Epoch() + 1}) {
		t.Error("armed with a cursor of another epoch")
	}
}

func TestBatchingDelayCollectsPublications(t *testing.T) {
	const delay = 50 * time.Millisecond
	h := open(t, Options{BatchingDelay: delay})
	s := mustSet(t, h, "a")
	waker := make(wakeChan, 10)
	sub := h.Subscribe(s, waker)
	defer sub.Close()
	now, _ := h.Start(s)
	sub.Arm(now)
	start := time.Now()
	mustPublish(t, h, "a", "1")
	mustPublish(t, h, "a", "2")
	waker.wait(t)
	if waited := time.Since(start); waited < delay {
		t.Errorf("woken after %s, want at least %s", waited, delay)
	}
	if r := since(t, h, now, s, Every); len(r.Messages) != 2 || len(waker) != 0 {
		t.Errorf("got %d messages and %d more wakes, want 2 and none", len(r.Messages), len(waker))
	}
}

func TestSubscriptionsCloseInAnyOrder(t *testing.T) {
	h := open(t, Options{Shards: 1})
	waker := make(wakeChan, 100)
	now := Cursor{Epoch: h.Epoch()}
	var subs []*Subscription
	for i := range 10 {
		subs = append(subs, h.Subscribe(mustSet(t, h, "a", fmt.Sprint("own", i)), waker))
	}
	for _, i := range []int{9, 0, 4, 5, 1} {
		subs[i].Close()
	}
	for _, s := range subs {
		if !s.closed {
			s.Arm(now)
		}
	}
	mustPublish(t, h, "a", "to the five open subscriptions")
	for range 5 {
		waker.wait(t)
	}
	for _, s := range subs {
		s.Close()
	}
	if n := len(h.topics["a"].follow[0].entries); n != 0 {
		t.Errorf("%d followers remain, want none", n)
	}
}

// A reader follows a set as a server does: it arms, is woken, reads and arms again.
type reader struct {
	hub    *Hub
	sub    *Subscription
	mu     sync.Mutex
	cursor Cursor
	got    int
	done   chan struct{}
	want   int
}

func (r *reader) Wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.sub.Arm(r.cursor) {
		read, err := r.hub.Since(r.cursor, r.sub.Set(), Every)
		if err != nil {
			panic(err)
		}
		r.got += len(read.Messages)
		r.cursor = read.Next
	}
	if r.got == r.want {
		close(r.done)
	}
}

// With concurrent publishers and readers no wake is lost, so every reader receives every message.
func TestNoMessageIsLostBetweenPublishAndArm(t *testing.T) {
	const publishers, messages, readers = 4, 500, 20
	h := open(t, Options{RingMessages: publishers * messages})
	s := mustSet(t, h, "a", "b")
	var all []*reader
	for range readers {
		r := &reader{hub: h, cursor: Cursor{Epoch: h.Epoch()}, want: publishers * messages, done: make(chan struct{})}
		r.mu.Lock()
		r.sub = h.Subscribe(s, r)
		r.mu.Unlock()
		r.Wake()
		all = append(all, r)
	}
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range messages {
				_, _ = h.Publish([]string{"a", "b"}[(i+p)%2], []byte("x"))
			}
		})
	}
	wg.Wait()
	for i, r := range all {
		select {
		case <-r.done:
		case <-time.After(20 * time.Second):
			r.mu.Lock()
			t.Fatalf("reader %d got %d of %d", i, r.got, r.want)
		}
		r.sub.Close()
	}
}

// A read of many topics must not look at all of their messages: it holds the lock.
func TestReadCollectsOneBatch(t *testing.T) {
	h := open(t, Options{MaxBatchBytes: 1000})
	names := make([]string, 64)
	for i := range names {
		names[i] = fmt.Sprint("topic", i)
	}
	for range 100 {
		for _, name := range names {
			mustPublish(t, h, name, "x")
		}
	}
	s := mustSet(t, h, names...)
	read, messages := Cursor{Epoch: h.Epoch()}, 0
	for messages < 100*len(names) {
		r, err := h.Since(read, s, Every)
		if err != nil || r.Empty() {
			t.Fatalf("got %d messages and %v after %d of %d", len(r.Messages), err, messages, 100*len(names))
		}
		for _, m := range r.Messages {
			if messages++; m.Number != uint64(messages) {
				t.Fatalf("got message %d, want %d", m.Number, messages)
			}
		}
		if n := cap(r.Messages); n > 64 {
			t.Fatalf("a batch of %d messages has room for %d", len(r.Messages), n)
		}
		read = r.Next
	}
}
