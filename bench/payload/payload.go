// Package payload creates and verifies the payloads of messages.
//
// A payload is printable ASCII, needs no escaping in JSON or HTML, and contains its own identity.
// Any server can therefore be measured, including one without pushbench's envelope. Payloads must
// never depend on transport or server.
//
//	p 0a1b2c3d 00000007 kfqzpwhd…  9f8e7d6c
//	│ run      index    fill       CRC-32C of everything before it, in hexadecimal
package payload

import (
	"errors"
	"hash/crc32"
)

// Min is the minimum payload size in bytes: the identity without fill.
const Min = mark + 3*hexDigits

const (
	mark      = 1
	hexDigits = 8
)

// Errors of Parse.
var (
	ErrForeign = errors.New("not a pushbench payload")
	ErrCorrupt = errors.New("checksum does not match")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const digits = "0123456789abcdef"

// Append appends the payload of a run's message to dst; it has size bytes, but at least Min. The
// fill is derived from the identity: it is hardly compressible and equal for all transports.
func Append(dst []byte, run, index uint32, size int) []byte {
	size = max(size, Min)
	start := len(dst)
	dst = append(dst, 'p')
	dst = appendHex(dst, run)
	dst = appendHex(dst, index)
	dst = appendFill(dst, uint64(run)<<32|uint64(index), size-Min)
	return appendHex(dst, crc32.Checksum(dst[start:], castagnoli))
}

// Parse checks a payload and returns its identity.
func Parse(data []byte) (run, index uint32, err error) {
	if len(data) < Min || data[0] != 'p' {
		return 0, 0, ErrForeign
	}
	end := len(data) - hexDigits
	sum, ok := parseHex(data[end:])
	if !ok || sum != crc32.Checksum(data[:end], castagnoli) {
		return 0, 0, ErrCorrupt
	}
	run, ok1 := parseHex(data[mark : mark+hexDigits])
	index, ok2 := parseHex(data[mark+hexDigits : mark+2*hexDigits])
	if !ok1 || !ok2 {
		return 0, 0, ErrForeign
	}
	return run, index, nil
}

// appendFill appends n letters from a xorshift generator, which uses five bits of state per letter.
func appendFill(dst []byte, seed uint64, n int) []byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEF"
	state := seed*0x9e3779b97f4a7c15 | 1
	for n > 0 {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		bits := state
		for i := 0; i < 12 && n > 0; i++ {
			dst = append(dst, letters[bits&31])
			bits >>= 5
			n--
		}
	}
	return dst
}

func appendHex(dst []byte, v uint32) []byte {
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, digits[v>>shift&15])
	}
	return dst
}

func parseHex(s []byte) (v uint32, ok bool) {
	for _, c := range s[:hexDigits] {
		d := unhex[c]
		if d == bad {
			return 0, false
		}
		v = v<<4 | uint32(d)
	}
	return v, true
}

const bad = 0xff

// unhex maps a lower-case hexadecimal digit to its value.
var unhex = func() (table [256]byte) {
	for i := range table {
		table[i] = bad
	}
	for v, c := range []byte(digits) {
		table[c] = byte(v)
	}
	return table
}()
