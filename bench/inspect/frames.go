package inspect

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Opcodes (RFC 6455, section 5.2).
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

var opcodes = map[byte]string{opContinuation: "continuation", opText: "text", opBinary: "binary", opClose: "close", opPing: "ping", opPong: "pong"}

// A frame is a frame as received.
type frame struct {
	final    bool
	reserved byte
	opcode   byte
	masked   bool
	header   int    // bytes
	length   uint64 // as declared
	payload  []byte
}

// Limits of what is read after a header, in bytes and in frames.
const (
	maxContent = 1 << 20
	maxFrames  = 1000
)

var errTooMuch = limit(fmt.Sprintf("more than %d bytes; the rest was not read", maxContent))

// readFrame reads one frame with at most limit bytes of payload (RFC 6455, section 5.2). A
// longer one has no payload, and the error is errTooMuch.
func readFrame(r *bufio.Reader, limit int) (f frame, err error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil {
		return f, err
	}
	f = frame{final: b[0]&0x80 != 0, reserved: b[0] & 0x70, opcode: b[0] & 0x0f, masked: b[1]&0x80 != 0, header: 2}
	f.length = uint64(b[1] & 0x7f)
	switch f.length {
	case 126:
		_, err = io.ReadFull(r, b[:2])
		f.length, f.header = uint64(binary.BigEndian.Uint16(b[:2])), 4
	case 127:
		_, err = io.ReadFull(r, b[:8])
		f.length, f.header = binary.BigEndian.Uint64(b[:8]), 10
	}
	if err != nil {
		return f, err
	}
	if f.masked {
		if _, err := io.ReadFull(r, b[:4]); err != nil {
			return f, err
		}
		f.header += 4
	}
	if f.length > uint64(limit) {
		return f, errTooMuch
	}
	content, err := io.ReadAll(io.LimitReader(r, int64(f.length)))
	if f.payload = content; err == nil && uint64(len(content)) < f.length {
		err = io.ErrUnexpectedEOF
	}
	for i := range f.payload {
		if f.masked {
			f.payload[i] ^= b[i%4]
		}
	}
	return f, err
}

// frames judges the frames of a server in order.
type frames struct {
	deflate bool // permessage-deflate was selected
	fresh   bool // each message begins without the window of the last (server_no_context_takeover)
	sent    bool // our close frame was sent

	started    byte // opcode of a message that is not complete; 0: none
	compressed bool
	message    []byte // so far
	notText    bool   // the message has bytes that cannot be UTF-8, whatever follows
	window     []byte // at most 32 KiB of the last decompressed text
	windowSize int    // to which the server has limited itself
	inflated   int    // decompressed bytes of all messages
	closed     bool
	broken     bool // within a message
	wrong      bool // a frame was
}

// next explains the next frame.
func (s *frames) next(f frame) Line {
	name := opcodes[f.opcode]
	if name == "" {
		name = "opcode " + strconv.Itoa(int(f.opcode))
	}
	l := Line{
		Text:  fmt.Sprintf("%s frame: %d bytes of header, %d of payload", name, f.header, f.length),
		Bytes: f.header + len(f.payload),
		For:   "header of 2 bytes for a payload of up to 125, of 4 bytes up to 65,535 (RFC 6455, section 5.2)",
		Grade: Right,
	}
	why := s.judgeHeader(f)
	switch {
	case why != "":
	case f.opcode == opClose:
		why = s.close(f, &l)
	case f.opcode < opClose:
		why = s.data(f, &l)
	}
	if why != "" {
		l.Grade, l.Why = Wrong, why
		s.wrong = true
	}
	return l
}

// judgeHeader checks the header of a frame; "": it is correct.
func (s *frames) judgeHeader(f frame) string {
	control := f.opcode >= opClose
	switch {
	case s.closed:
		return "no frame is allowed after a close frame (RFC 6455, section 5.5.1)"
	case f.masked:
		return "a server must not mask (RFC 6455, section 5.1)"
	case opcodes[f.opcode] == "":
		return "this opcode is reserved (RFC 6455, section 5.2)"
	case f.reserved&^0x40 != 0 || f.reserved != 0 && !s.deflate:
		return "reserved bits are set, and no selected extension uses them (RFC 6455, section 5.2)"
	case f.reserved != 0 && (control || f.opcode == opContinuation):
		return "RSV1 is allowed only in the first frame of a message (RFC 7692, section 6)"
	case control && (!f.final || f.length > 125):
		return "control frames are not fragmented and carry at most 125 bytes (RFC 6455, section 5.5)"
	case f.length >= 1<<63:
		return "the first bit of a length of 64 bits must be 0 (RFC 6455, section 5.2)"
	case f.length < 126 && f.lengthBytes() > 0 || f.length < 1<<16 && f.lengthBytes() > 2:
		return "the length must use the smallest number of bytes (RFC 6455, section 5.2)"
	case f.opcode == opContinuation && s.started == 0:
		return "a continuation frame without a message that it continues (RFC 6455, section 5.4)"
	case !control && f.opcode != opContinuation && s.started != 0:
		return "a new message begins before the last frame of the one before (RFC 6455, section 5.4)"
	}
	return ""
}

// lengthBytes returns the bytes of the extended length: 0, 2 or 8.
func (f frame) lengthBytes() int {
	if f.masked {
		return f.header - 6
	}
	return f.header - 2
}

// data adds a data frame to its message, and checks the message if it is complete.
func (s *frames) data(f frame, l *Line) string {
	if f.opcode != opContinuation {
		s.started, s.compressed, s.message, s.notText = f.opcode, f.reserved != 0, nil, false
	}
	s.message = append(s.message, f.payload...)
	if !f.final {
		l.For = "part of a message; its last frame has FIN set (RFC 6455, section 5.4)"
		if s.started != opText || s.compressed || s.notText || !cannotBeText(s.message) {
			return ""
		}
		s.notText = true
		return notUTF8
	}
	kind := s.started
	s.started = 0
	content, what := s.message, ""
	if s.compressed {
		var err error
		if content, err = s.inflate(s.message); errors.Is(err, errTooMuch) {
			l.Text += fmt.Sprintf(", all messages decompressed more than %d", maxContent)
			return ""
		} else if isViolation(err) {
			return err.Error()
		} else if err != nil {
			return "the payload is not compressed with DEFLATE (RFC 7692, section 7.2.2)"
		}
		what = fmt.Sprintf(" (decompressed: %d bytes)", len(content))
	}
	if kind != opText {
		l.Text += what
		return ""
	}
	l.Text += what + ": " + cutText(string(content))
	if !utf8.Valid(content) && !s.notText {
		return notUTF8
	}
	return ""
}

const notUTF8 = "the text is not UTF-8 (RFC 6455, sections 5.6 and 8.1)"

// cannotBeText reports whether a text is not UTF-8, even if its last letter is cut off.
func cannotBeText(text []byte) bool {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			return utf8.FullRune(text)
		}
		text = text[size:]
	}
	return false
}

// largestWindow is that of DEFLATE in bytes.
const largestWindow = 32 << 10

// inflate decompresses a message (RFC 7692, section 7.2.2). A final block need not be the last one of the
// message: the next block begins at the next byte (section 7.2.1).
func (s *frames) inflate(compressed []byte) (all []byte, err error) {
	const tail = "\x00\x00\xff\xff" + "\x01\x00\x00\xff\xff" // the bytes that the sender removed, and an empty final block
	window := s.window
	for in := bytes.NewReader(append(slices.Clone(compressed), tail...)); in.Len() > 0; {
		out, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(in, window), int64(maxContent+1-s.inflated)))
		if err != nil {
			return nil, err
		}
		if s.inflated += len(out); s.inflated > maxContent {
			return nil, errTooMuch
		}
		all, window = append(all, out...), append(window, out...)
		window = window[max(0, len(window)-largestWindow):]
	}
	if distance := s.beyond(compressed); distance > 0 {
		return nil, violates("the payload refers to text %d bytes before, beyond the selected window of %d (RFC 7692, section 7.1.2.1)", distance, s.windowSize)
	}
	if !s.fresh {
		s.window = window
	}
	return all, nil
}

// beyond returns the farthest distance to which a message refers, if it is beyond the window.
func (s *frames) beyond(compressed []byte) int {
	if s.windowSize == largestWindow { // then it would not be DEFLATE
		return 0
	}
	if distance := farthest(compressed); distance > s.windowSize {
		return distance
	}
	return 0
}

// closeCodes are the meanings of codes (RFC 6455, section 7.4.1, and the registry of IANA).
var closeCodes = map[int]string{
	1000: "normal closure", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1007: "invalid payload", 1008: "policy violation",
	1009: "message too big", 1010: "the client expected an extension", 1011: "internal error", 1012: "service restart", 1013: "try again later", 1014: "bad gateway",
}

// close checks a close frame, and names code, reason and the side that closes first.
func (s *frames) close(f frame, l *Line) string {
	s.closed = true
	l.For = "the server closes first; the client replies with a close frame (RFC 6455, section 5.5.1)"
	if s.sent {
		l.For = closePurpose
	}
	s.broken = s.started != 0 && !s.wrong
	switch {
	case len(f.payload) == 0:
		l.Text = "close frame: without a code"
		return ""
	case len(f.payload) == 1:
		return "a close frame has no payload or at least the 2 bytes of a code (RFC 6455, section 5.5.1)"
	}
	code, reason := int(binary.BigEndian.Uint16(f.payload)), string(f.payload[2:])
	l.Text = fmt.Sprintf("close frame: code %d", code)
	if meaning := closeCodes[code]; meaning != "" {
		l.Text += " (" + meaning + ")"
	}
	if reason != "" {
		l.Text += ": " + cutText(reason)
	}
	switch {
	case closeCodes[code] == "" && (code < 3000 || code > 4999):
		return fmt.Sprintf("the code %d must not be sent (RFC 6455, section 7.4)", code)
	case !utf8.ValidString(reason):
		return "the reason is not UTF-8 (RFC 6455, section 5.5.1)"
	case code == 1010:
		l.Grade, l.Why = Contestable, "the code 1010 is meant for clients (RFC 6455, section 7.4.1)"
	}
	return ""
}

const closePurpose = "the reply to our close frame: it completes the close, and no data is lost (RFC 6455, section 5.5.1)"

// clientFrame returns a final frame with a masking key of zeros (RFC 6455, section 5.3).
func clientFrame(opcode byte, payload string) []byte {
	b := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}
