package client

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// An eventParser takes server-sent events (WHATWG HTML, section 9.2) out of a
// chunked response (RFC 9112, section 7.1), however the bytes are cut into reads.
type eventParser struct {
	chunks  chunkParser
	begun   bool   // the stream's first line is read
	afterCR bool   // a LF now belongs to the line end before
	told    bool   // the last call returned an event
	line    []byte // what came of a line whose end did not
	lines   int    // data lines of this event
	data    []byte // of this event, unless whole is
	whole   []byte // the only data line of this event, where it was read
}

var byteOrderMark = []byte("\uFEFF")

// next uses n bytes of in. If ok, they completed an event: data is its data
// lines joined by LF, or nothing for a comment, valid until the next call.
// io.EOF is the stream's proper end; an event that it cuts off is none.
func (p *eventParser) next(in []byte) (data []byte, ok bool, n int, err error) {
	if p.told {
		p.told, p.lines, p.data, p.whole = false, 0, p.data[:0], nil
	}
	for n < len(in) {
		// Data that is left of a piece is asked for again: pieces end with a line.
		piece, used, err := p.chunks.next(in[n:])
		if err != nil {
			return nil, false, n + used, err
		}
		n += used
		if len(piece) == 0 {
			continue
		}
		ended, err := p.take(piece)
		if err != nil {
			return nil, false, n, err
		}
		if ended {
			p.told = true
			if p.whole != nil {
				return p.whole, true, n, nil
			}
			return p.data, true, n, nil
		}
	}
	if p.whole != nil { // what it points to will not be there next time
		p.data, p.whole = append(p.data[:0], p.whole...), nil
	}
	return nil, false, n, nil
}

// take takes a piece that ends at the latest with its first line end, and says
// whether it completes an event.
func (p *eventParser) take(piece []byte) (ended bool, err error) {
	if p.afterCR {
		p.afterCR = false
		if piece[0] == '\n' {
			return false, nil // then it is all of the piece
		}
	}
	last := piece[len(piece)-1]
	if last != '\n' && last != '\r' {
		p.line = append(p.line, piece...)
		if len(p.line)+len(p.data) > maxBody {
			return false, errTooLong
		}
		return false, nil
	}
	p.afterCR = last == '\r' // nobody waits whether a LF follows: that may be long in coming
	line := piece[:len(piece)-1]
	if kept := len(p.line) > 0; kept {
		line = append(p.line, line...)
		p.line = line[:0]
		return p.field(line, false)
	}
	return p.field(line, true)
}

// field takes a line; if it stays it need not be copied before the call of next ends.
func (p *eventParser) field(line []byte, stays bool) (ended bool, err error) {
	if !p.begun {
		p.begun = true
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	if len(line) == 0 {
		return true, nil
	}
	// `id` repeats the cursor that the batch carries; `event` and `retry` are not used.
	name, value, _ := bytes.Cut(line, []byte(":"))
	if string(name) != "data" {
		return false, nil
	}
	value = bytes.TrimPrefix(value, []byte(" "))
	p.lines++
	if p.lines == 1 && stays {
		p.whole = value
		return false, nil
	}
	if p.whole != nil {
		p.data, p.whole = append(p.data[:0], p.whole...), nil
	}
	if p.lines > 1 {
		p.data = append(p.data, '\n')
	}
	if p.data = append(p.data, value...); len(p.data) > maxBody {
		return false, errTooLong
	}
	return false, nil
}

// errChunk says that chunked coding is not as it should be.
var errChunk = errors.New("malformed chunk")

// Where in chunked coding a parser is.
const (
	chunkSize = iota
	chunkData
	chunkCR
	chunkLF
	chunkTrailer
	chunkEnd
)

// A chunkParser undoes chunked coding.
type chunkParser struct {
	state int
	left  int    // of the current chunk
	line  []byte // what came of a line of the coding whose end did not
}

// Lines of the coding are short; nobody sends extensions.
const (
	maxCodingLine = 4096
	maxSizeDigits = 16
)

// next uses n bytes of in, and returns the data among them, if any: of one chunk,
// and of one line, its LF or CR included. io.EOF is the proper end.
func (c *chunkParser) next(in []byte) (data []byte, n int, err error) {
	for n < len(in) {
		switch c.state {
		case chunkData:
			data = in[n:min(len(in), n+c.left)]
			if i := bytes.IndexByte(data, '\n'); i >= 0 {
				data = data[:i+1]
			}
			if i := bytes.IndexByte(data, '\r'); i >= 0 {
				data = data[:i+1]
			}
			if c.left -= len(data); c.left == 0 {
				c.state = chunkCR
			}
			return data, n + len(data), nil
		case chunkCR, chunkLF:
			if in[n] != "\r\n"[c.state-chunkCR] {
				return nil, n, errChunk
			}
			n++
			if c.state++; c.state > chunkLF {
				c.state = chunkSize
			}
		case chunkEnd:
			return nil, n, io.EOF
		default:
			used, err := c.coding(in[n:])
			n += used
			if err != nil {
				return nil, n, err
			}
		}
	}
	return nil, n, nil
}

// coding takes a line of the coding itself, or what there is of it.
func (c *chunkParser) coding(in []byte) (n int, err error) {
	i := bytes.IndexByte(in, '\n')
	if i < 0 {
		if c.line = append(c.line, in...); len(c.line) > maxCodingLine {
			return 0, errChunk
		}
		return len(in), nil
	}
	line := in[:i]
	if len(c.line) > 0 {
		line = append(c.line, line...)
		c.line = c.line[:0]
	}
	line = bytes.TrimRight(line, "\r")
	if c.state == chunkTrailer {
		if len(line) == 0 {
			c.state = chunkEnd
			return i + 1, io.EOF
		}
		return i + 1, nil
	}
	digits, _, _ := bytes.Cut(line, []byte(";"))
	digits = bytes.TrimRight(digits, " \t")
	size, err := strconv.ParseUint(string(digits), 16, 31)
	if err != nil || len(digits) > maxSizeDigits {
		return 0, errChunk
	}
	c.left, c.state = int(size), chunkData
	if size == 0 {
		c.state = chunkTrailer
	}
	return i + 1, nil
}

// event takes at most one event out of in, of which it used n bytes. Its data is
// to be received; without data there was none, or a comment: a heartbeat.
func (s *subscriber) event(p *eventParser, in []byte) (data []byte, n int, err error) {
	data, ok, n, err := p.next(in)
	if err != nil || !ok {
		data = nil
	}
	s.traffic.Down.Framing.Add(int64(n - len(data)))
	return data, n, err
}
