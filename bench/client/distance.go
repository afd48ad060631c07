package client

import (
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"time"

	"pushbench/bench/clock"
)

// A Link is a distance between simulated clients and their server, made by the
// generator itself: it needs no privilege and works on every system. Connecting
// takes one round trip beyond what it takes anyway, and all that is written on a
// connection or comes on it waits half a round trip, in order. Nothing is lost. The
// zero value is no distance.
//
// It delays a stream, not its packets: the kernels at both ends acknowledge at once
// and know of no distance, so congestion control and retransmission play no part.
// A backend stands beside the server.
//
// Bytes are counted where they cross the socket: up when they leave the link, down
// when they leave it too, as they are read then. What is in the link when a
// connection is closed is lost with it, and counts nowhere.
type Link struct {
	RTT    time.Duration // round trip
	Jitter time.Duration // the most that bytes wait beyond half of it, uniform in [0, Jitter]; none overtake others of their connection
	Rate   int64         // bytes a second in each direction of each connection; 0: unlimited
	Seed   uint64        // of the jitter
}

func (l Link) none() bool { return l.RTT == 0 && l.Jitter == 0 && l.Rate == 0 }

// linkRoom is how many bytes may be on their way up in one connection before a
// write has to wait, like those that a socket's send buffer holds.
const linkRoom = 1 << 20

// segmentSize is what a limited rate lets through at a time, in bytes: the payload
// of a TCP segment on Ethernet.
const segmentSize = 1448

// A Distance is the Link of one of a session's two ways, which opens one connection
// after another. Its zero value is none.
type Distance struct {
	open   func(func() error) error // see Config.Beside
	From   netip.Addr               // see Config.Host; not valid: any
	link   *Link
	stream uint64 // distinguishes a session's way from all others
	dials  uint32
}

// Ways of a session: the one that messages come down on, and an own one to publish on.
const (
	Downstream = iota
	Upstream
)

// Distance is a way's; a session that stands beside the server has none.
func (c *Config) Distance(sub Subscription, way uint64) Distance {
	if sub.AtServer || sub.Backend() {
		return Distance{open: c.InBackendNamespace}
	}
	d := Distance{}
	if c.Host != nil {
		d.From = c.Host(sub.Client)
	}
	if !c.Link.none() {
		d.link, d.stream = &c.Link, uint64(sub.Client)<<1|way
	}
	return d
}

// Delayed reports whether its connections go through a Link.
func (d *Distance) Delayed() bool { return d.link != nil }

// Opens makes a socket where it belongs.
func (d *Distance) OpenSocket(socket func() error) error {
	if d.open == nil {
		return socket()
	}
	return d.open(socket)
}

// Lines are both directions of a new connection.
func (d *Distance) DelayLines() (up, down DelayLine) {
	d.dials++
	connection := d.stream<<32 | uint64(d.dials)
	half := d.link.RTT / 2
	return DelayLine{link: d.link, delay: half, random: *rand.NewPCG(d.link.Seed, connection)},
		DelayLine{link: d.link, delay: d.link.RTT - half, random: *rand.NewPCG(^d.link.Seed, connection)}
}

// A DelayLine is one direction of one connection: a queue of what is on its way.
type DelayLine struct {
	link     *Link
	delay    time.Duration // half of the round trip
	random   rand.PCG
	linkFree clock.Instant // when all that entered has passed the limited rate
	lastExit clock.Instant // when the last of it comes out
	segments []Segment     // from head on
	front    int
	size     int // bytes in segments
}

// A Segment is a piece of a stream that comes out at one instant.
type Segment struct {
	Size  int
	Due   clock.Instant
	Data  []byte // where bytes are held here, all of Size
	End   error  // of the stream: nothing comes after it
	begun bool   // a part of it has left
}

// Leaves is when bytes that enter now come out: behind all that entered before.
func (l *DelayLine) ExitTime(size int, now clock.Instant) clock.Instant {
	return l.exitTime(size, now, l.jitter())
}

// after is leaves of bytes whose jitter is drawn.
func (l *DelayLine) exitTime(size int, now clock.Instant, jitter time.Duration) clock.Instant {
	if l.link.Rate > 0 {
		l.linkFree = max(l.linkFree, now).Add(time.Duration(float64(size) / float64(l.link.Rate) * float64(time.Second)))
		now = l.linkFree
	}
	l.lastExit = max(l.lastExit, now.Add(l.delay+jitter))
	return l.lastExit
}

// Full reports whether a write has to wait until something leaves.
func (l *DelayLine) Full() bool { return l.size >= linkRoom }

// Empty reports whether nothing is on its way.
func (l *DelayLine) Empty() bool { return l.size == 0 }

// jitter is uniform in [0, Jitter].
func (l *DelayLine) jitter() time.Duration {
	if l.link.Jitter == 0 {
		return 0
	}
	share, _ := bits.Mul64(l.random.Uint64(), uint64(l.link.Jitter)+1)
	return time.Duration(share)
}

// Enter puts a piece on its way, whole.
func (l *DelayLine) Enter(p Segment, now clock.Instant) { l.put(p, now, l.jitter()) }

func (l *DelayLine) put(p Segment, now clock.Instant, jitter time.Duration) {
	p.Due = l.exitTime(p.Size, now, jitter)
	l.segments = append(l.segments, p)
	l.size += p.Size
}

// Trickle puts bytes on their way as they come through a limited rate: what is in
// front need not wait for what is behind. All of it has one jitter: of many, in order,
// the largest would delay a large message more than a small one. data may be nil.
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

// First is what comes out first, if anything is on its way.
func (l *DelayLine) First() (p Segment, ok bool) {
	if l.front == len(l.segments) {
		return Segment{}, false
	}
	return l.segments[l.front], true
}

// Due is when the first comes out.
func (l *DelayLine) Due() (at clock.Instant, ok bool) {
	p, ok := l.First()
	return p.Due, ok
}

// Remove takes the first n bytes of the first piece away, and it as well if they are all.
func (l *DelayLine) Remove(n int) {
	p := &l.segments[l.front]
	l.size -= n
	if n < p.Size {
		p.begun = p.begun || n > 0
		p.Size -= n
		p.Data = p.Data[n:]
		return
	}
	*p = Segment{}
	if l.front++; l.front == len(l.segments) || l.front >= 1024 {
		l.segments, l.front = append(l.segments[:0], l.segments[l.front:]...), 0
	}
}
