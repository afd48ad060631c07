package hub

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestDelayHoldsEveryMessageAndNoAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = 10 * time.Millisecond
		h := New(Options{Lie: Lie{Delay: delay}, Shards: 1})
		defer h.Close()
		s := mustSet(t, h, "a")
		start := Cursor{Epoch: h.Epoch()}
		began := time.Now()
		for i := range 3 {
			if seq := mustPublish(t, h, "a", fmt.Sprint(i+1)); seq != uint64(i+1) {
				t.Errorf("acknowledged %d, want %d", seq, i+1)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("acknowledging took %v, want no time", took)
		}
		time.Sleep(delay - 1)
		synctest.Wait()
		if got := text(since(t, h, start, s, Every)); got != "" {
			t.Errorf("readable 1 ns before their time: %s", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		want := object(1) + " " + object(2) + " " + object(3)
		if got := text(since(t, h, start, s, Every)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if c := h.Lies(); c.Delayed != 3 || c.DelayP50 != delay {
			t.Errorf("counts %d held for %v, want 3 for %v", c.Delayed, c.DelayP50, delay)
		}
	})
}

func TestDelayRefusesAtOnce(t *testing.T) {
	h := open(t, Options{MaxTopics: 1, Lie: Lie{Delay: time.Hour}})
	mustPublish(t, h, "a", "x")
	if _, err := h.Publish("b", nil); err != ErrTooManyTopics {
		t.Errorf("got %v, want %v", err, ErrTooManyTopics)
	}
}

func TestWorkIsDoneForOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const work = 2 * time.Millisecond
		h := New(Options{Lie: Lie{Work: work}, Shards: 1})
		defer h.Close()
		began := time.Now()
		done := make(chan error)
		for range 3 {
			go func() {
				_, err := h.Publish("a", nil)
				done <- err
			}()
		}
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != 3*work {
			t.Errorf("three took %v, want %v", took, 3*work)
		}
	})
}
