package client

// TCP is the kernel's counters of connections: TCP_INFO, summed.
type TCP struct {
	Up, Down TCPDirection

	established bool // of one connection: the server has not closed its side
	finished    bool // of one connection: it was reset, or both sides are closed
}

// A TCPDirection is one direction of TCP. Bytes are payload, counted once however often
// they were sent; SYN and FIN take a sequence number each but are not bytes. Upstream
// bytes count when they are written, downstream bytes when they arrive in order.
type TCPDirection struct {
	Bytes         int64
	Retransmitted int64 // retransmitted bytes; 0 downstream, where the client cannot know them
	Segments      int64 // with or without data, including those that open and close
}

func (t *TCP) add(other TCP) {
	t.Up.add(other.Up)
	t.Down.add(other.Down)
}

func (d *TCPDirection) add(other TCPDirection) {
	d.Bytes += other.Bytes
	d.Retransmitted += other.Retransmitted
	d.Segments += other.Segments
}

// closed adds the segments that closing the connection takes (RFC 9293, section
// 3.6): they cannot be read afterwards. The client sends a FIN. A server that has not
// closed its side responds with its own FIN, which acknowledges the client's, and which
// the client acknowledges. A server that has closed its side only acknowledges.
//
// The count is an estimate: a server that takes longer than TCP's delayed acknowledgement
// (40 ms) to close sends one more segment, and a reset is one segment up and none down.
func (t TCP) closed() TCP {
	if t.Up.Segments == 0 {
		return t // unknown, or never opened
	}
	t.Up.Segments++
	t.Down.Segments++
	if t.established {
		t.Up.Segments++
	}
	return t
}
