package hub

import (
	"errors"
	"strconv"
)

// A Cursor says what a subscription has read: every message of its topics up
// to Number, of the hub with that Epoch. Clients treat its text as opaque.
type Cursor struct {
	Epoch  uint64
	Number uint64
}

// ErrCursor says that a text is not one Cursor.String could have written.
var ErrCursor = errors.New("malformed cursor")

const epochDigits = 16

// MaxCursor is the length in bytes of the longest cursor text.
const MaxCursor = epochDigits + 1 + 16

// String writes the epoch as 16 hexadecimal digits, a dot, and the number in
// hexadecimal without leading zeros: 18 to 33 bytes.
func (c Cursor) String() string { return string(c.AppendTo(nil)) }

// AppendTo appends what String returns.
func (c Cursor) AppendTo(dst []byte) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[c.Epoch>>shift&15])
	}
	dst = append(dst, '.')
	return strconv.AppendUint(dst, c.Number, 16)
}

// ParseCursor reads what String writes and nothing else: no upper case, no
// sign, no leading zeros, no white space.
func ParseCursor(text string) (Cursor, error) {
	if len(text) < epochDigits+2 || len(text) > MaxCursor || text[epochDigits] != '.' {
		return Cursor{}, ErrCursor
	}
	number := text[epochDigits+1:]
	if number[0] == '0' && len(number) > 1 {
		return Cursor{}, ErrCursor
	}
	e, ok1 := parseHex(text[:epochDigits])
	n, ok2 := parseHex(number)
	if !ok1 || !ok2 {
		return Cursor{}, ErrCursor
	}
	return Cursor{Epoch: e, Number: n}, nil
}

func parseHex(text string) (v uint64, ok bool) {
	for i := range len(text) {
		switch b := text[i]; {
		case '0' <= b && b <= '9':
			v = v<<4 | uint64(b-'0')
		case 'a' <= b && b <= 'f':
			v = v<<4 | uint64(b-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

func appendUint(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) }
