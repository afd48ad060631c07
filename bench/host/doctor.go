package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
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

// A State rates one property of this machine for benchmarking.
type State string

// Fine: suitable. Warn: usable, subject to the advice. Fail: every measurement would be
// invalid. Hidden: the system does not report the value.
const (
	Fine   State = "ok"
	Warn   State = "warn"
	Fail   State = "fail"
	Hidden State = "unknown"
)

// A Diagnosis describes one property of this machine that affects measurements.
type Diagnosis struct {
	Check  string `json:"check"`
	State  State  `json:"state"`
	Found  string `json:"found,omitempty"`  // the value that was read or measured
	Advice string `json:"advice,omitempty"` // how to improve it; empty if it is suitable
}

// judge returns a diagnosis: doubtful means a warning with advice, an empty value Hidden.
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

// OpenFiles is the number of open files that a process of a scenario requires.
type OpenFiles struct {
	Scenario string
	Files    uint64
}

// An Examination checks whether this machine is suitable for benchmarking.
type Examination struct {
	Idle      []string                                     // argument vector of a child that prevents idle states and monitors stalls, as in trial.Setup
	OpenFiles []OpenFiles                                  // of the built-in scenarios
	Last      func(ctx context.Context) (Diagnosis, error) // an additional check, made while idle states are prevented
}

// idleWindow is the time for which the idle machine is monitored.
const idleWindow = 3 * time.Second

// Do examines this machine. It takes about ten seconds. Its only load is a small fixed
// loop and the process that prevents idle states.
func (x Examination) Do(ctx context.Context) ([]Diagnosis, error) {
	found := append([]Diagnosis{descriptors(x.OpenFiles)}, examineSystem()...)
	found = append(found, pinningHere(), runtimeSettings())
	if all := obstacles(); len(all) > 0 { // what follows needs what they lack
		return append(found, all...), nil
	}
	err := WithMonitor(x.Idle, func(m *Monitor) error {
		idle, err := monitorIdle(ctx, m)
		if err != nil {
			return err
		}
		found = append(append(found, idle...), timer(), loops())
		last, err := x.Last(ctx)
		if err != nil {
			return err
		}
		found = append(found, last)
		return ctx.Err()
	})
	return found, err
}

// obstacles are the diagnoses without which nothing can be measured here.
func obstacles() (all []Diagnosis) {
	if err := clock.CheckSleep(); err != nil {
		all = append(all, Diagnosis{"timer", Fail, err.Error(), "Allow it in the filter of system calls (seccomp) of this process or its container."})
	}
	if err := loopback(); err != nil {
		all = append(all, Diagnosis{"loopback", Fail, err.Error(), "Servers and load generators use it: set the interface lo up, with its IPv4 address."})
	}
	return all
}

// loopback opens a connection within this machine.
func loopback() error {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	c, err := net.DialTimeout("tcp4", ln.Addr().String(), 5*time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

// Ready returns ErrUnsuitable if nothing can be measured here, before a measurement finds that out by its own errors.
func Ready() error {
	for _, d := range obstacles() {
		return fmt.Errorf("%w: %s. %s", ErrUnsuitable, d.Found, d.Advice)
	}
	return nil
}

func descriptors(required []OpenFiles) Diagnosis {
	const check = "open files"
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return Diagnosis{check, Hidden, err.Error(), ""}
	}
	state, advice := judgeFiles(uint64(limit.Cur), required)
	return Diagnosis{check, state, fmt.Sprintf("%d per process (hard limit %d)", limit.Cur, limit.Max), advice}
}

// judgeFiles compares a limit of open files with the requirements of the scenarios.
func judgeFiles(limit uint64, required []OpenFiles) (State, string) {
	var short []string
	for _, r := range required {
		if r.Files > limit {
			short = append(short, fmt.Sprintf("%s (%d)", r.Scenario, r.Files))
		}
	}
	switch {
	case len(short) == 0:
		return Fine, ""
	case len(short) < len(required):
		return Warn, "Too few for " + strings.Join(short, ", ") + ": raise ulimit -n, or lower --clients."
	default:
		return Fail, "Too few for every scenario, for example " + short[0] + ": raise ulimit -n."
	}
}

// pinningHere tries to pin a thread to one core, as a run does.
func pinningHere() Diagnosis {
	const check = "cores and pinning"
	cores := child.OwnCores()
	found := fmt.Sprintf("%d of %d cores available", child.Available(), runtime.NumCPU())
	switch len(cores) {
	case 0:
		return judge(check, found, true, "This system does not support pinning, so server and load generator share all cores: compare only runs of this machine.")
	case 1:
		return judge(check, found, true, "Server and load generator share one core and disturb each other: use two or more cores.")
	}
	if err := child.OnCores(cores[:1], func() error { return nil }); err != nil {
		return judge(check, found, true, fmt.Sprintf("Pinning failed (%v): run with --no-pin.", err))
	}
	return judge(check, found+", pinning works", false, "")
}

func runtimeSettings() Diagnosis {
	found, set := runtime.Version(), goEnvironment()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		found += ", " + name + "=" + set[name]
	}
	if len(set) == 0 {
		found += ", no variable set in the environment"
	}
	return judge("Go runtime", found, len(set) > 0, "Servers and load generators inherit the variables: unset them, or set them for every run that you compare.")
}

// monitorIdle monitors the machine while it is idle.
func monitorIdle(ctx context.Context, m *Monitor) ([]Diagnosis, error) {
	before := readCounters()
	stalls, err := m.Watch(ctx, idleWindow)
	if err != nil {
		return nil, err
	}
	after := readCounters()
	return []Diagnosis{
		idleStates(m), idleStalls(stalls), otherLoad(before, after, []int{os.Getpid(), m.Process.PID()}), steal(before, after), throttling(before, after),
	}, nil
}

// idleStates reports how a run prevents idle states here.
func idleStates(m *Monitor) Diagnosis {
	return judge("idle states", m.Condition(), m.prevention == "", "Compare latencies only with other runs of this machine.")
}

// idleStalls applies the limit of the validity check "cores kept running" to a window of
// this length.
func idleStalls(stalls validity.Stalls) Diagnosis {
	found, allowed := "", idleWindow/200
	if len(stalls) > 0 {
		found = fmt.Sprintf("stalls of %v or longer in %v: %v", validity.StallInterval, idleWindow, stalls)
	}
	return judge("stalls of idle cores", found, stalls.Worst() > allowed,
		fmt.Sprintf("More than %v in total, which would invalidate a trial: stop other programs, or use a machine with a less busy host.", allowed))
}

// timer measures how late an absolute sleep wakes, with the sleep that the pacers use.
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

// judgeTimer compares the lateness with 1 ms, the lowest limit of the validity check
// "generator on time". It never fails: the check allows more if latencies are long.
func judgeTimer(late []time.Duration) Diagnosis {
	slices.Sort(late)
	p50, p99 := late[len(late)/2], late[len(late)*99/100]
	return judge("timer", fmt.Sprintf("an absolute sleep wakes %v late at p50, %v at p99 (%d sleeps)", clock.Round(p50), clock.Round(p99), len(late)), p99 > time.Millisecond,
		"Above 1 ms, late publications may invalidate a trial: stop other programs, or run as root for real-time priority.")
}

// loops repeats a fixed amount of work and measures how much its duration varies: the
// noise that the machine adds to pure computation.
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

// judgeLoops warns above 5 %, the smallest relevant difference of a verdict by default.
func judgeLoops(seconds []float64) Diagnosis {
	cv := variation(seconds)
	return judge("repeatability", fmt.Sprintf("a fixed loop (SHA-256 and a system call), %d times: coefficient of variation %.1f %%", len(seconds), 100*cv), cv > 0.05,
		"Identical work takes different times: stop other programs, set a constant CPU frequency, and use --repetitions 12 or more.")
}

// variation returns the coefficient of variation: standard deviation (n−1 in the
// denominator) divided by mean.
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

// ErrUnsuitable reports that every measurement on this machine would be invalid.
var ErrUnsuitable = errors.New("every measurement on this machine would be invalid")

// Usable returns ErrUnsuitable if a diagnosis failed. Warnings are allowed.
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
