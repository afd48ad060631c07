package websocket

import (
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A publication is a message from a client: {"id":n,"topic":"…","data":"…"}.
type publication struct {
	id    uint64
	topic string
	data  []byte
}

// errNotPublication reports that a frame is not such an object. Without an id there is no response.
var errNotPublication = errors.New("not a publication")

// parsePublication reads a publication strictly: exactly its three members, each once, in any
// order. encoding/json would accept other spellings of the names and a repeated member,
// and would replace lone surrogates by something that the client did not send.
func parsePublication(text []byte) (publication, error) {
	p := parser{rest: text}
	var message publication
	seen := make(map[string]bool, 3)
	p.expect('{')
	for first := true; !p.bad && (first || p.accept(',')); first = false {
		name := string(p.str())
		p.expect(':')
		if seen[name] {
			return publication{}, errNotPublication
		}
		seen[name] = true
		p.member(name, &message)
	}
	p.expect('}')
	p.space()
	if p.bad || len(p.rest) > 0 || len(seen) != 3 {
		return publication{}, errNotPublication
	}
	return message, nil
}

// A parser consumes JSON from the front of rest; once bad it stays bad.
type parser struct {
	rest []byte
	bad  bool
}

func (p *parser) member(name string, message *publication) {
	switch name {
	case "id":
		message.id = p.number()
	case "topic":
		message.topic = string(p.str())
	case "data":
		message.data = p.str()
	default:
		p.bad = true
	}
}

func (p *parser) space() {
	for len(p.rest) > 0 {
		switch p.rest[0] {
		case ' ', '\t', '\r', '\n':
			p.rest = p.rest[1:]
		default:
			return
		}
	}
}

func (p *parser) accept(b byte) bool {
	p.space()
	if len(p.rest) == 0 || p.rest[0] != b {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) expect(b byte) { p.bad = !p.accept(b) || p.bad }

// number reads an integer from 0 to 2^64-1.
func (p *parser) number() uint64 {
	p.space()
	n := 0
	for n < len(p.rest) && '0' <= p.rest[n] && p.rest[n] <= '9' {
		n++
	}
	digits := string(p.rest[:n])
	v, err := strconv.ParseUint(digits, 10, 64)
	p.bad = p.bad || err != nil || n > 1 && digits[0] == '0'
	p.rest = p.rest[n:]
	return v
}

// str reads a string into new memory.
func (p *parser) str() []byte {
	p.expect('"')
	out := make([]byte, 0, max(0, len(p.rest)-2))
	for !p.bad {
		n := plain(p.rest)
		out = append(out, p.rest[:n]...)
		p.rest = p.rest[n:]
		if len(p.rest) == 0 || p.rest[0] < 0x20 {
			break
		}
		if p.rest[0] == '"' {
			p.rest = p.rest[1:]
			return out
		}
		out = p.escape(out)
	}
	p.bad = true
	return nil
}

// plain counts the bytes before the next quote, backslash or control character.
func plain(b []byte) int {
	for i, c := range b {
		if c < 0x20 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(b)
}

// escapes are the two-character escapes of RFC 8259 section 7.
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape(out []byte) []byte {
	if len(p.rest) < 2 {
		p.bad = true
		return out
	}
	if p.rest[1] == 'u' {
		return utf8.AppendRune(out, p.unicode())
	}
	c, known := escapes[p.rest[1]]
	p.bad = p.bad || !known
	p.rest = p.rest[2:]
	return append(out, c)
}

// unicode reads an escape of four hexadecimal digits, or two for a surrogate pair.
func (p *parser) unicode() rune {
	r := p.unit()
	if utf16.IsSurrogate(r) {
		r = utf16.DecodeRune(r, p.unit())
		p.bad = p.bad || r == utf8.RuneError
	}
	return r
}

func (p *parser) unit() rune {
	if len(p.rest) < 6 || p.rest[0] != '\\' || p.rest[1] != 'u' {
		p.bad = true
		return utf8.RuneError
	}
	v, err := strconv.ParseUint(string(p.rest[2:6]), 16, 16)
	p.bad = p.bad || err != nil
	p.rest = p.rest[6:]
	return rune(v)
}

// appendAck appends {"ack":id,"seq":seq}.
func appendAck(dst []byte, id, seq uint64) []byte {
	dst = append(dst, `{"ack":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, seq, 10)
	return append(dst, '}')
}

// appendRefusal appends {"error":"code","id":id}.
func appendRefusal(dst []byte, id uint64, code string) []byte {
	dst = append(dst, `{"error":"`...)
	dst = append(dst, code...)
	dst = append(dst, `","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	return append(dst, '}')
}
