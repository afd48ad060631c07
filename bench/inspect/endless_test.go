//go:build !race

package inspect

import (
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// flooding repeats a text until the client closes the connection.
func flooding(first, unit string) script {
	many := strings.Repeat(unit, 1+(1<<16)/len(unit))
	return func(request string, c net.Conn) {
		replying(first)(request, c)
		for {
			if _, err := io.WriteString(c, many); err != nil {
				return
			}
		}
	}
}

// manyFields have names that differ.
var manyFields = func() (all []string) {
	for i := range 10000 {
		all = append(all, strconv.FormatInt(int64(i), 36)+":")
	}
	return all
}()

// endlessAnswers are as long as a server likes.
var endlessAnswers = []answer{
	{"only interim responses", "ws", flooding("", head("HTTP/1.1 102 Processing")), nil, NoAnswer, []string{"16 interim responses"}, ""},
	{"endless line", "ws", flooding("HTTP/1.1 101 x\r\nX: ", "x"), nil, NoAnswer, []string{"longer than 65536 bytes"}, ""},
	{"endless header", "ws", flooding("HTTP/1.1 101 x\r\n", "X: y\r\n"), nil, NoAnswer, []string{"longer than 65536 bytes"}, ""},
	{"10,000 fields", "ws", replying(upgraded("", manyFields...)), nil, Right, nil, ""},
	{"endless frames", "ws", flooding(switched+"\r\n", "\x81\x01x"), nil, Right, nil, "more than 1000 frames"},
	{"endless pings", "ws", flooding(switched+"\r\n", "\x89\x00"), nil, Right, nil, "more than 1000 frames"},
	{"endless message", "ws", flooding(switched+"\r\n\x02\x01x", "\x00\x7e\x20\x00"+strings.Repeat("x", 8192)), nil, Right, nil, "more than 1048576 bytes"},
	{"compressed messages that expand", "ws", replying(upgraded(strings.Repeat(longFrame(0xc2, deflated(strings.Repeat("0", 1<<19))), 4), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Right, nil, "more than 1048576 bytes"},
	{"body of 3 MB", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 3000000") + strings.Repeat("x", 3000000)), nil, Right, nil, "more than 1048576 bytes"},
	{"body of 1 MiB", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 1048576") + strings.Repeat("x", 1<<20)), nil, Right, nil, "response complete"},
	{"body that never ends", "http", flooding(head("HTTP/1.1 200 OK"), "x"), nil, Contestable, []string{"cannot carry another response"}, "more than 1048576 bytes"},
	{"endless trailer", "http", flooding(chunks+"0\r\n", "X: y\r\n"), nil, Right, nil, "longer than 65536 bytes"},
	{"endless chunk size", "http", flooding(chunks, "0"), nil, Right, nil, "a line is longer than 65536 bytes"},
	{"endless chunks", "http", flooding(chunks, "1;eeee\r\na\r\n"), nil, Right, nil, "more than 1048576 bytes"},
	{"gzip that expands", "http", closing(head("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Connection: close") + gzipped(strings.Repeat("0", 8<<20))), nil, Contestable, []string{"new connection", "another response"}, "more than 1048576 bytes"},
	{"a long length and 10,000 others", "http", closing(head("HTTP/1.1 200 OK", "Content-Length: "+strings.Repeat("1", 30000)+strings.Repeat(", 1", 10000)) + "{}"), nil, Wrong, []string{"two different lengths", "another response"}, ""},
	{"endless gzip without content", "http", flooding(head("HTTP/1.1 200 OK", "Content-Encoding: gzip"), gzipped("")), nil, Contestable, []string{"another response"}, "more than 1048576 bytes"},
	{"endless comments", "sse+http", flooding(events, ":\n"), nil, Right, nil, "more than 1000 lines"},
	{"endless line of an event", "sse+http", flooding(events, "x"), nil, Right, nil, "a line is longer than 65536 bytes"},
	{"endless event", "sse+http", flooding(events, "data: "+strings.Repeat("x", 8000)+"\n"), nil, Right, nil, "more than 1048576 bytes"},
	{"events in endless blocks of gzip without content", "sse+http", flooding(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Encoding: gzip")+gzipped("")[:10], "\x00\x00\x00\xff\xff"), nil, Right, nil, "more than 1048576 bytes"},
}

// TestEndlessAnswersAreJudgedExhaustively sends each, up to the bounds.
func TestEndlessAnswersAreJudgedExhaustively(t *testing.T) { judged(t, endlessAnswers) }
