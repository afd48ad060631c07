package validity

import (
	"cmp"
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
// Both are averages over the window: a burst within it shows as lateness.
const (
	maxUtilization  = 0.8
	warnUtilization = 0.5
)

// minCPUInterval is the shortest measurement of CPU time from which a utilization is calculated:
// the window of a stopped trial can be shorter.
const minCPUInterval = 100 * time.Millisecond

// belowCeiling reports whether the trial used at most 80 % of each of the load generator's two
// limits.
func belowCeiling(e Evidence) (bool, string) {
	if e.Ceiling <= 0 {
		return false, "the load generator's maximum rate was not measured"
	}
	ofCeiling, ofCPU := utilization(e)
	detail := fmt.Sprintf("publications and deliveries: %.0f per second, %s of the load generator's maximum; ", e.Rate, inPercent(ofCeiling))
	switch {
	case len(e.GeneratorGot) == 0:
		detail += "CPU unknown, since its number of cores is not available; "
	case e.CPUInterval < minCPUInterval:
		detail += fmt.Sprintf("CPU unknown, since it was measured for only %v; ", clock.Round(e.CPUInterval))
	default:
		detail += fmt.Sprintf("CPU %s of its cores; ", inPercent(ofCPU))
	}
	return max(ofCeiling, ofCPU) <= maxUtilization, detail + "allowed " + inPercent(maxUtilization)
}

// utilization returns how much of its maximum rate and of its cores the load generator used, as
// shares. That of the cores is 0 if it is unknown.
func utilization(e Evidence) (ofCeiling, ofCPU float64) {
	ofCeiling = e.Rate / e.Ceiling
	if len(e.Trial.Agents) > 0 {
		return ofCeiling, busiest(e)
	}
	if available := e.CPUInterval.Seconds() * float64(len(e.GeneratorGot)); available > 0 && e.CPUInterval >= minCPUInterval {
		ofCPU = e.Trial.Cost.Generator.CPU.Seconds() / available
	}
	return ofCeiling, ofCPU
}

// busiest is the highest utilization of the load generators' cores on any machine. Agents of one machine share its cores.
func busiest(e Evidence) (most float64) {
	used, cores := map[string]time.Duration{}, map[string]int{}
	for _, a := range e.Trial.Agents {
		at := cmp.Or(a.Machine, a.Name)
		used[at] += a.Generator
		cores[at] = max(cores[at], a.Cores)
	}
	for at, cpu := range used {
		if available := e.CPUInterval.Seconds() * float64(cores[at]); available > 0 && e.CPUInterval >= minCPUInterval {
			most = max(most, cpu.Seconds()/available)
		}
	}
	return most
}

// NearCeiling warns of a trial that used more than half of either limit of the load generator.
func NearCeiling(e Evidence) []string {
	if e.Ceiling <= 0 {
		return nil
	}
	ofCeiling, ofCPU := utilization(e)
	if max(ofCeiling, ofCPU) <= warnUtilization {
		return nil
	}
	return []string{fmt.Sprintf("the load generator used %s of its maximum rate and %s of its cores: more than half", inPercent(ofCeiling), inPercent(ofCPU))}
}

func inPercent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }
