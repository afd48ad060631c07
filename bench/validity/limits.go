package validity

import (
	"fmt"
	"strconv"
	"time"

	"pushbench/bench/clock"
)

// A generator has two ends to its strength, and a trial must stay well below both.
//
// Its ceiling is what it does on the null transport, flat out: pacing, payloads,
// checksums, ledgers, histograms, and the locks between its workers. No transport can
// be faster. Sockets and protocols come on top, several times as dear, and
// that part differs by transport; so the other end is how busy the generator's cores
// are in the window itself. Neither contains the other: a lock can be the limit
// while cores are idle, and cores are full long before the null transport's rate.
// Both are means: a burst within the window shows as lateness.
const (
	ceilingAllowed = 0.8
	ceilingWarned  = 0.5
)

// shortestWatch is what a window must last, that may be cut short, to say how busy cores were.
const shortestWatch = 100 * time.Millisecond

// belowCeiling: at most 80 % of what the generator can do.
func belowCeiling(e Evidence) (bool, string) {
	if e.Ceiling <= 0 {
		return false, "the generator's ceiling was not measured"
	}
	ofCeiling, busy := shares(e)
	detail := fmt.Sprintf("%.0f publications and deliveries a second are %s of the ceiling; ", e.Offered, inPercent(ofCeiling))
	switch {
	case len(e.GeneratorGot) == 0:
		detail += "how many cores it had is not shown; "
	case e.Watched < shortestWatch:
		detail += fmt.Sprintf("its cores were watched for %v, too short to say how busy they were; ", clock.Round(e.Watched))
	default:
		detail += fmt.Sprintf("its cores were %s busy; ", inPercent(busy))
	}
	return max(ofCeiling, busy) <= ceilingAllowed, detail + "allowed " + inPercent(ceilingAllowed)
}

// shares are how much of its ceiling and of its cores a generator used.
func shares(e Evidence) (ofCeiling, busy float64) {
	if had := e.Watched.Seconds() * float64(len(e.GeneratorGot)); had > 0 && e.Watched >= shortestWatch {
		busy = e.Trial.Cost.Generator.CPU.Seconds() / had
	}
	return e.Offered / e.Ceiling, busy
}

// NearCeiling warns of a trial that used more than half of what the generator can do.
func NearCeiling(e Evidence) []string {
	if e.Ceiling <= 0 {
		return nil
	}
	ofCeiling, busy := shares(e)
	if max(ofCeiling, busy) <= ceilingWarned {
		return nil
	}
	return []string{fmt.Sprintf("the generator used %s of its ceiling and %s of its cores: more than half", inPercent(ofCeiling), inPercent(busy))}
}

func inPercent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }
