package validity

import (
	"fmt"
	"strings"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// A Stall summarizes the stalls of one core: intervals in which the core ran nothing.
type Stall struct {
	Core    int           `json:"core"`
	Longest time.Duration `json:"longest_ns"`
	Ended   clock.Instant `json:"ended"`    // end of the longest
	Total   time.Duration `json:"total_ns"` // of the stalls of WatchEvery or longer
}

// WatchEvery is the sampling interval of the stall monitor: short enough to miss no stall that
// matters, long enough to cost 0.1 % of the core.
const WatchEvery = 5 * time.Millisecond

// Stalls has one entry per monitored core.
type Stalls []Stall

func (s Stalls) String() string {
	var each []string
	for _, one := range s {
		each = append(each, fmt.Sprintf("core %d: total %v, longest %v", one.Core, clock.Round(one.Total), clock.Round(one.Longest)))
	}
	return strings.Join(each, "; ")
}

// Worst is the largest total of any core.
func (s Stalls) Worst() (d time.Duration) {
	for _, one := range s {
		d = max(d, one.Total)
	}
	return d
}

// Events returns the longest stall of each core, as time since the window opened, if it is
// longer than the monitor's sampling interval.
func (s Stalls) Events(opened clock.Instant) (all []results.Event) {
	for _, one := range s {
		if one.Longest >= WatchEvery {
			all = append(all, results.Event{At: max(0, one.Ended.Sub(opened)), Took: one.Longest, What: fmt.Sprintf("core %d stalled", one.Core)})
		}
	}
	return all
}

// LongStall is the shortest stall that causes a warning. If a tenth of the 99th percentile
// is longer, that is the threshold instead.
const LongStall = 10 * time.Millisecond

// Longest is the longest stall of any core.
func (s Stalls) Longest() (d time.Duration) {
	for _, one := range s {
		d = max(d, one.Longest)
	}
	return d
}
