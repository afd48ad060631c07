// Package socktest reads what the kernel counts about a connection, for tests of several packages.
package socktest

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// DataSegments returns how many segments with data a connection has received (tcp_info).
func DataSegments(t *testing.T, c net.Conn) uint32 {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) {
		info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return info.Data_segs_in
}
