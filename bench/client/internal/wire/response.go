package wire

import "net/http"

// A Message is a complete HTTP response or request.
type Message struct {
	Header
	Body []byte
	Size int // in bytes, header and coding included
}

// A Room holds the body of a chunked message.
type Room struct {
	Body []byte
	// Partial, if it is set, continues a long message that is not complete where the last call ended: else a server
	// that sends it byte by byte would have all of it decoded again for each. It belongs to one message.
	Partial **Partial
}

// A Partial is a chunked message of which a part has arrived.
type Partial struct {
	chunks chunks
	used   int // bytes of the coding that are decoded
	body   []byte
}

// Held is how many bytes are held.
func (p *Partial) Held() int { return len(p.body) }

// longPartial is from how many bytes on the decoded part of a message is kept. Tests set it to less.
var longPartial = 64 << 10

// ParseResponse parses a response from the beginning of in; its size is 0 while it is
// not complete. room holds the body of a chunked response.
func ParseResponse(in []byte, room *Room) (m Message, headerSize int, err error) {
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
func ParseRequest(in []byte, room *Room) (m Message, headerSize int, err error) {
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
func withBody(h Header, in []byte, n int, room *Room) (m Message, headerSize int, err error) {
	switch {
	case h.Length == Chunked:
		body, used, err := room.unchunk(in[n:])
		if err != nil || used == 0 {
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

// unchunk decodes a chunked body of n bytes; n is 0 while it is not complete.
func (r *Room) unchunk(in []byte) (body []byte, n int, err error) {
	p := Partial{body: r.Body[:0]}
	if r.Partial != nil && *r.Partial != nil {
		p, *r.Partial = **r.Partial, nil
	} else {
		defer func() { r.Body = p.body }()
	}
	for {
		piece, used, err := p.chunks.next(in[p.used:])
		p.used += used
		switch p.body = append(p.body, piece...); {
		case err != nil && p.chunks.state == chunkEnd:
			return p.body, p.used, nil
		case err != nil:
			return nil, 0, err
		case p.used > MaxBody: // no less than the body
			return nil, 0, ErrTooLong
		case p.used < len(in):
		case r.Partial == nil || p.used < longPartial:
			return nil, 0, nil
		default:
			kept := p
			*r.Partial, p.body = &kept, nil
			return nil, 0, nil
		}
	}
}
