package bench

import (
	"fmt"
	"strings"
	"time"
)

// A Stall says when a core stood still, and all that runs on it with it.
type Stall struct {
	Core    int           `json:"core"`
	Longest time.Duration `json:"longest_ns"`
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

// A keeper keeps the cores awake and watches them: see KeepAwake.
type keeper struct {
	process *process
	say     *lineWriter
	heard   chan Stalls // closed when it is gone
}

func newKeeper(argv []string) (*keeper, error) {
	p, err := launch("keeper of the cores", argv, nil)
	if err != nil {
		return nil, err
	}
	k := &keeper{process: p, say: &lineWriter{w: p.stdin}, heard: make(chan Stalls, 1)}
	go func() {
		defer close(k.heard)
		_ = lines(p.stdout, func(s Stalls) error { k.heard <- s; return nil }) // what ends it is told by who asks
	}()
	return k, nil
}

// stalls returns how long each core stood still since it was last asked.
func (k *keeper) stalls() (Stalls, error) {
	if k == nil {
		return nil, nil
	}
	if err := k.say.send(struct{}{}); err != nil {
		return nil, fmt.Errorf("%s: %w", k.process.name, err)
	}
	select {
	case s, ok := <-k.heard:
		if !ok {
			return nil, fmt.Errorf("%s ended", k.process.name)
		}
		return s, nil
	case <-time.After(answerWait):
		return nil, fmt.Errorf("%s does not answer", k.process.name)
	}
}
