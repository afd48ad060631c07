package client

import "testing"

// countedSocket counts how often it is read.
type countedSocket struct{ reads int }

func (s *countedSocket) Control(func(fd int)) { s.reads++ }

// A connection is read for the last time, and only once, before it is closed.
func TestClosedConnectionIsNotRead(t *testing.T) {
	var traffic Traffic
	s := new(countedSocket)
	traffic.Opened(s) // for its options
	traffic.TCP()
	traffic.Closed(s)
	traffic.Closed(s)
	traffic.TCP()
	if s.reads != 3 || len(traffic.open) != 0 || traffic.Dials.Load() != 1 {
		t.Errorf("got %d reads, %d open, %d dials; want 3, 0 and 1", s.reads, len(traffic.open), traffic.Dials.Load())
	}
}
