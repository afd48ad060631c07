package client

import "testing"

func TestTCPOfNoSocketIsZero(t *testing.T) {
	if got := (TCP{}).closed(); got != (TCP{}) {
		t.Errorf("closing an unknown connection: got %+v, want zero", got)
	}
	if got := readTCP(-1); got != (TCP{}) {
		t.Errorf("no socket: got %+v, want zero", got)
	}
}
