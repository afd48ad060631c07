package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A frame is what a server may send: a batch, or the outcome of a publication.
type frame struct {
	Batch
	acked     bool
	errorName []byte // set when the publication was refused
	id        uint64
	seq       uint64
}

// ErrMalformed is wrapped by every error of the decoder.
var ErrMalformed = errors.New("malformed batch")

// A decoder reads frames. It points into the input where it can and allocates only for
// strings with escapes. Fields may be in any order; unknown ones are skipped, so that a
// server may send more fields. It accepts all that encoding/json accepts, with the same
// values. In addition it accepts raw control characters and invalid UTF-8 in strings,
// because checking them would need another pass over every byte.
type decoder struct {
	in   []byte
	at   int
	text []byte // unescaped strings of the current frame
}

// decode reads one JSON object. f's slices are reused.
func (d *decoder) decode(in []byte, f *frame) error {
	d.in, d.at, d.text = in, 0, d.text[:0]
	*f = frame{Batch: Batch{Messages: f.Messages[:0], Gaps: f.Gaps[:0]}}
	if err := d.object(func(key []byte) error { return d.frameField(key, f) }); err != nil {
		return err
	}
	if d.space(); d.at != len(d.in) {
		return d.syntaxError("end of input")
	}
	return nil
}

func (d *decoder) frameField(key []byte, f *frame) (err error) {
	switch string(key) {
	case "cursor":
		f.Cursor, err = d.str()
	case "messages":
		err = d.array(func() error { return d.message(f) })
	case "gap":
		err = d.array(func() error { return d.gap(f) })
	case "heads":
		f.Ack = true
		err = d.skip(0)
	case "ack":
		f.acked = true
		f.id, err = d.number()
	case "id":
		f.id, err = d.number()
	case "seq":
		f.seq, err = d.number()
	case "error":
		f.errorName, err = d.str()
	default:
		err = d.skip(0)
	}
	return err
}

func (d *decoder) message(f *frame) error {
	if len(f.Messages) == maxElements {
		return d.syntaxError("fewer messages")
	}
	f.Messages = append(f.Messages, Message{})
	m := &f.Messages[len(f.Messages)-1]
	return d.object(func(key []byte) (err error) {
		switch string(key) {
		case "topic":
			m.Topic, err = d.str()
		case "seq":
			m.Seq, err = d.number()
		case "data":
			m.Data, err = d.str()
		default:
			err = d.skip(0)
		}
		return err
	})
}

func (d *decoder) gap(f *frame) error {
	if len(f.Gaps) == maxElements {
		return d.syntaxError("fewer gaps")
	}
	f.Gaps = append(f.Gaps, Gap{})
	g := &f.Gaps[len(f.Gaps)-1]
	return d.object(func(key []byte) (err error) {
		switch string(key) {
		case "topic":
			var topic []byte
			topic, err = d.str()
			g.Topic = string(topic)
		case "from":
			g.From, err = d.number()
		case "to":
			if d.literal("null") {
				g.EpochChanged = true
				return nil
			}
			g.To, err = d.number()
		default:
			err = d.skip(0)
		}
		return err
	})
}

func (d *decoder) object(field func(key []byte) error) error {
	if !d.char('{') {
		return d.syntaxError("{")
	}
	if d.char('}') {
		return nil
	}
	for {
		key, err := d.str()
		if err != nil {
			return err
		}
		if !d.char(':') {
			return d.syntaxError(":")
		}
		if err := field(key); err != nil {
			return err
		}
		if d.char('}') {
			return nil
		}
		if !d.char(',') {
			return d.syntaxError(", or }")
		}
	}
}

func (d *decoder) array(element func() error) error {
	if !d.char('[') {
		return d.syntaxError("[")
	}
	if d.char(']') {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if d.char(']') {
			return nil
		}
		if !d.char(',') {
			return d.syntaxError(", or ]")
		}
	}
}

func (d *decoder) space() {
	for d.at < len(d.in) && (d.in[d.at] == ' ' || d.in[d.at] == '\n' || d.in[d.at] == '\t' || d.in[d.at] == '\r') {
		d.at++
	}
}

// char consumes c, after white space, if it is next.
func (d *decoder) char(c byte) bool {
	d.space()
	if d.at < len(d.in) && d.in[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *decoder) literal(word string) bool {
	d.space()
	if bytes.HasPrefix(d.in[d.at:], []byte(word)) {
		d.at += len(word)
		return true
	}
	return false
}

func (d *decoder) number() (uint64, error) {
	d.space()
	start := d.at
	for d.at < len(d.in) && d.in[d.at] >= '0' && d.in[d.at] <= '9' {
		d.at++
	}
	digits := d.in[start:d.at]
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' {
		return 0, d.syntaxError("an unsigned number")
	}
	v, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0, d.syntaxError("a number of 64 bits")
	}
	return v, nil
}

// str reads a string. A string without escapes, the usual case, is a slice of the input.
func (d *decoder) str() ([]byte, error) {
	if !d.char('"') {
		return nil, d.syntaxError("a string")
	}
	rest := d.in[d.at:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil, d.syntaxError("the end of a string")
	}
	if bytes.IndexByte(rest[:end], '\\') < 0 {
		d.at += end + 1
		return rest[:end:end], nil
	}
	return d.escaped()
}

func (d *decoder) escaped() ([]byte, error) {
	start := len(d.text)
	for d.at < len(d.in) {
		c := d.in[d.at]
		d.at++
		switch c {
		case '"':
			return d.text[start:len(d.text):len(d.text)], nil
		case '\\':
			if err := d.escape(); err != nil {
				return nil, err
			}
		default:
			d.text = append(d.text, c)
		}
	}
	return nil, d.syntaxError("the end of a string")
}

// escape reads what follows a backslash (RFC 8259 section 7).
func (d *decoder) escape() error {
	if d.at >= len(d.in) {
		return d.syntaxError("an escape")
	}
	c := d.in[d.at]
	d.at++
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		d.text = append(d.text, "\"\\/\b\f\n\r\t"[i])
		return nil
	}
	if c != 'u' {
		return d.syntaxError("an escape")
	}
	r, err := d.hex4()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) {
		r = d.lowSurrogate(r)
	}
	d.text = utf8.AppendRune(d.text, r)
	return nil
}

// lowSurrogate completes a surrogate pair. A lone surrogate becomes U+FFFD, and the text
// after it remains unread.
func (d *decoder) lowSurrogate(high rune) rune {
	start := d.at
	if bytes.HasPrefix(d.in[d.at:], []byte(`\u`)) {
		d.at += 2
		if low, err := d.hex4(); err == nil {
			if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
				return r
			}
		}
	}
	d.at = start
	return utf8.RuneError
}

func (d *decoder) hex4() (rune, error) {
	if len(d.in)-d.at < 4 {
		return 0, d.syntaxError("four hexadecimal digits")
	}
	v, err := strconv.ParseUint(string(d.in[d.at:d.at+4]), 16, 16)
	if err != nil {
		return 0, d.syntaxError("four hexadecimal digits")
	}
	d.at += 4
	return rune(v), nil
}

// maxElements bounds the messages and the gaps of a batch: empty ones would take many times the memory of their text.
const maxElements = 1 << 17

// maxDepth bounds the nesting of an unknown field.
const maxDepth = 16

// skip passes over any value.
func (d *decoder) skip(depth int) (err error) {
	if depth > maxDepth {
		return d.syntaxError("fewer levels")
	}
	d.space()
	if d.at >= len(d.in) {
		return d.syntaxError("a value")
	}
	switch d.in[d.at] {
	case '{':
		return d.object(func([]byte) error { return d.skip(depth + 1) })
	case '[':
		return d.array(func() error { return d.skip(depth + 1) })
	case '"':
		_, err = d.str()
		return err
	}
	start := d.at
	for d.at < len(d.in) && bytes.IndexByte([]byte("+-.0123456789Eabcdeflnrstu"), d.in[d.at]) >= 0 {
		d.at++
	}
	if !json.Valid(d.in[start:d.at]) {
		return d.syntaxError("a value")
	}
	return nil
}

func (d *decoder) syntaxError(want string) error {
	return fmt.Errorf("%w: byte %d of %d: expected %s", ErrMalformed, d.at, len(d.in), want)
}

// payloadBytes returns the size of the payloads in the batch.
func (b *Batch) payloadBytes() (n int64) {
	for i := range b.Messages {
		n += int64(len(b.Messages[i].Data))
	}
	return n
}
