package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestParseHead(t *testing.T) {
	for _, row := range []struct {
		in   string
		want head
		err  error
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", head{status: 200, length: 5}, nil},
		{"HTTP/1.1 200\nContent-Length:5\n\n", head{status: 200, length: 5}, nil},
		{"HTTP/1.0 200 OK\r\n\r\n", head{status: 200, length: untilClose, closes: true}, nil},
		{"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", head{status: 200, length: 3, closes: true}, nil},
		{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", head{}, errAnswer},
		{"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", head{status: 204}, nil},
		{"HTTP/1.1 200 OK\r\ntransfer-ENCODING: Chunked\r\nContent-Length: 3\r\n\r\n", head{status: 200, length: chunkedBody}, nil},
		{"HTTP/1.1 200 OK\r\nConnection: keep-alive, Close\r\ncontent-length: 0\r\n\r\n", head{status: 200, closes: true}, nil},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", head{status: 200, length: 3}, nil},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", head{}, errAnswer},
		{"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", head{}, errAnswer},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", head{}, errAnswer},
		{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", head{}, errAnswer},
		{"HTTP/2 200 OK\r\n\r\n", head{}, errAnswer},
		{"HTTP/1.1 99 OK\r\n\r\n", head{}, errAnswer},
		{"HTTP/1.1 2000 OK\r\n\r\n", head{}, errAnswer},
		{"\r\n\r\n", head{}, errAnswer},
		{strings.Repeat("x", maxHead+1), head{}, errAnswer},
	} {
		got, n, err := parseHead([]byte(row.in))
		if !errors.Is(err, row.err) || err == nil && (n != len(row.in) || fmt.Sprint(got) != fmt.Sprint(row.want)) {
			t.Errorf("%.80q: got %+v, %d, %v; want %+v, %d, %v", row.in, got, n, err, row.want, len(row.in), row.err)
		}
		for cut := range min(len(row.in), 200) {
			if _, n, err := parseHead([]byte(row.in[:cut])); n != 0 || err != nil {
				t.Errorf("%.80q cut at %d: got %d, %v, want it to wait for more", row.in, cut, n, err)
			}
		}
	}
}

// FuzzParseAnswer: no panic; an answer is complete at one length only; and what
// net/http makes of an answer that we take is the same.
func FuzzParseAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 204 No Content\r\n\r\n")
	f.Add("HTTP/1.1 503 Busy\r\n\r\nlater")
	f.Add("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		var room []byte
		a, _, err := parseAnswer([]byte(in), &room)
		if err != nil || a.size == 0 || a.length == untilClose {
			return // the last takes what there is
		}
		body := string(a.body)
		for cut := max(0, a.size-3); cut < a.size; cut++ {
			if b, _, err := parseAnswer([]byte(in[:cut]), &room); err != nil || b.size != 0 {
				t.Errorf("%q is an answer of %d bytes, and with %d: %d, %v", in, a.size, cut, b.size, err)
			}
		}
		theirs, err := http.ReadResponse(bufio.NewReader(strings.NewReader(in[:a.size])), nil)
		if err != nil {
			return // they are stricter about characters, which nobody here looks at
		}
		text, err := io.ReadAll(theirs.Body)
		if err == nil && theirs.StatusCode/100 != 1 && (theirs.StatusCode != a.status || string(text) != body) {
			t.Errorf("%q: got %d %q, net/http %d %q", in, a.status, body, theirs.StatusCode, text)
		}
	})
}

func TestParseFrame(t *testing.T) {
	for _, row := range []struct {
		in   string
		want wsFrame
		err  error
	}{
		{"\x81\x02{}", wsFrame{opcode: opText, final: true, body: []byte("{}"), size: 4}, nil},
		{"\x01\x01{", wsFrame{opcode: opText, body: []byte("{"), size: 3}, nil},
		{"\x80\x00", wsFrame{opcode: opContinue, final: true, size: 2}, nil},
		{"\x89\x01x", wsFrame{opcode: opPing, final: true, body: []byte("x"), size: 3}, nil},
		{"\x81\x7e\x00\x7e" + strings.Repeat("x", 126), wsFrame{opcode: opText, final: true, body: []byte(strings.Repeat("x", 126)), size: 130}, nil},
		{"\x81\x7e\x00\x7d", wsFrame{}, errFrame},
		{"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", wsFrame{}, errFrame},
		{"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", wsFrame{}, errTooLong},
		{"\xc1\x00", wsFrame{}, errFrame},
		{"\x83\x00", wsFrame{}, errFrame},
		{"\x8b\x00", wsFrame{}, errFrame},
		{"\x81\x80", wsFrame{}, errFrame},
		{"\x09\x00", wsFrame{}, errFrame},
		{"\x88\x7e", wsFrame{}, errFrame},
	} {
		got, err := parseFrame([]byte(row.in))
		if !errors.Is(err, row.err) || got.opcode != row.want.opcode && err == nil || got.final != row.want.final && err == nil || !bytes.Equal(got.body, row.want.body) || got.size != row.want.size {
			t.Errorf("%.20q: got %+v, %v; want %+v, %v", row.in, got, err, row.want, row.err)
		}
	}
}

// FuzzFrames: what we write as a client is, unmasked, what was to be said.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("hello"), uint32(0x01020304))
	f.Add(make([]byte, 126), uint32(0))
	f.Add(make([]byte, 65536), uint32(1<<31))
	f.Fuzz(func(t *testing.T, body []byte, bits uint32) {
		key := [4]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}
		frame := openFrame(nil, opText, len(body), key)
		if got, want := int64(len(frame)), frameHeader(int64(len(body)), true); got != want {
			t.Fatalf("a header of %d bytes, want %d", got, want)
		}
		masked := bytes.Clone(body)
		mask(masked, key)
		for i := range masked {
			if masked[i] != body[i]^key[i%4] {
				t.Fatalf("byte %d of %d is masked wrong", i, len(body))
			}
		}
		// Taken for a server's, without the mask, it parses whole and never in part.
		frame[1] &^= 0x80
		plain := append(frame[:len(frame)-4:len(frame)-4], body...)
		got, err := parseFrame(plain)
		if err != nil || got.size != len(plain) || !bytes.Equal(got.body, body) || !got.final || got.opcode != opText {
			t.Fatalf("got %+v, %v", got, err)
		}
		if got, err := parseFrame(plain[:len(plain)-1]); err != nil || got.size != 0 {
			t.Fatalf("cut short: got %+v, %v", got, err)
		}
	})
}
