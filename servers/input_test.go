package servers_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// A badRequest is a row of reliability table H: a request and the required response.
type badRequest struct {
	id     string
	send   string // HOST, PATH and CURSOR are filled in
	status string
	code   string // of the error; empty: it is not refused
	closes bool
	only   string // transports to which it applies; empty: all
}

const post1 = "POST /v1/topics/a HTTP/1.1\r\nHost: HOST\r\n"

var badRequests = []badRequest{
	{id: "H2 minus", send: get("topic=a&after=-1"), status: "400", code: "bad_cursor"},
	{id: "H2 exponent", send: get("topic=a&after=1e3"), status: "400", code: "bad_cursor"},
	{id: "H2 hex", send: get("topic=a&after=0x10"), status: "400", code: "bad_cursor"},
	{id: "H2 long", send: get("topic=a&after=99999999999999999999"), status: "400", code: "bad_cursor"},
	{id: "H2 NUL", send: get("topic=a&after=1%00"), status: "400", code: "bad_cursor"},
	{id: "H1 empty", send: get("topic=a&after="), status: "200", only: overHTTP},
	{id: "H3 ahead", send: get("topic=a&after=CURSORff"), status: "409", code: "cursor_ahead"},
	{id: "H5 minus", send: get("topic=a&wait=-1s"), status: "400", code: "bad_wait", only: "shortpoll longpoll"},
	{id: "H5 no unit", send: get("topic=a&wait=99999"), status: "400", code: "bad_wait", only: "shortpoll longpoll"},
	{id: "H5 word", send: get("topic=a&wait=abc"), status: "400", code: "bad_wait", only: "shortpoll longpoll"},
	{id: "H5 beyond", send: get("topic=a&wait=31s"), status: "400", code: "bad_wait", only: "shortpoll longpoll"},
	{id: "H5 on short polling", send: get("topic=a&wait=1s"), status: "400", code: "bad_wait", only: "shortpoll"},
	{id: "H5 not a poll", send: get("topic=a&wait=1s"), status: "400", code: "unknown_parameter", only: streamed},
	{id: "H6 after", send: get("topic=a&after=&after="), status: "400", code: "repeated_parameter"},
	{id: "H6 topic", send: get("topic=a&topic=a"), status: "400", code: "repeated_topic"},
	{id: "H6 unknown", send: get("topic=a&Topic=b"), status: "400", code: "unknown_parameter"},
	{id: "H7 none", send: get(""), status: "400", code: "missing_topic", only: overHTTP}, // a socket may only publish
	{id: "H7 empty", send: get("topic="), status: "400", code: "bad_topic"},
	{id: "H7 long", send: get("topic=" + strings.Repeat("a", 1000)), status: "400", code: "bad_topic"},
	{id: "H7 dots", send: get("topic=%2e%2e%2f"), status: "400", code: "bad_topic"},
	{id: "H7 escape", send: get("topic=%zz"), status: "400", code: "bad_query"},
	{id: "H7 overlong", send: get("topic=%c0%ae"), status: "400", code: "bad_topic"},
	{id: "H7 no value", send: get("topic"), status: "400", code: "bad_query"},
	{id: "H7 empty pair first", send: get("&topic=a"), status: "400", code: "bad_query"},
	{id: "H7 empty pair between", send: get("topic=a&&topic=b"), status: "400", code: "bad_query"},
	{id: "H7 empty pair last", send: get("topic=a&"), status: "400", code: "bad_query"},
	{id: "H7 path", send: "GET /v1/../v1/poll HTTP/1.1\r\nHost: HOST\r\n\r\n", status: "404", code: "not_found"},
	{id: "H7 publish", send: "POST /v1/topics/a%2fb HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n", status: "400", code: "bad_topic"},
	{id: "H7 too many", send: get("topic=a&topic=b&topic=c&topic=d&topic=e"), status: "400", code: "too_many_topics"},
	{id: "H7 delivery", send: get("topic=a&delivery=Latest"), status: "400", code: "bad_delivery"},
	{id: "H8 subscribe", send: "DELETE PATH?topic=a HTTP/1.1\r\nHost: HOST\r\n\r\n", status: "405", code: "method_not_allowed"},
	{id: "H8 publish", send: "GET /v1/topics/a HTTP/1.1\r\nHost: HOST\r\n\r\n", status: "405", code: "method_not_allowed"},
	{id: "H8 stats", send: "POST /v1/stats HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n", status: "405", code: "method_not_allowed"},
	{id: "H10 length", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx", status: "400", code: "unexpected_body", closes: true},
	{id: "H10 chunked", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: "411", code: "length_required", closes: true},
	{id: "H11", send: post1 + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: "411", code: "length_required", closes: true},
	{id: "H11 until close", send: "POST /v1/topics/a HTTP/1.0\r\nHost: HOST\r\n\r\nlost", status: "411", code: "length_required", closes: true},
	{id: "H11 until close, webhook", send: "POST /v1/webhooks?topic=a HTTP/1.0\r\nHost: HOST\r\n\r\nhttp://127.0.0.1:9/", status: "411", code: "length_required", closes: true},
	{id: "H11 until close, 1.1", send: post1 + "Connection: close\r\n\r\nlost", status: "411", code: "length_required", closes: true},
	{id: "H11 empty", send: post1 + "\r\n", status: "200"},
	{id: "H11 identity", send: post1 + "Content-Encoding: Identity\r\nContent-Length: 1\r\n\r\nx", status: "200"},
	{id: "H12 two", send: post1 + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", status: "400", code: "bad_request", closes: true},
	{id: "H12 plus", send: post1 + "Content-Length: +5\r\n\r\nhello", status: "400", code: "bad_request", closes: true},
	{id: "H12 minus", send: post1 + "Content-Length: -5\r\n\r\nhello", status: "400", code: "bad_request", closes: true},
	{id: "H12 wrap", send: post1 + "Content-Length: 99999999999999999999\r\n\r\nhello", status: "413", code: "payload_too_large", closes: true},
	{id: "H12 list", send: post1 + "Content-Length: 5, 5\r\n\r\nhello", status: "400", code: "bad_request", closes: true},
	{id: "H12 minus zero", send: post1 + "Content-Length: -0\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H12 hex", send: post1 + "Content-Length: 0x5\r\n\r\nhello", status: "400", code: "bad_request", closes: true},
	{id: "H13 chunked", send: post1 + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", status: "411", code: "length_required", closes: true},
	{id: "H13 xchunked", send: post1 + "Transfer-Encoding: xchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", status: "411", code: "length_required", closes: true},
	{id: "H13 tab", send: post1 + "Transfer-Encoding: \tchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", status: "411", code: "length_required", closes: true},
	{id: "H13 vertical tab", send: post1 + "Transfer-Encoding: \vchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H13 folded", send: post1 + "Transfer-Encoding:\r\n chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", status: "411", code: "length_required", closes: true},
	{id: "H13 gzip", send: post1 + "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", status: "411", code: "length_required", closes: true},
	{id: "H13 twice", send: post1 + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", status: "411", code: "length_required", closes: true},
	{id: "H14 plus", send: chunkedPost("+5\r\nhello\r\n0\r\n\r\n"), status: "411", code: "length_required", closes: true},
	{id: "H14 minus", send: chunkedPost("-1\r\nx\r\n0\r\n\r\n"), status: "411", code: "length_required", closes: true},
	{id: "H14 hex", send: chunkedPost("0x5\r\nhello\r\n0\r\n\r\n"), status: "411", code: "length_required", closes: true},
	{id: "H14 space", send: chunkedPost("5 ;a\r\nhello\r\n0\r\n\r\n"), status: "411", code: "length_required", closes: true},
	{id: "H14 wrap", send: chunkedPost("FFFFFFFFFFFFFFFFF\r\nx"), status: "411", code: "length_required", closes: true},
	{id: "H14 LF", send: chunkedPost("1\nx\n0\n\n"), status: "411", code: "length_required", closes: true},
	{id: "H14 no last CRLF", send: chunkedPost("1\r\nx\r\n0\r\n"), status: "411", code: "length_required", closes: true, only: "shortpoll"},
	{id: "H14 long extension", send: chunkedPost("1;" + strings.Repeat("e", 64<<10) + "\r\nx\r\n0\r\n\r\n"), status: "411", code: "length_required", closes: true},
	{id: "H15 trailer", send: chunkedPost("1\r\nx\r\n0\r\nContent-Length: 9\r\nHost: evil\r\n\r\n"), status: "411", code: "length_required", closes: true},
	{id: "H16 no host", send: "GET /v1/stats HTTP/1.1\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H16 two hosts", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H16 path", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST/x\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H16 comma", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST,HOST\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H16 IPv4 in brackets", send: "GET PATH?topic=a HTTP/1.1\r\nHost: [127.0.0.1]\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H16 no address in brackets", send: "GET PATH?topic=a HTTP/1.1\r\nHost: [1:2]\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H17 name", send: "GET PATH?topic=a HTTP/1.1\r\nHost: attacker.example:80\r\n\r\n", status: "421", code: "unknown_host", closes: true},
	{id: "H17 userinfo", send: "GET PATH?topic=a HTTP/1.1\r\nHost: 127.0.0.1@evil\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H18 line", send: "GET PATH?topic=" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: HOST\r\n\r\n", status: "431", code: "header_too_large", closes: true},
	{id: "H18 header", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", status: "431", code: "header_too_large", closes: true},
	{id: "H18 just below", send: sized(8<<10 - 64), status: "200"},
	{id: "H18 just above", send: sized(8<<10 + 64), status: "431", code: "header_too_large", closes: true},
	{id: "H18 many", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\n" + strings.Repeat("X: y\r\n", 10_000) + "\r\n", status: "431", code: "header_too_large", closes: true, only: "shortpoll"},
	{id: "H19 space", send: "GET PATH?topic=a HTTP/1.1\r\nHost : HOST\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H19 CR", send: withHeader("X: a\rb"), status: "400", code: "bad_request", closes: true},
	{id: "H19 NUL", send: withHeader("X: a\x00b"), status: "400", code: "bad_request", closes: true},
	{id: "H19 control", send: withHeader("X: a\x01b"), status: "400", code: "bad_request", closes: true},
	{id: "H19 no colon", send: withHeader("X"), status: "400", code: "bad_request", closes: true},
	{id: "H19 leading space", send: "GET PATH?topic=a HTTP/1.1\r\n Host: HOST\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H19 NUL in URI", send: "GET PATH?topic=a\x00 HTTP/1.1\r\nHost: HOST\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H19 HEAD after an empty line", send: "\r\nHEAD PATH?topic=a HTTP/1.1\r\nHost : HOST\r\n\r\n", status: "400", closes: true},
	{id: "H20 lower case", send: "get PATH?topic=a HTTP/1.1\r\nHost: HOST\r\n\r\n", status: "405", code: "method_not_allowed"},
	{id: "H20 two spaces", send: "GET  PATH?topic=a HTTP/1.1\r\nHost: HOST\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H20 tab", send: "GET\tPATH?topic=a HTTP/1.1\r\nHost: HOST\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H20 HTTP/2", send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: "505", code: "http_version", closes: true},
	{id: "H20 random", send: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", status: "400", code: "bad_request", closes: true},
	{id: "H24 large", send: post1 + "Content-Type: text/plain\r\nContent-Length: 1025\r\n\r\n" + strings.Repeat("x", 1025), status: "413", code: "payload_too_large", closes: true},
	{id: "H24 gzip", send: post1 + "Content-Encoding: gzip\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx", status: "415", code: "unsupported_encoding"},
	{id: "H25 form", send: post1 + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1\r\n\r\nx", status: "415", code: "unsupported_media_type"},
	{id: "H25 charset", send: post1 + "Content-Type: text/plain; charset=latin-1\r\nContent-Length: 1\r\n\r\nx", status: "415", code: "unsupported_media_type"},
	{id: "H25 UTF-8", send: post1 + "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\n\xff", status: "400", code: "bad_utf8"},
	{id: "H25 query", send: "POST /v1/topics/a?x=1 HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n", status: "400", code: "unknown_parameter"},
	{id: "H27", send: post1 + "Origin: http://evil.example\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx", status: "403", code: "foreign_origin"},
	{id: "H27 null", send: post1 + "Origin: null\r\nContent-Length: 1\r\n\r\nx", status: "403", code: "foreign_origin"},
	{id: "H27 preflight", send: "OPTIONS /v1/topics/a HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n", status: "403", code: "foreign_origin"},
	{id: "H27 cross-site", send: withHeader("Sec-Fetch-Site: cross-site"), status: "403", code: "foreign_origin"},
	{id: "H27 same-site", send: withHeader("Sec-Fetch-Site: same-site"), status: "403", code: "foreign_origin"},
	{id: "H31 header", send: "GET PATH?to", status: "408", code: "timeout", closes: true},
	{id: "H31 body", send: post1 + "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nab", status: "408", code: "timeout", closes: true},
	{id: "H32 garbage", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\nLast-Event-ID: x\r\n\r\n", status: "400", code: "bad_cursor", only: "sse"},
	{id: "H32 long", send: "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\nLast-Event-ID: " + strings.Repeat("x", 7000) + "\r\n\r\n", status: "400", code: "bad_cursor", only: "sse"},
	{id: "H32 NUL", send: withHeader("Last-Event-ID: a\x00"), status: "400", code: "bad_request", closes: true, only: "sse"},
	{id: "H32 other epoch", send: withHeader("Last-Event-ID: 00000000000000aa.1"), status: "200", only: "sse"},
	{id: "H34", send: withHeader("Accept: text/html"), status: "200", only: "sse"}, // Accept is ignored
	{id: "H32 both", send: "GET PATH?topic=a&after=CURSOR0 HTTP/1.1\r\nHost: HOST\r\nLast-Event-ID: x\r\n\r\n", status: "400", code: "bad_cursor", only: "sse"},
	{id: "stream 1.0", send: "GET PATH?topic=a HTTP/1.0\r\nHost: HOST\r\n\r\n", status: "505", code: "http_version", closes: true, only: chunked},
	{id: "W1 POST", send: "POST PATH?topic=a HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n" + handshake + "\r\n", status: "405", code: "method_not_allowed", only: "websocket"},
	{id: "W1 HTTP/1.0", send: "GET PATH?topic=a HTTP/1.0\r\nHost: HOST\r\n" + handshake + "\r\n", status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W1 Connection", send: upgrade("Connection: Upgrade", "Connection: keep-alive"), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W1 Upgrade", send: upgrade("websocket", "websockets"), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W1 no upgrade", send: get("topic=a"), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W2 version", send: upgrade("13", "8"), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W2 list", send: upgrade("13", "13, 8"), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W2 missing", send: upgrade("Sec-WebSocket-Version: 13\r\n", ""), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W2 twice", send: upgrade("13\r\n", "13\r\nSec-WebSocket-Version: 8\r\n"), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W3 missing", send: upgrade("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", ""), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W3 twice", send: upgrade("AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W3 15 bytes", send: upgrade("AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA"), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W3 17 bytes", send: upgrade("AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAA="), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W3 not Base64", send: upgrade("AAAAAAAAAAAAAAAAAAAAAA==", "!AAAAAAAAAAAAAAAAAAAAA=="), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W3 key", send: upgrade("AAAAAAAAAAAAAAAAAAAAAA==", "AAAA"), status: "400", code: "bad_upgrade", only: "websocket"},
	{id: "W4 foreign", send: upgrade("\r\n", "\r\nOrigin: http://evil.example\r\n"), status: "403", code: "foreign_origin", only: "websocket"},
	{id: "W4 null", send: upgrade("\r\n", "\r\nOrigin: null\r\n"), status: "403", code: "foreign_origin", only: "websocket"},
	{id: "W4 twice", send: upgrade("\r\n", "\r\nOrigin: http://HOST\r\nOrigin: http://HOST\r\n"), status: "403", code: "foreign_origin", only: "websocket"},
	{id: "W4 malformed", send: upgrade("\r\n", "\r\nOrigin: http//HOST\r\n"), status: "403", code: "foreign_origin", only: "websocket"},
	{id: "W5 scheme", send: upgrade("\r\n", "\r\nOrigin: https://HOST\r\n"), status: "403", code: "foreign_origin", only: "websocket"},
	{id: "W5 port", send: upgrade("\r\n", "\r\nOrigin: http://127.0.0.1:1\r\n"), status: "403", code: "foreign_origin", only: "websocket"},
}

// chunkedPost returns a publication with a body in chunked coding, which is refused by its headers.
func chunkedPost(body string) string { return post1 + "Transfer-Encoding: chunked\r\n\r\n" + body }

// withHeader returns a subscription with a header line.
func withHeader(line string) string {
	return "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\n" + line + "\r\n\r\n"
}

func get(query string) string { return "GET PATH?" + query + " HTTP/1.1\r\nHost: HOST\r\n\r\n" }

// sized returns a request whose line and headers have about n bytes.
func sized(n int) string {
	const around = "GET /v1/healthz HTTP/1.1\r\nHost: 127.0.0.1:12345\r\nX: \r\n\r\n"
	return "GET /v1/healthz HTTP/1.1\r\nHost: HOST\r\nX: " + strings.Repeat("a", n-len(around)) + "\r\n\r\n"
}

// upgrade returns a valid handshake with one change.
func upgrade(old, replacement string) string {
	return "GET PATH?topic=a HTTP/1.1\r\nHost: HOST\r\n" + strings.Replace(handshake, old, replacement, 1) + "\r\n"
}

func TestBadRequestsReceiveErrors(t *testing.T) {
	inParallel(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{MaxPayload: 1024, MaxTopics: 4, ReadTimeout: 300 * time.Millisecond}, hub.Options{})
		cursor := strings.TrimSuffix(hub.Cursor{Epoch: s.service.Hub.Epoch()}.String(), "0")
		fill := strings.NewReplacer("HOST", s.addr, "PATH", edges[v.transport].path, "CURSOR", cursor)
		for _, row := range badRequests {
			if row.only != "" && !strings.Contains(row.only, v.transport) {
				continue
			}
			t.Run(row.id, func(t *testing.T) { row.check(t, s, fill.Replace(row.send)) })
		}
		if n := stats(t, s).Panics; n != 0 {
			t.Errorf("%d handlers panicked", n)
		}
	})
}

func (row badRequest) check(t *testing.T, s *server, send string) {
	c := dial(t, s)
	_, _ = c.Write([]byte(send)) // a server that refuses early may reset the rest
	a, err := readResponse(c.r, strings.Fields(send + " ?")[0])
	if err != nil || !strings.HasPrefix(strings.TrimPrefix(a.header, "HTTP/1.1 "), row.status) {
		t.Fatalf("got %q %q, %v, want status %s", a.header, a.body, err, row.status)
	}
	if row.closes {
		if rest := c.readToEnd(); rest != "" {
			t.Errorf("got %q after the response", rest)
		}
	}
	if row.code == "" {
		return
	}
	var body struct{ Error, Message string }
	if err := json.Unmarshal(a.body, &body); err != nil || body.Error != row.code || !strings.HasSuffix(body.Message, ".") {
		t.Errorf("got %q, %v, want error %s", a.body, err, row.code)
	}
	if row.status == "405" && !strings.Contains(a.header, "\r\nAllow: ") {
		t.Errorf("no Allow in %q", a.header)
	}
}

func TestHEADNeverWaits(t *testing.T) { // H9
	on(t, "shortpoll longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		path := "/v1/poll?topic=a&after=" + c.next().Cursor
		if v.transport == "longpoll" {
			path += "&wait=5s"
		}
		c.send("HEAD " + path + " HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n")
		if a := c.response("HEAD"); a.status != 204 {
			t.Errorf("got %q, want 204", a.header)
		}
	})
}

func TestHostMayBeAnyNameOfThisMachine(t *testing.T) {
	on(t, "shortpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		for _, host := range []string{"localhost", "LOCALHOST:1", "127.0.0.1", "127.9.9.9:80", "[::1]:80"} {
			c := dial(t, s)
			c.send("GET /v1/healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
			if a := c.response("GET"); a.status != 200 {
				t.Errorf("%s: got %q", host, a.header)
			}
		}
	})
}

func TestHubRejectsTopicsAndBytesBeyondLimit(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{MaxTopics: 1, MaxBytes: 4096})
		s.publish(t, "a", "x")
		for topic, data := range map[string]string{"b": "x", "a": strings.Repeat("x", 5000)} {
			if a := post(t, s, topic, data); a.status != 503 || !strings.Contains(string(a.body), "hub_full") {
				t.Errorf("%d bytes to %s: got %d %s, want 503 hub_full", len(data), topic, a.status, a.body)
			}
		}
		s.publish(t, "a", "x") // the server continues
	})
}
