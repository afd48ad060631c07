package lab

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"pushbench/bench/clock"
	"pushbench/results"
)

// between makes a path and carries packets on it, in this process, until the test is over.
func between(t testing.TB, s Shape) (p *Path, account func() results.Link) {
	t.Helper()
	p, err := NewPath(nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, carried(t, p, s)
}

// carried carries packets on a path, and takes it away in the end.
func carried(t testing.TB, p *Path, s Shape) (account func() results.Link) {
	t.Helper()
	stop, stopper, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	near, far := int(p.Near.Device.Fd()), int(p.Far.Device.Fd())
	for _, fd := range []int{near, far} { // Fd has made them block
		if err := unix.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan results.Link, 1)
	go func() {
		runtime.LockOSThread()
		crossed, err := forward(near, far, int(stop.Fd()), s)
		if err != nil {
			t.Error(err)
		}
		done <- crossed
	}()
	ended := false
	account = func() results.Link {
		stopper.Close()
		crossed := <-done
		ended = true
		return crossed
	}
	t.Cleanup(func() {
		if !ended {
			account()
		}
		stop.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return account
}

// listen has a TCP listener at the near end that accepts and keeps.
func listen(t testing.TB, p *Path) string {
	t.Helper()
	var ln net.Listener
	err := p.Near.Inside(func() (err error) {
		ln, err = net.Listen("tcp4", net.JoinHostPort(p.Near.Address.String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go func() { // an echo
				room := make([]byte, 2048)
				for {
					n, err := c.Read(room)
					if err != nil {
						return
					}
					if _, err := c.Write(room[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// dialled is a connection from the far end, and how long connecting took.
func dialled(t testing.TB, p *Path, address string) (c net.Conn, took time.Duration) {
	t.Helper()
	err := p.Far.Inside(func() (err error) {
		from := clock.Now()
		c, err = net.Dial("tcp4", address)
		took = clock.Now().Sub(from)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, took
}

// Connecting takes a round trip, not less and not twice as much, and so does an echo. The
// upper bound is wide, as other tests run beside this one; how near they come to a round
// trip on a quiet machine is BenchmarkConnectAsRoot's.
func TestAPathHasItsRoundTripAsRoot(t *testing.T) {
	const noise = 150 * time.Millisecond
	for _, rtt := range roundTrips {
		p, _ := between(t, Shape{RTT: rtt})
		address := listen(t, p)
		connect, echo := time.Hour, time.Hour
		for range 5 {
			c, took := dialled(t, p, address)
			connect, echo = min(connect, took), min(echo, echoed(t, c))
		}
		for what, got := range map[string]time.Duration{"connecting": connect, "an echo": echo} {
			if got < rtt || got >= 2*rtt+noise {
				t.Errorf("%s takes %v, want a round trip of %v", what, got, rtt)
			}
		}
	}
}

var roundTrips = []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond}

// echoed is how long a byte takes to the near end and back.
func echoed(t testing.TB, c net.Conn) time.Duration {
	t.Helper()
	room := make([]byte, 1)
	from := clock.Now()
	if _, err := c.Write(room); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(room); err != nil {
		t.Fatal(err)
	}
	return clock.Now().Sub(from)
}

// BenchmarkConnectAsRoot is how much longer than a round trip connecting takes, and an
// echo: medians.
func BenchmarkConnectAsRoot(b *testing.B) {
	for _, rtt := range roundTrips {
		b.Run(rtt.String(), func(b *testing.B) {
			p, _ := between(b, Shape{RTT: rtt})
			address := listen(b, p)
			var connects, echoes []time.Duration
			for b.Loop() {
				c, took := dialled(b, p, address)
				connects, echoes = append(connects, took-rtt), append(echoes, echoed(b, c)-rtt)
			}
			slices.Sort(connects)
			slices.Sort(echoes)
			b.ReportMetric(float64(connects[len(connects)/2])/1e3, "µs-over-connect")
			b.ReportMetric(float64(echoes[len(echoes)/2])/1e3, "µs-over-echo")
		})
	}
}

// What the link says it lost never arrives, and all the rest does.
func TestAPathLosesWhatItSaysAsRoot(t *testing.T) {
	p, account := between(t, Shape{Loss: 0.01, Seed: 1})
	var there, here net.PacketConn
	at := func(e *End, c *net.PacketConn) {
		t.Helper()
		err := e.Inside(func() (err error) {
			*c, err = net.ListenPacket("udp4", net.JoinHostPort(e.Address.String(), "0"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*c).Close() })
	}
	at(&p.Near, &there)
	at(&p.Far, &here)
	const n = 10_000
	var came atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		room := make([]byte, 100)
		for {
			size, _, err := there.ReadFrom(room)
			if err != nil || size == 3 { // the end, said more than once
				return
			}
			came.Add(1)
		}
	}()
	send := func(what string) {
		if _, err := here.WriteTo([]byte(what), there.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int64(n) {
		send("packet")
		for i-came.Load() > 200 { // more than the lost, less than what the receiver's buffer holds
			runtime.Gosched()
		}
	}
	for ended := false; !ended; {
		send("end")
		select {
		case <-done:
			ended = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	got, up := came.Load(), account().Up
	if up.Refused != 0 || up.Overflowed != 0 {
		t.Errorf("refused %d, overflowed %d, want none", up.Refused, up.Overflowed)
	}
	if off := n - got - up.Lost; off < -2 || off > 0 { // of the ends some may have been lost, too
		t.Errorf("%d of %d arrived, and the link says that it lost %d", got, n, up.Lost)
	}
	if up.Lost < 60 || up.Lost > 140 {
		t.Errorf("%d of %d lost, want about 1 %%", up.Lost, n)
	}
}

// A path has no name and leaves nothing behind.
func TestAPathIsNotInTheHostAsRoot(t *testing.T) {
	listing := func() (names []string) {
		links, err := netlink.LinkList()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links {
			names = append(names, l.Attrs().Name)
		}
		slices.Sort(names)
		return names
	}
	before := listing()
	p, err := NewPath(nil)
	if err != nil {
		t.Fatal(err)
	}
	if during := listing(); !slices.Equal(before, during) {
		t.Errorf("the host has %v, had %v", during, before)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if after := listing(); !slices.Equal(before, after) {
		t.Errorf("the host has %v, had %v", after, before)
	}
}

// BenchmarkForwardAsRoot is how many packets of 100 bytes a link carries on one core, as
// fast as a sender makes them, and how late it is when they come at 20,000 a second.
// Packets a second are those that came out.
func BenchmarkForwardAsRoot(b *testing.B) {
	for name, every := range map[string]time.Duration{"flat out": 0, "20,000 a second": 50 * time.Microsecond} {
		b.Run(name, func(b *testing.B) { benchmarkForward(b, every) })
	}
}

func benchmarkForward(b *testing.B, every time.Duration) {
	p, account := between(b, Shape{RTT: 20 * time.Millisecond})
	var there net.PacketConn // takes what its buffer holds, which costs the link nothing
	var here net.Conn
	err := p.Near.Inside(func() (err error) {
		there, err = net.ListenPacket("udp4", net.JoinHostPort(p.Near.Address.String(), "0"))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	defer there.Close()
	err = p.Far.Inside(func() (err error) {
		here, err = net.Dial("udp4", there.LocalAddr().String())
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	defer here.Close()
	payload := make([]byte, 72)
	from := clock.Now()
	for next := from; b.Loop(); next = next.Add(every) {
		if every > 0 {
			clock.SleepUntil(next)
		}
		if _, err := here.Write(payload); err != nil {
			b.Fatal(err)
		}
	}
	took := clock.Now().Sub(from)
	up := account().Up
	b.ReportMetric(float64(up.Packets)/took.Seconds(), "packets/s")
	b.ReportMetric(float64(up.Late.Quantile(0.99))/1e3, "µs-late-p99")
}

// rated is at what rate packets come out that were sent all at once, as a share of the rate
// that the link is limited to, IP headers included: from the first that arrives to the last,
// and from before the first was sent, which nothing that is late can shorten.
func rated(t testing.TB, rate int64) (arriving, whole float64) {
	t.Helper()
	p, _ := between(t, Shape{RTT: 20 * time.Millisecond, Rate: rate})
	var there net.PacketConn
	var here net.Conn
	err := p.Near.Inside(func() (err error) {
		there, err = net.ListenPacket("udp4", net.JoinHostPort(p.Near.Address.String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	err = p.Far.Inside(func() (err error) {
		here, err = net.Dial("udp4", there.LocalAddr().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	const headers, size, n = 28, 1400, 700 // fewer than may wait
	begun := clock.Now()
	go func() {
		payload := make([]byte, size)
		for range n {
			if _, err := here.Write(payload); err != nil {
				t.Error(err)
			}
		}
	}()
	room := make([]byte, size)
	var first, last clock.Instant
	for i := range n {
		if _, _, err := there.ReadFrom(room); err != nil {
			t.Fatal(err)
		}
		last = clock.Now()
		if i == 0 {
			first = last
		}
	}
	share := func(packets int, took time.Duration) float64 {
		return float64(packets*(size+headers)) / took.Seconds() / float64(rate)
	}
	return share(n-1, last.Sub(first)), share(n, last.Sub(begun))
}

// A limited rate lets nothing through faster. How near to it the link is on a quiet machine
// is BenchmarkRateAsRoot's.
func TestAPathHasItsRateAsRoot(t *testing.T) {
	if _, share := rated(t, 1_000_000); share > 1 {
		t.Errorf("packets come out at %.3f of the rate", share)
	}
}

// BenchmarkRateAsRoot is how far the rate at which packets come out is off.
func BenchmarkRateAsRoot(b *testing.B) {
	for _, rate := range []int64{500_000, 1_000_000, 5_000_000} {
		b.Run(fmt.Sprintf("%d kB a second", rate/1000), func(b *testing.B) {
			var off []float64
			for b.Loop() {
				arriving, _ := rated(b, rate)
				off = append(off, 100*(arriving-1))
			}
			slices.Sort(off)
			b.ReportMetric(off[len(off)/2], "%-off")
		})
	}
}
