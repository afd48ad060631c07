package client

import (
	"bytes"
	"math"
	"net/http"
	"strconv"
)

// A head is what matters of an HTTP/1.1 answer's header (RFC 9112, sections 4 and 6).
type head struct {
	status    int
	length    int // of the body in bytes; chunkedBody or, if nothing is said, untilClose
	closes    bool
	upgrades  bool   // to WebSocket
	kind      []byte // media type, without parameters
	accept    []byte // Sec-WebSocket-Accept
	extension bool   // an extension or protocol was chosen
}

// What a header may say instead of a length.
const (
	chunkedBody = -1
	untilClose  = -2
)

// maxHead bounds a header, in bytes.
const maxHead = 64 << 10

// parseHead parses a header from the beginning of in, of which it is n bytes; n is
// 0 while it is not complete. What it points to is in in.
func parseHead(in []byte) (h head, n int, err error) {
	h.length = untilClose
	old := false // HTTP/1.0, which has no chunked coding and no lasting connections
	for line := 0; ; line++ {
		end := bytes.IndexByte(in[n:], '\n')
		if end < 0 {
			if len(in) > maxHead {
				return h, 0, errAnswer
			}
			return h, 0, nil
		}
		text := bytes.TrimSuffix(in[n:n+end], []byte("\r"))
		n += end + 1
		switch {
		case line == 0:
			if h.status = statusOf(text); h.status == 0 {
				err = errAnswer // told when the header is complete: until then it is a connection that broke off
			}
			old = err == nil && text[len("HTTP/1.")] == '0'
		case len(text) == 0:
			if h.status == 204 || h.status == 304 || h.status < 200 && h.status > 0 {
				h.length = 0 // whatever was said (RFC 9112, section 6.3)
			}
			if old && h.length == chunkedBody {
				err = errAnswer
			}
			h.closes = h.closes || old
			return h, n, err
		case !h.field(text):
			err = errAnswer
		}
	}
}

// statusOf is the status of a status line, or 0 if it is none.
func statusOf(line []byte) int {
	if len(line) < len("HTTP/1.1 200") || string(line[:7]) != "HTTP/1." || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return 0
	}
	status := 0
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return 0
		}
		status = status*10 + int(c-'0')
	}
	if status < 100 {
		return 0
	}
	return status
}

// field takes one field, and says whether it is sound.
func (h *head) field(line []byte) (sound bool) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return false
	}
	value = bytes.TrimSpace(value)
	switch {
	case is(name, "content-length"):
		return h.sized(value)
	case is(name, "transfer-encoding"):
		h.length = chunkedBody
		return is(value, "chunked")
	case is(name, "connection"):
		h.closes = h.closes || has(value, "close")
	case is(name, "upgrade"):
		h.upgrades = is(value, "websocket")
	case is(name, "content-type"):
		kind, _, _ := bytes.Cut(value, []byte(";"))
		h.kind = bytes.TrimSpace(kind)
	case is(name, "sec-websocket-accept"):
		h.accept = value
	case is(name, "sec-websocket-extensions"), is(name, "sec-websocket-protocol"):
		h.extension = h.extension || len(value) > 0
	}
	return true
}

// sized takes a Content-Length. One that contradicts another is unsound; beside
// chunked coding it does not count.
func (h *head) sized(value []byte) bool {
	length, err := strconv.ParseUint(string(value), 10, 63)
	if err != nil {
		return false
	}
	switch n := int(min(length, math.MaxInt)); h.length {
	case untilClose:
		h.length = n
		return true
	case chunkedBody:
		return true
	default:
		return h.length == n
	}
}

// is compares without regard to case; word is in lower case, and ASCII.
func is(text []byte, word string) bool {
	if len(text) != len(word) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// has says whether a list, parted by commas, has a word.
func has(list []byte, word string) bool {
	for len(list) > 0 {
		one, rest, _ := bytes.Cut(list, []byte(","))
		if is(bytes.TrimSpace(one), word) {
			return true
		}
		list = rest
	}
	return false
}

// An httpAnswer is an HTTP answer that came whole.
type httpAnswer struct {
	head
	body []byte
	size int // in bytes, header and coding included
}

// parseAnswer parses an answer from the beginning of in; its size is 0 while it is
// not complete. room holds a body that came in chunks.
func parseAnswer(in []byte, room *[]byte) (a httpAnswer, headSize int, err error) {
	h, n, err := parseHead(in)
	if err != nil || n == 0 {
		return httpAnswer{}, n, err
	}
	a.head = h
	switch {
	case h.length == untilClose && h.status != http.StatusOK:
		a.closes, a.body, a.size = true, in[n:], len(in) // its status is all that matters
	case h.length == untilClose:
		return httpAnswer{}, n, errAnswer // nobody can tell its end from a connection that breaks off
	case h.length == chunkedBody:
		body, used, err := appendUnchunked((*room)[:0], in[n:])
		if *room = body; err != nil || used == 0 {
			return httpAnswer{}, n, err
		}
		a.body, a.size = body, n+used
	case h.length > maxBody:
		return httpAnswer{}, n, errTooLong
	case len(in) >= n+h.length:
		a.body, a.size = in[n:n+h.length], n+h.length
	}
	return a, n, nil
}

// appendUnchunked undoes chunked coding, of n bytes; n is 0 while it is not complete.
func appendUnchunked(dst, in []byte) (body []byte, n int, err error) {
	var c chunkParser
	for {
		piece, used, err := c.next(in[n:])
		n += used
		switch dst = append(dst, piece...); {
		case err != nil && c.state == chunkEnd:
			return dst, n, nil
		case err != nil:
			return dst, 0, err
		case len(dst) > maxBody:
			return dst, 0, errTooLong
		case n == len(in):
			return dst, 0, nil
		}
	}
}
