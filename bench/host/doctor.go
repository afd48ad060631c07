package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/clock"
	"pushbench/bench/validity"
)

// A Standing says what a finding means for measuring here.
type Standing string

// Fine: as it should be. Caution: measurable, with what the advice says. Void: a
// measurement would be invalid for sure. Hidden: this system does not show it.
const (
	Fine   Standing = "ok"
	Warn   Standing = "warn"
	Fail   Standing = "fail"
	Hidden Standing = "not shown here"
)

// A Finding is one thing about this machine that measuring depends on.
type Diagnosis struct {
	Check  string   `json:"check"`
	State  Standing `json:"state"`
	Found  string   `json:"found,omitempty"`  // what was read or measured
	Advice string   `json:"advice,omitempty"` // what to do about it, where there is something to do
}

// judge is a finding of what was found: doubtful means a warning with advice. It is hidden
// where nothing was found.
func judge(check, found string, doubtful bool, advice string) Diagnosis {
	switch {
	case found == "":
		return Diagnosis{Check: check, State: Hidden}
	case doubtful:
		return Diagnosis{check, Warn, found, advice}
	default:
		return Diagnosis{check, Fine, found, ""}
	}
}

// A Need is how many open files a process of a scenario takes.
type OpenFiles struct {
	Scenario string
	Files    uint64
}

// An Examination checks whether this machine is suitable for benchmarking.
type Examination struct {
	Idle      []string                                     // argument vector of a child that prevents idle states and monitors stalls, as in trial.Rig
	OpenFiles []OpenFiles                                  // of the scenarios that come with the command
	Last      func(ctx context.Context) (Diagnosis, error) // one more, made while idle states are prevented
}

// examineFor is how long the machine is watched while nothing is measured on it.
const examineFor = 3 * time.Second

// Do examines this machine; it takes about ten seconds and makes no load but a small
// fixed loop and what prevents idle states.
func (x Examination) Do(ctx context.Context) ([]Diagnosis, error) {
	found := append([]Diagnosis{descriptors(x.OpenFiles)}, examineSystem()...)
	found = append(found, pinningHere(), runtimeSettings())
	err := WithMonitor(x.Idle, func(m *Monitor) error {
		seen, err := watchIdle(ctx, m)
		if err != nil {
			return err
		}
		found = append(append(found, seen...), timer(), loops())
		last, err := x.Last(ctx)
		if err != nil {
			return err
		}
		found = append(found, last)
		return ctx.Err()
	})
	return found, err
}

func descriptors(needs []OpenFiles) Diagnosis {
	const check = "open files"
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return Diagnosis{check, Hidden, err.Error(), ""}
	}
	state, advice := judgeFiles(uint64(limit.Cur), needs)
	return Diagnosis{check, state, fmt.Sprintf("%d a process, at most %d", limit.Cur, limit.Max), advice}
}

// judgeFiles holds a limit of open files against what the scenarios need.
func judgeFiles(limit uint64, needs []OpenFiles) (Standing, string) {
	var short []string
	for _, need := range needs {
		if need.Files > limit {
			short = append(short, fmt.Sprintf("%s (%d)", need.Scenario, need.Files))
		}
	}
	switch {
	case len(short) == 0:
		return Fine, ""
	case len(short) < len(needs):
		return Warn, "too few for " + strings.Join(short, ", ") + ": raise ulimit -n, or give --clients."
	default:
		return Fail, "too few for every scenario, such as " + short[0] + ": raise ulimit -n."
	}
}

// pinningHere tries what a run does: to start something on one core only.
func pinningHere() Diagnosis {
	const check = "cores and pinning"
	cores := child.OwnCores()
	found := fmt.Sprintf("%d cores for us of %d", child.Available(), runtime.NumCPU())
	switch len(cores) {
	case 0:
		return judge(check, found, true, "This system offers no pinning: server and generator share all cores, so compare only runs of one machine.")
	case 1:
		return judge(check, found, true, "Server and generator share the one core and disturb each other: use two or more.")
	}
	if err := child.OnCores(cores[:1], func() error { return nil }); err != nil {
		return judge(check, found, true, fmt.Sprintf("Pinning is refused (%v): run with --no-pin.", err))
	}
	return judge(check, found+", pinning works", false, "")
}

func runtimeSettings() Diagnosis {
	found, set := runtime.Version(), goEnvironment()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		found += ", " + name + "=" + set[name]
	}
	if len(set) == 0 {
		found += ", no setting in the environment"
	}
	return judge("Go runtime", found, len(set) > 0, "Unset it, or set it for every run that is compared: servers and generators inherit it.")
}

// watchIdle looks on while nothing is measured.
func watchIdle(ctx context.Context, m *Monitor) ([]Diagnosis, error) {
	before := lookAround()
	stalls, err := m.Watch(ctx, examineFor)
	if err != nil {
		return nil, err
	}
	after := lookAround()
	return []Diagnosis{
		sleeping(m), hiccups(stalls), otherLoad(before, after, []int{os.Getpid(), m.Process.PID()}), steal(before, after), throttling(before, after),
	}, nil
}

// sleeping reports how a run prevents idle states here.
func sleeping(m *Monitor) Diagnosis {
	return judge("sleep of cores", m.Condition(), m.kept == "", "Compare latencies of this machine with each other only.")
}

// hiccups judges stalls as the check "cores kept running" would in a window as long.
func hiccups(stalls validity.Stalls) Diagnosis {
	found, allowed := "", examineFor/200
	if len(stalls) > 0 {
		found = fmt.Sprintf("in %v: %v", examineFor, stalls)
	}
	return judge("stalls of idle cores", found, stalls.Worst() > allowed,
		fmt.Sprintf("More than %v in all, which would void a trial: stop other work, or use a machine whose host is less busy.", allowed))
}

// timer says how late an absolute sleep wakes, sleeping as the pacers do.
func timer() Diagnosis {
	const sleeps, every = 500, 2 * time.Millisecond
	late := make(chan []time.Duration)
	go func() {
		clock.Sharpen() // locks the thread, which ends with this goroutine
		var all []time.Duration
		for range sleeps {
			due := clock.Now().Add(every)
			clock.SleepUntil(due)
			all = append(all, clock.Now().Sub(due))
		}
		late <- all
	}()
	return judgeTimer(<-late)
}

// judgeTimer holds lateness against the check "generator on time", whose floor is 1 ms.
// It warns and never fails: the check allows more where latencies are long.
func judgeTimer(late []time.Duration) Diagnosis {
	slices.Sort(late)
	p50, p99 := late[len(late)/2], late[len(late)*99/100]
	return judge("timer", fmt.Sprintf("an absolute sleep wakes %v late at p50, %v at p99, of %d", clock.Round(p50), clock.Round(p99), len(late)), p99 > time.Millisecond,
		"Beyond 1 ms publications may leave too late and void a trial: stop other work, or measure as root, which goes ahead of other threads.")
}

// loops repeats one fixed piece of work and says how much its duration varies: the noise
// that the machine adds to pure work.
func loops() Diagnosis {
	const times, rounds = 40, 40
	block := make([]byte, 64<<10)
	var seconds []float64
	for range times {
		began := clock.Now()
		for range rounds {
			sum := sha256.Sum256(block)
			copy(block, sum[:])
			_ = syscall.Getppid()
		}
		seconds = append(seconds, clock.Now().Sub(began).Seconds())
	}
	return judgeLoops(seconds)
}

// judgeLoops warns beyond 5 %, the smallest difference that a verdict calls one by default.
func judgeLoops(seconds []float64) Diagnosis {
	cv := variation(seconds)
	return judge("steadiness", fmt.Sprintf("coefficient of variation of a fixed loop (SHA-256 and a system call), %d times: %.1f %%", len(seconds), 100*cv), cv > 0.05,
		"The same work takes unlike times here: stop other work, fix the processor's frequency, and use 12 blocks or more.")
}

// variation is the standard deviation over the mean (n−1 in the denominator).
func variation(x []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += v
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares/float64(len(x)-1)) / mean
}

// ErrVoid: a measurement here would be invalid.
var ErrUnsuitable = errors.New("a measurement here would be void")

// Usable is nil where a machine can be measured on, warnings allowed.
func Usable(found []Diagnosis) error {
	var failed []string
	for _, f := range found {
		if f.State == Fail {
			failed = append(failed, f.Check)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrUnsuitable, strings.Join(failed, ", "))
}
