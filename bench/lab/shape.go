package lab

import (
	"math/rand/v2"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// A Shape is what a link of packets does to what crosses it, each way by itself. Its
// zero value is a wire.
//
// The words are netem's (tc-netem(8)), and so is what they do, with one difference: a
// packet that is delayed by more than the one before waits for nobody, but none
// overtakes unless Reorder says so. netem does the same when its queue is a pfifo.
type Shape struct {
	RTT     time.Duration `json:"rtt_ns"`    // round trip: half of it each way
	Jitter  time.Duration `json:"jitter_ns"` // the most that a packet waits beyond that, uniform in [0, Jitter]
	Loss    float64       `json:"loss"`      // share of the packets that are lost, each by itself
	Reorder float64       `json:"reorder"`   // share of the packets that do not wait at all, and so overtake
	Rate    int64         `json:"rate"`      // bytes a second that each way carries, IP headers included; 0: unlimited
	Queue   int           `json:"queue"`     // packets that may wait for the rate, beyond which they are dropped; default 1000
	Seed    uint64        `json:"seed"`      // of loss, jitter and reordering
}

const defaultQueue = 1000

// A way is one direction of a link: what is on it, in the order in which it comes out.
type way struct {
	shape  Shape
	delay  time.Duration
	random *rand.Rand

	free  clock.Instant // when all that entered has passed the limited rate
	last  clock.Instant // when the last of it comes out
	ahead []parcel      // what overtakes: it is due now
	line  []parcel      // from head on
	head  int
	waits []clock.Instant // when each of those that wait for the rate has passed it, from gone on
	gone  int

	counts results.LinkDirection
}

// A parcel is a packet on its way.
type parcel struct {
	due    clock.Instant
	packet []byte
}

func newWay(s Shape, delay time.Duration, stream uint64) *way {
	if s.Queue == 0 {
		s.Queue = defaultQueue
	}
	return &way{shape: s, delay: delay, random: rand.New(rand.NewPCG(s.Seed, stream))}
}

// enter puts a packet on its way, or says that it is lost. What is drawn depends on the
// packets before it alone, so a seed loses the same ones of the same sequence.
func (w *way) enter(packet []byte, now clock.Instant) (kept bool) {
	lost := w.random.Float64() < w.shape.Loss
	overtakes := w.random.Float64() < w.shape.Reorder
	jitter := time.Duration(w.random.Float64() * float64(w.shape.Jitter))
	switch {
	case lost:
		w.counts.Lost++
		return false
	case overtakes:
		w.counts.Overtook++
		w.ahead = append(w.ahead, parcel{now, packet})
		return true
	case !w.pass(len(packet), now):
		w.counts.Overflowed++
		return false
	}
	w.last = max(w.last, max(w.free, now).Add(w.delay+jitter))
	w.line = append(w.line, parcel{w.last, packet})
	return true
}

// pass takes a packet through the limited rate, unless too many wait for it.
func (w *way) pass(size int, now clock.Instant) bool {
	if w.shape.Rate == 0 {
		return true
	}
	for w.gone < len(w.waits) && w.waits[w.gone] <= now {
		w.gone++
	}
	if w.gone == len(w.waits) {
		w.waits, w.gone = w.waits[:0], 0
	}
	if len(w.waits)-w.gone >= w.shape.Queue {
		return false
	}
	w.free = max(w.free, now).Add(time.Duration(float64(size) / float64(w.shape.Rate) * float64(time.Second)))
	w.waits = append(w.waits, w.free)
	return true
}

// due is when the next packet comes out.
func (w *way) due() (at clock.Instant, ok bool) {
	switch {
	case len(w.ahead) > 0:
		return w.ahead[0].due, true
	case w.head < len(w.line):
		return w.line[w.head].due, true
	default:
		return 0, false
	}
}

// leave takes the next packet off.
func (w *way) leave() parcel {
	if len(w.ahead) > 0 {
		p := w.ahead[0]
		w.ahead = w.ahead[1:]
		return p
	}
	p := w.line[w.head]
	w.line[w.head] = parcel{}
	if w.head++; w.head == len(w.line) || w.head >= 4096 {
		w.line, w.head = append(w.line[:0], w.line[w.head:]...), 0
	}
	return p
}
