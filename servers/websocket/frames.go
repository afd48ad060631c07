package websocket

import (
	"encoding/binary"

	"pushbench/servers/hub"
)

// Parts of a frame's header (RFC 6455 section 5.2).
const (
	finBit     = 0x80
	textOpcode = 0x01
	pingOpcode = 0x09
	length16   = 126
	length64   = 127
)

// appendFrame frames a batch once for all sockets. The frame bypasses
// gorilla, which would use three locks and a channel to write it.
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
