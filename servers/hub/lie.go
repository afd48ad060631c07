package hub

import (
	"slices"
	"time"
)

// A Lie makes a hub wrong or slow on purpose, so that an instrument can be tested
// against a known truth. Each of the first four counts publications over the whole
// hub from 1 and strikes every n-th; 0 never strikes. Where several would strike
// at once only the first of Drop, Double, Swap, Corrupt does. Delay and Work strike all.
type Lie struct {
	Drop    int // acknowledged, gets its seq, is never delivered
	Double  int // delivered twice, same seq
	Swap    int // delivered only after the topic's next message, in one piece with it
	Corrupt int // delivered with one byte of its payload changed

	Delay time.Duration // acknowledged at once, readable only after so long
	Work  time.Duration // taken by each publication before it is acknowledged, one after the other: capacity 1/Work
}

// LieCounts says how often each lie was told.
type LieCounts struct {
	Drop    uint64 `json:"drop"`
	Double  uint64 `json:"double"`
	Swap    uint64 `json:"swap"`
	Corrupt uint64 `json:"corrupt"`
	Delayed uint64 `json:"delayed"`

	DelayP50 time.Duration `json:"delay_p50_ns"` // how long those were really held
}

// A liar encodes messages, truthfully unless told otherwise. A log's positions
// are its seqs, so lies change what an entry holds, never how many there are.
type liar struct {
	Lie
	published uint64
	counts    LieCounts
	late      *postponer    // nil: no Delay
	working   chan struct{} // holds one while somebody works
}

// toil is the work that each publication costs.
func (l *liar) toil() {
	if l.Work <= 0 {
		return
	}
	l.working <- struct{}{}
	time.Sleep(l.Work)
	<-l.working
}

func (l *liar) encode(t *topic, seq uint64, data []byte) []byte {
	l.published++
	object := l.distort(t, seq, data)
	if object == nil || t.held == nil {
		return object
	}
	object = append(append(object, ','), t.held...)
	t.held = nil
	return object
}

func (l *liar) distort(t *topic, seq uint64, data []byte) []byte {
	switch {
	case l.strikes(l.Drop, &l.counts.Drop):
		return nil
	case l.strikes(l.Double, &l.counts.Double):
		object := appendObject(nil, t.name, seq, data)
		return append(append(slices.Clone(object), ','), object...)
	case t.held == nil && l.strikes(l.Swap, &l.counts.Swap):
		t.held = appendObject(nil, t.name, seq, data)
		return nil
	case l.strikes(l.Corrupt, &l.counts.Corrupt):
		return appendObject(nil, t.name, seq, corrupt(data))
	}
	return appendObject(make([]byte, 0, objectSize(t, data)), t.name, seq, data)
}

func (l *liar) strikes(every int, count *uint64) bool {
	if every <= 0 || l.published%uint64(every) != 0 {
		return false
	}
	*count++
	return true
}

// objectSize guesses an encoded message's size in bytes: exact for printable
// ASCII and a seq of up to six digits, the common case.
func objectSize(t *topic, data []byte) int { return len(t.name) + len(data) + 34 }

// corrupt changes one ASCII byte near the middle, so that the text stays UTF-8.
func corrupt(data []byte) []byte {
	data = slices.Clone(data)
	for i := len(data) / 2; i < len(data); i++ {
		if data[i] >= 0x80 {
			continue
		}
		if data[i] == 'x' {
			data[i] = 'y'
		} else {
			data[i] = 'x'
		}
		break
	}
	return data
}
