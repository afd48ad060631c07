package validity

import (
	"fmt"
	"strconv"
	"time"

	"pushbench/bench/clock"
)

// The load generator has two limits, and a trial must stay well below both.
//
// The first is its maximum rate with a no-op transport: pacing, payloads, checksums,
// ledgers, histograms, and the locks between its workers. No transport can be faster.
// Sockets and protocols cost several times as much in addition, and that part differs by
// transport. The second limit is therefore the CPU utilization of the generator's cores in
// the window itself. Neither limit implies the other: a lock can limit the rate while cores
// are idle, and cores are fully busy long before the no-op transport's rate.
// Both are means: a burst within the window shows as lateness.
const (
	ceilingAllowed = 0.8
	ceilingWarned  = 0.5
)

// shortestWatch is the shortest measurement of CPU time from which a utilization is
// calculated. A window can be cut short.
const shortestWatch = 100 * time.Millisecond

// belowCeiling: the trial uses at most 80 % of each of the load generator's two limits.
func belowCeiling(e Evidence) (bool, string) {
	if e.Ceiling <= 0 {
		return false, "the load generator's maximum rate was not measured"
	}
	ofCeiling, busy := shares(e)
	detail := fmt.Sprintf("publications and deliveries: %.0f per second, %s of the load generator's maximum; ", e.Offered, inPercent(ofCeiling))
	switch {
	case len(e.GeneratorGot) == 0:
		detail += "CPU unknown, since its number of cores is not available; "
	case e.CPUInterval < shortestWatch:
		detail += fmt.Sprintf("CPU unknown, since it was measured for only %v; ", clock.Round(e.CPUInterval))
	default:
		detail += fmt.Sprintf("CPU %s of its cores; ", inPercent(busy))
	}
	return max(ofCeiling, busy) <= ceilingAllowed, detail + "allowed " + inPercent(ceilingAllowed)
}

// shares returns the load generator's use of its maximum rate and of its cores.
func shares(e Evidence) (ofCeiling, busy float64) {
	if had := e.CPUInterval.Seconds() * float64(len(e.GeneratorGot)); had > 0 && e.CPUInterval >= shortestWatch {
		busy = e.Trial.Cost.Generator.CPU.Seconds() / had
	}
	return e.Offered / e.Ceiling, busy
}

// NearCeiling warns of a trial that used more than half of either limit of the load generator.
func NearCeiling(e Evidence) []string {
	if e.Ceiling <= 0 {
		return nil
	}
	ofCeiling, busy := shares(e)
	if max(ofCeiling, busy) <= ceilingWarned {
		return nil
	}
	return []string{fmt.Sprintf("the load generator used %s of its maximum rate and %s of its cores: more than half", inPercent(ofCeiling), inPercent(busy))}
}

func inPercent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }
