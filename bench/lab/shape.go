package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// A Shape describes the effect of a link on packets, for each direction independently. Its
// zero value has no effect.
//
// The fields have the names and the meaning of netem (tc-netem(8)), with one difference:
// packets do not overtake each other because of different jitter, only because of Reorder.
// netem behaves the same if its queue is a pfifo.
type Shape struct {
	RTT     time.Duration `json:"rtt_ns"`    // round trip: one half per direction
	Jitter  time.Duration `json:"jitter_ns"` // additional delay, uniform in [0, Jitter]
	Loss    float64       `json:"loss"`      // share of lost packets, independent of each other
	Reorder float64       `json:"reorder"`   // share of packets without any delay, which therefore overtake
	Rate    int64         `json:"rate"`      // bytes per second and direction, IP headers included; 0: unlimited
	Queue   int           `json:"queue"`     // packets that may wait for the rate; more are dropped; default 1000
	Seed    uint64        `json:"seed"`      // of loss, jitter and reordering
}

const defaultQueue = 1000

// longestDelay limits what can be added to a time without an overflow.
const longestDelay = time.Hour

// readShape reads a shape as a line of JSON.
func readShape(in io.Reader) (s Shape, err error) {
	const longest = 4096
	line, err := bufio.NewReaderSize(in, longest).ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return s, fmt.Errorf("the line is longer than %d bytes", longest)
	}
	if err == nil {
		err = json.Unmarshal(line, &s)
	}
	if err != nil {
		return s, err
	}
	share := func(v float64) bool { return 0 <= v && v <= 1 }
	delay := func(d time.Duration) bool { return 0 <= d && d <= longestDelay }
	if !delay(s.RTT) || !delay(s.Jitter) || !share(s.Loss) || !share(s.Reorder) || s.Rate < 0 || s.Queue < 0 {
		return s, fmt.Errorf("%+v: allowed: delays up to %v, shares from 0 to 1, and no negative number", s, longestDelay)
	}
	return s, nil
}

// A delayLine is one direction of a link: its packets in the order of their departure.
type delayLine struct {
	shape  Shape
	delay  time.Duration
	random *rand.Rand

	free      clock.Instant // when all packets so far have passed the limited rate
	last      clock.Instant // when the last packet departs
	reordered []segment     // packets that overtake: due immediately
	queue     []segment     // from head on
	head      int
	waits     []clock.Instant // when each waiting packet has passed the limited rate, from gone on
	gone      int

	counts results.LinkDirection
}

// A segment is a packet in transit.
type segment struct {
	due    clock.Instant
	packet []byte
}

func newDelayLine(s Shape, delay time.Duration, stream uint64) *delayLine {
	if s.Queue == 0 {
		s.Queue = defaultQueue
	}
	return &delayLine{shape: s, delay: delay, random: rand.New(rand.NewPCG(s.Seed, stream))}
}

// push adds a packet, or returns false if it is lost. Random numbers depend only on the
// preceding packets, so that a seed loses the same packets of the same sequence.
func (l *delayLine) push(packet []byte, now clock.Instant) (accepted bool) {
	lost := l.random.Float64() < l.shape.Loss
	overtakes := l.random.Float64() < l.shape.Reorder
	jitter := time.Duration(l.random.Float64() * float64(l.shape.Jitter))
	switch {
	case lost:
		l.counts.Lost++
		return false
	case overtakes:
		l.counts.Overtook++
		l.reordered = append(l.reordered, segment{now, packet})
		return true
	case !l.pass(len(packet), now):
		l.counts.Overflowed++
		return false
	}
	l.last = max(l.last, max(l.free, now).Add(l.delay+jitter))
	l.queue = append(l.queue, segment{l.last, packet})
	return true
}

// pass delays a packet by the limited rate. It returns false if too many packets wait.
func (l *delayLine) pass(size int, now clock.Instant) bool {
	if l.shape.Rate == 0 {
		return true
	}
	for l.gone < len(l.waits) && l.waits[l.gone] <= now {
		l.gone++
	}
	if l.gone == len(l.waits) {
		l.waits, l.gone = l.waits[:0], 0
	}
	if len(l.waits)-l.gone >= l.shape.Queue {
		return false
	}
	l.free = max(l.free, now).Add(time.Duration(float64(size) / float64(l.shape.Rate) * float64(time.Second)))
	l.waits = append(l.waits, l.free)
	return true
}

// due returns when the next packet departs.
func (l *delayLine) due() (at clock.Instant, ok bool) {
	switch {
	case len(l.reordered) > 0:
		return l.reordered[0].due, true
	case l.head < len(l.queue):
		return l.queue[l.head].due, true
	default:
		return 0, false
	}
}

// pop removes and returns the next packet.
func (l *delayLine) pop() segment {
	if len(l.reordered) > 0 {
		p := l.reordered[0]
		l.reordered = l.reordered[1:]
		return p
	}
	p := l.queue[l.head]
	l.queue[l.head] = segment{}
	if l.head++; l.head == len(l.queue) || l.head >= 4096 {
		l.queue, l.head = append(l.queue[:0], l.queue[l.head:]...), 0
	}
	return p
}
