package httpstack

import (
	"bufio"
	"bytes"
	"net/http"
	"slices"
	"testing"
)

// Headers have one outcome, whole and in pieces. net/http reads what is accepted, with the same length and end.
func FuzzHead(f *testing.F) {
	const limit = 4 << 10
	for _, seed := range []string{
		"GET /v1/poll?topic=a HTTP/1.1\r\nHost: a\r\n\r\n", "POST /v1/topics/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
		"GET http://a/v1/stats HTTP/1.1\r\nHost: b\r\n\r\n", "\r\nGET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/9.9\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole, pieces head
		rewritten := slices.Clone(b)
		end, err := whole.parse(rewritten, limit)
		again, n, splitEnd := slices.Clone(b), 0, 0
		var splitErr error
		for n = 1; n <= len(again) && splitEnd == 0 && splitErr == nil; n++ {
			splitEnd, splitErr = pieces.parse(again[:n], limit)
		}
		if splitEnd != end || (splitErr == nil) != (err == nil) {
			t.Fatalf("whole: end %d, %v; byte by byte: end %d, %v", end, err, splitEnd, splitErr)
		}
		if err != nil || end == 0 {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(rewritten[whole.begin:end])))
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", rewritten[whole.begin:end], err)
		}
		if r.ContentLength != whole.length && r.ContentLength >= 0 {
			t.Errorf("length %d, net/http has %d of %q", whole.length, r.ContentLength, rewritten[:end])
		}
	})
}
