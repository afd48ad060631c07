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

// A delay passes one connection of a loop through a Link, with a timer of the loop.
//
//	owner ── write ──▶ up ──────── due ──▶ socket
//	owner ◀─ received ─ due ── down ◀── arrived (the bytes wait in the socket)
//
// Bytes are not read before they are due: the loop records how many arrived when, and the
// kernel stores them. So the downstream direction needs no memory here, and a server that
// sends more than fits into the socket's receive buffer is blocked, as the receive window
// would block it over a real network.
type delay struct {
	timer
	client.Distance
	conn      *conn
	up, down  client.DelayLine
	openAt    clock.Instant // when the result of dialling is reported; 0: dialling has not ended
	dialErr   error         // the result of dialling
	unread    int           // bytes of down, which are in the socket
	endQueued bool          // the end of the stream is in down, or has left it
	stalled   bool          // the socket's send buffer is full
	writeErr  error         // the error of a write, after which nothing is sent
}

// start starts a new connection, whose dialling may have failed already.
func (t *delay) start(k *conn, refused error) {
	*t = delay{timer: t.timer, Distance: t.Distance, conn: k}
	t.up, t.down = t.DelayLines()
	if refused != nil {
		t.dialEnded(refused, clock.Now())
		t.setTimer()
	}
}

// dialEnded records the result of dialling, which the client receives one round trip later.
func (t *delay) dialEnded(refused error, at clock.Instant) {
	t.dialErr, t.openAt = refused, t.down.ExitTime(0, t.up.ExitTime(0, at))
}

// handleEvents handles what epoll reports.
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

// receive puts the bytes that have arrived into the link downstream.
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

// write puts a request or a frame into the link upstream, or queues it while the link is
// full. It leaves in one piece: a server cannot use a part of it.
func (t *delay) write(p []byte) {
	if len(t.conn.out) > 0 || t.up.Full() {
		t.conn.out = append(t.conn.out, p...)
		return
	}
	t.up.Enter(client.Segment{Size: len(p), Data: append([]byte(nil), p...)}, clock.Now())
	t.setTimer()
}

// expired delivers and sends what is due. It also publishes, because a thousand connections
// may be due at one instant.
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
		if t.index != 0 && t.expires <= now { // more is due: other timers first
			k.loop.timers.set(&t.timer, now+1)
		}
	}
	if k.loop.feed != nil {
		k.loop.publish(clock.Now())
	}
}

// deliverDue delivers the downstream bytes that are due, at most those of one turn.
func (t *delay) deliverDue(now clock.Instant) {
	due, end := 0, false
	for p, ok := t.down.First(); ok && p.Due <= now && due < readSize; p, ok = t.down.First() {
		n := min(p.Size, readSize-due)
		due, end = due+n, end || p.End != nil
		t.down.Remove(n)
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
		k.fail(io.EOF, clock.Now()) // only a write returned an error: see cause
	}
}

// sendDue writes the upstream bytes that are due.
func (t *delay) sendDue(now clock.Instant) {
	k := t.conn
	for p, ok := t.up.First(); ok && p.Due <= now && !t.stalled && t.writeErr == nil; p, ok = t.up.First() {
		n, err := k.writeSome(p.Data)
		t.up.Remove(n)
		t.stalled = n < p.Size && err == nil
		if t.writeErr = err; err != nil { // the client receives the error like all that arrives, a one-way delay later
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

// setTimer sets the timer to when the next segment is due.
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

// cause prefers the error of a write to the end of the stream that it caused.
func (t *delay) cause(err error) error {
	if t.writeErr != nil && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return t.writeErr
	}
	return err
}

// discard discards the bytes in transit of a closed connection.
func (t *delay) discard() {
	t.conn.loop.timers.remove(&t.timer)
	t.conn.loop.engine.Traffic.UncountUndelivered(&t.up)
	t.up, t.down = client.DelayLine{}, client.DelayLine{}
}

// rawQueued returns how many bytes of a socket can be read.
func rawQueued(fd int) int {
	var n int32
	_, _, _ = syscall.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCINQ, uintptr(unsafe.Pointer(&n))) // every TCP socket supports it
	return int(n)
}
