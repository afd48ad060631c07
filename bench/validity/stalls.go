package validity

import (
	"fmt"
	"strings"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// CoreStalls summarizes the stalls of one core: intervals in which the core ran nothing.
type CoreStalls struct {
	Core    int           `json:"core"`
	Longest time.Duration `json:"longest_ns"`
	Ended   clock.Instant `json:"ended"`    // end of the longest
	Total   time.Duration `json:"total_ns"` // of the stalls of StallInterval or longer
}

// StallInterval is the sampling interval of the stall monitor, and the shortest stall that counts.
// It is short enough to miss no stall that matters, and long enough to cost only 0.1 % of a core.
const StallInterval = 5 * time.Millisecond

// Stalls has one entry per monitored core.
type Stalls []CoreStalls

func (s Stalls) String() string {
	var each []string
	for _, core := range s {
		if core.Total == 0 {
			each = append(each, fmt.Sprintf("core %d: no stall (longest gap %v)", core.Core, clock.Round(core.Longest)))
			continue
		}
		each = append(each, fmt.Sprintf("core %d: total %v, longest %v", core.Core, clock.Round(core.Total), clock.Round(core.Longest)))
	}
	return strings.Join(each, "; ")
}

// Worst is the largest total of any core.
func (s Stalls) Worst() (d time.Duration) {
	for _, core := range s {
		d = max(d, core.Total)
	}
	return d
}

// Events returns the longest stall of each core if it is StallInterval or longer. Its time is the
// stall's end, since the window opened.
func (s Stalls) Events(opened clock.Instant) (all []results.Event) {
	for _, core := range s {
		if core.Longest >= StallInterval {
			all = append(all, results.Event{At: max(0, core.Ended.Sub(opened)), Took: core.Longest, What: fmt.Sprintf("core %d stalled", core.Core)})
		}
	}
	return all
}

// ShortestPause is the shortest time for which a process must not have run to be a pause. On a busy machine a process
// waits some tenths of a second for a core.
const ShortestPause = time.Second

// Pauses are the times in a trial during which nothing ran.
type Pauses struct {
	Stopped   time.Duration // of the process that leads the trial, while the clock continued, as after Ctrl-Z
	Suspended time.Duration // of the machine; the clock stood
}

// LongStall is the threshold above which a stall causes a warning. If a tenth of the 99th
// percentile is longer, that is the threshold instead.
const LongStall = 10 * time.Millisecond

// Longest is the longest stall of any core.
func (s Stalls) Longest() (d time.Duration) {
	for _, core := range s {
		d = max(d, core.Longest)
	}
	return d
}
