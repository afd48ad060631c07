package validity

import (
	"fmt"
	"strings"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// A Stall is that of one core: nothing on it ran meanwhile.
type Stall struct {
	Core    int           `json:"core"`
	Longest time.Duration `json:"longest_ns"`
	Ended   clock.Instant `json:"ended"`    // when the longest did
	Total   time.Duration `json:"total_ns"` // of the stalls that are no shorter than WatchEvery
}

// WatchEvery is how often a core is monitored: often enough that no stall that matters is
// missed, rarely enough to cost a thousandth of the core.
const WatchEvery = 5 * time.Millisecond

// Stalls are those of all cores.
type Stalls []Stall

func (s Stalls) String() string {
	var each []string
	for _, one := range s {
		each = append(each, fmt.Sprintf("core %d %v in all, %v at most", one.Core, clock.Round(one.Total), clock.Round(one.Longest)))
	}
	return strings.Join(each, "; ")
}

// Worst is the total of the core that stalled longest.
func (s Stalls) Worst() (d time.Duration) {
	for _, one := range s {
		d = max(d, one.Total)
	}
	return d
}

// Events are the longest stall of each core, from when the window opened on, where it is
// long enough to be distinguishable from the way that a core is monitored.
func (s Stalls) Events(opened clock.Instant) (all []results.Event) {
	for _, one := range s {
		if one.Longest >= WatchEvery {
			all = append(all, results.Event{At: max(0, one.Ended.Sub(opened)), Took: one.Longest, What: fmt.Sprintf("core %d stood still", one.Core)})
		}
	}
	return all
}

// LongStall is how long a stall must be to warn of, or a tenth of the 99th percentile where
// that is longer.
const LongStall = 10 * time.Millisecond

// Longest is the longest stall of any core.
func (s Stalls) Longest() (d time.Duration) {
	for _, one := range s {
		d = max(d, one.Longest)
	}
	return d
}
