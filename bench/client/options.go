package client

import (
	"strconv"
	"syscall"
)

// Options are the options of a client's socket, as the kernel reports them. Separate code
// reads those of the server: an error in shared code would hide any difference between them.
type Options struct {
	NoDelay       bool   `json:"nodelay"`
	KeepAlive     bool   `json:"keepalive"`
	SendBuffer    string `json:"send_buffer"`    // bytes, autotuned, or unknown
	ReceiveBuffer string `json:"receive_buffer"` // as SendBuffer
	Congestion    string `json:"congestion_control,omitempty"`
}

// Options returns the options of the first connection, nil before there is one.
func (t *Traffic) Options() *Options {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.options
}

// readOptions reads the options of a socket; nil if it is closed.
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

// buffer returns the size of a buffer with a fixed size. The kernel adapts the size of any
// other buffer to its traffic.
func buffer(fd, option int, fixed, known bool) string {
	if known && !fixed {
		return "autotuned"
	}
	size, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, option)
	if !known || err != nil {
		return "unknown"
	}
	return strconv.Itoa(size)
}
