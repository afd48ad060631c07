package client

import "testing"

func TestTCPOfNothing(t *testing.T) {
	if got := (TCP{}).closed(); got != (TCP{}) {
		t.Errorf("closing what is not shown: %+v, want nothing", got)
	}
	if got := readTCP(-1); got != (TCP{}) {
		t.Errorf("no socket: %+v, want nothing", got)
	}
}
