package hub

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sweepTwice ends two periods, so that topics without publications in between are idle.
func sweepTwice(h *Hub) {
	h.sweep()
	h.sweep()
}

// They give way at once, also those of sets that are in use; a later subscription to such a set misses nothing.
func TestTopicsWithoutMessageAndSubscriptionGiveWay(t *testing.T) {
	h := open(t, Options{MaxTopics: 4})
	requested, waker := mustSet(t, h, "followed", "requested"), make(wakeChan, 1)
	defer h.Subscribe(mustSet(t, h, "followed"), make(wakeChan, 1)).Close()
	mustSet(t, h, "unused1", "unused2")
	for _, topic := range []string{"a", "b", "c"} {
		mustPublish(t, h, topic, "x")
	}
	if _, err := h.Publish("d", nil); err != ErrFull {
		t.Errorf("got %v, want %v", err, ErrFull)
	}
	now, _ := h.Start(requested)
	late := h.Subscribe(requested, waker)
	defer late.Close()
	if late.Set() != mustSet(t, h, "requested", "followed") || !late.Arm(now) {
		t.Error("the subscription has another set than later requests, or messages")
	}
	mustPublish(t, h, "requested", "y")
	waker.wait(t)
	if r := since(t, h, now, late.Set(), Every); len(r.Messages) != 1 || len(r.Gaps) != 0 {
		t.Errorf("got %d messages and gaps %v, want 1 and none", len(r.Messages), r.Gaps)
	}
	runtime.KeepAlive(requested)
}

// Whatever is removed between Set and Subscribe, a subscription has the topic to which messages are appended.
func TestSubscriptionsSurviveRemovalOfTopics(t *testing.T) {
	const clients, each = 4, 100
	h := open(t, Options{MaxTopics: clients*each + 8})
	start := Cursor{Epoch: h.Epoch()}
	subscribe := func(topic string) {
		set, err := h.Set([]string{topic})
		for err != nil { // all topics are requested at this moment
			set, err = h.Set([]string{topic})
		}
		s := h.Subscribe(set, make(wakeChan, 1))
		defer s.Close()
		if _, err := h.Publish(topic, nil); err != nil || s.Arm(start) {
			t.Errorf("%s: %v, and a message of its subscription: %v", topic, err, s.Set().newest() > 0)
		}
	}
	var subscribers sync.WaitGroup
	for n := range clients {
		subscribers.Go(func() {
			for i := range each {
				subscribe(fmt.Sprint(n, "-", i))
			}
		})
	}
	for i := range clients * each * 10 {
		_, _ = h.Set([]string{fmt.Sprint("more", i)}) // is full at times
	}
	subscribers.Wait()
}

func TestBytesOfAllTopicsAreBounded(t *testing.T) {
	const limit = 100_000
	h := open(t, Options{MaxBytes: limit})
	data := strings.Repeat("x", 1000)
	for i := range 1000 {
		mustPublish(t, h, "first", data) // replaces its own messages
		_, err := h.Publish(fmt.Sprint("other", i), []byte(data))
		if i >= 100 && err != ErrFull {
			t.Fatalf("got %v, want %v", err, ErrFull)
		}
	}
	if topics, bytes := h.Buffered(); bytes > limit+10_000 || bytes < limit/2 || topics > 101 {
		t.Errorf("%d bytes of %d topics, want about %d bytes and at most 101 topics", bytes, topics, limit)
	}
	if _, err := h.Publish("large", make([]byte, limit+1)); err != ErrFull {
		t.Errorf("a message above the bound: got %v, want %v", err, ErrFull)
	}
	sweepTwice(h)
	mustPublish(t, h, "new", data)
	if _, bytes := h.Buffered(); bytes > limit/5 {
		t.Errorf("%d bytes when all other topics are idle", bytes)
	}
}

// A read of an idle topic declares what was freed, in both modes.
func TestMessagesOfIdleTopicsAreFreed(t *testing.T) {
	h := open(t, Options{})
	idle, followed := mustSet(t, h, "idle"), mustSet(t, h, "followed")
	defer h.Subscribe(followed, make(wakeChan, 1)).Close()
	start := Cursor{Epoch: h.Epoch()}
	for range 3 {
		mustPublish(t, h, "idle", "x")
		mustPublish(t, h, "followed", "x")
	}
	h.sweep()
	if r := since(t, h, start, idle, Every); len(r.Messages) != 3 {
		t.Errorf("%d messages after one period, want 3", len(r.Messages))
	}
	h.sweep()
	for _, d := range []Delivery{Every, Latest} {
		r := since(t, h, start, idle, d)
		if want := []Gap{{Topic: "idle", From: 1, To: 3}}; len(r.Messages) != 0 || !slices.Equal(r.Gaps, want) || r.Next.Number != 5 {
			t.Errorf("delivery %d: %d messages, gaps %v and next %v, want %v", d, len(r.Messages), r.Gaps, r.Next, want)
		}
	}
	if r := since(t, h, start, followed, Every); len(r.Messages) != 3 || len(r.Gaps) != 0 {
		t.Errorf("a followed topic has %d messages, gaps %v", len(r.Messages), r.Gaps)
	}
	if seq := mustPublish(t, h, "idle", "y"); seq != 4 {
		t.Errorf("seq %d after an idle time, want 4", seq)
	}
	if r := since(t, h, Cursor{h.Epoch(), 5}, idle, Every); len(r.Messages) != 1 || len(r.Gaps) != 0 {
		t.Errorf("a cursor without loss receives %d messages, gaps %v", len(r.Messages), r.Gaps)
	}
}

// At the limit of topics, idle topics are removed: older cursors receive a gap of unknown length, newer ones none.
func TestTopicsBeyondTheLimitReplaceIdleOnes(t *testing.T) {
	h := open(t, Options{MaxTopics: 2})
	mustPublish(t, h, "a", "1")
	mustPublish(t, h, "b", "2")
	sweepTwice(h)
	if topics, _ := h.Buffered(); topics != 2 {
		t.Fatalf("%d topics although none was refused, want 2", topics)
	}
	if _, err := h.Publish("c", nil); !errors.Is(err, ErrFull) {
		t.Fatalf("got %v, want %v", err, ErrFull)
	}
	sweepTwice(h)
	if topics, bytes := h.Buffered(); topics != 0 || bytes != 0 {
		t.Fatalf("%d topics with %d bytes, want none", topics, bytes)
	}
	a := mustSet(t, h, "a")
	if r := since(t, h, Cursor{Epoch: h.Epoch()}, a, Every); !r.Empty() {
		t.Errorf("got %+v from a topic without messages", r)
	}
	if seq := mustPublish(t, h, "a", "3"); seq != 1 {
		t.Errorf("seq %d, want 1", seq)
	}
	for number, gaps := range map[uint64]int{0: 1, 1: 1, 2: 0} {
		r := since(t, h, Cursor{h.Epoch(), number}, a, Every)
		if len(r.Messages) != 1 || len(r.Gaps) != gaps || gaps == 1 && r.Gaps[0] != (Gap{Topic: "a", From: 1, NewEpoch: true}) {
			t.Errorf("cursor %d: %d messages and gaps %v, want 1 and %d", number, len(r.Messages), r.Gaps, gaps)
		}
	}
}

// A subscription from now to a new topic misses nothing, whatever was removed before or is removed later: a gap would
// end its stream as too slow.
func TestSubscriptionFromNowMissesNoRemovedTopic(t *testing.T) {
	h := open(t, Options{MaxTopics: 2})
	mustPublish(t, h, "a", "1")
	mustPublish(t, h, "b", "2")
	remove := func() {
		sweepTwice(h)
		if _, err := h.Set([]string{"x", "y", "z"}); !errors.Is(err, ErrFull) {
			t.Fatalf("got %v, want %v", err, ErrFull)
		}
		sweepTwice(h)
	}
	remove()
	early := mustSet(t, h, "early")
	first, _ := h.Start(early)
	defer h.Subscribe(early, make(wakeChan, 10)).Close()
	mustPublish(t, h, "other", "3")
	remove()
	late := mustSet(t, h, "late")
	second, _ := h.Start(late)
	defer h.Subscribe(late, make(wakeChan, 10)).Close()
	mustPublish(t, h, "early", "4")
	mustPublish(t, h, "late", "5")
	for set, at := range map[*TopicSet]Cursor{early: first, late: second} {
		if r := since(t, h, at, set, Every); len(r.Messages) != 1 || len(r.Gaps) != 0 {
			t.Errorf("%s: %d messages and gaps %v, want 1 and none", set.Name(0), len(r.Messages), r.Gaps)
		}
	}
}

func TestIdleTopicsAreFreedByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		mustPublish(t, h, "a", strings.Repeat("x", 1000))
		time.Sleep(59 * time.Second)
		if _, bytes := h.Buffered(); bytes < 1000 {
			t.Errorf("%d bytes within the first minute, want the message", bytes)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if _, bytes := h.Buffered(); bytes > 100 {
			t.Errorf("%d bytes after 3 minutes, want none of the message", bytes)
		}
	})
}

// A panickingWaker panics when it is woken.
type panickingWaker struct{}

func (panickingWaker) Wake() { panic("intended by the test") }

func TestPanicOfAWakerAffectsNoOther(t *testing.T) {
	panics := make(chan any, 2)
	h := open(t, Options{Shards: 1, Panicked: func(_ Waker, p any) { panics <- p }})
	s, waker := mustSet(t, h, "a"), make(wakeChan, 2)
	now, _ := h.Start(s)
	for _, w := range []Waker{panickingWaker{}, waker, panickingWaker{}, waker} {
		h.Subscribe(s, w).Arm(now)
	}
	mustPublish(t, h, "a", "x")
	waker.wait(t)
	waker.wait(t)
	for range 2 {
		if p := <-panics; p != "intended by the test" {
			t.Errorf("got %v", p)
		}
	}
}

// A client that only publishes subscribes to no topic.
func TestSetWithoutTopics(t *testing.T) {
	h := open(t, Options{})
	first, err := h.Set(nil)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := h.Set(nil); err != nil || second != first || first.Len() != 0 {
		t.Errorf("got %p and %v, want %p without topics", second, err, first)
	}
}
