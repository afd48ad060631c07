package hub

import (
	"errors"
	"strconv"
	"strings"
)

// A Cursor records what a subscription has read: every message of its topics up to
// Number, of the hub with that Epoch. Clients treat its text as opaque.
type Cursor struct {
	Epoch  uint64
	Number uint64 // hub number of the last message read, see Message
}

// ErrCursor reports a text that Cursor.String cannot have returned.
var ErrCursor = errors.New("malformed cursor")

const epochDigits = 16

// MaxCursor is the length in bytes of the longest cursor text.
const MaxCursor = epochDigits + 1 + 16

// String writes the epoch as 16 hexadecimal digits, a dot, and the hub number in
// hexadecimal without leading zeros: 18 to 33 bytes.
func (c Cursor) String() string { return string(c.AppendTo(nil)) }

// AppendTo appends the result of String to dst.
func (c Cursor) AppendTo(dst []byte) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[c.Epoch>>shift&15])
	}
	dst = append(dst, '.')
	return strconv.AppendUint(dst, c.Number, 16)
}

// ParseCursor accepts only results of String: no upper case, no sign, no leading zeros, no white
// space.
func ParseCursor(text string) (c Cursor, err error) {
	epoch, number, _ := strings.Cut(text, ".")
	if c.Epoch, err = strconv.ParseUint(epoch, 16, 64); err != nil {
		return Cursor{}, ErrCursor
	}
	if c.Number, err = strconv.ParseUint(number, 16, 64); err != nil {
		return Cursor{}, ErrCursor
	}
	if string(c.AppendTo(make([]byte, 0, MaxCursor))) != text {
		return Cursor{}, ErrCursor
	}
	return c, nil
}
