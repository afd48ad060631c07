package client

import "golang.org/x/sys/unix"

// fixedBuffers reports which buffers have a fixed size (SO_BUF_LOCK, Linux 5.15).
func fixedBuffers(fd int) (send, receive, known bool) {
	const sendLocked, receiveLocked = 1, 2
	locked, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BUF_LOCK)
	return locked&sendLocked != 0, locked&receiveLocked != 0, err == nil
}

func congestion(fd int) string {
	name, _ := unix.GetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	return name
}
