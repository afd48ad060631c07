//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pushbench/bench/cost"
)

// A payload is payloadSize marks, which occur nowhere else in what a server sends:
// a delivery is known by its marks, whatever is framed around them.
const (
	mark        = '#'
	payloadSize = 64
)

var payload = bytes.Repeat([]byte{mark}, payloadSize)

// A dialect is how to subscribe to a server and to publish to it.
type dialect struct {
	subscribe string                     // a request
	next      func(answer []byte) string // the request that follows an answer; nil: the connection streams
	publish   string                     // a request, its body included
}

// A crowd is the subscribers of one server and its publisher: one thread, which reads
// what comes, counts marks, and asks again where the dialect does. It does not wait for
// the answer to what it publishes: servers that give it after the last delivery would
// write all of them while nobody reads, which is cheaper.
type crowd struct {
	dialect   dialect
	epoll     int
	conns     []int
	deaf      []int // subscribers whose sockets nobody reads
	publisher int
	asked     int64 // messages published
	answered  int64
	marks     int64
	came      int64 // bytes, of whatever kind
	buffer    [64 << 10]byte
}

// settle is how long nothing must come for a crowd to be at rest.
const settle = 300 * time.Millisecond

// gather connects a crowd of n and waits until all is quiet.
func gather(address string, d dialect, n int) (*crowd, error) {
	c := &crowd{dialect: d}
	var err error
	if c.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	host, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	to := &unix.SockaddrInet4{Port: host.Port}
	copy(to.Addr[:], host.IP.To4())
	if c.publisher, err = c.connect(to, ""); err != nil {
		return nil, errors.Join(err, c.close())
	}
	for i := range n {
		if err := c.join(to); err != nil {
			return nil, errors.Join(fmt.Errorf("subscriber %d: %w", i, err), c.close())
		}
		if i%64 == 63 { // answers are read on the way: nobody's accept queue overflows
			if err := c.read(0); err != nil {
				return nil, errors.Join(err, c.close())
			}
		}
	}
	return c, c.rest()
}

func (c *crowd) join(to unix.Sockaddr) error {
	fd, err := c.connect(to, c.dialect.subscribe)
	c.conns = append(c.conns, fd)
	return err
}

// connect says hello on a new connection, which is read from now on.
func (c *crowd) connect(to unix.Sockaddr, hello string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fd, err
	}
	if err := errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), unix.Connect(fd, to)); err != nil {
		return fd, err
	}
	if _, err := unix.Write(fd, []byte(hello)); err != nil {
		return fd, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fd, err
	}
	return fd, unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// Subscribers that read nothing are owed this much on a topic of their own: more than
// the kernel keeps for them.
const (
	deafTopic   = "deaf"
	deafMessage = 32 << 10
	deafTotal   = 8 << 20
)

// deafen adds subscribers that read nothing, and has their sockets full.
func (c *crowd) deafen(n int) error {
	to, err := unix.Getpeername(c.publisher)
	if err != nil || n == 0 {
		return err
	}
	for range n {
		fd, err := c.connect(to, strings.Replace(c.dialect.subscribe, "?topic=t", "?topic=t&topic="+deafTopic, 1))
		c.deaf = append(c.deaf, fd)
		if err := errors.Join(err, unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, fd, nil)); err != nil {
			return err
		}
	}
	time.Sleep(settle) // they are subscribed then
	head, _, _ := strings.Cut(c.dialect.publish, "Content-Type")
	post := strings.Replace(head, "/topics/t", "/topics/"+deafTopic, 1) +
		fmt.Sprintf("Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", deafMessage, strings.Repeat("-", deafMessage))
	for range deafTotal / deafMessage {
		if err := unix.SetNonblock(c.publisher, false); err != nil {
			return err
		}
		if _, err := unix.Write(c.publisher, []byte(post)); err != nil {
			return err
		}
		if err := unix.SetNonblock(c.publisher, true); err != nil {
			return err
		}
		for c.asked++; c.answered < c.asked; {
			if err := c.read(settle); err != nil {
				return err
			}
		}
	}
	return c.rest()
}

// rest reads until nothing comes any more, be it a message or the answer to a
// subscription: who is not subscribed yet is owed nothing.
func (c *crowd) rest() error {
	for last := time.Now(); time.Since(last) < settle; {
		before := c.came
		if err := c.read(settle); err != nil {
			return err
		}
		if c.came != before {
			last = time.Now()
		}
	}
	return nil
}

// read takes what has come, waiting for it at most so long.
func (c *crowd) read(wait time.Duration) error {
	var events [256]unix.EpollEvent
	n, err := unix.EpollWait(c.epoll, events[:], int(wait.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range events[:n] {
		if err := c.take(int(e.Fd)); err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) take(fd int) error {
	n, err := unix.Read(fd, c.buffer[:])
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil
	case err != nil:
		return err
	case n == 0:
		return errors.New("the server closed a subscription")
	}
	got := c.buffer[:n]
	c.came += int64(n)
	if fd == c.publisher {
		return c.hear(got)
	}
	c.marks += int64(bytes.Count(got, []byte{mark}))
	if c.dialect.next == nil {
		return nil
	}
	if got[len("HTTP/1.1 ")] != '2' {
		return fmt.Errorf("the server answers %.100q", got)
	}
	_, err = unix.Write(fd, []byte(c.dialect.next(got)))
	return err
}

// What a crowd saw of some messages.
type seen struct {
	deliveries int64
	cpu        time.Duration // of the server
	last       []float64     // ms from publishing to the last subscriber, of each message
}

// publish sends messages at a rate, and waits until every subscriber has each.
func (c *crowd) publish(server int, messages int, every time.Duration) (s seen, err error) {
	err = onCore(loadCore, func() (err error) {
		s, err = c.publishHere(server, messages, every)
		return err
	})
	return s, err
}

func (c *crowd) publishHere(server int, messages int, every time.Duration) (s seen, err error) {
	from, err := cost.Read(server)
	if err != nil {
		return s, err
	}
	each := int64(len(c.conns)) * payloadSize
	begun, had := time.Now(), c.marks
	published := make([]time.Time, 0, messages)
	for complete := 0; complete < messages || c.answered < c.asked; {
		if due := begun.Add(time.Duration(len(published)) * every); len(published) < messages && !time.Now().Before(due) {
			published = append(published, due)
			if err := c.post(); err != nil {
				return s, err
			}
		}
		if err := c.read(time.Millisecond); err != nil {
			return s, err
		}
		for ; complete < len(published) && c.marks-had >= int64(complete+1)*each; complete++ {
			s.last = append(s.last, float64(time.Since(published[complete]))/float64(time.Millisecond))
		}
		if time.Since(begun) > time.Duration(messages)*every+10*time.Second {
			return s, fmt.Errorf("%d of %d deliveries came", (c.marks-had)/payloadSize, int64(messages)*each/payloadSize)
		}
	}
	to, err := cost.Read(server)
	s.cpu, s.deliveries = to.Minus(from).CPU, (c.marks-had)/payloadSize
	if s.deliveries != int64(messages*len(c.conns)) {
		err = errors.Join(err, fmt.Errorf("%d deliveries, not %d", s.deliveries, messages*len(c.conns)))
	}
	return s, err
}

// post publishes.
func (c *crowd) post() error {
	c.asked++
	_, err := unix.Write(c.publisher, []byte(c.dialect.publish))
	return err
}

// hear takes answers to what was published, each of them whole.
func (c *crowd) hear(answers []byte) error {
	for _, answer := range bytes.SplitAfter(answers, []byte("HTTP/1.1 "))[1:] {
		if !bytes.HasPrefix(answer, []byte("20")) {
			return fmt.Errorf("publishing is answered %.100q", answers)
		}
		c.answered++
	}
	return nil
}

func (c *crowd) close() error {
	var all []error
	for _, fd := range append(c.conns, c.deaf...) {
		all = append(all, unix.Close(fd))
	}
	all = append(all, unix.Close(c.publisher))
	return errors.Join(append(all, unix.Close(c.epoll))...)
}
