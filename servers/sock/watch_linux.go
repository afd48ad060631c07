//go:build linux && !portable

package sock

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A watcher is an epoll descriptor, itself watched by the Go runtime: the
// goroutine that reads it is parked like any other and holds no thread.
//
// Registrations are one-shot and carry a token beside the descriptor, so that
// an event of a closed connection is never taken for one of its successor's.
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
			n, _ = unix.EpollWait(int(fd), events, 0)
			return n > 0 // else the runtime parks us until epoll has something
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			p.dispatch(e)
		}
	}
}

func (p *Poller) dispatch(e unix.EpollEvent) {
	p.kernel.mu.Lock()
	c := p.kernel.conns[e.Fd]
	p.kernel.mu.Unlock()
	if c == nil || !c.hasToken(uint32(e.Pad)) {
		return
	}
	c.ready(events(e.Events), e.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0)
}

func (c *Conn) hasToken(token uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token == token
}

func events(bits uint32) (e Event) {
	if bits&unix.EPOLLIN != 0 {
		e |= Readable
	}
	if bits&unix.EPOLLRDHUP != 0 {
		e |= Hangup
	}
	if bits&unix.EPOLLOUT != 0 {
		e |= Drained
	}
	return e
}

func bits(e Event) uint32 {
	b := uint32(unix.EPOLLONESHOT)
	if e&Readable != 0 {
		b |= unix.EPOLLIN
	}
	if e&Hangup != 0 {
		b |= unix.EPOLLRDHUP
	}
	if e&Drained != 0 {
		b |= unix.EPOLLOUT
	}
	return b
}

// arm tells the kernel what c wants; c.mu is held. An error means that the
// descriptor is not there any more, which closing reports better.
func (p *Poller) arm(c *Conn) {
	op := unix.EPOLL_CTL_MOD
	if c.token == 0 {
		if c.want == 0 {
			return
		}
		op = unix.EPOLL_CTL_ADD
		p.register(c)
	}
	e := unix.EpollEvent{Events: bits(c.want), Fd: int32(c.fd), Pad: int32(c.token)}
	_ = unix.EpollCtl(p.kernel.fd, op, c.fd, &e)
}

func (p *Poller) register(c *Conn) {
	for c.token == 0 { // 0 means none, and the counter may come round
		c.token = p.tokens.Add(1)
	}
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	for len(p.kernel.conns) <= c.fd {
		p.kernel.conns = append(p.kernel.conns, make([]*Conn, 256)...)
	}
	p.kernel.conns[c.fd] = c
}

// forget takes c out; c.mu is held and its descriptor still open.
func (p *Poller) forget(c *Conn) {
	if c.token == 0 {
		return
	}
	_ = unix.EpollCtl(p.kernel.fd, unix.EPOLL_CTL_DEL, c.fd, nil)
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.kernel.conns[c.fd] = nil
	c.token = 0
}

// send writes as much of p as the kernel takes now; c.mu is held, which keeps
// the descriptor open. The runtime's own write would wait.
func (c *Conn) send(p []byte) (sent int, err error) {
	for sent < len(p) {
		n, err := unix.Write(c.fd, p[sent:])
		switch err {
		case nil:
			sent += n
		case unix.EINTR:
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

func descriptor(raw syscall.RawConn) (fd int, err error) {
	err = raw.Control(func(f uintptr) { fd = int(f) })
	return fd, err
}
