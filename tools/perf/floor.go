//go:build linux

package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// floorRole is the argument that makes this executable the floor of a WebSocket server.
const floorRole = "floor"

// A floor is a minimal server: it writes each posted message to every socket with one system
// call. It checks nothing and stores nothing. No server that sends every delivery separately
// can be cheaper.
type floor struct {
	epoll, listener int
	subscribers     []int
	frame           []byte
	buffer          [64 << 10]byte
}

// endWaitMS is the interval in which the floor checks whether stdin has ended.
const endWaitMS = 100

// serveFloor serves until stdin ends.
func serveFloor(stdin io.Reader, stdout io.Writer) error {
	f := &floor{}
	if err := f.listen(stdout); err != nil {
		return err
	}
	var ended atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		ended.Store(true)
	}()
	var events [256]unix.EpollEvent
	for ; !ended.Load(); runtime.Gosched() { // for the goroutine that waits for stdin
		// A raw system call, so that the runtime does not replace the blocked thread; with a
		// timeout, because the runtime cannot interrupt it.
		n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(f.epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), endWaitMS, 0, 0)
		if err == unix.EINTR {
			continue
		}
		if err != 0 {
			return err
		}
		for _, e := range events[:n] {
			if err := f.handle(int(e.Fd)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *floor) listen(stdout io.Writer) (err error) {
	if f.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if f.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	at := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	const backlog = 4096
	if err := errors.Join(unix.Bind(f.listener, at), unix.Listen(f.listener, backlog), f.watch(f.listener)); err != nil {
		return err
	}
	bound, err := unix.Getsockname(f.listener)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "{\"listening\":\"127.0.0.1:%d\"}\n", bound.(*unix.SockaddrInet4).Port)
	return err
}

func (f *floor) watch(fd int) error {
	return unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (f *floor) handle(fd int) error {
	if fd == f.listener {
		conn, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return err
		}
		return errors.Join(unix.SetsockoptInt(conn, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), f.watch(conn))
	}
	n, err := unix.Read(fd, f.buffer[:])
	if err != nil || n == 0 {
		return unix.Close(fd) // removes it from epoll; later writes to it fail
	}
	request := f.buffer[:n]
	if bytes.HasPrefix(request, []byte("POST ")) {
		return f.posted(fd, request)
	}
	f.subscribers = append(f.subscribers, fd)
	_, key, _ := bytes.Cut(request, []byte("Sec-WebSocket-Key: "))
	key, _, _ = bytes.Cut(key, []byte("\r\n"))
	sum := sha1.Sum(append(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...)) // RFC 6455, section 4.2.2
	_, err = fmt.Fprintf(descriptor(fd), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	return err
}

// posted handles complete requests. After a stall of the machine there can be two. Writing both
// messages together would be cheaper than the floor allows.
func (f *floor) posted(from int, requests []byte) error {
	for len(requests) > 0 {
		header, rest, _ := bytes.Cut(requests, []byte("\r\n\r\n"))
		_, length, _ := bytes.Cut(header, []byte("Content-Length: "))
		length, _, _ = bytes.Cut(length, []byte("\r\n"))
		size, err := strconv.Atoi(string(length))
		if err != nil || size > len(rest) {
			return fmt.Errorf("%.100q is not a complete request", requests)
		}
		if err := f.publish(from, rest[:size]); err != nil {
			return err
		}
		requests = rest[size:]
	}
	return nil
}

// publish writes a text frame (RFC 6455, section 5.2) to all subscribers.
func (f *floor) publish(to int, data []byte) error {
	f.frame = append(append(f.frame[:0], 0x81, byte(len(data))), data...)
	for _, fd := range f.subscribers {
		// Data that does not fit is lost, which the subscribers detect.
		_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(f.frame))), uintptr(len(f.frame)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	}
	_, err := io.WriteString(descriptor(to), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	return err
}

type descriptor int

func (d descriptor) Write(p []byte) (int, error) { return unix.Write(int(d), p) }
