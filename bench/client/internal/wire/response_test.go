package wire

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

func init() { longPartial = 1 }

// FuzzParseResponse checks that a response is complete at one length only, and that net/http
// parses an accepted response to the same status and body.
func FuzzParseResponse(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 204 No Content\r\n\r\n")
	f.Add("HTTP/1.1 503 Busy\r\n\r\nlater")
	f.Add("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		var room Room
		m, _, err := ParseResponse([]byte(in), &room)
		if err != nil || m.Size == 0 || m.Length == UntilClose {
			return // the last has no length
		}
		body := string(m.Body)
		var partial *Partial
		pieces := Room{Partial: &partial}
		for cut := range m.Size + 1 {
			b, _, err := ParseResponse([]byte(in[:cut]), &pieces)
			if cut == m.Size && (err != nil || b.Size != m.Size || string(b.Body) != body) || cut < m.Size && (err != nil || b.Size != 0) {
				t.Errorf("%q in pieces: got %d bytes, %v at %d of %d", in, b.Size, err, cut, m.Size)
			}
		}
		for cut := max(0, m.Size-3); cut < m.Size; cut++ {
			if b, _, err := ParseResponse([]byte(in[:cut]), &room); err != nil || b.Size != 0 {
				t.Errorf("%q is a response of %d bytes; its first %d: got %d, %v, want 0", in, m.Size, cut, b.Size, err)
			}
		}
		theirs, err := http.ReadResponse(bufio.NewReader(strings.NewReader(in[:m.Size])), nil)
		if err != nil {
			return // net/http also checks characters
		}
		text, err := io.ReadAll(theirs.Body)
		if err == nil && theirs.StatusCode/100 != 1 && (theirs.StatusCode != m.Status || string(text) != body) {
			t.Errorf("%q: got %d %q, want %d %q as net/http", in, m.Status, body, theirs.StatusCode, text)
		}
	})
}
