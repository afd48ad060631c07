package wire

// lines takes the lines of a chunked response, which end with LF, CR or CR LF.
type lines struct {
	chunks  chunks
	afterCR bool   // a LF now belongs to the line end before
	part    []byte // the beginning of a line whose end has not arrived
	copied  bool   // the last line is in part, until the next that arrives in parts; else where it was read
}

// next uses n bytes of in. If ok, they completed a line, without its end. before is how
// long what belongs to the line is already, in bytes.
func (l *lines) next(in []byte, before int) (line []byte, ok bool, n int, err error) {
	for n < len(in) {
		// Data that is left of a piece is asked for again: pieces end with a line.
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
		l.afterCR = last == '\r' // a LF that may follow is not awaited: it may be long in coming
		switch {
		case afterCR && piece[0] == '\n': // then it is all of the piece
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
			l.part = line[:0]
		}
		return line, true, n, nil
	}
	return nil, false, n, nil
}

// Lines are the Pieces of a stream of newline-delimited JSON: its lines, of which the empty
// ones are heartbeats. JSON within a line has no raw line break.
type Lines struct{ lines lines }

// Next takes one line.
func (l *Lines) Next(in []byte) (line []byte, ok bool, n int, err error) { return l.lines.next(in, 0) }
