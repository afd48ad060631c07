package wire

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// FuzzParseAnswer: no panic; an answer is complete at one length only; and what
// net/http makes of an answer that we take is the same.
func FuzzParseResponse(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 204 No Content\r\n\r\n")
	f.Add("HTTP/1.1 503 Busy\r\n\r\nlater")
	f.Add("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		var room []byte
		a, _, err := ParseResponse([]byte(in), &room)
		if err != nil || a.Size == 0 || a.Length == UntilClose {
			return // the last takes what there is
		}
		body := string(a.Body)
		for cut := max(0, a.Size-3); cut < a.Size; cut++ {
			if b, _, err := ParseResponse([]byte(in[:cut]), &room); err != nil || b.Size != 0 {
				t.Errorf("%q is an answer of %d bytes, and with %d: %d, %v", in, a.Size, cut, b.Size, err)
			}
		}
		theirs, err := http.ReadResponse(bufio.NewReader(strings.NewReader(in[:a.Size])), nil)
		if err != nil {
			return // they are stricter about characters, which our reader does not check
		}
		text, err := io.ReadAll(theirs.Body)
		if err == nil && theirs.StatusCode/100 != 1 && (theirs.StatusCode != a.Status || string(text) != body) {
			t.Errorf("%q: got %d %q, net/http %d %q", in, a.Status, body, theirs.StatusCode, text)
		}
	})
}
