package client

import "golang.org/x/sys/unix"

// readTCP reads TCP_INFO of a socket; zero if it has none.
//
// The kernel's counters (net/ipv4/tcp_output.c, tcp_input.c): bytes_sent is data passed to
// the network, including retransmissions, without SYN and FIN; bytes_received is data that
// arrived in order, read or not, with the FIN but without the SYN. bytes_acked would
// include the client's SYN.
func readTCP(fd int) TCP {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return TCP{}
	}
	var fin int64
	if info.State == unix.BPF_TCP_CLOSE_WAIT {
		fin = 1
	}
	retransmitted := int64(info.Bytes_retrans)
	return TCP{
		Up:          TCPDirection{Bytes: int64(info.Bytes_sent) - retransmitted + int64(info.Notsent_bytes), Retransmitted: retransmitted, Segments: int64(info.Segs_out)},
		Down:        TCPDirection{Bytes: int64(info.Bytes_received) - fin, Segments: int64(info.Segs_in)},
		established: info.State == unix.BPF_TCP_ESTABLISHED,
		finished:    info.State == unix.BPF_TCP_CLOSE,
	}
}

// finalTCP reads the counters of a socket that is about to be closed and that is no longer
// read: unread bytes are subtracted. While the server may still send, the counters are
// read until two readings agree, because the kernel reads the state before the counters,
// and reports unread bytes at another moment.
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
		last.Down.Bytes-- // its FIN, which the state no longer shows
	}
	return last.closed()
}

// serverSentFIN reports whether the server closed a connection before it was reset, as it
// is when a client sends a close frame to a server that has closed. It reads the unread
// bytes: then a read returns the end of the stream if there was a FIN (net/ipv4/tcp.c
// checks that first), and else the reset.
func serverSentFIN(fd int) bool {
	buffer := make([]byte, 4096)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, unix.MSG_DONTWAIT)
		if err != nil || n == 0 {
			return err == nil
		}
	}
}

// unreadTCP returns how many bytes arrived and were not read.
func unreadTCP(fd int) int64 {
	n, err := unix.IoctlGetInt(fd, unix.SIOCINQ)
	if err != nil {
		return 0
	}
	return int64(n)
}
