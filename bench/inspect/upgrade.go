package inspect

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
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

// upgrade makes the opening handshake, reads frames, and makes the closing handshake.
func (e *Exchange) upgrade(c *conn) error {
	t, key := e.Target, newKey()
	e.send(c, t.upgradeRequest(key), "")
	h, err := e.receive(c)
	if err != nil {
		return err
	}
	e.Response = h.explain(t.upgradeRules(key))
	if h.status != 101 {
		return e.wholeBody(c, h, newBody(c.reader, h))
	}
	if line, none := t.noSubprotocol(h); none {
		e.Response = append(e.Response, line)
	}
	return e.talk(c, h)
}

// upgradeRequest returns the lines of the handshake request.
func (t Target) upgradeRequest(key string) []Line {
	lines := append(t.opening(), []Line{
		field("Upgrade", "websocket", "protocol to switch to; the server may stay with HTTP (RFC 9110, section 7.8)"),
		field("Connection", "Upgrade", "limits Upgrade to the next hop: a proxy that does not understand it removes it (RFC 9110, section 7.6.1)"),
		field("Sec-WebSocket-Version", "13", "protocol version of RFC 6455, section 4.1; no other version is in use"),
		field("Sec-WebSocket-Key", key, "16 random bytes, new for each connection. The response depends on them, so that neither a cache nor a server without WebSocket support can produce it (RFC 6455, section 1.3)"),
	}...)
	lines = append(lines, t.own()...)
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
	accept := acceptOf(key)
	return []rule{
		{"", "101 switches to WebSocket after the empty line; any other status is a normal HTTP response (RFC 6455, section 4.2.2)", 0, func(_ string, h header) (Grade, string) {
			return judge(h.status == 101, "the server did not switch. "+meaning(h.status))
		}},
		{"Sec-WebSocket-Version", "versions that the server supports, if it refuses another one (RFC 6455, section 4.4)", 0, checkList("Sec-WebSocket-Version", token)},
		{"Upgrade", "the new protocol (RFC 6455, section 4.2.2)", 101, func(value string, h header) (Grade, string) {
			if h.status != 101 {
				return checkUpgrade(value, h)
			}
			return judge(equalFold(value, "websocket"), `must be "websocket" (RFC 6455, section 4.1)`)
		}},
		{"Connection", "limits Upgrade to the next hop (RFC 6455, section 4.2.2)", 101, func(value string, h header) (Grade, string) {
			if grade, why := checkList("Connection", token)(value, h); grade != Plain || h.status != 101 {
				return grade, why
			}
			return judge(has(value, "upgrade"), `must contain "Upgrade" (RFC 6455, section 4.1)`)
		}},
		{"Sec-WebSocket-Accept", "base64 of the SHA-1 of the key and a fixed GUID: proves that the server has read this request and supports the protocol (RFC 6455, section 4.2.2)", 101, switched(func(value string) bool { return value == accept }, "for the key of this request it must be "+accept+" (RFC 6455, section 4.1)")},
		{"Sec-WebSocket-Protocol", "the selected subprotocol, one of those offered, in the same letters (RFC 6455, section 4.2.2)", 0, switched(func(value string) bool { return slices.Contains(t.subprotocols(), value) }, "not offered: the client must fail the connection (RFC 6455, section 4.1)")},
		{"Sec-WebSocket-Extensions", "the selected extensions, from those offered (RFC 6455, section 9.1)", 0, func(value string, h header) (Grade, string) {
			if h.status != 101 {
				return Plain, ""
			}
			why := checkExtensions(value, t.Deflate)
			return judge(why == "", why)
		}},
		{"Content-Length", "length of the body; not allowed in a 101, which has none (RFC 9110, section 8.6)", 0, checkLength},
		{"Transfer-Encoding", "coding of the body; not allowed in a 101, which has none (RFC 9112, section 6.1)", 0, checkCoding},
	}
}

// subprotocols returns the offered subprotocols.
func (t Target) subprotocols() (all []string) {
	for one := range strings.SplitSeq(t.Subprotocol, ",") {
		if one = trimOWS(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}

// noSubprotocol returns a line if subprotocols were offered and the server selects none.
func (t Target) noSubprotocol(h header) (Line, bool) {
	return Line{
		Text: "Sec-WebSocket-Protocol: …", For: "the server may select no subprotocol (RFC 6455, section 4.2.2)",
		Grade: Contestable, Why: "but browsers then fail the connection (WebSockets Standard, section 2)",
	}, len(t.subprotocols()) > 0 && len(h.values("Sec-WebSocket-Protocol")) == 0
}

// talk sends the frames of the target, reads frames until the wait is over, and makes the closing
// handshake.
func (e *Exchange) talk(c *conn, h header) error {
	extensions := h.value("Sec-WebSocket-Extensions")
	s := &frames{
		deflate: e.Target.Deflate && checkExtensions(extensions, true) == "" && extensions != "",
		fresh:   strings.Contains(extensions, "server_no_context_takeover"),

		windowSize: 1 << windowBits(extensions),
	}
	c.extendDeadline(e.Target.wait())
	for _, text := range e.Target.Send {
		if _, err := c.Write(messageFrame(text)); err != nil {
			break // the server has closed: the frames that explain why are read
		}
	}
	if err := e.read(c, s); err != nil && !errors.Is(err, errSilence) {
		return err
	}
	c.extendDeadline(e.Target.wait())
	s.sent = !s.closed
	if _, err := c.Write(closeFrame); err != nil {
		return nil // the server has closed
	}
	if s.closed {
		return e.serverEnd(c, s)
	}
	if err := e.read(c, s); err != nil {
		if isLimit(err) || isViolation(err) || c.over() {
			return err
		}
		e.After = append(e.After, Line{Text: "(no close frame)", For: closePurpose, Grade: Missing, Why: plain(err).Error()})
		return nil
	}
	return e.serverEnd(c, s)
}

// serverEnd waits until the server ends the connection after both close frames.
func (e *Exchange) serverEnd(c *conn, s *frames) error {
	switch _, err := c.reader.Peek(1); {
	case err == nil:
		return e.read(c, s)
	case timedOut(err) && !c.over():
		e.After = append(e.After, Line{
			Text: "(the connection stays open)", Grade: Wrong,
			Why: "after both close frames the server must close the TCP connection at once (RFC 6455, section 5.5.1)",
		})
	case !timedOut(err):
		e.reach(c, "connection closed by the server")
	}
	return nil
}

// errSilence ends the wait for frames between two of them.
var errSilence = errors.New("timed out")

// read judges frames up to a close frame, and the ones that arrived with it.
func (e *Exchange) read(c *conn, s *frames) error {
	for !s.closed || c.reader.Buffered() > 0 {
		if _, err := c.reader.Peek(1); timedOut(err) {
			return errSilence
		} else if errors.Is(err, io.EOF) && !s.sent {
			return violates("the server ended the connection without a close frame (RFC 6455, section 7.1.1)")
		} else if err != nil && !s.sent {
			return violates("the connection failed: %v (RFC 6455, section 7.1.1)", err)
		} else if err != nil {
			return err
		}
		f, err := readFrame(c.reader, maxContent-e.content)
		switch {
		case isLimit(err) && s.judgeHeader(f) == "":
			return err
		case err != nil && !isLimit(err) && !timedOut(err):
			return violates("the connection ended within a frame (RFC 6455, section 7.1.7)")
		case timedOut(err):
			return err
		}
		e.frame(c, s, f)
		if err == nil && s.inflated > maxContent {
			err = errTooMuch
		}
		if err != nil {
			return err
		}
		if e.frames++; e.frames == maxFrames {
			return limit(fmt.Sprintf("more than %d frames; the rest was not read", maxFrames))
		}
	}
	return nil
}

// frame adds the explanation of a frame, and replies to a ping.
func (e *Exchange) frame(c *conn, s *frames, f frame) {
	e.content += len(f.payload)
	line := s.next(f)
	e.After = append(e.After, line)
	switch {
	case f.opcode == opClose && s.broken:
		e.After = append(e.After, Line{
			Text: "(a message without its last frame)", Grade: Contestable,
			Why: "allowed before a close frame, but the message is lost (RFC 6455, section 5.5.1)",
		})
		fallthrough
	case f.opcode == opClose:
		e.reach(c, "close frame received")
	case f.opcode == opPing && line.Grade == Right:
		_, _ = c.Write(clientFrame(opPong, string(f.payload))) // an error is found by the next read
	case f.opcode < opClose && !e.reached("first frame"):
		e.reach(c, "first frame")
		e.First = string(f.payload)
	}
}

// closeFrame has code 1000 (RFC 6455, section 5.5.1).
var closeFrame = clientFrame(opClose, "\x03\xe8")
