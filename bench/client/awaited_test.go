package client

import "testing"

// Publications are sent and acknowledged at different rates; each acknowledgement belongs to the oldest.
func TestAcknowledgementsBelongToTheOldestFrame(t *testing.T) {
	f, next, sent := new(awaited), uint32(0), uint32(0)
	for round := range 50 {
		for range round % 7 {
			f.add(sent)
			sent++
		}
		for range round % 5 {
			id, ok := f.oldest()
			if ok != (next < sent) || ok && id != next {
				t.Fatalf("got %d, %v; want %d of %d", id, ok, next, sent)
			}
			if ok {
				next++
			}
		}
	}
	if next == 0 || cap(f.sent) > 2*int(sent) {
		t.Errorf("%d of %d acknowledged, memory for %d", next, sent, cap(f.sent))
	}
	f.forget()
	if _, ok := f.oldest(); ok {
		t.Error("a closed connection has a publication")
	}
}

// A server may respond in any order, and only once to each publication.
func TestOutcomesBelongToAwaitedPublications(t *testing.T) {
	a := new(awaited)
	for id := range uint32(5) {
		a.add(10 + id)
	}
	for _, step := range []struct {
		id   uint32
		want bool
	}{{12, true}, {12, false}, {10, true}, {9, false}, {14, true}, {11, true}, {10, false}, {13, true}, {13, false}} {
		if got := a.take(step.id); got != step.want {
			t.Errorf("%d: awaited %v, want %v", step.id, got, step.want)
		}
	}
	if len(a.sent) != a.settled {
		t.Errorf("%v are awaited", a.sent[a.settled:])
	}
}
