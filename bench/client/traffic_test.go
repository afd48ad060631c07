package client

import "testing"

// asked is a socket that counts how often it is asked.
type asked struct{ times int }

func (a *asked) Control(func(fd int)) { a.times++ }

// A connection is asked for the last time when it is about to be closed, and once.
func TestTrafficForgetsWhatIsGone(t *testing.T) {
	var traffic Traffic
	s := new(asked)
	traffic.Opened(s) // for its options
	traffic.TCP()
	traffic.Closed(s)
	traffic.Closed(s)
	traffic.TCP()
	if s.times != 3 || len(traffic.open) != 0 || traffic.Dials.Load() != 1 {
		t.Errorf("asked %d times, %d open, %d dials; want 3, none and one", s.times, len(traffic.open), traffic.Dials.Load())
	}
}
