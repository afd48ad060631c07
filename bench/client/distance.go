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

// A distance is the Link of one of a session's two ways, which opens one connection
// after another. Its zero value is none.
type distance struct {
	open   func(func() error) error // see Config.Beside
	from   netip.Addr               // see Config.Host; not valid: any
	link   *Link
	stream uint64 // tells a session's way from all others
	dials  uint32
}

// Ways of a session: the one that messages come down on, and an own one to publish on.
const (
	wayDown = iota
	wayUpOnly
)

// distance is the way's; who stands beside the server has none.
func (c *Config) distance(sub Subscription, way uint64) distance {
	if sub.beside() {
		return distance{open: c.Beside}
	}
	d := distance{}
	if c.Host != nil {
		d.from = c.Host(sub.Client)
	}
	if !c.Link.none() {
		d.link, d.stream = &c.Link, uint64(sub.Client)<<1|way
	}
	return d
}

// opens makes a socket where it belongs.
func (d *distance) opens(socket func() error) error {
	if d.open == nil {
		return socket()
	}
	return d.open(socket)
}

// lanes are both directions of a new connection.
func (d *distance) lanes() (up, down lane) {
	d.dials++
	connection := d.stream<<32 | uint64(d.dials)
	half := d.link.RTT / 2
	return lane{link: d.link, delay: half, random: *rand.NewPCG(d.link.Seed, connection)},
		lane{link: d.link, delay: d.link.RTT - half, random: *rand.NewPCG(^d.link.Seed, connection)}
}

// A lane is one direction of one connection: a queue of what is on its way.
type lane struct {
	link    *Link
	delay   time.Duration // half of the round trip
	random  rand.PCG
	free    clock.Instant // when all that entered has passed the limited rate
	last    clock.Instant // when the last of it comes out
	parcels []parcel      // from head on
	head    int
	size    int // bytes in parcels
}

// A parcel is a piece of a stream that comes out at one instant.
type parcel struct {
	size  int
	due   clock.Instant
	data  []byte // where bytes are held here, all of size
	begun bool   // a part of it has left
	end   error  // of the stream: nothing comes after it
}

// leaves is when bytes that enter now come out: behind all that entered before.
func (l *lane) leaves(size int, now clock.Instant) clock.Instant {
	return l.after(size, now, l.jitter())
}

// after is leaves of bytes whose jitter is drawn.
func (l *lane) after(size int, now clock.Instant, jitter time.Duration) clock.Instant {
	if l.link.Rate > 0 {
		l.free = max(l.free, now).Add(time.Duration(float64(size) / float64(l.link.Rate) * float64(time.Second)))
		now = l.free
	}
	l.last = max(l.last, now.Add(l.delay+jitter))
	return l.last
}

// jitter is uniform in [0, Jitter].
func (l *lane) jitter() time.Duration {
	if l.link.Jitter == 0 {
		return 0
	}
	share, _ := bits.Mul64(l.random.Uint64(), uint64(l.link.Jitter)+1)
	return time.Duration(share)
}

// enter puts a piece on its way, whole.
func (l *lane) enter(p parcel, now clock.Instant) { l.put(p, now, l.jitter()) }

func (l *lane) put(p parcel, now clock.Instant, jitter time.Duration) {
	p.due = l.after(p.size, now, jitter)
	l.parcels = append(l.parcels, p)
	l.size += p.size
}

// trickle puts bytes on their way as they come through a limited rate: what is in
// front need not wait for what is behind. All of it has one jitter: of many, in order,
// the largest would delay a large message more than a small one. data may be nil.
func (l *lane) trickle(size int, data []byte, now clock.Instant) {
	jitter := l.jitter()
	for size > 0 {
		p := parcel{size: size}
		if l.link.Rate > 0 {
			p.size = min(size, segmentSize)
		}
		if data != nil {
			p.data, data = data[:p.size], data[p.size:]
		}
		size -= p.size
		l.put(p, now, jitter)
	}
}

// first is what comes out first, if anything is on its way.
func (l *lane) first() (p parcel, ok bool) {
	if l.head == len(l.parcels) {
		return parcel{}, false
	}
	return l.parcels[l.head], true
}

// due is when the first comes out.
func (l *lane) due() (at clock.Instant, ok bool) {
	p, ok := l.first()
	return p.due, ok
}

// remove takes the first n bytes of the first piece away, and it as well if they are all.
func (l *lane) remove(n int) {
	p := &l.parcels[l.head]
	l.size -= n
	if n < p.size {
		p.begun = p.begun || n > 0
		p.size -= n
		p.data = p.data[n:]
		return
	}
	*p = parcel{}
	if l.head++; l.head == len(l.parcels) || l.head >= 1024 {
		l.parcels, l.head = append(l.parcels[:0], l.parcels[l.head:]...), 0
	}
}
