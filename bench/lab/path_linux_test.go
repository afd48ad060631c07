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

// newLink creates a path and carries packets on it in this process until the test ends.
func newLink(t testing.TB, s Shape) (p *Path, account func() results.Link) {
	t.Helper()
	p, err := NewPath(nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, carry(t, p, s)
}

// carry carries packets on a path, and closes it at the end.
func carry(t testing.TB, p *Path, s Shape) (account func() results.Link) {
	t.Helper()
	stop, stopper, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	near, far := int(p.Near.Device.Fd()), int(p.Far.Device.Fd())
	for _, fd := range []int{near, far} { // Fd has made them blocking
		if err := unix.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan results.Link, 1)
	go func() {
		runtime.LockOSThread()
		counts, err := forward(near, far, int(stop.Fd()), s)
		if err != nil {
			t.Error(err)
		}
		done <- counts
	}()
	ended := false
	account = func() results.Link {
		stopper.Close()
		counts := <-done
		ended = true
		return counts
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

// listen starts a TCP echo server at the near end.
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
			go func() {
				buffer := make([]byte, 2048)
				for {
					n, err := c.Read(buffer)
					if err != nil {
						return
					}
					if _, err := c.Write(buffer[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// dialFar opens a connection from the far end and returns the time that it took.
func dialFar(t testing.TB, p *Path, address string) (c net.Conn, took time.Duration) {
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

// Connecting takes one round trip, not less and not twice as much, and so does an echo. The
// upper bound is wide because other tests run concurrently; BenchmarkConnectAsRoot measures
// the difference from a round trip on an idle machine.
func TestPathHasItsRoundTripAsRoot(t *testing.T) {
	const noise = 150 * time.Millisecond
	for _, rtt := range roundTrips {
		p, _ := newLink(t, Shape{RTT: rtt})
		address := listen(t, p)
		connect, echo := time.Hour, time.Hour
		for range 5 {
			c, took := dialFar(t, p, address)
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

// echoed returns the time of a byte to the near end and back.
func echoed(t testing.TB, c net.Conn) time.Duration {
	t.Helper()
	buffer := make([]byte, 1)
	from := clock.Now()
	if _, err := c.Write(buffer); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(buffer); err != nil {
		t.Fatal(err)
	}
	return clock.Now().Sub(from)
}

// BenchmarkConnectAsRoot measures by how much connecting and an echo exceed a round trip
// (medians).
func BenchmarkConnectAsRoot(b *testing.B) {
	for _, rtt := range roundTrips {
		b.Run(rtt.String(), func(b *testing.B) {
			p, _ := newLink(b, Shape{RTT: rtt})
			address := listen(b, p)
			var connects, echoes []time.Duration
			for b.Loop() {
				c, took := dialFar(b, p, address)
				connects, echoes = append(connects, took-rtt), append(echoes, echoed(b, c)-rtt)
			}
			slices.Sort(connects)
			slices.Sort(echoes)
			b.ReportMetric(float64(connects[len(connects)/2])/1e3, "µs-over-connect")
			b.ReportMetric(float64(echoes[len(echoes)/2])/1e3, "µs-over-echo")
		})
	}
}

// Exactly the packets that the link reports as lost do not arrive.
func TestLostPacketsAreCountedAsRoot(t *testing.T) {
	p, account := newLink(t, Shape{Loss: 0.01, Seed: 1})
	var receiver, sender net.PacketConn
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
	at(&p.Near, &receiver)
	at(&p.Far, &sender)
	const n = 10_000
	var arrived atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 100)
		for {
			size, _, err := receiver.ReadFrom(buffer)
			if err != nil || size == 3 { // the end, sent more than once
				return
			}
			arrived.Add(1)
		}
	}()
	send := func(what string) {
		if _, err := sender.WriteTo([]byte(what), receiver.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int64(n) {
		send("packet")
		for i-arrived.Load() > 200 { // more than the lost packets, less than the buffer of the receiver
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
	got, up := arrived.Load(), account().Up
	if up.Refused != 0 || up.Overflowed != 0 {
		t.Errorf("refused %d, overflowed %d, want none", up.Refused, up.Overflowed)
	}
	if off := n - got - up.Lost; off < -2 || off > 0 { // some end packets may be lost, too
		t.Errorf("%d of %d arrived, but the link counted %d lost", got, n, up.Lost)
	}
	if up.Lost < 60 || up.Lost > 140 {
		t.Errorf("%d of %d lost, want about 1 %%", up.Lost, n)
	}
}

// A path does not appear in the network of the host and leaves no trace.
func TestPathDoesNotAffectTheHostAsRoot(t *testing.T) {
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
		t.Errorf("interfaces of the host: %v, before %v", during, before)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if after := listing(); !slices.Equal(before, after) {
		t.Errorf("interfaces of the host: %v, before %v", after, before)
	}
}

// BenchmarkForwardAsRoot measures how many packets of 100 bytes per second a link carries on
// one core, and its lateness at 20,000 packets per second. It counts delivered packets.
func BenchmarkForwardAsRoot(b *testing.B) {
	for name, every := range map[string]time.Duration{"maximum rate": 0, "20,000 per second": 50 * time.Microsecond} {
		b.Run(name, func(b *testing.B) { benchmarkForward(b, every) })
	}
}

func benchmarkForward(b *testing.B, every time.Duration) {
	p, account := newLink(b, Shape{RTT: 20 * time.Millisecond})
	var receiver net.PacketConn // never read: packets beyond its buffer are dropped, at no cost for the link
	var sender net.Conn
	err := p.Near.Inside(func() (err error) {
		receiver, err = net.ListenPacket("udp4", net.JoinHostPort(p.Near.Address.String(), "0"))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	defer receiver.Close()
	err = p.Far.Inside(func() (err error) {
		sender, err = net.Dial("udp4", receiver.LocalAddr().String())
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	defer sender.Close()
	payload := make([]byte, 72)
	from := clock.Now()
	for next := from; b.Loop(); next = next.Add(every) {
		if every > 0 {
			clock.SleepUntil(next)
		}
		if _, err := sender.Write(payload); err != nil {
			b.Fatal(err)
		}
	}
	took := clock.Now().Sub(from)
	up := account().Up
	b.ReportMetric(float64(up.Packets)/took.Seconds(), "packets/s")
	b.ReportMetric(float64(up.Late.Quantile(0.99))/1e3, "µs-late-p99")
}

// outputRate sends packets at once and returns their delivery rate relative to the limit of the
// link, IP headers included: from the first arrival to the last, and from before the first
// packet was sent. Lateness cannot shorten the second.
func outputRate(t testing.TB, rate int64) (arriving, whole float64) {
	t.Helper()
	p, _ := newLink(t, Shape{RTT: 20 * time.Millisecond, Rate: rate})
	var receiver net.PacketConn
	var sender net.Conn
	err := p.Near.Inside(func() (err error) {
		receiver, err = net.ListenPacket("udp4", net.JoinHostPort(p.Near.Address.String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	err = p.Far.Inside(func() (err error) {
		sender, err = net.Dial("udp4", receiver.LocalAddr().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	const headers, size, n = 28, 1400, 700 // fewer than the queue holds
	begun := clock.Now()
	go func() {
		payload := make([]byte, size)
		for range n {
			if _, err := sender.Write(payload); err != nil {
				t.Error(err)
			}
		}
	}()
	buffer := make([]byte, size)
	var first, last clock.Instant
	for i := range n {
		if _, _, err := receiver.ReadFrom(buffer); err != nil {
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

// The delivery rate never exceeds the limit. BenchmarkRateAsRoot measures the difference on an
// idle machine.
func TestPathNeverExceedsItsRateAsRoot(t *testing.T) {
	if _, share := outputRate(t, 1_000_000); share > 1 {
		t.Errorf("packets arrive at %.3f of the rate", share)
	}
}

// BenchmarkRateAsRoot measures the difference between delivery rate and limit.
func BenchmarkRateAsRoot(b *testing.B) {
	for _, rate := range []int64{500_000, 1_000_000, 5_000_000} {
		b.Run(fmt.Sprintf("%d kB per second", rate/1000), func(b *testing.B) {
			var off []float64
			for b.Loop() {
				arriving, _ := outputRate(b, rate)
				off = append(off, 100*(arriving-1))
			}
			slices.Sort(off)
			b.ReportMetric(off[len(off)/2], "%-off")
		})
	}
}
