package wire

import "math"

// lines parses the lines of a chunked response, which end with LF, CR or CR LF.
type lines struct {
	chunks  chunks
	afterCR bool   // a LF now belongs to the previous line end
	part    []byte // the beginning of a line whose end has not arrived
	copied  bool   // the last line is in part, until another line arrives in parts; else in the input
}

// next consumes n bytes of in. If ok, they completed a line, returned without its end.
// before is the number of bytes that already belong to the same event.
func (l *lines) next(in []byte, before int) (line []byte, ok bool, n int, err error) {
	for n < len(in) {
		// A piece ends with a line, so data may remain for the next iteration.
		piece, used, err := l.chunks.next(in[n:])
		n += used
		if err != nil {
			return nil, false, n, err
		}
		if len(piece) == 0 {
			continue
		}
		afterCR := l.afterCR
		last := piece[len(piece)-1]
		l.afterCR = last == '\r' // a LF may follow, perhaps much later: do not wait for it
		switch {
		case afterCR && piece[0] == '\n': // then the piece is only the LF
			continue
		case last != '\n' && last != '\r':
			if l.part = append(l.part, piece...); len(l.part)+before > MaxBody {
				return nil, false, n, ErrTooLong
			}
			continue
		}
		line = piece[:len(piece)-1]
		if l.copied = len(l.part) > 0; l.copied {
			line = append(l.part, line...)
			if l.part = line[:0]; cap(l.part) > longKept {
				l.part = nil
			}
		}
		return line, true, n, nil
	}
	return nil, false, n, nil
}

// withoutCoding makes a stream end with its connection instead of its last chunk.
func (l *lines) withoutCoding() { l.chunks = chunks{state: chunkData, left: math.MaxInt} }

// Lines are the Pieces of a stream of newline-delimited JSON: its lines. An empty line is a
// heartbeat. JSON within a line has no raw line break.
type Lines struct{ lines lines }

// WithoutCoding implements Pieces.
func (l *Lines) WithoutCoding() { l.lines.withoutCoding() }

// Held implements Pieces.
func (l *Lines) Held() int { return len(l.lines.part) }

// Next parses one line.
func (l *Lines) Next(in []byte) (line []byte, ok bool, n int, err error) { return l.lines.next(in, 0) }
