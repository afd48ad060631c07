package client

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes of WebSocket frames (RFC 6455, section 5.2).
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa
)

// A wsFrame is one frame that came from a server.
type wsFrame struct {
	opcode byte
	final  bool
	body   []byte
	size   int // in bytes, header included
}

// errFrame says that a frame is not as RFC 6455 has it.
var errFrame = errors.New("malformed frame")

// parseFrame parses a server's frame from the beginning of in; its size is 0
// while it is not complete.
func parseFrame(in []byte) (f wsFrame, err error) {
	if len(in) < 2 {
		return wsFrame{}, nil
	}
	f.final, f.opcode = in[0]&0x80 != 0, in[0]&0x0f
	control := f.opcode >= opClose
	length, header, least := uint64(in[1]&0x7f), 2, uint64(0)
	switch {
	case in[0]&0x70 != 0:
		return wsFrame{}, fmt.Errorf("%w: reserved bits", errFrame)
	case f.opcode > opBinary && !control, f.opcode > opPong:
		return wsFrame{}, fmt.Errorf("%w: reserved opcode", errFrame)
	case in[1]&0x80 != 0:
		return wsFrame{}, fmt.Errorf("%w: masked by a server", errFrame)
	case control && (!f.final || length > 125):
		return wsFrame{}, fmt.Errorf("%w: control frame too long or fragmented", errFrame)
	case length == 126:
		header, least = 4, 126
	case length == 127:
		header, least = 10, 1<<16
	}
	if len(in) < header {
		return wsFrame{}, nil
	}
	switch header {
	case 4:
		length = uint64(binary.BigEndian.Uint16(in[2:]))
	case 10:
		length = binary.BigEndian.Uint64(in[2:])
	}
	switch {
	case length < least:
		return wsFrame{}, fmt.Errorf("%w: length not in its shortest form", errFrame)
	case length > maxBody:
		return wsFrame{}, errTooLong
	case uint64(len(in)-header) >= length:
		f.body, f.size = in[header:header+int(length)], header+int(length)
	}
	return f, nil
}

// openFrame appends the header of a client's final frame whose body, of n bytes, is
// to follow: the body must then be masked with the key.
func openFrame(dst []byte, opcode byte, n int, key [4]byte) []byte {
	dst = append(dst, 0x80|opcode)
	switch {
	case n > 65535:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	case n > 125:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = append(dst, 0x80|byte(n))
	}
	return append(dst, key[:]...)
}

// mask masks or unmasks a body (RFC 6455, section 5.3).
func mask(body []byte, key [4]byte) {
	word := uint64(binary.LittleEndian.Uint32(key[:]))
	word |= word << 32
	for len(body) >= 8 {
		binary.LittleEndian.PutUint64(body, binary.LittleEndian.Uint64(body)^word)
		body = body[8:]
	}
	for i := range body {
		body[i] ^= key[i&3]
	}
}
