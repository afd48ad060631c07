package wire

import "net/http"

// A Message is a complete HTTP response or request.
type Message struct {
	Header
	Body []byte
	Size int // in bytes, header and coding included
}

// ParseResponse parses a response from the beginning of in; its size is 0 while it is
// not complete. room holds the body of a chunked response.
func ParseResponse(in []byte, room *[]byte) (m Message, headerSize int, err error) {
	h, n, err := ParseHeader(in)
	if err != nil || n == 0 {
		return Message{}, n, err
	}
	switch {
	case h.Length == UntilClose && h.Status != http.StatusOK:
		h.Closes = true
		return Message{h, in[n:], len(in)}, n, nil // only its status matters
	case h.Length == UntilClose:
		return Message{}, n, ErrResponse // its end looks like the failure of a connection
	}
	return withBody(h, in, n, room)
}

// ParseRequest parses a request like a response; its status is 0.
func ParseRequest(in []byte, room *[]byte) (m Message, headerSize int, err error) {
	h, n, err := parseMessageHeader(in, true)
	if err != nil || n == 0 {
		return Message{}, n, err
	}
	if h.Length == UntilClose {
		h.Length = 0 // a request without a length has no body (RFC 9112, section 6.3)
	}
	return withBody(h, in, n, room)
}

// withBody adds the body to the message whose header is the first n bytes of in.
func withBody(h Header, in []byte, n int, room *[]byte) (m Message, headerSize int, err error) {
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

// appendUnchunked decodes a chunked body of n bytes; n is 0 while it is not complete.
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
