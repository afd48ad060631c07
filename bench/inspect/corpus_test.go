package inspect

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// An answer is a row of the corpus: what a server sends, and what inspect must say about it.
type answer struct {
	name    string
	scheme  string
	send    script
	change  func(*Target) // nil: none
	verdict Grade
	want    []string // in the reason or text of each line that is not correct, in order
	shown   string   // must be printed
}

// Each line of an answer that is graded names the clause of a standard.
var clause = regexp.MustCompile(`RFC [0-9]{4}, section|RFC [0-9]{4}\)|HTML Living Standard|Fetch Standard|WebSockets Standard`)

// No answer may be read without end.
const mostRead = 3 << 20

func closing(text string) script {
	return func(request string, c net.Conn) {
		replying(text)(request, c)
		c.Close()
	}
}

func resetting(text string) script {
	return func(request string, c net.Conn) {
		replying(text)(request, c)
		_ = c.(*scriptedServer).SetLinger(0)
		c.Close()
	}
}

// head is a header, to which it adds a date if the status requires one.
func head(lines ...string) string {
	status := strings.Fields(lines[0])[1]
	if status[0] != '1' && !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Date:") }) {
		lines = slices.Insert(slices.Clone(lines), 1, "Date: Tue, 15 Nov 1994 08:12:31 GMT")
	}
	return crlf(lines...) + "\r\n"
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// deflated returns the payload of a compressed message (RFC 7692, section 7.2.1).
func deflated(text string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = io.WriteString(w, text)
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// deflatedTwice is two compressed messages with the same text, in which the second one refers to the first.
func deflatedTwice(text string) (frames string) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	for range 2 {
		b.Reset()
		_, _ = io.WriteString(w, text)
		_ = w.Flush()
		payload := strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
		if len(payload) < 126 {
			frames += frameOf(0xc1, payload)
		} else {
			frames += longFrame(0xc1, payload)
		}
	}
	return frames
}

// distinct is a text in which nothing repeats.
func distinct(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%c%c", 'a'+i/26, 'a'+i%26)
	}
	return b.String()[:size]
}

func frameOf(first byte, payload string) string {
	return string([]byte{first, byte(len(payload))}) + payload
}

// longFrame is a frame with a length of 16 bits.
func longFrame(first byte, payload string) string {
	return string(binary.BigEndian.AppendUint16([]byte{first, 126}, uint16(len(payload)))) + payload
}

// A recorder is a connection that stores what is written.
type recorder struct {
	net.Conn
	bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) { return r.Buffer.Write(b) }
func (r *recorder) Read(b []byte) (int, error)  { return r.Buffer.Read(b) }

func offerDeflate(t *Target)              { t.Deflate = true }
func offering(names string) func(*Target) { return func(t *Target) { t.Subprotocol = names } }

var (
	events = head("HTTP/1.1 200 OK", "Content-Type: text/event-stream")
	ndjson = head("HTTP/1.1 200 OK", "Content-Type: application/x-ndjson")
	chunks = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
	end    = serverCloseFrame
)

// upgraded is a correct handshake with other fields, and then frames and a close frame.
func upgraded(frames string, fields ...string) string {
	text := switched
	for _, f := range fields {
		text += f + "\r\n"
	}
	return text + "\r\n" + frames + end
}

func replaced(old, new string) string { return strings.Replace(switched, old, new, 1) + "\r\n" + end }

var handshakeAnswers = []answer{
	{"smallest handshake", "ws", replying(switched + "\r\n" + end), nil, Right, nil, "close frame: code 1000 (normal closure)"},
	{"no reason phrase", "ws", replying(replaced("101 Switching Protocols", "101 ")), nil, Right, nil, ""},
	{"no space after the status", "ws", replying(replaced("101 Switching Protocols", "101")), nil, Wrong, []string{"a space is required"}, ""},
	{"HTTP/1.0 101", "ws", replying(replaced("HTTP/1.1", "HTTP/1.0")), nil, Wrong, []string{"HTTP/1.0 has no status 1xx"}, ""},
	{"HTTP/9.9 101", "ws", replying(replaced("HTTP/1.1", "HTTP/9.9")), nil, Wrong, []string{"the version must be HTTP/1.1"}, ""},
	{"HTTP/2 as text", "ws", replying(replaced("HTTP/1.1", "HTTP/2")), nil, Wrong, []string{"is not a status line"}, ""},
	{"status of two digits", "ws", replying(replaced("101", "10")), nil, Wrong, []string{"is not a status line"}, ""},
	{"status 700", "http", replying(head("HTTP/1.1 700 x", "Content-Length: 0")), nil, Wrong, []string{"from 100 to 599"}, ""},
	{"names in lower case", "ws", replying(strings.Replace(replaced("Sec-WebSocket-Accept", "sec-websocket-accept"), "Upgrade:", "upgrade:", 1)), nil, Right, nil, ""},
	{"Upgrade in mixed case", "ws", replying(replaced(": websocket", ": WebSocket")), nil, Right, nil, ""},
	{"Upgrade to h2c", "ws", replying(replaced(": websocket", ": h2c")), nil, Wrong, []string{`must be "websocket"`}, ""},
	{"Upgrade to two protocols", "ws", replying(replaced(": websocket", ": websocket, h2c")), nil, Wrong, []string{`must be "websocket"`}, ""},
	{"no Upgrade", "ws", replying(replaced("Upgrade: websocket\r\n", "")), nil, Wrong, []string{"missing"}, ""},
	{"no Connection", "ws", replying(replaced("Connection: Upgrade\r\n", "")), nil, Wrong, []string{"missing"}, ""},
	{"Connection on two lines", "ws", replying(replaced("Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade")), nil, Right, nil, "another line of the same field"},
	{"Connection as a list", "ws", replying(replaced("Connection: Upgrade", "Connection: keep-alive,upgrade")), nil, Right, nil, ""},
	{"Connection without Upgrade", "ws", replying(replaced("Connection: Upgrade", "Connection: close")), nil, Wrong, []string{`must contain "Upgrade"`}, ""},
	{"wrong accept key", "ws", replying(replaced("KEY", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")), nil, Wrong, []string{"for the key of this request"}, ""},
	{"accept key in other letters", "ws", replying(replaced("KEY", "x")), nil, Wrong, []string{"for the key of this request"}, ""},
	{"accept key between spaces", "ws", replying(replaced("KEY", "  KEY \t")), nil, Right, nil, ""},
	{"no accept key", "ws", replying(replaced("Sec-WebSocket-Accept: KEY\r\n", "")), nil, Wrong, []string{"missing"}, ""},
	{"accept key twice", "ws", replying(replaced("Sec-WebSocket-Accept: KEY", "Sec-WebSocket-Accept: KEY\r\nSec-WebSocket-Accept: KEY")), nil, Wrong, []string{"only once (RFC 6455, section 11.3.3)"}, ""},
	{"Content-Length: 0 in a 101", "ws", replying(upgraded("", "Content-Length: 0")), nil, Wrong, []string{"the bytes after the header are frames"}, ""},
	{"chunked 101", "ws", replying(upgraded("", "Transfer-Encoding: chunked")), nil, Wrong, []string{"the bytes after the header are frames"}, ""},
	{"unknown field", "ws", replying(upgraded("", "X-Unheard-Of: 1")), nil, Right, nil, ""},
	{"bytes beyond ASCII in a value", "ws", replying(upgraded("", "X-Name: \xfcber")), nil, Right, nil, ""},
	{"NUL in a value", "ws", replying(upgraded("", "X-A: a\x00b")), nil, Wrong, []string{"U+0000"}, ""},
	{"CR in a value", "ws", replying(upgraded("", "X-A: a\rb")), nil, Wrong, []string{"U+000D"}, ""},
	{"ESC in a value", "ws", replying(upgraded("", "X-A: \x1b[31m")), nil, Wrong, []string{"U+001B"}, "\ufffd[31m"},
	{"LF without CR", "ws", replying(switched + "X-A: b\n\r\n" + end), nil, Wrong, []string{"the line ends in LF"}, ""},
	{"space before the colon", "ws", replying(upgraded("", "X-A : 1")), nil, Wrong, []string{"not a header field"}, ""},
	{"line without a colon", "ws", replying(upgraded("", "nonsense")), nil, Wrong, []string{"not a header field"}, ""},
	{"field without a name", "ws", replying(upgraded("", ": 1")), nil, Wrong, []string{"not a header field"}, ""},
	{"name with a space", "ws", replying(upgraded("", "X A: 1")), nil, Wrong, []string{"not a header field"}, ""},
	{"value on two lines", "ws", replying(replaced("Connection: Upgrade", "Connection: keep-alive,\r\n Upgrade")), nil, Wrong, []string{"must not continue"}, ""},
	{"Date twice", "ws", replying(upgraded("", "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Date: Sun, 06 Nov 1994 08:49:38 GMT")), nil, Wrong, []string{"only once"}, ""},
	{"Set-Cookie twice", "ws", replying(upgraded("", "Set-Cookie: a=1", "Set-Cookie: b=1")), nil, Right, nil, ""},

	{"subprotocol that was not offered", "ws", replying(upgraded("", "Sec-WebSocket-Protocol: x")), nil, Wrong, []string{"not offered"}, ""},
	{"subprotocol that was offered", "ws", replying(upgraded("", "Sec-WebSocket-Protocol: x")), offering("y, x"), Right, nil, ""},
	{"subprotocol in other letters", "ws", replying(upgraded("", "Sec-WebSocket-Protocol: GraphQL-WS")), offering("graphql-ws"), Wrong, []string{"not offered"}, ""},
	{"no subprotocol selected", "ws", replying(upgraded("")), offering("x"), Contestable, []string{"browsers then fail"}, ""},
	{"two subprotocols selected", "ws", replying(upgraded("", "Sec-WebSocket-Protocol: x, y")), offering("x, y"), Wrong, []string{"not offered"}, ""},
	{"subprotocol twice", "ws", replying(upgraded("", "Sec-WebSocket-Protocol: x", "Sec-WebSocket-Protocol: x")), offering("x"), Wrong, []string{"section 11.3.4"}, ""},
	{"empty subprotocol", "ws", replying(upgraded("", "Sec-WebSocket-Protocol:")), offering("x"), Wrong, []string{"not offered"}, ""},

	{"extension that was not offered", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate")), nil, Wrong, []string{"not offered"}, ""},
	{"compression", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover")), offerDeflate, Right, nil, ""},
	{"compression refused", "ws", replying(switched + "\r\n" + end), offerDeflate, Right, nil, ""},
	{"server_max_window_bits=10", "ws", replying(upgraded("", `Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits="10"`)), offerDeflate, Right, nil, ""},
	{"server_max_window_bits=7", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7")), offerDeflate, Wrong, []string{"allowed: 8 to 15"}, ""},
	{"server_max_window_bits=08", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=08")), offerDeflate, Wrong, []string{"allowed: 8 to 15"}, ""},
	{"server_max_window_bits without a value", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits")), offerDeflate, Wrong, []string{"allowed: 8 to 15"}, ""},
	{"client_max_window_bits", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15")), offerDeflate, Wrong, []string{"it was not offered"}, ""},
	{"unknown parameter", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; foo=1")), offerDeflate, Wrong, []string{"is not defined"}, ""},
	{"parameter twice", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_no_context_takeover")), offerDeflate, Wrong, []string{"appears twice"}, ""},
	{"parameter with a value", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover=1")), offerDeflate, Wrong, []string{"has no value"}, ""},
	{"two extensions", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate, x-other")), offerDeflate, Wrong, []string{"selects several"}, ""},
	{"extensions on two lines", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Wrong, []string{"section 11.3.2"}, ""},

	{"100 first", "ws", replying(head("HTTP/1.1 100 Continue") + switched + "\r\n" + end), nil, Right, nil, "interim responses"},
	{"102 and 103 first", "ws", replying(head("HTTP/1.1 102 Processing") + head("HTTP/1.1 103 Early Hints", "Link: </a>") + switched + "\r\n" + end), nil, Right, nil, "Link: </a>"},
	{"103 with a length", "ws", replying(head("HTTP/1.1 103 Early Hints", "Content-Length: 0") + switched + "\r\n" + end), nil, Wrong, []string{"not allowed with 103"}, ""},
	{"100 and then nothing", "ws", replying(head("HTTP/1.1 100 Continue")), nil, NoAnswer, []string{"not complete"}, ""},

	{"403 with a body", "ws", replying(head("HTTP/1.1 403 Forbidden", "Content-Length: 6") + "denied"), nil, Wrong, []string{"403: Forbidden (RFC 9110, section 15.5.4)"}, "denied"},
	{"401 without a challenge", "ws", replying(head("HTTP/1.1 401 Unauthorized", "Content-Length: 0")), nil, Wrong, []string{"401: Unauthorized", "missing"}, ""},
	{"401 with a challenge", "ws", replying(head("HTTP/1.1 401 Unauthorized", "WWW-Authenticate: Basic", "Content-Length: 0")), nil, Wrong, []string{"401: Unauthorized"}, ""},
	{"405 without methods", "ws", replying(head("HTTP/1.1 405 x", "Content-Length: 0")), nil, Wrong, []string{"405", "missing"}, ""},
	{"426 without protocols", "ws", replying(head("HTTP/1.1 426 x", "Content-Length: 0")), nil, Wrong, []string{"426", "missing"}, ""},
	{"426 with versions", "ws", replying(head("HTTP/1.1 426 x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13, 8", "Content-Length: 0")), nil, Wrong, []string{"426"}, "versions that the server supports"},
	{"redirect", "ws", replying(head("HTTP/1.1 301 x", "Location: /other", "Content-Length: 0")), nil, Wrong, []string{"301: Moved Permanently"}, "Location: /other"},
	{"200 instead of 101", "ws", replying(head("HTTP/1.1 200 OK", "Content-Length: 2") + "hi"), nil, Wrong, []string{"200: OK"}, ""},
	{"503", "ws", replying(head("HTTP/1.1 503 x", "Retry-After: 1", "Content-Length: 0")), nil, Wrong, []string{"503: Service Unavailable"}, ""},
	{"unknown status 499", "ws", replying(head("HTTP/1.1 499 x", "Content-Length: 0")), nil, Wrong, []string{"counts as 400"}, ""},

	{"silence", "ws", replying(""), nil, NoAnswer, []string{"not complete within"}, ""},
	{"half a status line", "ws", replying("HTTP/1.1 10"), nil, NoAnswer, []string{"not complete within"}, ""},
	{"half a header", "ws", replying("HTTP/1.1 101 x\r\nUpgrade: webs"), nil, NoAnswer, []string{"not complete within"}, ""},
	{"connection closed at once", "ws", closing(""), nil, NoAnswer, []string{"without a response"}, ""},
	{"connection reset at once", "ws", resetting(""), nil, NoAnswer, []string{"without a response"}, ""},
	{"end within the header", "ws", closing("HTTP/1.1 101 x\r\nUpgr"), nil, Wrong, []string{"ended within the header"}, ""},
	{"banner of SSH", "ws", replying("SSH-2.0-x\r\n\r\n"), nil, Wrong, []string{"is not a status line"}, ""},
	{"HTTP/0.9", "http", closing("<html>hello</html>"), nil, Wrong, []string{"is not a status line"}, ""},
	{"binary bytes", "ws", closing("\x00\x01\x02\xff\xfe\n"), nil, Wrong, []string{"is not a status line"}, ""},
	{"TLS on a port for ws", "ws", replying("\x15\x03\x01\x00\x02\x02\x46"), nil, Wrong, []string{"this port expects TLS"}, ""},
	{"HTTP/2 with prior knowledge", "ws", replying("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), nil, Wrong, []string{"HTTP/2 with prior knowledge"}, ""},
	{"HTTP/2 that closes", "http", closing("\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00"), nil, Wrong, []string{"HTTP/2 with prior knowledge"}, ""},

	{"a protocol with the sign of Kelvin", "ws", replying(replaced(": websocket", ": websoc\u212aet")), nil, Wrong, []string{`must be "websocket"`}, ""},
	{"a field with the sign of Kelvin", "ws", replying(replaced("Sec-WebSocket-Accept", "Sec-WebSoc\u212aet-Accept")), nil, Wrong, []string{"not a header field", "missing"}, ""},
	{"HTTP/1.2 101", "ws", replying(replaced("HTTP/1.1", "HTTP/1.2")), nil, Contestable, []string{"recipients read it as HTTP/1.1"}, ""},
	{"HTTP/0.9 101", "ws", replying(replaced("HTTP/1.1", "HTTP/0.9")), nil, Wrong, []string{"the version must be HTTP/1.1"}, ""},
	{"http in lower case", "ws", replying(replaced("HTTP/1.1", "http/1.1")), nil, Wrong, []string{"is not a status line"}, ""},
	{"two spaces before the status", "ws", replying(replaced(" 101", "  101")), nil, Wrong, []string{"is not a status line"}, ""},
	{"tab before the status", "ws", replying(replaced(" 101", "\t101")), nil, Wrong, []string{"is not a status line"}, ""},
	{"status of four digits", "ws", replying(replaced("101", "1010")), nil, Wrong, []string{"is not a status line"}, ""},
	{"status 099", "http", replying(head("HTTP/1.1 099 x", "Content-Length: 0")), nil, Wrong, []string{"from 100 to 599"}, ""},
	{"status 600", "http", replying(head("HTTP/1.1 600 x", "Content-Length: 0")), nil, Wrong, []string{"from 100 to 599"}, ""},
	{"tab and letters beyond ASCII in the reason", "ws", replying(replaced("Switching Protocols", "W\xc3\xa4chsel\tx")), nil, Right, nil, "Wächsel x"},
	{"empty line before the status line", "ws", replying("\r\n" + switched + "\r\n" + end), nil, Wrong, []string{"is not a status line"}, ""},
	{"byte order mark before the status line", "ws", replying("\ufeff" + switched + "\r\n" + end), nil, Wrong, []string{"is not a status line"}, ""},
	{"empty line without CR", "ws", replying(switched + "\n" + end), nil, Wrong, []string{"the line ends in LF"}, "response header: 128 bytes"},
	{"all lines without CR", "ws", replying(strings.ReplaceAll(switched, "\r", "") + "\n" + end), nil, Wrong, []string{"ends in LF", "ends in LF", "ends in LF", "ends in LF", "ends in LF"}, ""},
	{"line that ends in CR CR LF", "ws", replying(upgraded("", "X-A: b\r")), nil, Wrong, []string{"U+000D"}, ""},
	{"space before the first field", "ws", replying(replaced("Upgrade: websocket", " Upgrade: websocket")), nil, Wrong, []string{"must not continue", "missing"}, ""},
	{"DEL in a value", "ws", replying(upgraded("", "X-A: \x7f")), nil, Wrong, []string{"U+007F"}, ""},
	{"value of 60,000 bytes", "ws", replying(upgraded("", "X-A: "+strings.Repeat("x", 60000))), nil, Right, nil, ""},
	{"Upgrade twice", "ws", replying(replaced("Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket")), nil, Wrong, []string{`must be "websocket"`}, ""},
	{"Upgrade with a version", "ws", replying(replaced(": websocket", ": websocket/13")), nil, Wrong, []string{`must be "websocket"`}, ""},
	{"Connection in capitals", "ws", replying(replaced("Connection: Upgrade", "Connection: UPGRADE")), nil, Right, nil, ""},
	{"Connection with an empty element", "ws", replying(replaced("Connection: Upgrade", "Connection: ,Upgrade")), nil, Wrong, []string{"must not have empty elements"}, ""},
	{"Connection: upgraded", "ws", replying(replaced("Connection: Upgrade", "Connection: upgraded")), nil, Wrong, []string{`must contain "Upgrade"`}, ""},
	{"accept key in quotes", "ws", replying(replaced("KEY", `"KEY"`)), nil, Wrong, []string{"for the key of this request"}, ""},
	{"accept key without padding", "ws", func(request string, c net.Conn) {
		text, r := replaced("KEY", "KEY!"), recorder{}
		replying(text)(request, &r)
		_, _ = io.WriteString(c, strings.ReplaceAll(r.String(), "=!", ""))
	}, nil, Wrong, []string{"for the key of this request"}, ""},
	{"Server twice", "ws", replying(upgraded("", "Server: a", "Server: b")), nil, Wrong, []string{"10.2.4"}, ""},
	{"Date of another form", "ws", replying(upgraded("", "Date: Sunday, 06-Nov-94 08:49:37 GMT")), nil, Wrong, []string{"not a date"}, ""},
	{"Date of another zone", "ws", replying(upgraded("", "Date: Sun, 06 Nov 1994 08:49:37 CET")), nil, Wrong, []string{"not a date"}, ""},
	{"Date of another weekday", "ws", replying(upgraded("", "Date: Mon, 06 Nov 1994 08:49:37 GMT")), nil, Wrong, []string{"not a date"}, ""},
	{"no Date", "http", replying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), nil, Contestable, []string{"required of a server with a clock"}, ""},
	{"no Date in a 503", "ws", replying("HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"), nil, Wrong, []string{"503"}, ""},
	{"426 without the option", "ws", replying(head("HTTP/1.1 426 x", "Upgrade: websocket", "Content-Length: 0")), nil, Wrong, []string{"426", "section 7.8"}, ""},
	{"Retry-After: soon", "ws", replying(head("HTTP/1.1 503 x", "Retry-After: soon", "Content-Length: 0")), nil, Wrong, []string{"503", "section 10.2.3"}, ""},

	{"extensions with an empty element", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate,")), offerDeflate, Wrong, []string{"must not have empty elements"}, ""},
	{"empty extensions", "ws", replying(upgraded("", "Sec-WebSocket-Extensions:")), offerDeflate, Wrong, []string{"not offered"}, ""},
	{"extension in capitals", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: Permessage-Deflate")), offerDeflate, Wrong, []string{"not offered"}, ""},
	{"former name of the extension", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: x-webkit-deflate-frame")), offerDeflate, Wrong, []string{"not offered"}, ""},
	{"server_max_window_bits=16", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16")), offerDeflate, Wrong, []string{"allowed: 8 to 15"}, ""},
	{"server_max_window_bits=8", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8")), offerDeflate, Right, nil, ""},
	{"server_max_window_bits=+9", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=+9")), offerDeflate, Wrong, []string{"allowed: 8 to 15"}, ""},
	{"semicolon without a parameter", "ws", replying(upgraded("", "Sec-WebSocket-Extensions: permessage-deflate;")), offerDeflate, Wrong, []string{"is not defined"}, ""},

	{"empty Connection before another", "ws", replying(replaced("Connection: Upgrade", "Connection:\r\nConnection: Upgrade")), nil, Right, nil, ""},
	{"versions with an empty element", "ws", replying(head("HTTP/1.1 426 x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13,,8", "Content-Length: 0")), nil, Wrong, []string{"426", "must not have empty elements"}, ""},
	{"status 431", "ws", replying(head("HTTP/1.1 431 x", "Content-Length: 0")), nil, Wrong, []string{"431: Request Header Fields Too Large (RFC 6585, section 5)"}, ""},
	{"server_max_window_bits with an escaped digit", "ws", replying(upgraded("", `Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits="1\0"`)), offerDeflate, Right, nil, ""},
	{"server_max_window_bits with half of the quotes", "ws", replying(upgraded("", `Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits="10`)), offerDeflate, Wrong, []string{"allowed: 8 to 15"}, ""},
}

var frameAnswers = []answer{
	{"text frame", "ws", replying(upgraded(frameOf(0x81, "hi"))), nil, Right, nil, ": hi"},
	{"binary frame", "ws", replying(upgraded(frameOf(0x82, "\x00\xff"))), nil, Right, nil, "binary frame"},
	{"empty frame", "ws", replying(upgraded("\x81\x00")), nil, Right, nil, ""},
	{"ping and pong", "ws", replying(upgraded("\x89\x01a\x8a\x01b")), nil, Right, nil, "ping frame"},
	{"message in two frames", "ws", replying(upgraded("\x01\x01a\x80\x01b")), nil, Right, nil, ": ab"},
	{"ping within a message", "ws", replying(upgraded("\x01\x01a\x89\x00\x80\x01b")), nil, Right, nil, ""},
	{"letter in two frames", "ws", replying(upgraded("\x01\x01\xc3\x80\x01\xa4")), nil, Right, nil, ": ä"},
	{"masked frame", "ws", replying(upgraded("\x81\x82\x00\x00\x00\x00hi")), nil, Wrong, []string{"must not mask"}, ""},
	{"RSV1 without compression", "ws", replying(upgraded(frameOf(0xc1, "hi"))), nil, Wrong, []string{"reserved bits"}, ""},
	{"RSV1 although compression was refused", "ws", replying(upgraded(frameOf(0xc1, "hi"))), offerDeflate, Wrong, []string{"reserved bits"}, ""},
	{"RSV2", "ws", replying(upgraded(frameOf(0xa1, "hi"))), nil, Wrong, []string{"reserved bits"}, ""},
	{"reserved opcode 3", "ws", replying(upgraded(frameOf(0x83, "hi"))), nil, Wrong, []string{"opcode is reserved"}, ""},
	{"reserved opcode 11", "ws", replying(upgraded(frameOf(0x8b, ""))), nil, Wrong, []string{"opcode is reserved"}, ""},
	{"ping in pieces", "ws", replying(upgraded(frameOf(0x09, "hi"))), nil, Wrong, []string{"not fragmented"}, ""},
	{"ping of 126 bytes", "ws", replying(upgraded("\x89\x7e\x00\x7e" + strings.Repeat("x", 126))), nil, Wrong, []string{"at most 125"}, ""},
	{"length of 2 in 16 bits", "ws", replying(upgraded("\x81\x7e\x00\x02hi")), nil, Wrong, []string{"smallest number of bytes"}, ""},
	{"length of 126 in 64 bits", "ws", replying(upgraded("\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x7e" + strings.Repeat("x", 126))), nil, Wrong, []string{"smallest number of bytes"}, ""},
	{"length of 126 in 16 bits", "ws", replying(upgraded("\x82\x7e\x00\x7e" + strings.Repeat("x", 126))), nil, Right, nil, ""},
	{"length with the first bit", "ws", replying(upgraded("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00")), nil, Wrong, []string{"must be 0"}, ""},
	{"length of 1 TiB", "ws", replying(upgraded("\x82\x7f\x00\x00\x01\x00\x00\x00\x00\x00")), nil, Right, nil, "more than 1048576 bytes"},
	{"continuation first", "ws", replying(upgraded("\x80\x01a")), nil, Wrong, []string{"without a message"}, ""},
	{"text within a message", "ws", replying(upgraded("\x01\x01a\x81\x01b")), nil, Wrong, []string{"before the last frame"}, ""},
	{"text that is not UTF-8", "ws", replying(upgraded("\x81\x02\xff\xfe")), nil, Wrong, []string{"not UTF-8"}, ""},
	{"surrogates in UTF-8", "ws", replying(upgraded("\x81\x03\xed\xa0\x80")), nil, Wrong, []string{"not UTF-8"}, ""},
	{"error in the second frame", "ws", replying(upgraded("\x81\x02hi\x83\x00")), nil, Wrong, []string{"opcode is reserved"}, ""},
	{"half a frame", "ws", replying(switched + "\r\n\x81\x05he"), nil, NoAnswer, []string{"not complete"}, ""},
	{"end within a frame", "ws", closing(switched + "\r\n\x81\x05he"), nil, Wrong, []string{"ended within a frame"}, ""},
	{"end without a close frame", "ws", closing(switched + "\r\n\x81\x02hi"), nil, Wrong, []string{"without a close frame"}, ""},
	{"no close frame", "ws", replying(switched + "\r\n"), nil, Wrong, []string{"timed out"}, ""},

	{"compressed message", "ws", replying(upgraded(frameOf(0xc1, deflated("hello hello")), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Right, nil, ": hello hello"},
	{"message that is not compressed", "ws", replying(upgraded(frameOf(0x81, "plain"), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Right, nil, ": plain"},
	{"corrupt compression", "ws", replying(upgraded(frameOf(0xc1, "\xff\xff\xff"), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Wrong, []string{"not compressed with DEFLATE"}, ""},
	{"compressed ping", "ws", replying(upgraded(frameOf(0xc9, "a"), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Wrong, []string{"RSV1"}, ""},
	{"RSV1 in a continuation", "ws", replying(upgraded("\x41\x00\xc0\x00", "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Wrong, []string{"RSV1"}, ""},
	{"compressed text that is not UTF-8", "ws", replying(upgraded(frameOf(0xc1, deflated("\xff")), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Wrong, []string{"not UTF-8"}, ""},

	{"close without a code", "ws", replying(switched + "\r\n\x88\x00"), nil, Right, nil, "without a code"},
	{"close of one byte", "ws", replying(switched + "\r\n\x88\x01\x03"), nil, Wrong, []string{"at least the 2 bytes"}, ""},
	{"close with 1008 and a reason", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xf0denied")), nil, Right, nil, "code 1008 (policy violation): denied"},
	{"close with 4999", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x13\x87")), nil, Right, nil, "the server closes first"},
	{"close with 1010", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xf2")), nil, Contestable, []string{"meant for clients"}, ""},
	{"close with 999", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xe7")), nil, Wrong, []string{"999 must not be sent"}, ""},
	{"close with 1004", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xec")), nil, Wrong, []string{"1004 must not be sent"}, ""},
	{"close with 1005", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xed")), nil, Wrong, []string{"1005 must not be sent"}, ""},
	{"close with 1006", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xee")), nil, Wrong, []string{"1006 must not be sent"}, ""},
	{"close with 1015", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xf7")), nil, Wrong, []string{"1015 must not be sent"}, ""},
	{"close with 2999", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x0b\xb7")), nil, Wrong, []string{"2999 must not be sent"}, ""},
	{"close with 5000", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x13\x88")), nil, Wrong, []string{"5000 must not be sent"}, ""},
	{"reason that is not UTF-8", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xe8\xff")), nil, Wrong, []string{"reason is not UTF-8"}, ""},
	{"frame after the close frame", "ws", replying(switched + "\r\n" + end + "\x81\x02hi"), nil, Wrong, []string{"after a close frame"}, ""},
	{"fragmented close", "ws", replying(switched + "\r\n\x08\x00" + end), nil, Wrong, []string{"not fragmented"}, ""},

	{"message in three frames, the last one empty", "ws", replying(upgraded("\x01\x01a\x00\x01b\x80\x00")), nil, Right, nil, ": ab"},
	{"close frame within a message", "ws", replying(upgraded("\x01\x01a")), nil, Contestable, []string{"the message is lost"}, ""},
	{"close frame within a message, and the end at once", "ws", closing(switched + "\r\n\x01\x01a" + end), nil, Contestable, []string{"the message is lost"}, ""},
	{"close frame of 126 bytes", "ws", replying(switched + "\r\n\x88\x7e\x00\x7e\x03\xe8" + strings.Repeat("x", 124) + end), nil, Wrong, []string{"at most 125"}, ""},
	{"two close frames", "ws", replying(upgraded(end)), nil, Wrong, []string{"after a close frame"}, ""},
	{"masked close frame", "ws", replying(switched + "\r\n\x88\x82\x00\x00\x00\x00\x03\xe8" + end), nil, Wrong, []string{"must not mask"}, ""},
	{"connection that stays open", "ws", func(request string, c net.Conn) { replying(switched+"\r\n"+end)(request, c.(*scriptedServer).Conn) }, nil, Wrong, []string{"must close the TCP connection at once"}, ""},
	{"frame that follows the close frame later", "ws", func(request string, c net.Conn) {
		replying(switched+"\r\n"+end)(request, c.(*scriptedServer).Conn)
		time.Sleep(50 * time.Millisecond)
		_, _ = io.WriteString(c, "\x81\x02hi")
	}, nil, Wrong, []string{"after a close frame"}, ""},
	{"pong with another payload", "ws", replying(upgraded("\x8a\x03abc")), nil, Right, nil, "pong frame"},
	{"text with U+0000", "ws", replying(upgraded(frameOf(0x81, "a\x00b"))), nil, Right, nil, ": a\ufffdb"},
	{"text with a noncharacter", "ws", replying(upgraded(frameOf(0x81, "\uffff"))), nil, Right, nil, ""},
	{"overlong UTF-8", "ws", replying(upgraded(frameOf(0x81, "\xc0\xaf"))), nil, Wrong, []string{"not UTF-8"}, ""},
	{"letter that is cut off", "ws", replying(upgraded(frameOf(0x81, "\xc3"))), nil, Wrong, []string{"not UTF-8"}, ""},
	{"close with 3000", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x0b\xb8")), nil, Right, nil, "code 3000"},
	{"close with 0", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x00\x00")), nil, Wrong, []string{"0 must not be sent"}, ""},
	{"close with 1016", "ws", replying(switched + "\r\n" + frameOf(0x88, "\x03\xf8")), nil, Wrong, []string{"1016 must not be sent"}, ""},

	{"compressed message in two frames", "ws", replying(upgraded(frameOf(0x41, deflated("hello hello")[:5])+frameOf(0x80, deflated("hello hello")[5:]), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Right, nil, ": hello hello"},
	{"empty compressed message", "ws", replying(upgraded(frameOf(0xc1, "\x00"), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Right, nil, "(decompressed: 0 bytes)"},
	{"compressed message with a final block", "ws", replying(upgraded(frameOf(0xc1, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Right, nil, ": Hello"},
	{"compressed message that uses the one before", "ws", replying(upgraded(frameOf(0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00")+frameOf(0xc1, "\xf2\x00\x11\x00\x00"), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Right, nil, "5 of payload (decompressed: 5 bytes): Hello"},
	{"the same without context takeover", "ws", replying(upgraded(frameOf(0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00")+frameOf(0xc1, "\xf2\x00\x11\x00\x00"), "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover")), offerDeflate, Wrong, []string{"not compressed with DEFLATE"}, ""},

	{"first part that cannot be UTF-8", "ws", replying(upgraded("\x01\x02\xff\xfe")), nil, Wrong, []string{"not UTF-8"}, ""},
	{"first part that cannot be UTF-8, and the last one", "ws", replying(upgraded("\x01\x02\xed\xa0\x80\x01\x80")), nil, Wrong, []string{"not UTF-8"}, ""},
	{"first part that ends within a letter", "ws", replying(upgraded("\x01\x01\xc3")), nil, Contestable, []string{"the message is lost"}, ""},
	{"binary message in parts", "ws", replying(upgraded("\x02\x02\xff\xfe\x80\x00")), nil, Right, nil, ""},
	{"block behind a final block", "ws", replying(upgraded(frameOf(0xc1, "\xf3\x48\xcd\xc9\xc9\x07\x00"+"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Right, nil, "(decompressed: 10 bytes): HelloHello"},
	{"no UTF-8 behind a final block", "ws", replying(upgraded(frameOf(0xc1, "\xf3\x48\xcd\xc9\xc9\x07\x00"+"\x01\x01\x00\xfe\xff\xff\x00"), "Sec-WebSocket-Extensions: permessage-deflate")), offerDeflate, Wrong, []string{"not UTF-8"}, ""},
	{"compressed message beyond the window", "ws", replying(upgraded(deflatedTwice(distinct(300)), "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8")), offerDeflate, Wrong, []string{"beyond the selected window of 256"}, ""},
	{"compressed message that refers too far within itself", "ws", replying(upgraded(longFrame(0xc1, deflated(distinct(300)+distinct(300))), "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8")), offerDeflate, Wrong, []string{"beyond the selected window of 256"}, ""},
	{"compressed message within the window", "ws", replying(upgraded(deflatedTwice(distinct(300)), "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9")), offerDeflate, Right, nil, "(decompressed: 300 bytes)"},
	{"close frame to a client that still sends", "ws", closing(switched + "\r\n" + frameOf(0x88, "\x03\xf0denied")), func(t *Target) { t.Send = []string{"a", "b", "c"} }, Right, nil, "(policy violation): denied"},
}

var bodyAnswers = []answer{
	{"body with a length", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 2") + "{}"), nil, Right, nil, "{}"},
	{"204", "http", replying(head("HTTP/1.1 204 No Content")), nil, Right, nil, ""},
	{"204 with a length", "http", replying(head("HTTP/1.1 204 No Content", "Content-Length: 0")), nil, Wrong, []string{"not allowed with 204"}, ""},
	{"204 with chunks", "http", replying(head("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked")), nil, Wrong, []string{"not allowed with 204"}, ""},
	{"204 with a body", "http", replying(head("HTTP/1.1 204 No Content") + "{}"), nil, Wrong, []string{"no request was sent"}, ""},
	{"304 unasked", "http", replying(head("HTTP/1.1 304 Not Modified")), nil, Contestable, []string{"conditional"}, ""},
	{"304 to a condition", "http", replying(head("HTTP/1.1 304 Not Modified")), func(t *Target) { t.Fields = []string{"If-None-Match: x"} }, Right, nil, ""},
	{"101 unasked", "http", replying(head("HTTP/1.1 101 x", "Upgrade: h2c", "Connection: upgrade")), nil, Wrong, []string{"must not switch"}, ""},
	{"end behind an interim response", "http", closing(head("HTTP/1.1 102 Processing")), nil, NoAnswer, []string{"closed the connection after an interim response"}, ""},
	{"103 before a poll's response", "http", replying(head("HTTP/1.1 103 Early Hints") + head("HTTP/1.1 200 OK", "Content-Length: 0")), nil, Right, nil, "interim responses"},
	{"response to HEAD", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 200")), func(t *Target) { t.Method = "HEAD" }, Right, nil, ""},
	{"201 to a POST", "http", replying(head("HTTP/1.1 201 Created", "Content-Length: 0")), func(t *Target) { t.Method, t.Body = "POST", "x" }, Right, nil, "Content-Length: 1"},
	{"two lengths", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3") + "{}"), nil, Wrong, []string{"two different lengths"}, ""},
	{"length twice", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 2") + "{}"), nil, Wrong, []string{"the length is repeated"}, ""},
	{"length as a list", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 2, 2") + "{}"), nil, Wrong, []string{"the length is repeated"}, ""},
	{"length and chunks", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"together with Transfer-Encoding"}, ""},
	{"length +2", "http", closing(head("HTTP/1.1 200 OK", "Content-Length: +2") + "{}"), nil, Wrong, []string{"not a number of bytes", ""}, ""},
	{"length -0", "http", closing(head("HTTP/1.1 200 OK", "Content-Length: -0")), nil, Wrong, []string{"not a number of bytes", ""}, ""},
	{"length of 20 digits", "http", closing(head("HTTP/1.1 200 OK", "Content-Length: 99999999999999999999")), nil, Wrong, []string{"exceeds 64 bits", ""}, ""},
	{"shorter body", "http", closing(head("HTTP/1.1 200 OK", "Content-Length: 5") + "{}"), nil, Wrong, []string{"incomplete"}, ""},
	{"body that stops", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 5") + "{}"), nil, NoAnswer, []string{"not complete"}, ""},
	{"reset within the body", "http", func(request string, c net.Conn) {
		replying(head("HTTP/1.1 200 OK", "Content-Length: 5"))(request, c)
		resetting("")(request, c)
	}, nil, Wrong, nil, ""},
	{"bytes after the body", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 2") + "{}HTTP/1.1 200 OK\r\n"), nil, Wrong, []string{"no request was sent"}, ""},
	{"body until the end", "http", closing(head("HTTP/1.1 200 OK") + "{}"), nil, Contestable, []string{"cannot carry another response"}, ""},
	{"HTTP/1.0", "http", closing(head("HTTP/1.0 200 OK", "Content-Length: 2") + "{}"), nil, Contestable, []string{"every poll requires a new connection"}, ""},
	{"HTTP/1.0 that stays open", "http", replying(head("HTTP/1.0 200 OK", "Connection: Keep-Alive", "Content-Length: 2") + "{}"), nil, Right, nil, ""},
	{"HTTP/1.0 with chunks", "http", replying(head("HTTP/1.0 200 OK", "Connection: keep-alive", "Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"HTTP/1.0 has no transfer codings"}, ""},
	{"poll that closes", "http", replying(head("HTTP/1.1 204 No Content", "Connection: close")), nil, Contestable, []string{"every poll requires a new connection"}, ""},
	{"429", "http", replying(head("HTTP/1.1 429 x", "Content-Length: 0")), nil, Wrong, []string{"the poll was refused"}, ""},
	{"redirected poll", "http", replying(head("HTTP/1.1 302 Found", "Location: http://other.test/", "Content-Length: 0")), nil, Wrong, []string{"a redirect, which is not followed"}, ""},
	{"held long poll", "http", replying(""), nil, NoAnswer, []string{"a long poll may be held"}, ""},

	{"chunks", "http", replying(chunks + "2\r\n{}\r\n0\r\n\r\n"), nil, Right, nil, "{}"},
	{"chunk size 2 ;x", "http", replying(chunks + "2 ;x\r\n{}\r\n0\r\n\r\n"), nil, Contestable, []string{"must not be sent"}, "{}"},
	{"chunk extension with a value", "http", replying(chunks + "2;a=\"b\"\r\n{}\r\n0\r\n\r\n"), nil, Right, nil, "{}"},
	{"chunk size 0002", "http", replying(chunks + "0002\r\n{}\r\n000\r\n\r\n"), nil, Right, nil, "{}"},
	{"chunk size with a space", "http", replying(chunks + "2 \r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"white space after a chunk size"}, ""},
	{"chunk size +2", "http", replying(chunks + "+2\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"chunk size -0", "http", replying(chunks + "-0\r\n\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"chunk size 0x2", "http", replying(chunks + "0x2\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"chunk size of 17 digits", "http", replying(chunks + "10000000000000000\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"empty chunk size", "http", replying(chunks + "\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"chunk size with LF", "http", replying(chunks + "2\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"must end in CR LF"}, ""},
	{"chunk without a line end", "http", replying(chunks + "2\r\n{}0\r\n\r\n"), nil, Wrong, []string{"CR LF must follow"}, ""},
	{"end before the last chunk", "http", closing(chunks + "2\r\n{}\r\n"), nil, Wrong, []string{"incomplete"}, ""},
	{"end within a chunk", "http", closing(chunks + "5\r\n{}"), nil, Wrong, []string{"incomplete"}, ""},
	{"trailer", "http", replying(chunks + "2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n"), nil, Right, nil, "X-Sum: 1"},
	{"Content-Length in a trailer", "http", replying(chunks + "2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n"), nil, Wrong, []string{"not allowed in a trailer"}, ""},
	{"gzip, then chunked", "http", replying(head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked") + "1a\r\n" + gzipped("hi")[:26] + "\r\n0\r\n\r\n"), nil, Contestable, []string{"not requested by a TE field"}, "hi"},
	{"chunked, then gzip", "http", closing(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked, gzip")), nil, Wrong, []string{"must be the last coding", ""}, ""},
	{"chunked twice", "http", replying(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked, chunked") + "0\r\n\r\n"), nil, Wrong, []string{"applied once"}, ""},
	{"identity", "http", closing(head("HTTP/1.1 200 OK", "Transfer-Encoding: identity")), nil, Wrong, []string{"not a transfer coding", ""}, ""},

	{"gzip unasked", "http", replying(head("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Content-Length: 26") + gzipped("hi")[:26]), nil, Right, nil, "hi"},
	{"text called gzip", "http", replying(head("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Content-Length: 20") + strings.Repeat("no gzip at all. ", 2)[:20]), nil, Wrong, []string{"the content is not gzip"}, ""},
	{"Brotli unasked", "http", replying(head("HTTP/1.1 200 OK", "Content-Encoding: br", "Content-Length: 2") + "\x0b\x80"), nil, Right, nil, "(2 bytes, coded by br)"},
	{"binary body", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 3") + "\xff\x00\x1b"), nil, Right, nil, "(3 bytes that are not text)"},

	{"205 without a body", "http", replying(head("HTTP/1.1 205 x", "Content-Length: 0")), nil, Right, nil, ""},
	{"205 with a body", "http", replying(head("HTTP/1.1 205 x", "Content-Length: 2") + "{}"), nil, Wrong, []string{"a 205 has no content"}, ""},
	{"206 unasked", "http", replying(head("HTTP/1.1 206 x", "Content-Range: bytes 0-1/9", "Content-Length: 2") + "{}"), nil, Wrong, []string{"section 15.3.7"}, ""},
	{"206 to a range", "http", replying(head("HTTP/1.1 206 x", "Content-Range: bytes 0-1/9", "Content-Length: 2") + "{}"), func(t *Target) { t.Fields = []string{"Range: bytes=0-1"} }, Right, nil, ""},
	{"bytes that follow a 204 later", "http", func(request string, c net.Conn) {
		replying(head("HTTP/1.1 204 No Content"))(request, c)
		time.Sleep(50 * time.Millisecond)
		_, _ = io.WriteString(c, "{}")
	}, nil, Wrong, []string{"no request was sent"}, ""},
	{"body after HEAD", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 2") + "{}"), func(t *Target) { t.Method = "HEAD" }, Wrong, []string{"no request was sent"}, ""},
	{"304 with the length of its content", "http", replying(head("HTTP/1.1 304 Not Modified", "Content-Length: 200", `ETag: "x"`)), func(t *Target) { t.Fields = []string{"If-None-Match: x"} }, Right, nil, ""},
	{"length with zeros in front", "http", replying(head("HTTP/1.1 200 OK", "Content-Length: 0000000000000000000000002") + "{}"), nil, Right, nil, "{}"},
	{"length 0x2", "http", closing(head("HTTP/1.1 200 OK", "Content-Length: 0x2") + "{}"), nil, Wrong, []string{"not a number of bytes", ""}, ""},
	{"length 2.0", "http", closing(head("HTTP/1.1 200 OK", "Content-Length: 2.0") + "{}"), nil, Wrong, []string{"not a number of bytes", ""}, ""},
	{"empty length", "http", closing(head("HTTP/1.1 200 OK", "Content-Length:") + "{}"), nil, Wrong, []string{"not a number of bytes", ""}, ""},
	{"HTTP/1.0 that closes", "http", closing(head("HTTP/1.0 200 OK", "Connection: close", "Content-Length: 2") + "{}"), nil, Contestable, []string{"every poll requires a new connection"}, ""},
	{"lengths 2,3 without a space", "http", closing(head("HTTP/1.1 200 OK", "Content-Length: 2,3") + "{}"), nil, Wrong, []string{"not a number of bytes"}, ""},
	{"ETag without quotes", "http", replying(head("HTTP/1.1 204 No Content", "ETag: 0")), nil, Wrong, []string{"section 8.8.3"}, ""},
	{"weak ETag", "http", replying(head("HTTP/1.1 204 No Content", `ETag: W/"0"`)), nil, Right, nil, ""},
	{"Last-Modified in seconds", "http", replying(head("HTTP/1.1 204 No Content", "Last-Modified: 784111777")), nil, Wrong, []string{"not a date"}, ""},
	{"Expires: 0", "http", replying(head("HTTP/1.1 204 No Content", "Expires: 0")), nil, Contestable, []string{"recipients take it as expired"}, ""},
	{"Content-Type: json", "http", replying(head("HTTP/1.1 200 OK", "Content-Type: json", "Content-Length: 2") + "{}"), nil, Wrong, []string{"section 8.3.1"}, ""},
	{"Age: -1", "http", replying(head("HTTP/1.1 204 No Content", "Age: -1")), nil, Wrong, []string{"RFC 9111, section 5.1"}, ""},
	{"offer of h2c", "http", replying(head("HTTP/1.1 204 No Content", "Upgrade: h2c", "Connection: Upgrade")), nil, Right, nil, ""},
	{"offer of h2c without the option", "http", replying(head("HTTP/1.1 204 No Content", "Upgrade: h2c")), nil, Wrong, []string{"section 7.8"}, ""},
	{"401 to a poll without a challenge", "http", replying(head("HTTP/1.1 401 x", "Content-Length: 0")), nil, Wrong, []string{"the poll was refused", "missing"}, ""},

	{"chunked in capitals", "http", replying(head("HTTP/1.1 200 OK", "Transfer-Encoding: CHUNKED") + "2\r\n{}\r\n0\r\n\r\n"), nil, Right, nil, "{}"},
	{"chunked with the sign of Kelvin", "http", closing(head("HTTP/1.1 200 OK", "Transfer-Encoding: chun\u212aed") + "2\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"is not a transfer coding", ""}, ""},
	{"chunked with a parameter", "http", replying(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked;x=1") + "2\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"chunked has no parameters"}, ""},
	{"chunk size with many zeros in front", "http", replying(chunks + "00000000000000000002\r\n{}\r\n0\r\n\r\n"), nil, Right, nil, "{}"},
	{"chunk sizes in both cases", "http", replying(chunks + "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), nil, Right, nil, ""},
	{"chunk extension without a name", "http", replying(chunks + "2;\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"not an extension of a chunk"}, ""},
	{"chunk extension with CR", "http", replying(chunks + "2;a\rb\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"not an extension of a chunk"}, ""},
	{"chunk extension without the end of its text", "http", replying(chunks + "2;a=\"b\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"not an extension of a chunk"}, ""},
	{"chunk extension with a space in its text", "http", replying(chunks + "2;a=\"b c\"\r\n{}\r\n0\r\n\r\n"), nil, Right, nil, "{}"},
	{"chunk size -2", "http", replying(chunks + "-2\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"chunk size with a letter", "http", replying(chunks + "2g\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"space before a chunk size", "http", replying(chunks + " 2\r\n{}\r\n0\r\n\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"trailer that ends in LF", "http", replying(chunks + "2\r\n{}\r\n0\r\n\n"), nil, Wrong, []string{"the line ends in LF"}, ""},
	{"last chunk without an empty line", "http", closing(chunks + "2\r\n{}\r\n0\r\n"), nil, Wrong, []string{"RFC 9112, section 8"}, ""},
	{"ETag in a trailer", "http", replying(chunks + "2\r\n{}\r\n0\r\nETag: \"x\"\r\n\r\n"), nil, Right, nil, `ETag: "x"`},
	{"Cache-Control in a trailer", "http", replying(chunks + "2\r\n{}\r\n0\r\nCache-Control: no-store\r\n\r\n"), nil, Wrong, []string{"not allowed in a trailer"}, ""},
	{"gzip in chunks", "http", replying(head("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Transfer-Encoding: chunked") + "1a\r\n" + gzipped("hi")[:26] + "\r\n0\r\n\r\n"), nil, Right, nil, "hi"},
	{"gzip that is corrupt", "http", replying(head("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Content-Length: 20") + gzipped("hi")[:10] + strings.Repeat("\xff", 10)), nil, Wrong, []string{"the content is not gzip"}, ""},
	{"gzip that is cut off", "http", replying(head("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Content-Length: 20") + gzipped("hi")[:20]), nil, Wrong, []string{"the content is not gzip"}, ""},
	{"bytes behind gzip", "http", replying(head("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Content-Length: 28") + gzipped("hi")[:26] + "xx"), nil, Wrong, []string{"the content is not gzip"}, ""},

	{"empty Connection", "http", replying(head("HTTP/1.1 204 No Content", "Connection:")), nil, Right, nil, ""},
	{"empty Allow", "http", replying(head("HTTP/1.1 204 No Content", "Allow:")), nil, Right, nil, ""},
	{"Allow with an empty element", "http", replying(head("HTTP/1.1 204 No Content", "Allow: GET,")), nil, Wrong, []string{"must not have empty elements"}, ""},
	{"Vary with an empty element", "http", replying(head("HTTP/1.1 204 No Content", "Vary: a, ,b")), nil, Wrong, []string{"must not have empty elements"}, ""},
	{"empty elements in quotes", "http", replying(head("HTTP/1.1 204 No Content", `Cache-Control: private="a,,b"`)), nil, Right, nil, ""},
	{"identity as a content coding", "http", replying(head("HTTP/1.1 200 OK", "Content-Encoding: identity", "Content-Length: 2") + "{}"), nil, Contestable, []string{"reserved for Accept-Encoding"}, "{}"},
	{"parameter of a type without a value", "http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/html; charset", "Content-Length: 2") + "{}"), nil, Wrong, []string{"section 8.3.1"}, ""},
	{"parameter of a type with spaces", "http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/html; charset = utf-8", "Content-Length: 2") + "{}"), nil, Wrong, []string{"section 8.3.1"}, ""},
	{"parameters of a type in quotes, and an empty one", "http", replying(head("HTTP/1.1 200 OK", `Content-Type: multipart/mixed; boundary="a;\"b,c" ;`, "Content-Length: 2") + "{}"), nil, Right, nil, ""},
	{"206 without its range", "http", replying(head("HTTP/1.1 206 x", "Content-Length: 2") + "{}"), func(t *Target) { t.Fields = []string{"Range: bytes=0-1"} }, Wrong, []string{"missing"}, ""},
	{"206 with several ranges", "http", replying(head("HTTP/1.1 206 x", "Content-Type: multipart/byteranges; boundary=x", "Content-Length: 2") + "{}"), func(t *Target) { t.Fields = []string{"Range: bytes=0-1,3-4"} }, Right, nil, ""},
	{"Proxy-Authenticate in a trailer", "http", replying(chunks + "2\r\n{}\r\n0\r\nProxy-Authenticate: Basic\r\n\r\n"), nil, Wrong, []string{"not allowed in a trailer"}, ""},
	{"Date in a leap second", "http", replying("HTTP/1.1 204 x\r\nDate: Sat, 31 Dec 2016 23:59:60 GMT\r\n\r\n"), nil, Right, nil, ""},
	{"Last-Modified after Date", "http", replying(head("HTTP/1.1 204 x", "Last-Modified: Tue, 15 Nov 1994 08:12:32 GMT")), nil, Wrong, []string{"section 8.8.2.1"}, ""},
	{"Last-Modified at Date", "http", replying(head("HTTP/1.1 204 x", "Last-Modified: Tue, 15 Nov 1994 08:12:31 GMT")), nil, Right, nil, ""},
	{"Allow without commas", "http", replying(head("HTTP/1.1 204 x", "Allow: GET POST")), nil, Wrong, []string{"a list of names"}, ""},
	{"Connection with a space", "http", replying(head("HTTP/1.1 204 x", "Connection: keep alive")), nil, Wrong, []string{"a list of names"}, ""},
	{"Vary: *", "http", replying(head("HTTP/1.1 204 x", "Vary: *")), nil, Right, nil, ""},
	{"Location with a space", "http", replying(head("HTTP/1.1 201 x", "Location: /a b", "Content-Length: 0")), nil, Wrong, []string{"percent-encoded"}, ""},
	{"Location beyond ASCII", "http", replying(head("HTTP/1.1 201 x", "Location: /\u00e4", "Content-Length: 0")), nil, Wrong, []string{"percent-encoded"}, ""},
	{"Location with each kind of character", "http", replying(head("HTTP/1.1 201 x", "Location: http://[::1]:80/a-._~!$&'()*+,;=:@/?b=%20#c", "Content-Length: 0")), nil, Right, nil, ""},
	{"two allowed origins", "http", replying(head("HTTP/1.1 204 x", "Access-Control-Allow-Origin: http://a, http://b")), nil, Wrong, []string{"one origin"}, ""},
	{"allowed origin with a path", "http", replying(head("HTTP/1.1 204 x", "Access-Control-Allow-Origin: http://a/")), nil, Wrong, []string{"one origin"}, ""},
	{"allowed origin", "http", replying(head("HTTP/1.1 204 x", "Access-Control-Allow-Origin: http://a:8080", "Access-Control-Allow-Credentials: true", "Access-Control-Max-Age: 60")), nil, Right, nil, ""},
	{"allowed credentials in capitals", "http", replying(head("HTTP/1.1 204 x", "Access-Control-Allow-Credentials: True")), nil, Wrong, []string{"in small letters"}, ""},
	{"age of permissions with a unit", "http", replying(head("HTTP/1.1 204 x", "Access-Control-Max-Age: 1h")), nil, Wrong, []string{"a number of seconds"}, ""},
}

var streamAnswers = []answer{
	{"event", "sse+http", replying(events + "id: 1\ndata: {}\n\n"), nil, Right, nil, "the event is complete"},
	{"no event yet", "sse+http", replying(events), nil, Right, nil, "(no event yet)"},
	{"event in chunks", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked") + "a\r\ndata: {}\n\n\r\n"), nil, Right, nil, "overhead of the chunked coding"},
	{"comment and retry first", "sse+http", replying(events + ":ok\n\nretry: 2000\n\nid: 1\ndata: hello\n\n"), nil, Right, nil, "data: hello"},
	{"empty lines first", "sse+http", replying(events + "\n\ndata: hello\n\n"), nil, Right, nil, "data: hello"},
	{"lines that end in CR", "sse+http", replying(events + "data: one\r\rdata: two\r\r"), nil, Right, nil, "the event is complete"},
	{"lines that end in CR LF", "sse+http", replying(events + "data: one\r\n\r\n"), nil, Right, nil, "the event is complete"},
	{"byte order mark", "sse+http", replying(events + "\ufeffdata: one\n\n"), nil, Right, nil, "byte order mark"},
	{"retry: 3s", "sse+http", replying(events + "retry: 3s\ndata: x\n\n"), nil, Wrong, []string{"not a number of ms"}, ""},
	{"retry without a value", "sse+http", replying(events + "retry\ndata: x\n\n"), nil, Wrong, []string{"not a number of ms"}, ""},
	{"id with U+0000", "sse+http", replying(events + "id: a\x00b\ndata: x\n\n"), nil, Wrong, []string{"contains U+0000"}, ""},
	{"unknown event field", "sse+http", replying(events + "dat: x\ndata: x\n\n"), nil, Contestable, []string{"unknown field"}, ""},
	{"space before the colon of a field", "sse+http", replying(events + "data : x\ndata: x\n\n"), nil, Contestable, []string{"unknown field"}, ""},
	{"data that is not UTF-8", "sse+http", replying(events + "data: \xff\n\n"), nil, Wrong, []string{"not UTF-8"}, ""},
	{"data without a colon", "sse+http", replying(events + "data\n\n"), nil, Right, nil, "the event is complete"},
	{"end of the stream", "sse+http", closing(events), nil, Contestable, []string{"a browser reconnects"}, ""},
	{"end within an event", "sse+http", closing(events + "data: x\n"), nil, Wrong, []string{"browsers discard it"}, ""},
	{"end within an event behind a byte order mark", "sse+http", closing(events + "\ufeffdata: x\n"), nil, Wrong, []string{"browsers discard it"}, ""},
	{"end behind a field whose name begins with data", "sse+http", closing(events + "database: x\n"), nil, Contestable, []string{"unknown field", "a browser reconnects"}, ""},
	{"end within the first line of an event", "sse+http", closing(events + "data"), nil, Wrong, []string{"browsers discard it"}, ""},
	{"end of a chunked stream", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked") + "0\r\n\r\n"), nil, Contestable, []string{"a browser reconnects"}, ""},
	{"chunked stream cut off", "sse+http", closing(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked") + "2\r\n:\n\r\n"), nil, Wrong, []string{"incomplete"}, ""},
	{"events as text/html", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/html") + "data: x\n\n"), nil, Wrong, []string{`must be "text/event-stream"`}, ""},
	{"events without a type", "sse+http", replying(head("HTTP/1.1 200 OK") + "data: x\n\n"), nil, Wrong, []string{"missing"}, ""},
	{"events in UTF-8", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: Text/Event-Stream; charset=UTF-8") + "data: x\n\n"), nil, Right, nil, ""},
	{"events in Latin-1", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream; charset=iso-8859-1") + "data: x\n\n"), nil, Wrong, []string{"always UTF-8"}, ""},
	{"204 to a stream", "sse+http", replying(head("HTTP/1.1 204 No Content")), nil, Wrong, []string{"did not open a stream"}, ""},
	{"403 to a stream", "sse+http", replying(head("HTTP/1.1 403 Forbidden", "Content-Type: text/html", "Content-Length: 6") + "denied"), nil, Wrong, []string{"403: Forbidden"}, "denied"},
	{"redirected stream", "sse+http", replying(head("HTTP/1.1 307 x", "Location: /other", "Content-Length: 0")), nil, Wrong, []string{"307: Temporary Redirect"}, ""},
	{"events in gzip", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Encoding: gzip") + gzipped("data: squeezed\n\n")), nil, Right, nil, "data: squeezed"},
	{"events in Brotli", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Encoding: br") + "\x0b\x80"), nil, Right, nil, "coded by br"},
	{"silent stream", "sse+http", replying(""), nil, NoAnswer, []string{"not complete"}, ""},

	{"JSON line", "stream+http", replying(ndjson + "\n{}\n"), nil, Right, nil, "one JSON text"},
	{"no line yet", "stream+http", replying(ndjson), nil, Right, nil, "(no line yet)"},
	{"half a line", "stream+http", replying(ndjson + "{\"a\":"), nil, Right, nil, "not complete yet"},
	{"line that is no JSON", "stream+http", replying(ndjson + "{\n"), nil, Wrong, []string{"not a JSON text"}, ""},
	{"line that is not UTF-8", "stream+http", replying(ndjson + "\"\xff\"\n"), nil, Wrong, []string{"not UTF-8"}, ""},
	{"lines as JSON", "stream+http", replying(head("HTTP/1.1 200 OK", "Content-Type: application/json") + "{}\n"), nil, Contestable, []string{"no standard defines the type"}, ""},
	{"lines that end", "stream+http", closing(ndjson), nil, Contestable, []string{"has to reconnect"}, ""},

	{"100 before a stream", "sse+http", replying(head("HTTP/1.1 100 Continue") + events + "data: x\n\n"), nil, Right, nil, "interim responses"},
	{"end after a comment", "sse+http", closing(events + ":ok\n"), nil, Contestable, []string{"a browser reconnects"}, ""},
	{"end within a line of data", "sse+http", closing(events + "data: x"), nil, Wrong, []string{"browsers discard it"}, "a line without its end"},
	{"end within a comment", "sse+http", closing(events + ":o"), nil, Contestable, []string{"the last line has no end"}, ""},
	{"event without data", "sse+http", closing(events + "event: x\nid: 1\n\n"), nil, Contestable, []string{"a browser reconnects"}, "there is no data before it"},
	{"empty data", "sse+http", replying(events + "data:\n\n"), nil, Right, nil, "the event is complete"},
	{"data in several lines", "sse+http", replying(events + "data: a\ndata: b\n\n"), nil, Right, nil, "the event is complete"},
	{"field names in capitals", "sse+http", replying(events + "DATA: x\ndata: x\n\n"), nil, Contestable, []string{"unknown field"}, ""},
	{"retry: -1", "sse+http", replying(events + "retry: -1\ndata: x\n\n"), nil, Wrong, []string{"not a number of ms"}, ""},
	{"retry with two spaces", "sse+http", replying(events + "retry:  1\ndata: x\n\n"), nil, Wrong, []string{"not a number of ms"}, ""},
	{"byte order mark later", "sse+http", replying(events + "\ndata: x\n\ufeffdata: y\n\n"), nil, Contestable, []string{"unknown field"}, ""},
	{"data with U+0000", "sse+http", replying(events + "data: a\x00b\n\n"), nil, Right, nil, "a\ufffdb"},
	{"charset as the second parameter", "sse+http", replying(head("HTTP/1.1 200 OK", `Content-Type: text/event-stream; x=y; Charset="iso-8859-1"`) + "data: x\n\n"), nil, Wrong, []string{"always UTF-8"}, ""},
	{"charset in quotes", "sse+http", replying(head("HTTP/1.1 200 OK", `Content-Type: text/event-stream;charset="utf-8"`) + "data: x\n\n"), nil, Right, nil, ""},
	{"event in a body with a length", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Length: 9") + "data: x\n\n"), nil, Contestable, []string{"a browser reconnects"}, "the event is complete"},
	{"401 to a stream without a challenge", "sse+http", replying(head("HTTP/1.1 401 x", "Content-Length: 0")), nil, Wrong, []string{"401: Unauthorized", "missing"}, ""},
	{"two types", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Content-Type: text/event-stream") + "data: x\n\n"), nil, Wrong, []string{"only once"}, ""},
	{"line of JSON behind a byte order mark", "stream+http", replying(ndjson + "\ufeff{}\n"), nil, Wrong, []string{"not a JSON text"}, ""},
	{"lines of JSON that end in CR LF", "stream+http", replying(ndjson + "{}\r\n"), nil, Right, nil, "one JSON text"},
	{"end within a line of JSON", "stream+http", closing(ndjson + "{}"), nil, Contestable, []string{"the last line has no end"}, "a line without its end"},
	{"two JSON texts in a line", "stream+http", replying(ndjson + "{}{}\n"), nil, Wrong, []string{"not a JSON text"}, ""},

	{"charset within another parameter", "sse+http", replying(head("HTTP/1.1 200 OK", `Content-Type: text/event-stream; x="a;charset=b"`) + "data: x\n\n"), nil, Right, nil, ""},
	{"charset without a value", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream; charset") + "data: x\n\n"), nil, Wrong, []string{"section 8.3.1"}, ""},
	{"empty charset", "sse+http", replying(head("HTTP/1.1 200 OK", `Content-Type: text/event-stream; charset=""`) + "data: x\n\n"), nil, Wrong, []string{"always UTF-8"}, ""},
	{"error in the second event", "sse+http", replying(events + "data: x\n\nretry: 3s\ndata: y\n\n"), nil, Wrong, []string{"not a number of ms"}, ""},
	{"second event that is not UTF-8", "sse+http", replying(events + "data: x\n\ndata: \xff\n\n"), nil, Wrong, []string{"not UTF-8"}, ""},
	{"end within the second event", "sse+http", closing(events + "data: x\n\ndata: y\n"), nil, Wrong, []string{"browsers discard it"}, ""},
	{"end after an event", "sse+http", closing(events + "data: x\n\n"), nil, Contestable, []string{"a browser reconnects"}, ""},
	{"half of the second event", "sse+http", replying(events + "data: x\n\ndata: y"), nil, Right, nil, "not complete yet"},
	{"corrupt chunk after an event", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked") + "9\r\ndata: x\n\n\r\nzz\r\n"), nil, Wrong, []string{"is not a chunk size"}, ""},
	{"empty line of data that is no event", "sse+http", replying(events + "data: x\n\n\n"), nil, Right, nil, "there is no data before it"},
	{"error in the second line of JSON", "stream+http", replying(ndjson + "{}\n{\n"), nil, Wrong, []string{"not a JSON text"}, ""},
	{"101 to a stream", "sse+http", replying(head("HTTP/1.1 101 x", "Upgrade: h2c", "Connection: upgrade")), nil, Wrong, []string{"must not switch"}, ""},
	{"events in a transfer coding", "sse+http", replying(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: deflate, chunked") + "3\r\n\xff\n\n\r\n"), nil, Contestable, []string{"not requested by a TE field"}, "coded by deflate"},
}

// TestAnswersAreJudged sends each answer of the corpus.
func TestAnswersAreJudged(t *testing.T) {
	judged(t, slices.Concat(handshakeAnswers, frameAnswers, bodyAnswers, streamAnswers))
}

func judged(t *testing.T, all []answer) {
	seen := map[string]bool{}
	for _, a := range all {
		if seen[a.name] {
			t.Errorf("two answers are called %q", a.name)
		}
		seen[a.name] = true
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.check(t, piping(t, a.scheme+"://a.test/x?topic=a", a.send, a.change))
		})
	}
	t.Logf("%d answers", len(seen))
}

func (a answer) check(t *testing.T, e *Exchange) {
	var got []string
	for _, l := range e.Graded(Wrong, Missing, NoAnswer, Contestable) {
		got = append(got, l.Text+": "+l.Why)
	}
	if e.Verdict() != a.verdict {
		t.Errorf("the verdict is %s, want %s: %q", e.Verdict(), a.verdict, got)
	}
	for i, want := range a.want {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Errorf("lines %q, want %q", got, a.want)
			break
		}
	}
	if a.want != nil && len(got) != len(a.want) {
		t.Errorf("lines %q, want %q", got, a.want)
	}
	for _, l := range e.Graded(Right, Wrong, Missing, NoAnswer, Contestable) {
		if !clause.MatchString(l.For + l.Why) {
			t.Errorf("%q is %s without the clause of a standard: %q, %q", l.Text, l.Grade, l.For, l.Why)
		}
	}
	if e.Down > mostRead || len(e.After) > maxFrames+10 {
		t.Errorf("read %d bytes and %d lines, want at most %d and %d", e.Down, len(e.After), mostRead, maxFrames+10)
	}
	var b bytes.Buffer
	if err := e.Print(&b); err != nil || !strings.Contains(strings.Join(strings.Fields(b.String()), " "), a.shown) || strings.ContainsAny(b.String(), "\x00\x07\x1b") {
		t.Errorf("printed %q (%v), want %q and no control characters", cutText(b.String()), err, a.shown)
	}
}
