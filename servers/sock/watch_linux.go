//go:build linux && !portable

package sock

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A watcher is an epoll descriptor that the Go runtime watches: the
// goroutine that reads it is parked like any other and occupies no thread.
//
// Every connection is registered once, for all events, edge-triggered: its
// events are recorded (Conn.seen), so that Watch needs no system call.
// A token stored with the descriptor distinguishes the events of a closed connection
// from those of a later connection with the same descriptor.
type watcher struct {
	file *os.File
	raw  syscall.RawConn
	fd   int

	mu    sync.Mutex
	conns []*Conn // by descriptor
}

func (w *watcher) open() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	w.fd, w.file = fd, os.NewFile(uintptr(fd), "epoll")
	w.raw, err = w.file.SyscallConn()
	return err
}

func (w *watcher) close() { _ = w.file.Close() }

// watch reports events until the epoll descriptor is closed.
func (p *Poller) watch() {
	events := make([]unix.EpollEvent, 128)
	for {
		n := 0
		err := p.kernel.raw.Read(func(fd uintptr) bool {
			n = waitNow(int(fd), events)
			return n > 0 // else the runtime parks this goroutine until epoll has an event
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			p.dispatch(e)
		}
	}
}

// Poll handles the events that the kernel has now. While all processors are busy, the runtime lets
// watch run only every 10 ms.
func (p *Poller) Poll() {
	events := make([]unix.EpollEvent, 16)
	n := 0
	err := p.kernel.raw.Control(func(fd uintptr) { n = waitNow(int(fd), events) })
	if err != nil {
		return // the poller is closed
	}
	for _, e := range events[:n] {
		p.dispatch(e)
	}
}

func (p *Poller) dispatch(e unix.EpollEvent) {
	p.kernel.mu.Lock()
	c := p.kernel.conns[e.Fd]
	p.kernel.mu.Unlock()
	if c != nil && c.token == uint32(e.Pad) {
		c.ready(events(e.Events), e.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0)
	}
}

func events(bits uint32) (e Event) {
	if bits&unix.EPOLLIN != 0 {
		e |= Readable
	}
	if bits&unix.EPOLLRDHUP != 0 {
		e |= Readable | Hangup
	}
	if bits&unix.EPOLLOUT != 0 {
		e |= Drained
	}
	return e
}

// add registers a connection.
func (p *Poller) add(c *Conn) error {
	for c.token == 0 { // 0 means none, and the counter may wrap around
		c.token = p.tokens.Add(1)
	}
	p.kernel.mu.Lock()
	for len(p.kernel.conns) <= c.fd {
		p.kernel.conns = append(p.kernel.conns, make([]*Conn, 256)...)
	}
	p.kernel.conns[c.fd] = c
	p.kernel.mu.Unlock()
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLOUT | edgeTriggered, Fd: int32(c.fd), Pad: int32(c.token)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.kernel.fd, unix.EPOLL_CTL_ADD, c.fd, &e))
}

// edgeTriggered is unix.EPOLLET, which is a negative number there.
const edgeTriggered = 1 << 31

// forget removes a connection whose descriptor is about to be closed, which ends its
// registration with the kernel.
func (p *Poller) forget(c *Conn) {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.kernel.conns[c.fd] = nil
}

// arm does nothing: all events are reported anyway.
func (p *Poller) arm(*Conn) {}
