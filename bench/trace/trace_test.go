package trace

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbench/bench/relay"
)

var began = time.Unix(1000, 0)

// recorded is a conversation of pieces, one per millisecond.
func recorded(pieces ...string) relay.Conversation {
	c := relay.Conversation{Opened: began}
	for i, p := range pieces {
		direction, text := p[0], strings.ReplaceAll(p[1:], "\n", "\r\n")
		if direction == '>' {
			c.Up = append(c.Up, text...)
		} else {
			c.Down = append(c.Down, text...)
		}
		c.Pieces = append(c.Pieces, relay.Piece{Up: direction == '>', At: began.Add(time.Duration(i+1) * time.Millisecond), Bytes: len(text)})
	}
	return c
}

func texts(t Trace) (all []string) {
	for _, s := range t.Steps {
		all = append(all, s.Text)
	}
	return all
}

func TestReadNamesEveryElement(t *testing.T) {
	for name, c := range map[string]struct {
		pieces []string
		want   []string
	}{
		"polls": {
			[]string{
				">GET /v1/poll?topic=a HTTP/1.1\nHost: x\n\n",
				"<HTTP/1.1 200 OK\nContent-Length: 41\n\n" + `{"cursor":"c","messages":[],"heads":{}} ` + " ",
				">GET /v1/poll?topic=a&after=c&wait=25s HTTP/1.1\n", ">Host: x\n\n",
				"<HTTP/1.1 204 No Content\n\n",
				">POST /v1/topics/a HTTP/1.1\nContent-Length: 2\n\nhi",
				"<HTTP/1.1 200 OK\nContent-Length: 21\n\n" + `{"topic":"a","seq":7}`,
			},
			[]string{
				"opens a connection", "GET /v1/poll",
				"200 OK: subscribed (header 39 B, body 41 B)", "GET /v1/poll?after=…&wait=25s", "204 No Content",
				"POST /v1/topics/a (header 49 B, body 2 B)", "200 OK: acknowledged (header 39 B, body 21 B)",
			},
		},
		"events": {
			[]string{
				">GET /v1/sse?topic=a HTTP/1.1\n\n",
				"<HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n",
				"<27\ndata: {\"cursor\":\"c\",\"messages\":[{},{}]}\n", "<7\n: hello\n0\n\n",
			},
			[]string{"opens a connection", "GET /v1/sse", "200 OK: the stream of events begins", "event: batch of 2 messages", "comment: a heartbeat", "the stream ends"},
		},
		"lines": {
			[]string{
				">GET /v1/stream?topic=a HTTP/1.1\n\n",
				"<HTTP/1.1 200 OK\nContent-Type: application/x-ndjson\nTransfer-Encoding: chunked\n\n",
				"<22\n{\"cursor\":\"c\",\"messages\":[{},{}]} \n", "<2\n\n\n0\n\n",
			},
			[]string{"opens a connection", "GET /v1/stream", "200 OK: the stream of lines begins", "line: batch of 2 messages", "empty line: a heartbeat", "the stream ends"},
		},
		"frames": {
			[]string{
				">GET /v1/ws?topic=a HTTP/1.1\nUpgrade: websocket\n\n",
				"<HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n\n\x81\x19" + `{"cursor":"","heads":{}} `,
				">\x81\x8f\x00\x00\x00\x00" + `{"id":1,"data":`, ">\x89\x80\x01\x02\x03\x04", "<\x8a\x00\x88\x02\x03\xe8",
			},
			[]string{
				"opens a connection", "GET /v1/ws: requests a WebSocket", "101 Switching Protocols", "frame: subscribed (frame header 2 B)",
				"frame:  (frame header 6 B)", "ping: a heartbeat (frame header 6 B)", "pong (frame header 2 B)", "close (frame header 2 B)",
			},
		},
		"cut off": {
			[]string{">GET /v1/poll?topic=a HTTP/1.1\nHost"},
			[]string{"opens a connection", "an incomplete element"},
		},
	} {
		got := Read("x", []relay.Conversation{recorded(c.pieces...)}, nil)
		if g, w := strings.Join(texts(got), "\n"), strings.Join(c.want, "\n"); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", name, g, w)
		}
		sum := int64(0)
		for _, s := range got.Steps {
			sum += int64(s.Bytes)
		}
		last := int64(got.Steps[len(got.Steps)-1].Bytes)
		if down := got.Down; !got.Complete(down) || got.Complete(down+1) || got.Complete(down-last-1) {
			t.Errorf("%s: %d B down (last element %d B): Complete accepts another count", name, down, last)
		}
		if sum != got.Up+got.Down {
			t.Errorf("%s: %d B in steps, %d B recorded", name, sum, got.Up+got.Down)
		}
	}
}

// In a narrow terminal, long labels are cut and keep their bytes.
func TestTextFitsTheTerminal(t *testing.T) {
	request := "GET /" + strings.Repeat("x", 300) + " HTTP/1.1\n\n"
	trace := Read("long", []relay.Conversation{recorded(">"+request, "<HTTP/1.1 200 OK\n\n")}, []Note{{At: began.Add(time.Second), AtServer: true, Text: "published"}})
	for columns, width := range map[int]int{0: 100, 80: 80, 120: 100, 20: timeColumns + 2 + leastColumns} {
		var text bytes.Buffer
		if err := trace.Text(&text, columns); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(text.String(), "\n")[2:] {
			if n := len([]rune(line)); n > width {
				t.Errorf("%d of %d columns: %s", n, width, line)
			}
		}
		if !strings.Contains(text.String(), "… · ") {
			t.Errorf("%d columns: no bytes of the long request:\n%s", columns, text.String())
		}
	}
}

// The text never exceeds its width, and the image is XML without scripts.
func TestLadderIsBoundedAndInert(t *testing.T) {
	trace := Read("<script>", []relay.Conversation{recorded(">GET /"+strings.Repeat("x", 300)+"<b> HTTP/1.1\n\n", "<HTTP/1.1 200 <OK>\n\n")},
		[]Note{{At: began.Add(time.Second), AtServer: true, Text: "published"}, {At: began.Add(1001 * time.Millisecond), Text: "heard <it>"}})
	var text, picture bytes.Buffer
	if err := errors.Join(trace.Text(&text, 0), trace.SVG(&picture)); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(text.String(), "\n")[2:] {
		if n := len([]rune(line)); n > timeColumns+ladderColumns {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"no traffic for 998.00 ms", "published ●", "● heard <it>"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	for d := xml.NewDecoder(&picture); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if ok && (e.Name.Local == "script" || e.Name.Local == "style") {
			t.Errorf("the image contains a %s", e.Name.Local)
		}
		for _, a := range e.Attr {
			if a.Name.Local == "style" || a.Name.Local == "class" {
				t.Errorf("<%s> depends on styles, which a content security policy can forbid: %s", e.Name.Local, a.Value)
			}
		}
	}
}

// For any input, the steps contain all bytes, and nothing panics.
func FuzzRead(f *testing.F) {
	f.Add([]byte(">GET / HTTP/1.1\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n"), 7)
	f.Add([]byte("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"), []byte("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n\x00"), 1)
	f.Fuzz(func(t *testing.T, up, down []byte, size int) {
		c := relay.Conversation{Opened: began, Up: up, Down: down}
		size = max(1, size)
		for rest := up; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			c.Pieces = append(c.Pieces, relay.Piece{Up: true, At: began, Bytes: min(size, len(rest))})
		}
		for rest := down; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			c.Pieces = append(c.Pieces, relay.Piece{At: began, Bytes: min(size, len(rest))})
		}
		got, sum := Read("x", []relay.Conversation{c}, nil), 0
		for _, s := range got.Steps {
			sum += s.Bytes
		}
		if sum != len(up)+len(down) {
			t.Fatalf("%d B in steps, want %d", sum, len(up)+len(down))
		}
	})
}

// A trace of another server shows how its records begin, without secrets. A stream of events may end with its connection.
func TestReadForeignShowsRecords(t *testing.T) {
	mask := func(record []byte) []byte { return bytes.ReplaceAll(record, []byte("secret"), []byte("***")) }
	got := texts(ReadForeign("x", []relay.Conversation{
		recorded(
			">GET /key-secret HTTP/1.1\n\n",
			"<HTTP/1.1 200 OK\nContent-Type: text/event-stream; charset=utf-8\n\n",
			"<: hi\n\n", "<id: 1\ndata:{\"id\":1,\"token\":\"secret\",\"text\":\"0123456789\"}\n\n",
		),
		recorded(">POST /p HTTP/1.1\n\n", "<HTTP/1.1 202 Accepted\nContent-Length: 4\n\na\x00b\x1e"),
	}, nil, mask))
	want := []string{
		"opens a connection", "opens a connection", "GET /key-***", "POST /p", "200 OK: the stream of events begins", "202 Accepted: a·b· (header 44 B, body 4 B)",
		"comment: a heartbeat", `event: {"id":1,"token":"***","text":"01…`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
