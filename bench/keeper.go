package bench

import (
	"errors"
	"fmt"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/validity"
)

// Watched is what a keeper answers.
type Watched struct {
	Kept   string          `json:"kept,omitempty"` // how the cores are kept awake; empty: they may sleep
	Stalls validity.Stalls `json:"stalls"`         // since it last answered
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
func (k *keeper) stalls() (validity.Stalls, error) {
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
