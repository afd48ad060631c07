package payload

import (
	"bytes"
	"hash/crc32"
)

// A Scanner finds the payloads of one run in received records, whatever surrounds them.
type Scanner struct {
	marker [mark + hexDigits]byte
	run    uint32
	size   func(index uint32) int // size of a planned payload in bytes; 0: there is none with this index
}

// NewScanner returns a Scanner for a run. size returns the size in bytes of the payload with an index, and 0
// if the run has none.
func NewScanner(run uint32, size func(index uint32) int) *Scanner {
	s := &Scanner{run: run, size: size}
	appendHex(append(s.marker[:0], 'p'), run)
	return s
}

// A Found is a payload in a record. A damaged one has the identity of a planned payload, but not its bytes:
// the server escaped, changed or cut it.
type Found struct {
	Data    []byte // in the record
	Damaged bool
}

// Next returns the first payload in a record, and the rest of the record behind it. ok is false if there is
// none.
func (s *Scanner) Next(record []byte) (f Found, rest []byte, ok bool) {
	for {
		at := bytes.Index(record, s.marker[:])
		if at < 0 {
			return Found{}, nil, false
		}
		record = record[at:]
		size, known := s.planned(record)
		if !known {
			record = record[len(s.marker):]
			continue
		}
		// Another payload may begin within the size of a cut one. Of a long one that is known first: else a record of
		// many beginnings would be read once for each of them.
		end, cut := min(size, len(record)), false
		if size > longPayload {
			end, cut = s.beginsAgain(record[:end])
		}
		if !cut && size <= len(record) && intact(record[:size]) {
			return Found{Data: record[:size]}, record[size:], true
		}
		if size <= longPayload {
			end, _ = s.beginsAgain(record[:end])
		}
		return Found{Data: record[:end], Damaged: true}, record[end:], true
	}
}

// longPayload is from how many bytes on a payload is not read more than once.
const longPayload = 4 << 10

// beginsAgain returns where another payload begins in one, or its end.
func (s *Scanner) beginsAgain(data []byte) (at int, ok bool) {
	if next := bytes.Index(data[len(s.marker):], s.marker[:]); next >= 0 {
		return len(s.marker) + next, true
	}
	return len(data), false
}

// planned returns the size of the payload that begins a record.
func (s *Scanner) planned(record []byte) (size int, known bool) {
	if len(record) < len(s.marker)+hexDigits {
		return 0, false
	}
	index, ok := parseHex(record[len(s.marker) : len(s.marker)+hexDigits])
	if !ok {
		return 0, false
	}
	size = s.size(index)
	return size, size > 0
}

// intact reports whether a payload's checksum matches.
func intact(data []byte) bool {
	end := len(data) - hexDigits
	sum, ok := parseHex(data[end:])
	return ok && sum == crc32.Checksum(data[:end], castagnoli)
}

// Index returns the index of a payload, intact or damaged.
func (f Found) Index() uint32 {
	index, _ := parseHex(f.Data[mark+hexDigits:]) // a Scanner has parsed it
	return index
}
