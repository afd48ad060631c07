package client

import "syscall"

// segments asks TCP_INFO. A connection that is already shut answers nothing.
func (c *conn) segments() TCP     { return c.ask(readTCP) }
func (c *conn) lastSegments() TCP { return c.ask(lastTCP) }

func (c *conn) ask(read func(fd int) TCP) (counted TCP) {
	tcp, ok := c.Conn.(syscall.Conn)
	if !ok {
		return counted
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return counted
	}
	_ = raw.Control(func(fd uintptr) { counted = read(int(fd)) })
	return counted
}
