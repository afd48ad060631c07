package httpstack

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/valyala/fasthttp"
)

const poll = "GET /v1/poll?topic=orders-17&after=00c5a1e2f3a4b5c6.1f3a&wait=25s HTTP/1.1\r\nHost: 127.0.0.1:40001\r\n\r\n"

// Every request that the check accepts must mean the same to both libraries.
func FuzzLibrariesAgreeOnCheckedRequests(f *testing.F) {
	for _, seed := range []string{
		poll,
		"\r\n" + poll,
		"POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\nx",
		"POST /v1/topics/a%7e HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 005\r\nContent-Type: text/plain; charset=utf-8\r\nExpect: 100-Continue\r\n\r\nhello",
		"GET http://localhost:1?x HTTP/1.1\r\nhost: other\r\nConnection: keep-alive, Close\r\nTrailer: Host\r\n\r\n",
		"OPTIONS * HTTP/1.0\r\nX:\tobs-text \xe9 \r\n\r\n",
		"CONNECT /?%zz HTTP/1.1\r\nHost: a:\r\nCookie: a=b; c\r\nLast-Event-ID: 1\r\nUser-Agent: x\r\n\r\n",
		"HEAD //a:b/c HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nRange: bytes=0-\r\nX: y\r\nX: z\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"get / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const limit = 8 << 10
		var whole, split head
		var raw2 []byte // moved in memory at each byte
		rest := bytes.Clone(raw)
		end, err := whole.parse(raw, limit)
		end2, err2 := 0, error(nil)
		for n := 0; n < len(rest) && end2 == 0 && err2 == nil; n++ {
			raw2 = append(bytes.Clone(raw2), rest[n])
			end2, err2 = split.parse(raw2, limit)
		}
		if err != err2 || end != end2 || err == nil && !bytes.Equal(raw[:end], raw2[:end]) {
			t.Fatalf("in one piece %d, %v, byte by byte %d, %v", end, err, end2, err2)
		}
		if end == 0 || err != nil {
			return
		}
		request := raw[whole.begin:end]
		one, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
		if err != nil {
			t.Fatalf("net/http: %v in %q", err, request)
		}
		var other fasthttp.RequestHeader
		if err := other.Read(bufio.NewReaderSize(bytes.NewReader(request), limit)); err != nil {
			t.Fatalf("fasthttp: %v in %q", err, request)
		}
		if one.Method != string(other.Method()) || one.RequestURI != string(other.RequestURI()) || len(one.TransferEncoding) > 0 {
			t.Errorf("net/http read %s %s, fasthttp %s %s", one.Method, one.RequestURI, other.Method(), other.RequestURI())
		}
		if one.URL.Host == "" && one.Host != string(other.Host()) || max(0, one.ContentLength) != whole.length || max(0, int64(other.ContentLength())) != whole.length {
			t.Errorf("net/http read %q, %d bytes, fasthttp %q, %d bytes, the check %d bytes", one.Host, one.ContentLength, other.Host(), other.ContentLength(), whole.length)
		}
		for _, name := range []string{"Content-Type", "Content-Encoding", "Last-Event-ID", "Expect"} {
			if a, b := one.Header.Get(name), string(other.Peek(name)); a != b {
				t.Errorf("%s is %q on net/http, %q on fasthttp", name, a, b)
			}
		}
		if (one.Close || other.ConnectionClose()) && !whole.close {
			t.Error("a library closes the connection, the check does not")
		}
	})
}

func TestCheckOfHeadAllocatesNothing(t *testing.T) {
	request := []byte(poll)
	n := testing.AllocsPerRun(100, func() {
		var h head
		if end, err := h.parse(request, len(request)); end != len(request) || err != nil {
			t.Fatal(end, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per request, want 0", n)
	}
}

// BenchmarkHead checks the headers of a poll, as the load generator sends them.
func BenchmarkHead(b *testing.B) {
	request := []byte(poll)
	for b.Loop() {
		var h head
		if _, err := h.parse(request, len(request)); err != nil {
			b.Fatal(err)
		}
	}
}

// A stingySource returns few bytes per read.
type stingySource struct {
	io.Reader
	unread []byte
}

func (s *stingySource) begin(p []byte) (int, error) { return s.Read(p) }
func (s *stingySource) more(p []byte) (int, error)  { return s.Read(p) }
func (s *stingySource) Unread(p []byte)             { s.unread = bytes.Clone(p) }
func (s *stingySource) Reserve(int) bool            { return true }
func (s *stingySource) Unreserve()                  {}

// A library whose buffer is smaller than the headers reads them in parts, and never a byte of the next request.
func TestHeadersLargerThanBufferArePassedInParts(t *testing.T) {
	request := "POST /v1/topics/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: " + string(bytes.Repeat([]byte("x"), 100)) + "\r\n\r\nhello"
	from := &stingySource{Reader: bytes.NewReader([]byte(request + poll))}
	var r requestReader
	var got []byte
	for p := make([]byte, 64); len(got) == 0 || !r.between(); {
		n, err := r.read(p, from, &Stack{Config: Config{MaxHeader: 8 << 10, MaxBody: 5}})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p[:n]...)
	}
	if string(got) != request || !bytes.HasPrefix([]byte(poll), from.unread) {
		t.Errorf("got %q and returned %q", got, from.unread)
	}
}
