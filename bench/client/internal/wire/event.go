package wire

import "bytes"

// Pieces parses the pieces of a stream, each of which is a batch, from a chunked response,
// however the bytes are split into reads.
type Pieces interface {
	// Next consumes n bytes of in. If ok, they completed a piece: data is valid until the
	// next call, and empty for a heartbeat. io.EOF is the stream's regular end; an
	// incomplete piece before it is discarded.
	Next(in []byte) (data []byte, ok bool, n int, err error)
	// WithoutCoding sets that the stream is not in chunked coding: it ends with its connection.
	WithoutCoding()
	// Held is how many bytes of an incomplete piece are held.
	Held() int
}

// Events are the Pieces of a stream of server-sent events (WHATWG HTML, section 9.2): the
// data lines of each event, joined by LF.
type Events struct {
	lines    lines
	begun    bool   // the stream's first line is read
	complete bool   // the last call returned an event
	count    int    // data lines of this event
	data     []byte // of this event, unless single is set
	single   []byte // the only data line of this event, in the input
	id       []byte // of this event
	hasID    bool
}

// WithoutCoding implements Pieces.
func (e *Events) WithoutCoding() { e.lines.withoutCoding() }

// Held implements Pieces.
func (e *Events) Held() int {
	if e.complete {
		return 0
	}
	return len(e.lines.part) + len(e.data)
}

// ID is the id of the last event; nil if it has none.
func (e *Events) ID() []byte {
	if !e.hasID {
		return nil
	}
	return e.id
}

// maxID bounds the id of an event, in bytes: a client sends it with its next request.
const maxID = 4096

var byteOrderMark = []byte("\uFEFF")

// Next parses one event. An event without data is a comment.
func (e *Events) Next(in []byte) (data []byte, ok bool, n int, err error) {
	if e.complete {
		if cap(e.data) > longKept {
			e.data = nil
		}
		e.complete, e.count, e.data, e.single, e.hasID = false, 0, e.data[:0], nil, false
	}
	for n < len(in) {
		line, ok, used, err := e.lines.next(in[n:], len(e.data))
		n += used
		if err == nil && ok {
			err = e.addLine(line)
		}
		switch {
		case err != nil:
			return nil, false, n, err
		case !e.complete:
		case e.single != nil:
			return e.single, true, n, nil
		default:
			return e.data, true, n, nil
		}
	}
	e.copySingle() // the next call may overwrite the input
	return nil, false, n, nil
}

// addLine adds a line to the event.
func (e *Events) addLine(line []byte) error {
	if !e.begun {
		e.begun = true
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	if len(line) == 0 {
		e.complete = true
		return nil
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) { // `event` and `retry` are not used
	case "data":
	case "id":
		switch {
		case len(value) > maxID:
			return ErrID
		case bytes.IndexByte(value, 0) >= 0: // ignored, as the standard says
			return nil
		}
		e.id, e.hasID = append(e.id[:0], value...), true
		return nil
	default:
		return nil
	}
	e.count++
	if e.count == 1 && !e.lines.copied {
		e.single = value
		return nil
	}
	e.copySingle()
	if e.count > 1 {
		e.data = append(e.data, '\n')
	}
	if e.data = append(e.data, value...); len(e.data) > MaxBody {
		return ErrTooLong
	}
	return nil
}

func (e *Events) copySingle() {
	if e.single != nil {
		e.data, e.single = append(e.data[:0], e.single...), nil
	}
}
