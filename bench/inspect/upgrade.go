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

// guid is what a server adds to the key before it hashes it (RFC 6455, section 1.3).
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// acceptOf is the answer to a key: only who has read the request can know it.
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + guid))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// newKey is a nonce of 16 bytes (RFC 6455, section 4.1).
func newKey() string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(nonce)
}

// upgrade makes the opening handshake, reads what comes first, and says goodbye.
func (e *Exchange) upgrade(c *conn) error {
	t, key := e.Target, newKey()
	if err := e.send(c, t.upgradeRequest(key)); err != nil {
		return err
	}
	h, err := e.receive(c)
	if err != nil {
		return err
	}
	e.Answer = h.explain(t.upgradeRules(key))
	if h.status != 101 {
		return nil
	}
	return e.goodbye(c)
}

// upgradeRequest is the handshake's, line by line.
func (t Target) upgradeRequest(key string) []Line {
	lines := append(t.opening(), []Line{
		field("Upgrade", "websocket", "which protocol to go on with; the server may stay with HTTP (RFC 9110, section 7.8)"),
		field("Connection", "Upgrade", "that Upgrade is meant for the next server, so that a proxy which does not understand it takes it out (RFC 9110, section 7.6.1)"),
		field("Sec-WebSocket-Version", "13", "of the protocol: the one of RFC 6455, section 4.1; there is no other in use"),
		field("Sec-WebSocket-Key", key, "16 random bytes, new for each connection: the answer must be made of them, so neither a cache nor a server that knows nothing of WebSocket can give it (RFC 6455, section 1.3)"),
	}...)
	if t.Origin != "" {
		lines = append(lines, field("Origin", t.Origin, "the page whose script asks; a browser sends it and no script can forge it, so that a server can refuse other people's pages (RFC 6455, section 10.2)"))
	}
	if t.Subprotocol != "" {
		lines = append(lines, field("Sec-WebSocket-Protocol", t.Subprotocol, "what to speak inside the frames; the server chooses one of these, or none (RFC 6455, section 1.9)"))
	}
	if t.Deflate {
		lines = append(lines, field("Sec-WebSocket-Extensions", "permessage-deflate", "what the client can do beyond the RFC: here compress each message (RFC 7692)"))
	}
	return lines
}

// upgradeRules are of the answer to it; most are of what only a 101 must have.
func (t Target) upgradeRules(key string) []rule {
	switched := func(right func(value string) bool, why string) check {
		return func(value string, h head) (Grade, string) {
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
	const unoffered = "it was not offered: the client must fail the connection (RFC 6455, section 4.1)"
	return []rule{
		{"", "101 switches to the WebSocket at the byte behind the empty line; anything else is an ordinary answer of HTTP (RFC 6455, section 4.2.2)", 0, func(_ string, h head) (Grade, string) {
			return judge(h.status == 101, "the server did not switch")
		}},
		{"Sec-WebSocket-Version", "which versions the server speaks, when it refused another (RFC 6455, section 4.4)", 0, nil},
		{"Upgrade", "the protocol that follows (RFC 6455, section 4.2.2)", 101, switched(is("websocket"), `it must be "websocket"`)},
		{"Connection", "that Upgrade is meant for the next client (RFC 6455, section 4.2.2)", 101, switched(func(value string) bool { return has(value, "upgrade") }, `it must hold "Upgrade"`)},
		{"Sec-WebSocket-Accept", "base64 of the SHA-1 of the key and a fixed GUID: shows that the server has read this request and knows the protocol (RFC 6455, section 4.2.2)", 101, switched(func(value string) bool { return value == accept }, "for the key of this request it must be "+accept)},
		{"Sec-WebSocket-Protocol", "which of the offered subprotocols is spoken (RFC 6455, section 4.2.2)", 0, switched(func(value string) bool { return t.Subprotocol != "" && has(t.Subprotocol, value) }, unoffered)},
		{"Sec-WebSocket-Extensions", "which of the offered extensions are in use (RFC 6455, section 9.1)", 0, switched(func(value string) bool {
			name, _, _ := strings.Cut(value, ";")
			return t.Deflate && strings.TrimSpace(name) == "permessage-deflate"
		}, unoffered)},
		{"Content-Length", "a 101 has no body, so it must not be there (RFC 9110, section 8.6)", 0, switched(never, "the bytes behind the header are frames")},
		{"Transfer-Encoding", "a 101 has no body, so it must not be there (RFC 9112, section 6.1)", 0, switched(never, "the bytes behind the header are frames")},
	}
}

// goodbye reads the first frame, if one comes, and makes the closing handshake.
func (e *Exchange) goodbye(c *conn) error {
	c.patience(e.Target.wait())
	first, err := readFrame(c.reader)
	if err == nil {
		e.reach(c, "first frame")
		e.After = append(e.After, first.explain())
	} else if !nothingYet(err) {
		return fmt.Errorf("read the first frame: %w", plain(err))
	}
	c.patience(e.Target.wait())
	if _, err := c.Write(closeFrame); err != nil {
		return fmt.Errorf("say goodbye: %w", err)
	}
	for first.opcode != opClose { // or the server was the first to say it
		f, err := readFrame(c.reader)
		if err != nil {
			e.After = append(e.After, Line{Text: "(no close frame)", For: farewell, Grade: Missing, Why: plain(err).Error()})
			return nil
		}
		if f.opcode == opClose {
			e.reach(c, "close frame answered")
			e.After = append(e.After, f.explain())
			return nil
		}
	}
	return nil
}

// closeFrame says 1000, masked by a key of zeros (RFC 6455, sections 5.3 and 5.5.1).
var closeFrame = []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}

// Opcodes (RFC 6455, section 5.2).
const (
	opText  = 1
	opClose = 8
)

var opcodes = map[byte]string{0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}

// A frame is one as it came.
type frame struct {
	final    bool
	reserved byte
	opcode   byte
	masked   bool
	header   int // bytes
	payload  []byte
}

// maxFrame bounds what is read of a payload, in bytes.
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
		return f, fmt.Errorf("a frame of %d bytes", length)
	}
	f.payload = make([]byte, length)
	_, err = io.ReadFull(r, f.payload)
	return f, err
}

const farewell = "the answer to our close frame: only then is the connection closed, and nothing lost (RFC 6455, section 5.5.1)"

// explain says what is in the frame.
func (f frame) explain() Line {
	name := opcodes[f.opcode]
	if name == "" {
		name = "opcode " + strconv.Itoa(int(f.opcode))
	}
	l := Line{
		Text:  fmt.Sprintf("%s frame: %d bytes of header, %d of payload", name, f.header, len(f.payload)),
		Bytes: f.header + len(f.payload),
		For:   "two bytes of header for up to 125 of payload, four up to 65,535 (RFC 6455, section 5.2)",
		Grade: Right,
	}
	if f.opcode == opClose {
		l.For = farewell
		if len(f.payload) >= 2 {
			l.Text = fmt.Sprintf("close frame: code %d", binary.BigEndian.Uint16(f.payload))
		}
	} else if f.opcode == opText {
		l.Text += ": " + cutText(string(f.payload))
	}
	l.Grade, l.Why = f.judge()
	return l
}

// judge says what no server's frame may be.
func (f frame) judge() (Grade, string) {
	switch {
	case f.masked:
		return Wrong, "a server must not mask (RFC 6455, section 5.1)"
	case f.reserved&^0x40 != 0, f.reserved != 0 && opcodes[f.opcode] != "text" && opcodes[f.opcode] != "binary":
		return Wrong, "reserved bits are set (RFC 6455, section 5.2)"
	case opcodes[f.opcode] == "":
		return Wrong, "this opcode is reserved (RFC 6455, section 5.2)"
	case f.opcode >= opClose && (!f.final || len(f.payload) > 125):
		return Wrong, "control frames are whole and carry 125 bytes at most (RFC 6455, section 5.5)"
	default:
		return Right, ""
	}
}
