package client

import "testing"

// Publications are sent and acknowledged at different rates; each acknowledgement belongs to the oldest.
func TestAcknowledgementsBelongToTheOldestFrame(t *testing.T) {
	f, next, sent := new(foreign), uint32(0), uint32(0)
	for round := range 50 {
		for range round % 7 {
			f.sent = append(f.sent, sent)
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
	f.forgetSent()
	if _, ok := f.oldest(); ok {
		t.Error("a closed connection has a publication")
	}
}
