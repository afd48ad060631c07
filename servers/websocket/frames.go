package websocket

import (
	"encoding/binary"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
)

// Parts of a frame's header (RFC 6455 section 5.2).
const (
	finBit     = 0x80
	controlBit = 0x08
	textOpcode = 0x01
	pingOpcode = 0x09
	maskBit    = 0x80
	lengthBits = 0x7f
	length16   = 126
	length64   = 127
)

// appendFrame frames a batch once for all sockets: it is written as it is, past
// gorilla, which would take three locks and a channel to do the same.
func appendFrame(body []byte, _ hub.Cursor) []byte {
	frame := make([]byte, 0, len(body)+10)
	frame = append(frame, finBit|textOpcode)
	switch n := len(body); {
	case n < length16:
		frame = append(frame, byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, length16), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, length64), uint64(n))
	}
	return append(frame, body...)
}

// A messageReader is a connection as gorilla reads it: never beyond the end of a
// message, so that nothing is in gorilla's buffer once one was read. A socket then
// needs no goroutine until there is more.
type messageReader struct {
	*sock.Conn
	head [14]byte // of the frame under way
	have int      // bytes of head
	left uint64   // payload bytes of the frame that are still to come
}

// Read is for a worker.
func (r *messageReader) Read(p []byte) (int, error) {
	n, err := r.ReadWorking(p)
	if end := r.scan(p[:n]); end < n {
		r.Unread(p[end:n])
		n = end
	}
	return n, err
}

// scan returns how many bytes there are to the end of the message, or all.
func (r *messageReader) scan(p []byte) int {
	for i := 0; i < len(p); {
		if r.left == 0 && r.headed() { // the frame before has ended
			r.have = 0
		}
		if !r.headed() {
			r.head[r.have] = p[i]
			r.have++
			i++
			if !r.headed() {
				continue
			}
			r.left = r.length()
		}
		n := min(r.left, uint64(len(p)-i))
		r.left -= n
		i += int(n)
		if r.left == 0 && r.ends() {
			return i
		}
	}
	return len(p)
}

// headed says whether the header is complete.
func (r *messageReader) headed() bool {
	if r.have < 2 {
		return false
	}
	size := 2
	switch r.head[1] & lengthBits {
	case length16:
		size += 2
	case length64:
		size += 8
	}
	if r.head[1]&maskBit != 0 {
		size += 4
	}
	return r.have == size
}

// length is that of the payload.
func (r *messageReader) length() uint64 {
	switch n := r.head[1] & lengthBits; n {
	case length16:
		return uint64(binary.BigEndian.Uint16(r.head[2:]))
	case length64:
		return binary.BigEndian.Uint64(r.head[2:])
	default:
		return uint64(n)
	}
}

// ends says whether the frame is the last of a message.
func (r *messageReader) ends() bool { return r.head[0]&finBit != 0 && r.head[0]&controlBit == 0 }
