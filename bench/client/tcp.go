package client

// TCP is what the kernel counted of connections: TCP_INFO, summed.
type TCP struct {
	Up, Down TCPDirection

	established bool // of one connection: the server has not ended it yet
	finished    bool // of one connection: it was reset, or has ended on both sides
}

// A TCPDirection is one direction of TCP. Bytes are payload, each once however
// often it was sent: SYN and FIN, which take a sequence number each, are no bytes.
// They count from being written, on the way down from being there in order.
type TCPDirection struct {
	Bytes         int64
	Retransmitted int64 // bytes that were sent once more; of the way down that is not known on this side: 0
	Segments      int64 // with or without data, those of opening and closing included
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
// 3.6): they cannot be read afterwards. Ours is a FIN. A server that has not
// ended yet answers with a FIN of its own, which acknowledges ours, and is
// acknowledged; one that has, acknowledges.
//
// It is arithmetic: a server that takes longer than TCP's delayed acknowledgement
// (40 ms) to end sends one segment more, a reset is one segment up and none down.
func (t TCP) closed() TCP {
	if t.Up.Segments == 0 {
		return t // not shown, or never opened
	}
	t.Up.Segments++
	t.Down.Segments++
	if t.established {
		t.Up.Segments++
	}
	return t
}
