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
	conn      *conn
	up, down  client.DelayLine
	openAt    clock.Instant // when the end of dialling is reported; 0: it has not ended
	dialErr   error         // how dialling ended
	unread    int           // bytes of down: they are in the socket
	endQueued bool          // the end is in down, or has come out
	stalled   bool          // the socket takes no more for now
	writeErr  error         // what a write met: nothing leaves any more
}

// begin begins a new connection, whose dialling may have failed already.
func (t *delay) start(k *conn, refused error) {
	*t = delay{timer: t.timer, Distance: t.Distance, conn: k}
	t.up, t.down = t.DelayLines()
	if refused != nil {
		t.dialEnded(refused, clock.Now())
		t.setTimer()
	}
}

// dialled notes how dialling ended; the client knows a round trip later.
func (t *delay) dialEnded(refused error, at clock.Instant) {
	t.dialErr, t.openAt = refused, t.down.ExitTime(0, t.up.ExitTime(0, at))
}

// happened takes what epoll reports.
func (t *delay) handleEvents(events uint32) {
	at := clock.Now()
	if t.openAt == 0 {
		if events&(unix.EPOLLOUT|endEvents) == 0 {
			return
		}
		t.dialEnded(t.conn.dialError(), at)
	}
	if t.dialErr == nil && events&(unix.EPOLLIN|endEvents) != 0 {
		t.receive(events&endEvents != 0, at)
	}
	if events&unix.EPOLLOUT != 0 && t.stalled {
		t.stalled = false
		t.sendDue(at)
	}
	t.setTimer()
}

// arrive puts what has come on its way down.
func (t *delay) receive(end bool, at clock.Instant) {
	if n := rawQueued(t.conn.fd) - t.unread; n > 0 {
		t.unread += n
		t.down.EnterPaced(n, nil, at)
	}
	if end && !t.endQueued {
		t.endQueued = true
		t.down.Enter(client.Segment{End: io.EOF}, at)
	}
}

// write puts a request or a frame on its way up, or keeps it while too much is.
// It leaves whole: a server can do nothing with a part of it.
func (t *delay) write(p []byte) {
	if len(t.conn.out) > 0 || t.up.Full() {
		t.conn.out = append(t.conn.out, p...)
		return
	}
	t.up.Enter(client.Segment{Size: len(p), Data: append([]byte(nil), p...)}, clock.Now())
	t.setTimer()
}

// expired lets out what is due. Messages to publish come between connections: a
// thousand of these may be due at one instant.
func (t *delay) expired(now clock.Instant) {
	k, serial := t.conn, t.conn.serial
	if k.state == dialling && t.openAt <= now {
		k.dialDone(t.dialErr, clock.Now())
	}
	if k.isCurrent(serial) {
		t.deliverDue(now)
	}
	if k.isCurrent(serial) {
		t.sendDue(now)
	}
	if k.serial == serial && k.state != closed {
		t.setTimer()
	}
	if k.loop.feed != nil {
		k.loop.publish(clock.Now())
	}
}

// hand hands down what is due.
func (t *delay) deliverDue(now clock.Instant) {
	due, end := 0, false
	for p, ok := t.down.First(); ok && p.Due <= now; p, ok = t.down.First() {
		due, end = due+p.Size, end || p.End != nil
		t.down.Remove(p.Size)
	}
	t.unread -= due
	k, serial := t.conn, t.conn.serial
	if due > 0 {
		k.read(due, false)
	}
	if end && k.isCurrent(serial) {
		k.read(math.MaxInt, true)
	}
	if end && k.isCurrent(serial) {
		k.fail(io.EOF, clock.Now()) // only a write met it: see cause
	}
}

// depart writes what is due.
func (t *delay) sendDue(now clock.Instant) {
	k := t.conn
	for p, ok := t.up.First(); ok && p.Due <= now && !t.stalled && t.writeErr == nil; p, ok = t.up.First() {
		n, err := k.writeSome(p.Data)
		t.up.Remove(n)
		t.stalled = n < p.Size && err == nil
		if t.writeErr = err; err != nil { // the error is reported like all that arrives, a way later
			t.receive(true, clock.Now())
		}
	}
	if len(k.out) > 0 && !t.up.Full() && t.writeErr == nil {
		p := k.out
		k.out = nil
		t.write(p)
		k.owner.flushed(clock.Now())
	}
}

// arm sets the timer to when something is due next.
func (t *delay) setTimer() {
	next := never
	if t.conn.state == dialling {
		if t.openAt != 0 {
			next = t.openAt
		}
	} else {
		if due, ok := t.down.Due(); ok {
			next = due
		}
		if due, ok := t.up.Due(); ok && !t.stalled && t.writeErr == nil {
			next = min(next, due)
		}
	}
	if next == never {
		t.conn.loop.timers.remove(&t.timer)
		return
	}
	t.conn.loop.timers.set(&t.timer, next)
}

// cause prefers what a write met to the end that followed from it.
func (t *delay) cause(err error) error {
	if t.writeErr != nil && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return t.writeErr
	}
	return err
}

// abandon forgets what is on its way: the connection is closed.
func (t *delay) discard() {
	t.conn.loop.timers.remove(&t.timer)
	t.conn.loop.engine.Traffic.UncountUndelivered(&t.up)
	t.up, t.down = client.DelayLine{}, client.DelayLine{}
}

// rawQueued is how many bytes a socket has to read.
func rawQueued(fd int) int {
	var n int32
	_, _, _ = syscall.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCINQ, uintptr(unsafe.Pointer(&n))) // every TCP socket can tell
	return int(n)
}
