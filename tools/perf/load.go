//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
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
	publisher int   // noDescriptor before it is connected
	asked     int64 // messages published
	answered  int64
	marks     int64
	came      int64 // bytes, of whatever kind
	buffer    [64 << 10]byte
}

// noDescriptor is what a system call returns in place of a descriptor. (A zero would be
// our standard input.)
const noDescriptor = -1

// sendWait is how long a server may take to accept a connection, or to read what does not
// fit into its socket buffer.
const sendWait = 10 * time.Second

// settle is how long nothing must come for a crowd to be at rest.
const settle = 300 * time.Millisecond

// gather connects a crowd of n and waits until all is quiet.
func gather(ctx context.Context, address string, d dialect, n int) (*crowd, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	c := &crowd{dialect: d, epoll: epoll, publisher: noDescriptor}
	if err := c.gather(ctx, address, n); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// gather connects the publisher and n subscribers.
func (c *crowd) gather(ctx context.Context, address string, n int) error {
	host, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return err
	}
	to := &unix.SockaddrInet4{Port: host.Port}
	copy(to.Addr[:], host.IP.To4())
	if c.publisher, err = c.connect(ctx, to, ""); err != nil {
		return err
	}
	for i := range n {
		if err := c.join(ctx, to); err != nil {
			return fmt.Errorf("subscriber %d of %d: %w", i+1, n, err)
		}
		if i%64 == 63 { // answers are read on the way: no accept queue overflows
			if err := c.read(ctx, 0); err != nil {
				return err
			}
		}
	}
	return c.rest(ctx)
}

func (c *crowd) join(ctx context.Context, to unix.Sockaddr) error {
	fd, err := c.connect(ctx, to, c.dialect.subscribe)
	c.conns = append(c.conns, fd)
	return err
}

// connect says hello on a new connection, which is read from now on. The descriptor is
// valid, unless it is noDescriptor, also where there is an error.
func (c *crowd) connect(ctx context.Context, to unix.Sockaddr, hello string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return noDescriptor, err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fd, err
	}
	if err := dial(ctx, fd, to); err != nil {
		return fd, fmt.Errorf("connect: %w", err)
	}
	if err := send(ctx, fd, []byte(hello)); err != nil {
		return fd, fmt.Errorf("subscribe: %w", err)
	}
	return fd, unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// dial connects a socket that does not block.
func dial(ctx context.Context, fd int, to unix.Sockaddr) error {
	err := unix.Connect(fd, to)
	if !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	if err := writable(ctx, fd); err != nil {
		return err
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	return err
}

// send writes all of data, and waits where it does not fit.
func send(ctx context.Context, fd int, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if errors.Is(err, unix.EAGAIN) {
			n, err = 0, writable(ctx, fd)
		}
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// writable waits until a socket takes data or has an error, at most sendWait. (A timeout
// of the socket would do it, but then every signal interrupts a system call: signal(7).)
func writable(ctx context.Context, fd int) error {
	const look = 100 * time.Millisecond // at the context
	for begun := time.Now(); time.Since(begun) < sendWait; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(look.Milliseconds()))
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	return fmt.Errorf("the server did not read for %v", sendWait)
}

// Subscribers that read nothing are owed this much on a topic of their own: more than
// the kernel keeps for them.
const (
	deafTopic   = "deaf"
	deafMessage = 32 << 10
	deafTotal   = 8 << 20
)

// deafen adds subscribers that read nothing, and has their sockets full.
func (c *crowd) deafen(ctx context.Context, n int) error {
	to, err := unix.Getpeername(c.publisher)
	if err != nil || n == 0 {
		return err
	}
	for range n {
		fd, err := c.connect(ctx, to, strings.Replace(c.dialect.subscribe, "?topic=t", "?topic=t&topic="+deafTopic, 1))
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
		if err := send(ctx, c.publisher, []byte(post)); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		for c.asked++; c.answered < c.asked; {
			if err := c.read(ctx, settle); err != nil {
				return err
			}
		}
	}
	return c.rest(ctx)
}

// rest reads until nothing comes any more, be it a message or the answer to a
// subscription: who is not subscribed yet is owed nothing.
func (c *crowd) rest(ctx context.Context) error {
	for last := time.Now(); time.Since(last) < settle; {
		before := c.came
		if err := c.read(ctx, settle); err != nil {
			return err
		}
		if c.came != before {
			last = time.Now()
		}
	}
	return nil
}

// read takes what has come, waiting for it at most so long. Every loop of a crowd reads,
// and so ends with the context.
func (c *crowd) read(ctx context.Context, wait time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
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
	if !bytes.HasPrefix(got, []byte("HTTP/1.1 2")) {
		return fmt.Errorf("the server answered %.100q", got)
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
func (c *crowd) publish(ctx context.Context, server int, messages int, every time.Duration) (s seen, err error) {
	err = onCore(loadCore, func() (err error) {
		s, err = c.publishHere(ctx, server, messages, every)
		return err
	})
	return s, err
}

func (c *crowd) publishHere(ctx context.Context, server int, messages int, every time.Duration) (s seen, err error) {
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
			if err := c.post(ctx); err != nil {
				return s, err
			}
		}
		if err := c.read(ctx, time.Millisecond); err != nil {
			return s, err
		}
		for ; complete < len(published) && c.marks-had >= int64(complete+1)*each; complete++ {
			s.last = append(s.last, float64(time.Since(published[complete]))/float64(time.Millisecond))
		}
		if time.Since(begun) > time.Duration(messages)*every+10*time.Second {
			return s, unreached(float64((c.marks-had)/payloadSize), float64(messages*len(c.conns)), " deliveries")
		}
	}
	to, err := cost.Read(server)
	s.cpu, s.deliveries = to.Minus(from).CPU, (c.marks-had)/payloadSize
	if s.deliveries != int64(messages*len(c.conns)) {
		err = errors.Join(err, fmt.Errorf("%d deliveries, not %d", s.deliveries, messages*len(c.conns))) // more: some came twice
	}
	return s, err
}

// post publishes.
func (c *crowd) post(ctx context.Context) error {
	c.asked++
	if err := send(ctx, c.publisher, []byte(c.dialect.publish)); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
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
	for _, fd := range slices.Concat(c.conns, c.deaf, []int{c.publisher, c.epoll}) {
		if fd != noDescriptor {
			all = append(all, unix.Close(fd))
		}
	}
	return errors.Join(all...)
}
