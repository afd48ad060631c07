package eventloop

import (
	"io"
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A delay takes one connection of a loop through a Link, with a timer of the loop.
//
//	owner ── write ──▶ up ──────── due ──▶ socket
//	owner ◀─ arrived ─ due ─── down ◀── arrived (the bytes wait in the socket)
//
// What comes is not read before it is due: the loop notes how much arrived when, and
// the kernel keeps it. So a connection holds no memory of ours on its way down, and
// a server that sends more than the socket's receive buffer takes is held back, as a
// receive window would hold it back over a real distance.
type delay struct {
	timer
	client.Distance
	k        *conn
	up, down client.DelayLine
	opens    clock.Instant // when the end of dialling is reported; 0: it has not ended
	refused  error         // how dialling ended
	arrived  int           // bytes of down: they are in the socket
	ended    bool          // the end is in down, or has come out
	stalled  bool          // the socket takes no more for now
	broken   error         // what a write met: nothing leaves any more
}

// begin begins a new connection, whose dialling may have failed already.
func (t *delay) begin(k *conn, refused error) {
	*t = delay{timer: t.timer, Distance: t.Distance, k: k}
	t.up, t.down = t.Lines()
	if refused != nil {
		t.dialled(refused, clock.Now())
		t.arm()
	}
}

// dialled notes how dialling ended; the client knows a round trip later.
func (t *delay) dialled(refused error, at clock.Instant) {
	t.refused, t.opens = refused, t.down.Leaves(0, t.up.Leaves(0, at))
}

// happened takes what epoll reports.
func (t *delay) happened(events uint32) {
	at := clock.Now()
	if t.opens == 0 {
		if events&(unix.EPOLLOUT|ending) == 0 {
			return
		}
		t.dialled(t.k.outcome(), at)
	}
	if t.refused == nil && events&(unix.EPOLLIN|ending) != 0 {
		t.arrive(events&ending != 0, at)
	}
	if events&unix.EPOLLOUT != 0 && t.stalled {
		t.stalled = false
		t.depart(at)
	}
	t.arm()
}

// arrive puts what has come on its way down.
func (t *delay) arrive(end bool, at clock.Instant) {
	if n := rawQueued(t.k.fd) - t.arrived; n > 0 {
		t.arrived += n
		t.down.Trickle(n, nil, at)
	}
	if end && !t.ended {
		t.ended = true
		t.down.Enter(client.Segment{End: io.EOF}, at)
	}
}

// write puts a request or a frame on its way up, or keeps it while too much is.
// It leaves whole: a server can do nothing with a part of it.
func (t *delay) write(p []byte) {
	if len(t.k.out) > 0 || t.up.Full() {
		t.k.out = append(t.k.out, p...)
		return
	}
	t.up.Enter(client.Segment{Size: len(p), Data: append([]byte(nil), p...)}, clock.Now())
	t.arm()
}

// expired lets out what is due. Messages to publish come between connections: a
// thousand of these may be due at one instant.
func (t *delay) expired(now clock.Instant) {
	k, serial := t.k, t.k.serial
	if k.state == dialling && t.opens <= now {
		k.concluded(t.refused, clock.Now())
	}
	if k.isStill(serial) {
		t.hand(now)
	}
	if k.isStill(serial) {
		t.depart(now)
	}
	if k.serial == serial && k.state != closed {
		t.arm()
	}
	if k.loop.feed != nil {
		k.loop.publish(clock.Now())
	}
}

// hand hands down what is due.
func (t *delay) hand(now clock.Instant) {
	due, end := 0, false
	for p, ok := t.down.First(); ok && p.Due <= now; p, ok = t.down.First() {
		due, end = due+p.Size, end || p.End != nil
		t.down.Remove(p.Size)
	}
	t.arrived -= due
	k, serial := t.k, t.k.serial
	if due > 0 {
		k.read(due, false)
	}
	if end && k.isStill(serial) {
		k.read(math.MaxInt, true)
	}
	if end && k.isStill(serial) {
		k.fail(io.EOF, clock.Now()) // only a write met it: see cause
	}
}

// depart writes what is due.
func (t *delay) depart(now clock.Instant) {
	k := t.k
	for p, ok := t.up.First(); ok && p.Due <= now && !t.stalled && t.broken == nil; p, ok = t.up.First() {
		n, err := k.push(p.Data)
		t.up.Remove(n)
		t.stalled = n < p.Size && err == nil
		if t.broken = err; err != nil { // the error is reported like all that arrives, a way later
			t.arrive(true, clock.Now())
		}
	}
	if len(k.out) > 0 && !t.up.Full() && t.broken == nil {
		p := k.out
		k.out = nil
		t.write(p)
		k.owner.flushed(clock.Now())
	}
}

// arm sets the timer to when something is due next.
func (t *delay) arm() {
	next := never
	if t.k.state == dialling {
		if t.opens != 0 {
			next = t.opens
		}
	} else {
		if due, ok := t.down.Due(); ok {
			next = due
		}
		if due, ok := t.up.Due(); ok && !t.stalled && t.broken == nil {
			next = min(next, due)
		}
	}
	if next == never {
		t.k.loop.timers.remove(&t.timer)
		return
	}
	t.k.loop.timers.set(&t.timer, next)
}

// cause prefers what a write met to the end that followed from it.
func (t *delay) cause(err error) error {
	if t.broken != nil && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return t.broken
	}
	return err
}

// abandon forgets what is on its way: the connection is closed.
func (t *delay) abandon() {
	t.k.loop.timers.remove(&t.timer)
	t.k.loop.engine.Traffic.Undelivered(&t.up)
	t.up, t.down = client.DelayLine{}, client.DelayLine{}
}

// rawQueued is how many bytes a socket has to read.
func rawQueued(fd int) int {
	var n int32
	_, _, _ = syscall.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCINQ, uintptr(unsafe.Pointer(&n))) // every TCP socket can tell
	return int(n)
}
