// Package faults injects errors and delays into a server, so that a measurement tool can be
// tested against a known truth. It is a decorator of the publish path; only Nagle is a fault of
// the sockets, which package sock injects.
//
// It owns the messages that it delays and the counts of injected faults. It must never
// affect a server without faults, nor change the number of seqs: a fault
// changes what is delivered under a seq.
package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Faults are the faults to inject. Each of the first four counts publications over the whole
// server from 1 and applies to every n-th; 0 means never. If several would apply to one message,
// only the first of Drop, Double, Swap, Corrupt does. Delay and Work apply to all messages, and
// Nagle to all writes.
type Faults struct {
	Drop    int // acknowledged, gets its seq, is never delivered
	Double  int // delivered twice, same seq
	Swap    int // delivered only after the topic's next message, in the same batch
	Corrupt int // delivered with one byte of its payload changed

	Delay time.Duration // acknowledged immediately, readable only after Delay
	Work  time.Duration // each publication takes this long before it is acknowledged, sequentially: capacity 1/Work

	Nagle bool // sockets without TCP_NODELAY, and each write in two parts (sock.Listener.Nagle)
}

// Counts has the number of injected faults of each kind.
type Counts struct {
	Drop    uint64 `json:"drop"`
	Double  uint64 `json:"double"`
	Swap    uint64 `json:"swap"`
	Corrupt uint64 `json:"corrupt"`
	Delayed uint64 `json:"delayed"`

	DelayP50 time.Duration `json:"delay_p50_ns"` // median of the actual delays
}

// maxDuration bounds how long a fault may take, because a measurement waits for it.
const maxDuration = 10 * time.Second

// Parse reads "drop=997,double=499,delay=10ms"; an empty text means no fault.
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
		switch { // a value that is already set was given twice
		case count != nil && notNumber == nil && n >= 1 && *count == 0:
			*count = n
		case part == "nagle" && !f.Nagle:
			f.Nagle = true
		case span != nil && notTime == nil && 0 < d && d <= maxDuration && *span == 0:
			*span = d
		default:
			return Faults{}, fmt.Errorf("%q is not a valid fault: want drop=N, double=N, swap=N or corrupt=N with N at least 1, or delay=D or work=D with a duration of 1ns to %v, or nagle, each once", part, maxDuration)
		}
	}
	return f, nil
}
