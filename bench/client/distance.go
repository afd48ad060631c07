package client

import (
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"time"

	"pushbench/bench/clock"
)

// A Link is a simulated network between clients and their server. The load generator
// simulates it itself, so it needs no privilege and works on every system. Connecting
// takes one extra round trip, and all bytes written or received on a connection are
// delayed by half a round trip, in order. Nothing is lost. The zero value adds no delay.
//
// It delays a stream, not packets: the kernels at both ends acknowledge at once, so the
// delay does not affect congestion control and retransmission. A backend has no link: it
// runs next to the server.
//
// Bytes are counted where they cross the socket: upstream when they leave the link, and
// downstream also, because they are read then. Bytes in the link when a connection is
// closed are discarded and not counted.
type Link struct {
	RTT    time.Duration // round trip
	Jitter time.Duration // largest extra one-way delay, uniform in [0, Jitter]; bytes of a connection stay in order
	Rate   int64         // bytes per second in each direction of each connection; 0: unlimited
	Seed   uint64        // seed of the jitter
}

func (l Link) none() bool { return l.RTT == 0 && l.Jitter == 0 && l.Rate == 0 }

// linkRoom is how many bytes of one connection may be in the link upstream before a write
// waits, like the size of a socket's send buffer.
const linkRoom = 1 << 20

// segmentSize is the unit in which a limited rate delivers, in bytes: the payload of a
// TCP segment on Ethernet.
const segmentSize = 1448

// A Distance is the Link of the connections that carry one of a session's two flows, one
// connection after another. The zero value is no link.
type Distance struct {
	open   func(func() error) error // see Config.InBackendNamespace
	From   netip.Addr               // see Config.Host; not valid: any
	link   *Link
	stream uint64 // distinguishes a session's flow from all others
	dials  uint32
}

// Flows of a session: Downstream receives messages, Upstream is a separate connection to
// publish on.
const (
	Downstream = iota
	Upstream
)

// Distance returns the Distance of a session's flow. A session next to the server has no
// link.
func (c *Config) Distance(sub Subscription, flow uint64) Distance {
	if sub.AtServer || sub.Backend() {
		return Distance{open: c.InBackendNamespace}
	}
	d := Distance{}
	if c.Host != nil {
		d.From = c.Host(sub.Client)
	}
	if !c.Link.none() {
		d.link, d.stream = &c.Link, uint64(sub.Client)<<1|flow
	}
	return d
}

// Delayed reports whether the connections pass through a Link.
func (d *Distance) Delayed() bool { return d.link != nil }

// OpenSocket calls socket in the network namespace of the session.
func (d *Distance) OpenSocket(socket func() error) error {
	if d.open == nil {
		return socket()
	}
	return d.open(socket)
}

// DelayLines returns the two directions of a new connection.
func (d *Distance) DelayLines() (up, down DelayLine) {
	d.dials++
	connection := d.stream<<32 | uint64(d.dials)
	half := d.link.RTT / 2
	return DelayLine{link: d.link, delay: half, random: *rand.NewPCG(d.link.Seed, connection)},
		DelayLine{link: d.link, delay: d.link.RTT - half, random: *rand.NewPCG(^d.link.Seed, connection)}
}

// A DelayLine is one direction of one connection: a queue of segments in transit.
type DelayLine struct {
	link     *Link
	delay    time.Duration // half of the round trip
	random   rand.PCG
	linkFree clock.Instant // when all queued bytes have passed the limited rate
	lastExit clock.Instant // when the last segment leaves
	segments []Segment     // queued from index front on
	front    int
	size     int // bytes in segments
}

// A Segment is a part of a stream that leaves a DelayLine at one instant.
type Segment struct {
	Size  int
	Due   clock.Instant
	Data  []byte // all Size bytes; nil if the line stores only sizes
	End   error  // end of the stream: no segment follows
	begun bool   // part of it has been removed
}

// ExitTime returns when bytes that enter now leave: after all that entered before.
func (l *DelayLine) ExitTime(size int, now clock.Instant) clock.Instant {
	return l.exitTime(size, now, l.jitter())
}

// exitTime is ExitTime with a given jitter.
func (l *DelayLine) exitTime(size int, now clock.Instant, jitter time.Duration) clock.Instant {
	if l.link.Rate > 0 {
		l.linkFree = max(l.linkFree, now).Add(time.Duration(float64(size) / float64(l.link.Rate) * float64(time.Second)))
		now = l.linkFree
	}
	l.lastExit = max(l.lastExit, now.Add(l.delay+jitter))
	return l.lastExit
}

// Full reports whether a write must wait until a segment leaves.
func (l *DelayLine) Full() bool { return l.size >= linkRoom }

// Empty reports whether no bytes are in transit.
func (l *DelayLine) Empty() bool { return l.size == 0 }

// jitter draws a jitter, uniform in [0, Jitter].
func (l *DelayLine) jitter() time.Duration {
	if l.link.Jitter == 0 {
		return 0
	}
	share, _ := bits.Mul64(l.random.Uint64(), uint64(l.link.Jitter)+1)
	return time.Duration(share)
}

// Enter adds a segment that leaves in one piece.
func (l *DelayLine) Enter(p Segment, now clock.Instant) { l.put(p, now, l.jitter()) }

func (l *DelayLine) put(p Segment, now clock.Instant, jitter time.Duration) {
	p.Due = l.exitTime(p.Size, now, jitter)
	l.segments = append(l.segments, p)
	l.size += p.Size
}

// EnterPaced adds bytes in segments that leave as the limited rate delivers them: the
// first need not wait for the last. All have one jitter. With one jitter per segment, the
// largest would delay those behind it, so a large message would be later than a small one.
// data may be nil.
func (l *DelayLine) EnterPaced(size int, data []byte, now clock.Instant) {
	jitter := l.jitter()
	for size > 0 {
		p := Segment{Size: size}
		if l.link.Rate > 0 {
			p.Size = min(size, segmentSize)
		}
		if data != nil {
			p.Data, data = data[:p.Size], data[p.Size:]
		}
		size -= p.Size
		l.put(p, now, jitter)
	}
}

// First returns the segment that leaves first, if any is in transit.
func (l *DelayLine) First() (p Segment, ok bool) {
	if l.front == len(l.segments) {
		return Segment{}, false
	}
	return l.segments[l.front], true
}

// Due returns when the first segment leaves.
func (l *DelayLine) Due() (at clock.Instant, ok bool) {
	p, ok := l.First()
	return p.Due, ok
}

// Remove removes the first n bytes of the first segment, and the segment with its last byte.
func (l *DelayLine) Remove(n int) {
	p := &l.segments[l.front]
	l.size -= n
	if n < p.Size {
		p.begun = p.begun || n > 0
		p.Size -= n
		if p.Data != nil { // nil: only the size matters
			p.Data = p.Data[n:]
		}
		return
	}
	*p = Segment{}
	if l.front++; l.front == len(l.segments) || l.front >= 1024 {
		l.segments, l.front = append(l.segments[:0], l.segments[l.front:]...), 0
	}
}
