// Package servers_test checks the edges against PROTOCOL.md from the client's
// side of a socket. It owns the conformance of the servers; it must
// never access an edge's internals, and never use a client library.
package servers_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/servers/faults"
	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

func TestSubscriptionFromNowIsAckedImmediately(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		s.publish(t, "a", "before")
		ack := subscribe(t, s, "topic=a&topic=b", "").next()
		if len(ack.Messages) != 0 || ack.Heads["a"] != 1 || ack.Heads["b"] != 0 || len(ack.Heads) != 2 {
			t.Errorf("got %+v, want no message and heads a:1 b:0", ack)
		}
	})
}

func TestNoMessageIsLostBetweenAckAndFirstMessage(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		ack := subscribe(t, s, "topic=a", "").next()
		s.publish(t, "a", "while no client was connected")
		b := subscribe(t, s, "topic=a", ack.Cursor).next()
		if want := `{"topic":"a","seq":1,"data":"while no client was connected"}`; b.text() != want {
			t.Errorf("got %s, want %s", b.text(), want)
		}
	})
}

// Long polling must not lose a message that is published between two polls.
func TestNoMessageIsLostBetweenPolls(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		for i := range 200 {
			s.publish(t, "a", fmt.Sprint(i))
			want := fmt.Sprintf(`{"topic":"a","seq":%d,"data":"%d"}`, i+1, i)
			if got := c.next().text(); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	})
}

// Messages arrive once and in order while others are being published.
func TestMessagesArriveInOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		const messages = 2000
		s := start(t, v, wire.Limits{}, hub.Options{RingMessages: messages})
		c := subscribe(t, s, "topic=a&topic=b", "")
		c.next()
		var publishing sync.WaitGroup
		defer publishing.Wait()
		publishing.Go(func() {
			for i := range messages {
				_, _ = s.service.Publish([]string{"a", "b"}[i%2], fmt.Append(nil, i))
			}
		})
		for next := 0; next < messages; {
			for _, m := range c.next().Messages {
				want := fmt.Sprintf(`{"topic":"%s","seq":%d,"data":"%d"}`, []string{"a", "b"}[next%2], next/2+1, next)
				if string(m) != want {
					t.Fatalf("got %s, want %s", m, want)
				}
				next++
			}
		}
	})
}

func TestReconnectWithinRingLosesNoMessage(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{RingMessages: 8})
		c := subscribe(t, s, "topic=a", "")
		cursor := c.next().Cursor
		c.Close()
		for i := range 8 {
			s.publish(t, "a", fmt.Sprint(i))
		}
		b := subscribe(t, s, "topic=a", cursor).next()
		if len(b.Messages) != 8 || b.gaps() != "" {
			t.Errorf("got %d messages and gaps %q, want 8 and none", len(b.Messages), b.gaps())
		}
	})
}

func TestReconnectBeyondRingReceivesExactGap(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{RingMessages: 4})
		s.publish(t, "a", "read")
		cursor := subscribe(t, s, "topic=a&topic=b", "").next().Cursor
		for i := range 10 {
			s.publish(t, "a", fmt.Sprint(i))
		}
		s.publish(t, "b", "b")
		b := subscribe(t, s, "topic=b&topic=a", cursor).next()
		if len(b.Messages) != 5 || b.gaps() != "a:2-7" {
			t.Errorf("got %d messages and gaps %q, want 5 and a:2-7", len(b.Messages), b.gaps())
		}
	})
}

func TestCursorOfOtherEpochYieldsOpenGap(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		s.publish(t, "a", "new")
		b := subscribe(t, s, "topic=a", "00000000000000aa.5").next()
		if len(b.Messages) != 1 || b.gaps() != "a:1-?" {
			t.Errorf("got %d messages and gaps %q, want 1 and a:1-?", len(b.Messages), b.gaps())
		}
	})
}

func TestCursorOfOtherEpochYieldsGapWithoutMessages(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "00000000000000aa.5")
		if b := c.next(); len(b.Messages) != 0 || b.gaps() != "a:1-?" {
			t.Errorf("got %+v, want only the gap", b)
		}
		s.publish(t, "a", "first")
		if b := c.next(); len(b.Messages) != 1 || b.gaps() != "" {
			t.Errorf("got %+v, want the message only", b)
		}
	})
}

func TestLatestSkipsSupersededMessages(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{RingMessages: 2})
		cursor := subscribe(t, s, "topic=a&topic=b", "").next().Cursor
		for _, m := range []string{"a1", "a2", "b1", "a3", "a4"} {
			s.publish(t, m[:1], m)
		}
		b := subscribe(t, s, "topic=a&topic=b&delivery=latest", cursor).next()
		want := `{"topic":"b","seq":1,"data":"b1"} {"topic":"a","seq":4,"data":"a4"}`
		if b.text() != want || b.gaps() != "" {
			t.Errorf("got %s gaps %q, want %s", b.text(), b.gaps(), want)
		}
	})
}

// H33: a payload cannot end a line, an event, a chunk or a frame.
func TestMessageBytesAreSameOnEveryTransport(t *testing.T) {
	payloads := []string{"plain", "", "\n\r\n\r\nid: 9\ndata: x\n\n", `"\`, "0\r\n\r\n", "é\u2028😀\x00\x7f", strings.Repeat("x", 70_000)}
	seen := map[string]string{}
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{MaxPayload: 1 << 20}, hub.Options{})
		cursor := subscribe(t, s, "topic=a", "").next().Cursor
		for _, p := range payloads {
			s.publish(t, "a", p)
		}
		got := subscribe(t, s, "topic=a", cursor).next().text()
		if seen["first"] == "" {
			seen["first"] = got
		}
		if got != seen["first"] {
			t.Error("the bytes differ from those of the first transport")
		}
	})
}

func TestPublicationsAreAcknowledgedOnEveryTransport(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		for i := range 3 {
			want := fmt.Sprintf(`{"topic":"some.topic","seq":%d}`, i+1)
			if a := post(t, s, "some.topic", "x"); a.status != 200 || string(a.body) != want {
				t.Errorf("got %d %s, want 200 %s", a.status, a.body, want)
			}
		}
	})
}

func TestBatchingDelayCollectsPublicationsInOneBatch(t *testing.T) {
	on(t, batched, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{BatchingDelay: 100 * time.Millisecond})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		if v.transport == "longpoll" {
			c.poll()
			until(t, "parked", func() bool { return s.service.Count.WaitingPolls.Load() == 1 })
		}
		for range 5 {
			s.publish(t, "a", "x")
		}
		var b batch
		if v.transport == "longpoll" {
			b = parseBatch(t, c.response("GET").body)
		} else {
			b = c.next()
		}
		if len(b.Messages) != 5 {
			t.Errorf("got %d messages in the batch, want 5", len(b.Messages))
		}
	})
}

func TestFaultsAffectDeliveryAndStats(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{}, func(s *wire.Service) { s.Inject(faults.Faults{Drop: 2}) })
		c := subscribe(t, s, "topic=a", "")
		c.next()
		for i := range 4 {
			s.publish(t, "a", fmt.Sprint(i))
		}
		var got []string
		for len(got) < 2 {
			for _, m := range c.next().Messages {
				got = append(got, string(m))
			}
		}
		if want := `{"topic":"a","seq":1,"data":"0"} {"topic":"a","seq":3,"data":"2"}`; strings.Join(got, " ") != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if n := stats(t, s).Faults.Drop; n != 2 {
			t.Errorf("the stats report %d dropped, want 2", n)
		}
	})
}
