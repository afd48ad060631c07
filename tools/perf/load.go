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

	"pushbench/bench/child"
	"pushbench/bench/cost"
)

// A payload consists of payloadSize marks, which occur nowhere else in the output of a server:
// counting marks counts deliveries, independent of the framing.
const (
	mark        = '#'
	payloadSize = 64
)

var payload = bytes.Repeat([]byte{mark}, payloadSize)

// A protocol describes how to subscribe to a server and to publish to it.
type protocol struct {
	subscribe string                       // a request
	next      func(response []byte) string // the request after a response; nil: the connection streams
	publish   string                       // a request, its body included
}

// A subscriberGroup consists of the subscribers of one server and its publisher. One thread reads
// all data, counts marks, and polls again if the protocol requires it. It does not wait for
// the response to a publication: a server that responds after the last delivery would write
// all deliveries while no client reads, which is cheaper.
type subscriberGroup struct {
	protocol     protocol
	epoll        int
	subscribers  []int
	stalled      []int // subscribers that do not read
	publisher    int   // noDescriptor before it is connected
	published    int64 // messages published
	acknowledged int64
	marks        int64
	received     int64 // bytes of any kind
	buffer       [64 << 10]byte
}

// noDescriptor is the value of a missing descriptor, as in system calls. (Zero would be standard
// input.)
const noDescriptor = -1

// sendWait limits the time for which a server may delay accepting a connection or reading data
// that exceeds its socket buffer.
const sendWait = 10 * time.Second

// settle is the time without data after which a group is settled.
const settle = 300 * time.Millisecond

// connectGroup connects a group of n subscribers and waits until it is settled.
func connectGroup(ctx context.Context, address string, d protocol, n int) (*subscriberGroup, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	c := &subscriberGroup{protocol: d, epoll: epoll, publisher: noDescriptor}
	if err := c.connectAll(ctx, address, n); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// connectAll connects the publisher and n subscribers.
func (c *subscriberGroup) connectAll(ctx context.Context, address string, n int) error {
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
		if i%64 == 63 { // read responses meanwhile, so that no accept queue overflows
			if err := c.read(ctx, 0); err != nil {
				return err
			}
		}
	}
	return c.settled(ctx)
}

func (c *subscriberGroup) join(ctx context.Context, to unix.Sockaddr) error {
	fd, err := c.connect(ctx, to, c.protocol.subscribe)
	c.subscribers = append(c.subscribers, fd)
	return err
}

// connect sends the subscription on a new connection, which is read from now on. The descriptor
// is valid unless it is noDescriptor, even if there is an error.
func (c *subscriberGroup) connect(ctx context.Context, to unix.Sockaddr, subscription string) (int, error) {
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
	if err := send(ctx, fd, []byte(subscription)); err != nil {
		return fd, fmt.Errorf("subscribe: %w", err)
	}
	return fd, unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// dial connects a non-blocking socket.
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

// send writes all of data, and waits while it does not fit.
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

// writable waits until a socket accepts data or has an error, at most sendWait. (With a socket
// timeout instead, every signal would interrupt a system call: signal(7).)
func writable(ctx context.Context, fd int) error {
	const pollEvery = 100 * time.Millisecond // to check the context
	for begun := time.Now(); time.Since(begun) < sendWait; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(pollEvery.Milliseconds()))
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	return fmt.Errorf("the server did not read for %v", sendWait)
}

// Stalled subscribers expect this much data on a separate topic: more than the kernel buffers
// for them.
const (
	stalledTopic   = "stalled"
	stalledMessage = 32 << 10
	stalledTotal   = 8 << 20
)

// addStalled adds subscribers that do not read, and fills their socket buffers.
func (c *subscriberGroup) addStalled(ctx context.Context, n int) error {
	to, err := unix.Getpeername(c.publisher)
	if err != nil || n == 0 {
		return err
	}
	for range n {
		fd, err := c.connect(ctx, to, strings.Replace(c.protocol.subscribe, "?topic=t", "?topic=t&topic="+stalledTopic, 1))
		c.stalled = append(c.stalled, fd)
		if err := errors.Join(err, unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, fd, nil)); err != nil {
			return err
		}
	}
	time.Sleep(settle) // until they are subscribed
	header, _, _ := strings.Cut(c.protocol.publish, "Content-Type")
	post := strings.Replace(header, "/topics/t", "/topics/"+stalledTopic, 1) +
		fmt.Sprintf("Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", stalledMessage, strings.Repeat("-", stalledMessage))
	for range stalledTotal / stalledMessage {
		if err := send(ctx, c.publisher, []byte(post)); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		for c.published++; c.acknowledged < c.published; {
			if err := c.read(ctx, settle); err != nil {
				return err
			}
		}
	}
	return c.settled(ctx)
}

// settled reads until no data arrives, neither messages nor responses to subscriptions: all
// clients are then subscribed.
func (c *subscriberGroup) settled(ctx context.Context) error {
	for last := time.Now(); time.Since(last) < settle; {
		before := c.received
		if err := c.read(ctx, settle); err != nil {
			return err
		}
		if c.received != before {
			last = time.Now()
		}
	}
	return nil
}

// read reads the available data and waits for it at most the given time. Every loop of a group
// calls read, and therefore ends with the context.
func (c *subscriberGroup) read(ctx context.Context, wait time.Duration) error {
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

func (c *subscriberGroup) take(fd int) error {
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
	c.received += int64(n)
	if fd == c.publisher {
		return c.acknowledge(got)
	}
	c.marks += int64(bytes.Count(got, []byte{mark}))
	if c.protocol.next == nil {
		return nil
	}
	if !bytes.HasPrefix(got, []byte("HTTP/1.1 2")) {
		return fmt.Errorf("the server responded %.100q", got)
	}
	_, err = unix.Write(fd, []byte(c.protocol.next(got)))
	return err
}

// A delivery summarizes the deliveries of several messages.
type delivery struct {
	deliveries int64
	cpu        time.Duration // of the server
	last       []float64     // ms from publication to the last subscriber, per message
}

// publish publishes messages at a rate, and waits until every subscriber has received all.
func (c *subscriberGroup) publish(ctx context.Context, server int, messages int, every time.Duration) (s delivery, err error) {
	err = child.OnCores([]int{loadCore}, func() (err error) {
		s, err = c.publishHere(ctx, server, messages, every)
		return err
	})
	return s, err
}

func (c *subscriberGroup) publishHere(ctx context.Context, server int, messages int, every time.Duration) (s delivery, err error) {
	from, err := cost.Read(server)
	if err != nil {
		return s, err
	}
	perMessage := int64(len(c.subscribers)) * payloadSize
	begun, before := time.Now(), c.marks
	published := make([]time.Time, 0, messages)
	for complete := 0; complete < messages || c.acknowledged < c.published; {
		if due := begun.Add(time.Duration(len(published)) * every); len(published) < messages && !time.Now().Before(due) {
			published = append(published, due)
			if err := c.post(ctx); err != nil {
				return s, err
			}
		}
		if err := c.read(ctx, time.Millisecond); err != nil {
			return s, err
		}
		for ; complete < len(published) && c.marks-before >= int64(complete+1)*perMessage; complete++ {
			s.last = append(s.last, float64(time.Since(published[complete]))/float64(time.Millisecond))
		}
		if time.Since(begun) > time.Duration(messages)*every+10*time.Second {
			return s, notReached(float64((c.marks-before)/payloadSize), float64(messages*len(c.subscribers)), " deliveries")
		}
	}
	to, err := cost.Read(server)
	s.cpu, s.deliveries = to.Minus(from).CPU, (c.marks-before)/payloadSize
	if s.deliveries != int64(messages*len(c.subscribers)) {
		err = errors.Join(err, fmt.Errorf("%d deliveries, want %d", s.deliveries, messages*len(c.subscribers))) // more: duplicates
	}
	return s, err
}

// post publishes one message.
func (c *subscriberGroup) post(ctx context.Context) error {
	c.published++
	if err := send(ctx, c.publisher, []byte(c.protocol.publish)); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// acknowledge counts complete responses to publications.
func (c *subscriberGroup) acknowledge(responses []byte) error {
	for _, response := range bytes.SplitAfter(responses, []byte("HTTP/1.1 "))[1:] {
		if !bytes.HasPrefix(response, []byte("20")) {
			return fmt.Errorf("response to a publication: %.100q", responses)
		}
		c.acknowledged++
	}
	return nil
}

func (c *subscriberGroup) close() error {
	var all []error
	for _, fd := range slices.Concat(c.subscribers, c.stalled, []int{c.publisher, c.epoll}) {
		if fd != noDescriptor {
			all = append(all, unix.Close(fd))
		}
	}
	return errors.Join(all...)
}
