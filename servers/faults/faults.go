// Package faults makes a server wrong or slow on purpose, so that an instrument can be
// tested against a known truth. It is a decorator of the publish path.
//
// It owns the messages that it holds back and the counts of what it did. It must never
// stand in the way of a server without faults, nor change how many seqs there are: a fault
// changes what is delivered under a seq.
package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Faults says what to inject. Each of the first four counts publications over the whole
// server from 1 and strikes every n-th; 0 never strikes. Where several would strike at once
// only the first of Drop, Double, Swap, Corrupt does. Delay and Work strike all.
type Faults struct {
	Drop    int // acknowledged, gets its seq, is never delivered
	Double  int // delivered twice, same seq
	Swap    int // delivered only after the topic's next message, in one piece with it
	Corrupt int // delivered with one byte of its payload changed

	Delay time.Duration // acknowledged at once, readable only after so long
	Work  time.Duration // taken by each publication before it is acknowledged, one after the other: capacity 1/Work
}

// Counts says how often each fault struck.
type Counts struct {
	Drop    uint64 `json:"drop"`
	Double  uint64 `json:"double"`
	Swap    uint64 `json:"swap"`
	Corrupt uint64 `json:"corrupt"`
	Delayed uint64 `json:"delayed"`

	DelayP50 time.Duration `json:"delay_p50_ns"` // how long those were really held
}

// longest bounds what a fault may take: an instrument waits for it.
const longest = 10 * time.Second

// Parse reads "drop=997,double=499,delay=10ms"; nothing is no fault.
func Parse(text string) (f Faults, err error) {
	if text == "" {
		return f, nil
	}
	counts := map[string]*int{"drop": &f.Drop, "double": &f.Double, "swap": &f.Swap, "corrupt": &f.Corrupt}
	times := map[string]*time.Duration{"delay": &f.Delay, "work": &f.Work}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		n, notNumber := strconv.Atoi(value)
		d, notTime := time.ParseDuration(value)
		count, span := counts[name], times[name]
		switch { // what was set before is given twice
		case count != nil && notNumber == nil && n >= 1 && *count == 0:
			*count = n
		case span != nil && notTime == nil && 0 < d && d <= longest && *span == 0:
			*span = d
		default:
			return Faults{}, fmt.Errorf("%q is not a valid fault: want drop=N, double=N, swap=N or corrupt=N with N at least 1, or delay=D or work=D with a duration of 1ns to %v, each once", part, longest)
		}
	}
	return f, nil
}
