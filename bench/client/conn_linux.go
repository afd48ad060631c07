package client

import (
	"net"

	"golang.org/x/sys/unix"
)

// segments asks TCP_INFO. A connection that is already shut answers nothing.
func (c *conn) segments() (s segments) {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return s
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return s
	}
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			s = segments{up: int64(info.Segs_out), down: int64(info.Segs_in)}
		}
	})
	return s
}
