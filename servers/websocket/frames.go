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
	pongOpcode = 0x0a
	maskBit    = 0x80
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

// frameSize returns the size of the frame that b begins, 0 if b has too little of it, or unmasked.
func frameSize(b []byte) int {
	if len(b) >= 2 && b[1] < maskBit {
		return unmasked
	}
	if len(b) < 4 {
		return 0 // the smallest frame of a client has 6 bytes
	}
	size, length := 2, int(b[1]&^maskBit)
	switch length {
	case length16:
		size, length = 4, int(binary.BigEndian.Uint16(b[2:]))
	case length64:
		size, length = 10, 1<<16
	}
	return size + len(mask{}) + length
}

// unmasked is the size of a frame without a mask, which RFC 6455 section 5.1 forbids.
const unmasked = -1

// A mask is the key by which a client masks a frame (RFC 6455 section 5.3).
type mask [4]byte

// controlData returns the opcode and the unmasked data of a whole ping or pong. ok is false for every other
// frame, and if RFC 6455 forbids it.
func controlData(frame []byte) (opcode byte, data []byte, ok bool) {
	opcode = frame[0] &^ finBit
	if frame[0]&finBit == 0 || opcode != pingOpcode && opcode != pongOpcode || frame[1] < maskBit || frame[1] >= maskBit|length16 {
		return 0, nil, false
	}
	key := mask(frame[2:])
	data = frame[2+len(key):]
	for i := range data {
		data[i] ^= key[i%len(key)]
	}
	return opcode, data, true
}
