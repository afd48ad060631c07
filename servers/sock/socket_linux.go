//go:build linux && !portable

package sock

import (
	"io"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A socket is a descriptor of our own. The Go runtime does not know of it: its
// poller would be told of everything a second time, and what it keeps of a
// connection would be a good part of all that an idle client costs.
//
// Reading and writing never wait, so they are raw system calls: the runtime need
// not be told that the thread may be away. Once told, it comes to look every 20 µs.
type socket struct {
	fd       int
	deadline time.Time     // of reads; this and what follows under the Conn's lock
	reading  bool          // a Read waits
	wake     chan struct{} // has it look again; nil before the first that waited
}

// receive reads, and waits until there is something.
func (c *Conn) receive(p []byte) (int, error) { return c.receiveBy(c.idle, p) }

// receiveWorking does it for a worker, who lets another in while it waits.
func (c *Conn) receiveWorking(p []byte) (int, error) {
	return c.receiveBy(func(most time.Duration) {
		c.poller.Wait(func() { c.idle(most) })
	}, p)
}

func (c *Conn) receiveBy(idle func(most time.Duration), p []byte) (int, error) {
	for {
		n, err := c.receiveNow(p)
		if err != ErrNothing {
			return n, err
		}
		if err := c.await(idle); err != nil {
			return 0, err
		}
	}
}

// receiveNow reads what is there. A read that leaves room has taken all there was:
// what comes after it is reported again. A peer's end stays seen.
func (c *Conn) receiveNow(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return 0, net.ErrClosed
	}
	n, err := readNow(c.fd, p)
	switch {
	case err == unix.EAGAIN:
		c.quiet()
		return 0, ErrNothing
	case err != 0:
		return 0, os.NewSyscallError("read", err)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	case n < len(p):
		c.quiet()
	}
	return n, nil
}

// quiet notes that all is read, until more comes.
func (c *Conn) quiet() {
	if c.seen&Hangup == 0 {
		c.seen &^= Readable
	}
}

// note remembers what happened, for a Watch that is still to come, and has a Read that
// waits look; c.mu is held.
func (c *Conn) note(e Event) {
	c.seen |= e & (Readable | Hangup)
	if e&Readable != 0 {
		c.rouse()
	}
}

// rouse has a Read that waits look again; c.mu is held.
func (c *Conn) rouse() {
	if !c.reading {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default: // it is on its way
	}
}

// await waits until there is something to read, the deadline, or the end.
func (c *Conn) await(idle func(most time.Duration)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		left := time.Duration(0)
		switch {
		case c.finished:
			return net.ErrClosed
		case c.seen&Readable != 0:
			return nil
		case !c.deadline.IsZero():
			if left = time.Until(c.deadline); left <= 0 {
				return os.ErrDeadlineExceeded
			}
		}
		if c.wake == nil {
			c.wake = make(chan struct{}, 1)
		}
		c.reading = true
		c.mu.Unlock()
		idle(left)
		c.mu.Lock()
		c.reading = false
	}
}

// idle waits to be roused, at most so long; 0: however long it takes.
func (c *Conn) idle(most time.Duration) {
	if most == 0 {
		<-c.wake
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-c.wake:
	case <-timer.C:
	}
}

func (c *Conn) setReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return net.ErrClosed
	}
	c.deadline = t
	c.rouse()
	return nil
}

// send writes as much of p as the kernel takes now; c.mu is held, which keeps
// the descriptor open.
func (c *Conn) send(p []byte) (sent int, err error) {
	for sent < len(p) {
		n, err := writeNow(c.fd, p[sent:])
		switch err {
		case 0:
			sent += n
		case unix.EAGAIN:
			return sent, nil
		default:
			return sent, os.NewSyscallError("write", err)
		}
	}
	return sent, nil
}

// flush sends what is pending, as far as the kernel takes it; c.mu is held.
func (c *Conn) flush() error {
	n, err := c.send(c.pending)
	c.advance(n)
	return err
}

// shut closes the socket; c.mu is held, and nobody uses the descriptor after.
func (c *Conn) shut() error {
	c.poller.forget(c)
	c.rouse()
	return os.NewSyscallError("close", unix.Close(c.fd))
}

// LocalAddr is the server's end.
func (c *Conn) LocalAddr() net.Addr { return c.address(unix.Getsockname) }

// RemoteAddr is the client's end.
func (c *Conn) RemoteAddr() net.Addr { return c.address(unix.Getpeername) }

// address asks the kernel: almost no caller needs it. It is empty for a connection
// that is gone.
func (c *Conn) address(ask func(fd int) (unix.Sockaddr, error)) net.Addr {
	var at unix.Sockaddr
	_ = c.control(func(fd int) (err error) {
		at, err = ask(fd)
		return err
	})
	switch at := at.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: at.Addr[:], Port: at.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: at.Addr[:], Port: at.Port}
	}
	return &net.TCPAddr{}
}

// control calls f with the descriptor.
func (c *Conn) control(f func(fd int) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return net.ErrClosed
	}
	return f(c.fd)
}

// readNow, writeNow and waitNow are read, send and epoll_wait of what does not wait.
func readNow(fd int, p []byte) (int, unix.Errno) {
	for {
		n, _, err := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		if err != unix.EINTR {
			return int(n), err
		}
	}
}

func writeNow(fd int, p []byte) (int, unix.Errno) {
	for {
		n, _, err := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if err != unix.EINTR {
			return int(n), err
		}
	}
}

func waitNow(fd int, events []unix.EpollEvent) int {
	n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if err != 0 {
		return 0
	}
	return int(n)
}
