package client

import (
	"strconv"
	"syscall"
)

// Options are what a client's socket is set to, as the kernel reports it. The server reads
// its own by code of its own: an error that both shared would make any two sides seem alike.
type Options struct {
	NoDelay       bool   `json:"nodelay"`
	KeepAlive     bool   `json:"keepalive"`
	SendBuffer    string `json:"send_buffer"`    // bytes, autotuned, or not shown
	ReceiveBuffer string `json:"receive_buffer"` // likewise
	Congestion    string `json:"congestion_control,omitempty"`
}

// Options are those of the first connection that was opened, none before.
func (t *Traffic) Options() *Options {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.options
}

// readOptions asks the kernel; a socket that is shut has none.
func readOptions(fd int) *Options {
	noDelay, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
	keepAlive, failed := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
	if err != nil || failed != nil {
		return nil
	}
	send, receive, known := fixedBuffers(fd)
	return &Options{
		NoDelay:       noDelay != 0,
		KeepAlive:     keepAlive != 0,
		SendBuffer:    buffer(fd, syscall.SO_SNDBUF, send, known),
		ReceiveBuffer: buffer(fd, syscall.SO_RCVBUF, receive, known),
		Congestion:    congestion(fd),
	}
}

// buffer says how large a buffer is that was given a size; the kernel resizes any
// other with what passes through it.
func buffer(fd, option int, fixed, known bool) string {
	if known && !fixed {
		return "autotuned"
	}
	size, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, option)
	if !known || err != nil {
		return "not shown"
	}
	return strconv.Itoa(size)
}
