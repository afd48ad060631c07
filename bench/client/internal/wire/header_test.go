package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseHeader(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Header
		err  error
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Header{Status: 200, Length: 5}, nil},
		{"HTTP/1.1 200\nContent-Length:5\n\n", Header{Status: 200, Length: 5}, nil},
		{"HTTP/1.0 200 OK\r\n\r\n", Header{Status: 200, Length: UntilClose, Closes: true}, nil},
		{"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", Header{Status: 200, Length: 3, Closes: true}, nil},
		{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Header{}, ErrResponse},
		{"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", Header{Status: 204}, nil},
		{"HTTP/1.1 200 OK\r\ntransfer-ENCODING: Chunked\r\nContent-Length: 3\r\n\r\n", Header{Status: 200, Length: Chunked}, nil},
		{"HTTP/1.1 200 OK\r\nConnection: keep-alive, Close\r\ncontent-Length: 0\r\n\r\n", Header{Status: 200, Closes: true}, nil},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", Header{Status: 200, Length: 3}, nil},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", Header{}, ErrResponse},
		{"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", Header{}, ErrResponse},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Header{}, ErrResponse},
		{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Header{}, ErrResponse},
		{"HTTP/2 200 OK\r\n\r\n", Header{}, ErrResponse},
		{"HTTP/1.1 99 OK\r\n\r\n", Header{}, ErrResponse},
		{"HTTP/1.1 2000 OK\r\n\r\n", Header{}, ErrResponse},
		{"\r\n\r\n", Header{}, ErrResponse},
		{strings.Repeat("x", maxHeader+1), Header{}, ErrResponse},
	} {
		got, n, err := ParseHeader([]byte(c.in))
		if !errors.Is(err, c.err) || err == nil && (n != len(c.in) || fmt.Sprint(got) != fmt.Sprint(c.want)) {
			t.Errorf("%.80q: got %+v, %d, %v; want %+v, %d, %v", c.in, got, n, err, c.want, len(c.in), c.err)
		}
		for cut := range min(len(c.in), 200) {
			if _, n, err := ParseHeader([]byte(c.in[:cut])); n != 0 || err != nil {
				t.Errorf("%.80q cut at %d: got %d, %v, want 0 bytes until it is complete", c.in, cut, n, err)
			}
		}
	}
}
