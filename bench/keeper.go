package bench

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/clock"
	"pushbench/results"
)

// A Stall says when a core stood still, and all that runs on it with it.
type Stall struct {
	Core    int           `json:"core"`
	Longest time.Duration `json:"longest_ns"`
	Ended   clock.Instant `json:"ended"`    // when the longest did
	Total   time.Duration `json:"total_ns"` // of the standstills that are no shorter than watchEvery
}

// watchEvery is how often a core is looked at: often enough that a standstill that
// matters is not slept through, seldom enough to cost a thousandth of the core.
const watchEvery = 5 * time.Millisecond

// Stalls are those of all cores.
type Stalls []Stall

func (s Stalls) String() string {
	var each []string
	for _, one := range s {
		each = append(each, fmt.Sprintf("core %d %v in all, %v at most", one.Core, round(one.Total), round(one.Longest)))
	}
	return strings.Join(each, "; ")
}

// worst is the total of the core that stood still longest.
func (s Stalls) worst() (d time.Duration) {
	for _, one := range s {
		d = max(d, one.Total)
	}
	return d
}

// events are the longest standstill of each core, from when the window opened on, where it is
// long enough to be told from the way a core is looked at.
func (s Stalls) events(opened clock.Instant) (all []results.Event) {
	for _, one := range s {
		if one.Longest >= watchEvery {
			all = append(all, results.Event{At: max(0, one.Ended.Sub(opened)), Took: one.Longest, What: fmt.Sprintf("core %d stood still", one.Core)})
		}
	}
	return all
}

// longHiccup is how long a standstill must be to be told of, or a tenth of the 99th
// percentile where that is longer.
const longHiccup = 10 * time.Millisecond

// longest is the longest standstill of any core.
func (s Stalls) longest() (d time.Duration) {
	for _, one := range s {
		d = max(d, one.Longest)
	}
	return d
}

// Watched is what a keeper answers.
type Watched struct {
	Kept   string `json:"kept,omitempty"` // how the cores are kept awake; empty: they may sleep
	Stalls Stalls `json:"stalls"`         // since it last answered
}

// A keeper keeps the cores awake and watches them: see KeepAwake.
type keeper struct {
	process *child.Process
	kept    string       // see Watched
	heard   chan Watched // closed when it is gone
}

func newKeeper(argv []string) (*keeper, error) {
	p, err := child.Start("keeper of the cores", argv, child.Options{})
	if err != nil {
		return nil, err
	}
	k := &keeper{process: p, heard: make(chan Watched, 1)}
	go func() {
		defer close(k.heard)
		_ = child.ReadLines(p.Stdout, func(w Watched) error { k.heard <- w; return nil }) // what ends it is told by who asks
	}()
	first, err := k.ask()
	if err != nil {
		return nil, errors.Join(err, p.End(child.EndWait))
	}
	k.kept = first.Kept
	return k, nil
}

// stalls returns how long each core stood still since it was last asked.
func (k *keeper) stalls() (Stalls, error) {
	if k == nil {
		return nil, nil
	}
	w, err := k.ask()
	return w.Stalls, err
}

func (k *keeper) ask() (Watched, error) {
	if err := k.process.Send(struct{}{}); err != nil {
		return Watched{}, fmt.Errorf("%s: %w", k.process.Name, err)
	}
	select {
	case w, ok := <-k.heard:
		if !ok {
			return Watched{}, fmt.Errorf("%s ended", k.process.Name)
		}
		return w, nil
	case <-time.After(child.AnswerWait):
		return Watched{}, fmt.Errorf("%s does not answer", k.process.Name)
	}
}

// sleep says whether latencies hold the time that a core takes to wake.
func (k *keeper) sleep() string {
	if k == nil || k.kept == "" {
		return "the cores may sleep: latencies hold the time that a core takes to wake"
	}
	return k.kept + ": no latency holds the time that a core takes to wake"
}
