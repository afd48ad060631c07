package sock

import (
	"errors"
	"strconv"
	"syscall"
)

// Options are the options of a socket as the kernel reports them.
type Options struct {
	NoDelay       bool   `json:"nodelay"`
	KeepAlive     bool   `json:"keepalive"`
	SendBuffer    string `json:"send_buffer"`    // bytes, autotuned or "unknown"
	ReceiveBuffer string `json:"receive_buffer"` // as SendBuffer
	Congestion    string `json:"congestion_control,omitempty"`
}

// Descriptions of a buffer without a fixed size.
const (
	autotuned = "autotuned" // the kernel adapts the size
	unknown   = "unknown"   // the kernel does not report whether the size is fixed
)

// Options queries the kernel for the options of one open connection: any, because all have
// the same options. ok is false when none is open.
func (l *Listener) Options() (o Options, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		err := c.control(func(fd int) (err error) {
			o, err = readOptions(fd)
			return err
		})
		if err == nil {
			return o, true
		}
	}
	return o, false
}

func readOptions(fd int) (o Options, err error) {
	isSet := func(level, option int) bool {
		value, failed := syscall.GetsockoptInt(fd, level, option)
		err = errors.Join(err, failed)
		return value != 0
	}
	send, receive, known := fixedBuffers(fd)
	o = Options{
		NoDelay:       isSet(syscall.IPPROTO_TCP, syscall.TCP_NODELAY),
		KeepAlive:     isSet(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE),
		SendBuffer:    buffer(fd, syscall.SO_SNDBUF, send, known),
		ReceiveBuffer: buffer(fd, syscall.SO_RCVBUF, receive, known),
		Congestion:    congestion(fd),
	}
	return o, err
}

// buffer returns the size of a buffer with a fixed size. Other buffers grow
// and shrink with their traffic, so their sizes differ between connections.
func buffer(fd, option int, fixed, known bool) string {
	switch {
	case !known:
		return unknown
	case !fixed:
		return autotuned
	}
	size, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, option)
	if err != nil {
		return unknown
	}
	return strconv.Itoa(size)
}
