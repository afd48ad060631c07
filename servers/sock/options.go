package sock

import (
	"errors"
	"strconv"
	"syscall"
)

// Options are what a socket is set to, as the kernel tells it.
type Options struct {
	NoDelay       bool   `json:"nodelay"`
	KeepAlive     bool   `json:"keepalive"`
	SendBuffer    string `json:"send_buffer"`    // bytes, or that the kernel sizes it as it goes, or that it does not tell which
	ReceiveBuffer string `json:"receive_buffer"` // likewise
	Congestion    string `json:"congestion_control,omitempty"`
}

// What there is to say of a buffer whose size means nothing by itself.
const (
	autotuned = "autotuned"
	notShown  = "not shown"
)

// Options asks the kernel about one of the open connections: whichever, as all are
// set alike. ok is false when none is open.
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
	send, receive, told := fixedBuffers(fd)
	o = Options{
		NoDelay:       isSet(syscall.IPPROTO_TCP, syscall.TCP_NODELAY),
		KeepAlive:     isSet(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE),
		SendBuffer:    buffer(fd, syscall.SO_SNDBUF, send, told),
		ReceiveBuffer: buffer(fd, syscall.SO_RCVBUF, receive, told),
		Congestion:    congestion(fd),
	}
	return o, err
}

// buffer says how large a buffer is that was given a size. One that was not grows
// and shrinks with what passes through it, so that no two are alike.
func buffer(fd, option int, fixed, told bool) string {
	switch {
	case !told:
		return notShown
	case !fixed:
		return autotuned
	}
	size, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, option)
	if err != nil {
		return notShown
	}
	return strconv.Itoa(size)
}
