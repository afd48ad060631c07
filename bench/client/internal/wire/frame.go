package wire

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// Opcodes of WebSocket frames (RFC 6455, section 5.2).
const (
	OpContinue = 0x0
	OpText     = 0x1
	OpBinary   = 0x2
	OpClose    = 0x8
	OpPing     = 0x9
	OpPong     = 0xa
)

// A Frame is one frame of a server.
type Frame struct {
	Opcode byte
	Final  bool
	Body   []byte
	Size   int // in bytes, header included
}

// IsControl reports whether it is a control frame (RFC 6455, section 5.5).
func (f *Frame) IsControl() bool { return f.Opcode >= OpClose }

// ParseFrame parses a server's frame from the beginning of in; its size is 0
// while it is not complete.
func ParseFrame(in []byte) (f Frame, err error) {
	if len(in) < 2 {
		return Frame{}, nil
	}
	f.Final, f.Opcode = in[0]&0x80 != 0, in[0]&0x0f
	control := f.IsControl()
	length, header, shortest := uint64(in[1]&0x7f), 2, uint64(0)
	switch {
	case in[0]&0x70 != 0:
		return Frame{}, fmt.Errorf("%w: reserved bits", ErrFrame)
	case f.Opcode > OpBinary && !control, f.Opcode > OpPong:
		return Frame{}, fmt.Errorf("%w: reserved opcode", ErrFrame)
	case in[1]&0x80 != 0:
		return Frame{}, fmt.Errorf("%w: server frame is masked", ErrFrame)
	case control && (!f.Final || length > 125):
		return Frame{}, fmt.Errorf("%w: control frame too long or fragmented", ErrFrame)
	case length == 126:
		header, shortest = 4, 126
	case length == 127:
		header, shortest = 10, 1<<16
	}
	if len(in) < header {
		return Frame{}, nil
	}
	switch header {
	case 4:
		length = uint64(binary.BigEndian.Uint16(in[2:]))
	case 10:
		length = binary.BigEndian.Uint64(in[2:])
	}
	switch {
	case length < shortest:
		return Frame{}, fmt.Errorf("%w: length is not minimally encoded", ErrFrame)
	case length > MaxBody:
		return Frame{}, ErrTooLong
	case uint64(len(in)-header) >= length:
		f.Body, f.Size = in[header:header+int(length)], header+int(length)
	}
	return f, nil
}

// FrameRoom is the largest size of the header of a client's frame, in bytes.
const FrameRoom = 14

// SealFrame encodes a client's final frame. The body follows the first FrameRoom bytes of
// out: SealFrame masks it and writes the header, of the returned size, before it. The mask
// is unpredictable (RFC 6455, section 5.3): Go's generator is ChaCha8, seeded by the system.
func SealFrame(out []byte, opcode byte) (frame []byte, header int) {
	var key [4]byte
	binary.NativeEndian.PutUint32(key[:], rand.Uint32())
	body := out[FrameRoom:]
	var room [FrameRoom]byte
	encoded := appendHeader(room[:0], opcode, len(body), key)
	mask(body, key)
	frame = out[FrameRoom-len(encoded):]
	copy(frame, encoded)
	return frame, len(encoded)
}

// appendHeader appends the header of a client's final frame, for a body of n bytes that is
// masked with the key (RFC 6455, section 5.2): the length takes 7, 7+16 or 7+64 bits, the
// key four bytes.
func appendHeader(dst []byte, opcode byte, n int, key [4]byte) []byte {
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

// OpenSealed decodes the first of frames, which SealFrame encoded, and unmasks its body in
// place.
func OpenSealed(frames []byte) (header int, body []byte) {
	const key = 4
	header, length := 2, int(frames[1]&0x7f)
	switch length {
	case 126:
		header, length = 4, int(binary.BigEndian.Uint16(frames[2:]))
	case 127:
		header, length = 10, int(binary.BigEndian.Uint64(frames[2:]))
	}
	body = frames[header+key : header+key+length]
	mask(body, [key]byte(frames[header:]))
	return header + key, body
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

// CloseCode returns the code of a close frame, or 1005 for none (RFC 6455, section 7.4.1).
func CloseCode(body []byte) int {
	if len(body) < 2 {
		return 1005
	}
	return int(body[0])<<8 | int(body[1])
}

// NewKey returns a nonce for an opening handshake (RFC 6455, section 4.1).
func NewKey() string {
	var nonce [16]byte
	binary.NativeEndian.PutUint64(nonce[:], rand.Uint64())
	binary.NativeEndian.PutUint64(nonce[8:], rand.Uint64())
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// OpensSocket returns an error unless the header accepts an opening handshake with the key
// and the offered subprotocol, which is "" if none was offered (RFC 6455, section 4.2.2).
func (h *Header) OpensSocket(key, offered string) error {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	switch {
	case h.Status != http.StatusSwitchingProtocols:
		return fmt.Errorf("upgrade returned status %d", h.Status)
	case !h.Upgrades:
		return fmt.Errorf("upgrade: %w", ErrResponse)
	case string(h.Accept) != base64.StdEncoding.EncodeToString(sum[:]):
		return ErrAccept
	case h.Extension, len(h.Protocol) > 0 && string(h.Protocol) != offered:
		return ErrExtra
	case len(h.Protocol) == 0 && offered != "":
		return ErrMissing // a browser closes the connection, too
	default:
		return nil
	}
}
