package inspect

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// guid is the constant that a server appends to the key before hashing (RFC 6455, section 1.3).
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// acceptOf returns the accept value for a key: it proves that the server has read the request.
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + guid))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// newKey returns a nonce of 16 bytes (RFC 6455, section 4.1).
func newKey() string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(nonce)
}

// upgrade makes the opening handshake, reads the first frame, and makes the closing handshake.
func (e *Exchange) upgrade(c *conn) error {
	t, key := e.Target, newKey()
	if err := e.send(c, t.upgradeRequest(key)); err != nil {
		return err
	}
	h, err := e.receive(c)
	if err != nil {
		return err
	}
	e.Response = h.explain(t.upgradeRules(key))
	if h.status != 101 {
		return nil
	}
	return e.closeHandshake(c)
}

// upgradeRequest returns the lines of the handshake request.
func (t Target) upgradeRequest(key string) []Line {
	lines := append(t.opening(), []Line{
		field("Upgrade", "websocket", "protocol to switch to; the server may stay with HTTP (RFC 9110, section 7.8)"),
		field("Connection", "Upgrade", "limits Upgrade to the next hop: a proxy that does not understand it removes it (RFC 9110, section 7.6.1)"),
		field("Sec-WebSocket-Version", "13", "protocol version of RFC 6455, section 4.1; no other version is in use"),
		field("Sec-WebSocket-Key", key, "16 random bytes, new for each connection. The response depends on them, so that neither a cache nor a server without WebSocket support can produce it (RFC 6455, section 1.3)"),
	}...)
	if t.Origin != "" {
		lines = append(lines, field("Origin", t.Origin, "origin of the page whose script makes the request. Scripts cannot forge it, so that a server can refuse pages of other origins (RFC 6455, section 10.2)"))
	}
	if t.Subprotocol != "" {
		lines = append(lines, field("Sec-WebSocket-Protocol", t.Subprotocol, "offered protocols for the content of the frames; the server chooses one or none (RFC 6455, section 1.9)"))
	}
	if t.Deflate {
		lines = append(lines, field("Sec-WebSocket-Extensions", "permessage-deflate", "offered extensions: here the compression of each message (RFC 7692)"))
	}
	return lines
}

// upgradeRules returns the rules for the response; most apply only to a 101.
func (t Target) upgradeRules(key string) []rule {
	switched := func(right func(value string) bool, why string) check {
		return func(value string, h header) (Grade, string) {
			if h.status != 101 {
				return Plain, ""
			}
			return judge(right(value), why)
		}
	}
	is := func(want string) func(string) bool {
		return func(value string) bool { return strings.EqualFold(value, want) }
	}
	never := func(string) bool { return false }
	accept := acceptOf(key)
	const unoffered = "not offered: the client must fail the connection (RFC 6455, section 4.1)"
	return []rule{
		{"", "101 switches to WebSocket after the empty line; any other status is a normal HTTP response (RFC 6455, section 4.2.2)", 0, func(_ string, h header) (Grade, string) {
			return judge(h.status == 101, "the server did not switch")
		}},
		{"Sec-WebSocket-Version", "versions that the server supports, if it refuses another one (RFC 6455, section 4.4)", 0, nil},
		{"Upgrade", "the new protocol (RFC 6455, section 4.2.2)", 101, switched(is("websocket"), `must be "websocket"`)},
		{"Connection", "limits Upgrade to the next hop (RFC 6455, section 4.2.2)", 101, switched(func(value string) bool { return has(value, "upgrade") }, `must contain "Upgrade"`)},
		{"Sec-WebSocket-Accept", "base64 of the SHA-1 of the key and a fixed GUID: proves that the server has read this request and supports the protocol (RFC 6455, section 4.2.2)", 101, switched(func(value string) bool { return value == accept }, "for the key of this request it must be "+accept)},
		{"Sec-WebSocket-Protocol", "the selected subprotocol, one of those offered (RFC 6455, section 4.2.2)", 0, switched(func(value string) bool { return t.Subprotocol != "" && has(t.Subprotocol, value) }, unoffered)},
		{"Sec-WebSocket-Extensions", "the selected extensions, from those offered (RFC 6455, section 9.1)", 0, switched(func(value string) bool {
			name, _, _ := strings.Cut(value, ";")
			return t.Deflate && strings.TrimSpace(name) == "permessage-deflate"
		}, unoffered)},
		{"Content-Length", "not allowed in a 101, which has no body (RFC 9110, section 8.6)", 0, switched(never, "the bytes after the header are frames")},
		{"Transfer-Encoding", "not allowed in a 101, which has no body (RFC 9112, section 6.1)", 0, switched(never, "the bytes after the header are frames")},
	}
}

// closeHandshake reads the first frame, if one arrives, and makes the closing handshake.
func (e *Exchange) closeHandshake(c *conn) error {
	c.extendDeadline(e.Target.wait())
	if opening := e.Target.Opening; opening != "" {
		if _, err := c.Write(append([]byte{0x80 | opText, 0x80 | byte(len(opening)), 0, 0, 0, 0}, opening...)); err != nil {
			return fmt.Errorf("send the first frame: %w", err)
		}
	}
	first, err := readFrame(c.reader)
	if err == nil {
		e.reach(c, "first frame")
		e.After = append(e.After, first.explain())
		if first.opcode < opClose {
			e.First = string(first.payload)
		}
	} else if !timedOut(err) {
		return fmt.Errorf("read the first frame: %w", plain(err))
	}
	c.extendDeadline(e.Target.wait())
	if _, err := c.Write(closeFrame); err != nil {
		return fmt.Errorf("send the close frame: %w", err)
	}
	for first.opcode != opClose { // else the server has closed first
		f, err := readFrame(c.reader)
		if err != nil {
			e.After = append(e.After, Line{Text: "(no close frame)", For: closePurpose, Grade: Missing, Why: plain(err).Error()})
			return nil
		}
		if f.opcode == opClose {
			e.reach(c, "close frame received")
			e.After = append(e.After, f.explain())
			return nil
		}
	}
	return nil
}

// closeFrame has code 1000 and a masking key of zeros (RFC 6455, sections 5.3 and 5.5.1).
var closeFrame = []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}

// Opcodes (RFC 6455, section 5.2).
const (
	opText  = 1
	opClose = 8
)

var opcodes = map[byte]string{0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}

// A frame is a frame as received.
type frame struct {
	final    bool
	reserved byte
	opcode   byte
	masked   bool
	header   int // bytes
	payload  []byte
}

// maxFrame limits the size of a payload, in bytes.
const maxFrame = 1 << 20

// readFrame reads one frame (RFC 6455, section 5.2).
func readFrame(r *bufio.Reader) (f frame, err error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil {
		return f, err
	}
	f = frame{final: b[0]&0x80 != 0, reserved: b[0] & 0x70, opcode: b[0] & 0x0f, masked: b[1]&0x80 != 0, header: 2}
	length := uint64(b[1] & 0x7f)
	switch length {
	case 126:
		_, err = io.ReadFull(r, b[:2])
		length, f.header = uint64(binary.BigEndian.Uint16(b[:2])), 4
	case 127:
		_, err = io.ReadFull(r, b[:8])
		length, f.header = binary.BigEndian.Uint64(b[:8]), 10
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
	if length > maxFrame {
		return f, fmt.Errorf("a frame of %d bytes; allowed: %d", length, maxFrame)
	}
	f.payload = make([]byte, length)
	_, err = io.ReadFull(r, f.payload)
	return f, err
}

const closePurpose = "the reply to our close frame: it completes the close, and no data is lost (RFC 6455, section 5.5.1)"

// explain describes the frame.
func (f frame) explain() Line {
	name := opcodes[f.opcode]
	if name == "" {
		name = "opcode " + strconv.Itoa(int(f.opcode))
	}
	l := Line{
		Text:  fmt.Sprintf("%s frame: %d bytes of header, %d of payload", name, f.header, len(f.payload)),
		Bytes: f.header + len(f.payload),
		For:   "header of 2 bytes for a payload of up to 125, of 4 bytes up to 65,535 (RFC 6455, section 5.2)",
		Grade: Right,
	}
	if f.opcode == opClose {
		l.For = closePurpose
		if len(f.payload) >= 2 {
			l.Text = fmt.Sprintf("close frame: code %d", binary.BigEndian.Uint16(f.payload))
		}
	} else if f.opcode == opText {
		l.Text += ": " + cutText(string(f.payload))
	}
	l.Grade, l.Why = f.judge()
	return l
}

// judge checks the rules for frames from a server.
func (f frame) judge() (Grade, string) {
	switch {
	case f.masked:
		return Wrong, "a server must not mask (RFC 6455, section 5.1)"
	case f.reserved&^0x40 != 0, f.reserved != 0 && opcodes[f.opcode] != "text" && opcodes[f.opcode] != "binary":
		return Wrong, "reserved bits are set (RFC 6455, section 5.2)"
	case opcodes[f.opcode] == "":
		return Wrong, "this opcode is reserved (RFC 6455, section 5.2)"
	case f.opcode >= opClose && (!f.final || len(f.payload) > 125):
		return Wrong, "control frames are not fragmented and carry at most 125 bytes (RFC 6455, section 5.5)"
	default:
		return Right, ""
	}
}
