package faults

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pushbench/servers/hub"
)

// open makes a hub and an injector before it, and closes both with the test.
func open(t *testing.T, o hub.Options, f Faults) (*hub.Hub, *Injector) {
	t.Helper()
	h := hub.New(o)
	in := New(h, f)
	t.Cleanup(func() { in.Close(); h.Close() })
	return h, in
}

func TestParseNagle(t *testing.T) {
	if f, err := Parse("nagle,drop=3"); err != nil || f != (Faults{Drop: 3, Nagle: true}) {
		t.Errorf("got %+v, %v", f, err)
	}
	for _, text := range []string{"nagle,nagle", "nagle=1", "Nagle"} {
		if f, err := Parse(text); err == nil {
			t.Errorf("%q is accepted as %+v", text, f)
		}
	}
}

func mustPublish(t *testing.T, in *Injector, topic, data string) uint64 {
	t.Helper()
	seq, err := in.Publish(topic, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// delivered returns all messages of topic a.
func delivered(t *testing.T, h *hub.Hub) string {
	t.Helper()
	set, err := h.Set([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.Since(hub.Cursor{Epoch: h.Epoch()}, set, hub.Every)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range r.Messages {
		all = append(all, string(m.Object))
	}
	return strings.Join(all, " ")
}

func TestFaultsAreInjectedAndCounted(t *testing.T) {
	// The data of a message is its number.
	for name, test := range map[string]struct {
		faults Faults
		want   []int
	}{
		"none":    {Faults{}, []int{1, 2, 3, 4, 5, 6, 7, 8}},
		"drop":    {Faults{Drop: 4}, []int{1, 2, 3, 5, 6, 7}},
		"double":  {Faults{Double: 4}, []int{1, 2, 3, 4, 4, 5, 6, 7, 8, 8}},
		"swap":    {Faults{Swap: 3}, []int{1, 2, 4, 3, 5, 7, 6, 8}},
		"corrupt": {Faults{Corrupt: 8}, []int{1, 2, 3, 4, 5, 6, 7, -1}},
	} {
		h, in := open(t, hub.Options{}, test.faults)
		for i := range 8 {
			if seq := mustPublish(t, in, "a", fmt.Sprint(i+1)); seq != uint64(i+1) {
				t.Errorf("%s: acknowledged %d, want %d", name, seq, i+1)
			}
		}
		var want []string
		for _, n := range test.want {
			want = append(want, object(n))
		}
		got := strings.ReplaceAll(delivered(t, h), "},{", "} {")
		if got != strings.Join(want, " ") {
			t.Errorf("%s: got %s\nwant %s", name, got, want)
		}
		c := in.Counts()
		injected := c.Drop + c.Double + c.Swap + c.Corrupt
		if want := map[string]uint64{"drop": 2, "double": 2, "swap": 2, "corrupt": 1}[name]; injected != want {
			t.Errorf("%s: %d faults counted, want %d", name, injected, want)
		}
	}
}

// object returns message n as stored; -1 is the eighth, corrupted.
func object(n int) string {
	if n == -1 {
		return `{"topic":"a","seq":8,"data":"x"}`
	}
	return fmt.Sprintf(`{"topic":"a","seq":%d,"data":"%d"}`, n, n)
}

func TestDelayPostponesMessagesButNotAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = 10 * time.Millisecond
		h, in := open(t, hub.Options{Shards: 1}, Faults{Delay: delay})
		began := time.Now()
		for i := range 3 {
			if seq := mustPublish(t, in, "a", fmt.Sprint(i+1)); seq != uint64(i+1) {
				t.Errorf("acknowledged %d, want %d", seq, i+1)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("acknowledging took %v, want no time", took)
		}
		time.Sleep(delay - 1)
		synctest.Wait()
		if got := delivered(t, h); got != "" {
			t.Errorf("readable 1 ns before the end of the delay: %s", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		want := object(1) + " " + object(2) + " " + object(3)
		if got := delivered(t, h); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if c := in.Counts(); c.Delayed != 3 || c.DelayP50 != delay {
			t.Errorf("got %d delayed by %v, want 3 by %v", c.Delayed, c.DelayP50, delay)
		}
	})
}

func TestDelayReportsErrorsImmediately(t *testing.T) {
	_, in := open(t, hub.Options{MaxTopics: 1}, Faults{Delay: time.Hour})
	mustPublish(t, in, "a", "x")
	if _, err := in.Publish("b", nil); err != hub.ErrFull {
		t.Errorf("got %v, want %v", err, hub.ErrFull)
	}
}

func TestWorkIsSequential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const work = 2 * time.Millisecond
		_, in := open(t, hub.Options{Shards: 1}, Faults{Work: work})
		began := time.Now()
		done := make(chan error)
		for range 3 {
			go func() {
				_, err := in.Publish("a", nil)
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

func TestCloseDiscardsDelayedMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, in := open(t, hub.Options{Shards: 1}, Faults{Delay: time.Second})
		mustPublish(t, in, "a", "x")
		in.Close()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if c := in.Counts(); c.Delayed != 0 || h.Published() != 0 {
			t.Errorf("got %d released and %d published, want none", c.Delayed, h.Published())
		}
	})
}

func TestParse(t *testing.T) {
	got, err := Parse("drop=997,double=499,swap=3,corrupt=1,delay=10ms,work=2ms")
	if want := (Faults{Drop: 997, Double: 499, Swap: 3, Corrupt: 1, Delay: 10 * time.Millisecond, Work: 2 * time.Millisecond}); got != want || err != nil {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got, err := Parse(""); got != (Faults{}) || err != nil {
		t.Errorf("empty text: got %+v, %v, want no fault", got, err)
	}
	for _, text := range []string{"often=1", "drop", "drop=0", "drop=-1", "drop=1ms", "drop=2,drop=3", "delay=0s", "delay=5", "delay=11s", "delay=1s,delay=1s", ",", "drop=1,"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}
