package wire

import "net/http"

// A Message is an HTTP answer or request that came whole.
type Message struct {
	Header
	Body []byte
	Size int // in bytes, header and coding included
}

// ParseAnswer parses an answer from the beginning of in; its size is 0 while it is
// not complete. room holds a body that came in chunks.
func ParseResponse(in []byte, room *[]byte) (m Message, headSize int, err error) {
	h, n, err := ParseHeader(in)
	if err != nil || n == 0 {
		return Message{}, n, err
	}
	switch {
	case h.Length == UntilClose && h.Status != http.StatusOK:
		h.Closes = true
		return Message{h, in[n:], len(in)}, n, nil // its status is all that matters
	case h.Length == UntilClose:
		return Message{}, n, ErrResponse // its end looks like a connection that breaks off
	}
	return withBody(h, in, n, room)
}

// ParseRequest parses a request like an answer; its status is 0.
func ParseRequest(in []byte, room *[]byte) (m Message, headSize int, err error) {
	h, n, err := parseMessageHeader(in, true)
	if err != nil || n == 0 {
		return Message{}, n, err
	}
	if h.Length == UntilClose {
		h.Length = 0 // a request has no body unless its header says so (RFC 9112, section 6.3)
	}
	return withBody(h, in, n, room)
}

// withBody completes the message whose header takes the first n bytes.
func withBody(h Header, in []byte, n int, room *[]byte) (m Message, headSize int, err error) {
	switch {
	case h.Length == Chunked:
		body, used, err := appendUnchunked((*room)[:0], in[n:])
		if *room = body; err != nil || used == 0 {
			return Message{}, n, err
		}
		return Message{h, body, n + used}, n, nil
	case h.Length > MaxBody:
		return Message{}, n, ErrTooLong
	case len(in) < n+h.Length:
		return Message{Header: h}, n, nil
	}
	return Message{h, in[n : n+h.Length], n + h.Length}, n, nil
}

// appendUnchunked undoes chunked coding, of n bytes; n is 0 while it is not complete.
func appendUnchunked(dst, in []byte) (body []byte, n int, err error) {
	var c chunks
	for {
		piece, used, err := c.next(in[n:])
		n += used
		switch dst = append(dst, piece...); {
		case err != nil && c.state == chunkEnd:
			return dst, n, nil
		case err != nil:
			return dst, 0, err
		case len(dst) > MaxBody:
			return dst, 0, ErrTooLong
		case n == len(in):
			return dst, 0, nil
		}
	}
}
