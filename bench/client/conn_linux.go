package client

import "syscall"

// segments asks TCP_INFO. A connection that is already shut answers nothing.
func (t *tap) segments() TCP     { return t.ask(readTCP) }
func (t *tap) lastSegments() TCP { return t.ask(lastTCP) }

func (t *tap) ask(read func(fd int) TCP) (counted TCP) {
	tcp, ok := t.Conn.(syscall.Conn)
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
