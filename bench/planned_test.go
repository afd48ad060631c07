package bench

import (
	"testing"
	"time"

	"pushbench/scenarios"
)

// A run takes its trials, of which those of short polling also wait for a last poll, and an overhead.
func TestDuration(t *testing.T) {
	s := readScenario(t)
	s.Transports, s.Repetitions = []scenarios.Transport{"shortpoll", "sse"}, 3
	s.ShortPoll.Interval = scenarios.Duration(7 * time.Second)
	s.Sweep.Clients = []int{10, 2000}
	const overhead = 4 * time.Second
	few, many := s.For(s.Configurations()[0]), s.For(s.Configurations()[1])
	want := overhead + 2*3*(2*Estimate(few)+2*Estimate(many)+2*7*time.Second)
	if got := Duration(s, 2); got != want || Estimate(few) >= Estimate(many) {
		t.Errorf("got %v, want %v", got, want)
	}
}
