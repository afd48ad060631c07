package wire

import (
	"bytes"
	"io"
	"strconv"
)

// States of the parser of chunked coding.
const (
	chunkSize = iota
	chunkData
	chunkCR
	chunkLF
	chunkTrailer
	chunkEnd
)

// chunks decodes chunked coding (RFC 9112, section 7.1).
type chunks struct {
	state int
	left  int    // bytes of the current chunk
	extra int    // bytes of the coding beyond what its data explains; then those of the trailers
	line  []byte // the beginning of a line of the coding whose end has not arrived
}

// Servers send no extensions and few trailers. A line of the coding is bounded, and so is the sum of their excess over
// what short lines and large chunks take, as in net/http: else a body of one byte could take any number of bytes.
const (
	maxCodingLine = 4096
	maxSizeDigits = 16
	maxExtra      = 16 << 10
	lineAllowance = 16 // bytes of a line that are no excess, and twice the chunk
)

// next consumes n bytes of in, and returns the data among them, if any: at most of one
// chunk and of one line, with its LF or CR. io.EOF is the regular end.
func (c *chunks) next(in []byte) (data []byte, n int, err error) {
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
				return nil, n, ErrChunk
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

// coding parses a line of the coding itself, or the part of it that has arrived.
func (c *chunks) coding(in []byte) (n int, err error) {
	i := bytes.IndexByte(in, '\n')
	if i >= 0 && len(c.line)+i > maxCodingLine {
		return 0, ErrChunk
	}
	if i < 0 {
		if c.line = append(c.line, in...); len(c.line) > maxCodingLine {
			return 0, ErrChunk
		}
		return len(in), nil
	}
	line := in[:i]
	c.extra += len(c.line) + i + 1
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
		if c.extra > maxHeader {
			return 0, ErrChunk
		}
		return i + 1, nil
	}
	digits, _, _ := bytes.Cut(line, []byte(";"))
	digits = bytes.TrimRight(digits, " \t")
	size, err := strconv.ParseUint(string(digits), 16, 31)
	if err != nil || len(digits) > maxSizeDigits {
		return 0, ErrChunk
	}
	c.left, c.state = int(size), chunkData
	if c.extra = max(0, c.extra-lineAllowance-2*c.left); c.extra > maxExtra {
		return 0, ErrChunk
	}
	if size == 0 {
		c.state, c.extra = chunkTrailer, 0
	}
	return i + 1, nil
}
