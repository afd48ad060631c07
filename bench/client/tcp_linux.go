package client

import "golang.org/x/sys/unix"

// readTCP reads TCP_INFO of a socket; zero if it has none.
//
// What the kernel's counters hold (net/ipv4/tcp_output.c, tcp_input.c):
// bytes_sent is data handed to the network, again and again if need be, without
// SYN and FIN; bytes_received is what came in order, read or not, with the FIN
// but without the SYN. bytes_acked would count our SYN.
func readTCP(fd int) TCP {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return TCP{}
	}
	var fin int64
	if info.State == unix.BPF_TCP_CLOSE_WAIT {
		fin = 1
	}
	again := int64(info.Bytes_retrans)
	return TCP{
		Up:          TCPDirection{Bytes: int64(info.Bytes_sent) - again + int64(info.Notsent_bytes), Retransmitted: again, Segments: int64(info.Segs_out)},
		Down:        TCPDirection{Bytes: int64(info.Bytes_received) - fin, Segments: int64(info.Segs_in)},
		established: info.State == unix.BPF_TCP_ESTABLISHED,
		finished:    info.State == unix.BPF_TCP_CLOSE,
	}
}

// lastTCP reads a socket that is about to be closed and that is not read any more:
// what came and was not read never will be. While the server may still send, it is
// read until nothing comes in between, for the kernel looks at the state before it
// looks at the counters, and reports what is unread at another moment.
func finalTCP(fd int) TCP {
	last, unread := readTCP(fd), unreadTCP(fd)
	for last.established {
		before, unreadBefore := last, unread
		last, unread = readTCP(fd), unreadTCP(fd)
		if last.Down == before.Down && unread == unreadBefore {
			break
		}
	}
	last.Down.Bytes -= unread
	if last.finished && serverSentFIN(fd) {
		last.Down.Bytes-- // its FIN, which the state shows no more
	}
	return last.closed()
}

// ended says of a connection that is over whether the server ended it before it was
// reset, as happens to a client that sends a close frame to a server that has closed. It takes what is
// unread: behind that, reading says an end where there was one (net/ipv4/tcp.c looks for
// it first), or else that the connection was reset.
func serverSentFIN(fd int) bool {
	buffer := make([]byte, 4096)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, unix.MSG_DONTWAIT)
		if err != nil || n == 0 {
			return err == nil
		}
	}
}

// unreadTCP is how many bytes came that were not read.
func unreadTCP(fd int) int64 {
	n, err := unix.IoctlGetInt(fd, unix.SIOCINQ)
	if err != nil {
		return 0
	}
	return int64(n)
}
