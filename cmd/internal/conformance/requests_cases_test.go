//go:build !race || nightly

package conformance

import (
	"fmt"
	"strings"
)

// A rawRequest is what a client sends, and the responses that it must receive on every library: status and, of an
// error, the code. × means that the server then closes the connection; else the next request on it must be answered. ADDR stands for
// the server's address.
type rawRequest struct{ id, send, want string }

// lines returns a request line and headers.
func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n\r\n" }

// healthz returns a valid request with further headers.
func healthz(headers ...string) string {
	return lines(append([]string{"GET /v1/healthz HTTP/1.1", "Host: ADDR"}, headers...)...)
}

// target returns a request for a target.
func target(t string) string { return lines("GET "+t+" HTTP/1.1", "Host: ADDR") }

// publication returns a publication with a Content-Length and further headers.
func publication(body string, headers ...string) string {
	return unmeasured(body, append(headers, fmt.Sprint("Content-Length: ", len(body)))...)
}

// unmeasured returns a publication without a Content-Length.
func unmeasured(body string, headers ...string) string {
	return lines(append([]string{"POST /v1/topics/a HTTP/1.1", "Host: ADDR"}, headers...)...) + body
}

// The expected responses that most of them have.
const (
	malformed = "400 bad_request ×"
	noLength  = "411 length_required ×"
	wrongHost = "421 unknown_host ×"
)

// rawRequests returns the corpus: the syntax of HTTP/1.1 (RFC 9110 and 9112), and what request smuggling uses.
func rawRequests() (all []rawRequest) {
	add := func(id, send, want string) { all = append(all, rawRequest{id, send, want}) }
	// each adds one request per value.
	each := func(id, want string, make func(string) string, values ...string) {
		for _, v := range values {
			add(fmt.Sprintf("%s %.40q", id, v), make(v), want)
		}
	}
	requestLines(add, each)
	lineEnds(add, each)
	fields(add, each)
	hosts(add, each)
	lengths(add, each)
	codings(add, each)
	connections(add, each)
	expectations(add, each)
	pipelines(add, each)
	otherProtocols(add, each)
	return all
}

type (
	addRequest  func(id, send, want string)
	addRequests func(id, want string, make func(string) string, values ...string)
)

func requestLines(add addRequest, each addRequests) {
	line := func(l string) string { return lines(l, "Host: ADDR") }
	each("request line", "200", line, "GET /v1/healthz HTTP/1.1", "HEAD /v1/healthz HTTP/1.1", "GET /v1/healthz? HTTP/1.1")
	each("request line", malformed, line,
		"GET  /v1/healthz HTTP/1.1", "GET /v1/healthz  HTTP/1.1", "GET\t/v1/healthz HTTP/1.1", "GET /v1/healthz\tHTTP/1.1", "GET /v1/healthz HTTP/1.1 ",
		" GET /v1/healthz HTTP/1.1", "/v1/healthz HTTP/1.1", "GET HTTP/1.1", "GET /v1/healthz", "GET", "GET /v1/healthz HTTP/1.1 x", "GET /v1/healthz x HTTP/1.1",
		"G(T /v1/healthz HTTP/1.1", "GE\x00T /v1/healthz HTTP/1.1", "G\xc3\x89T /v1/healthz HTTP/1.1", "GET /v1/healthz\rHTTP/1.1", "GET /v1/\rhealthz HTTP/1.1",
		"GET /v1/healthz http/1.1", "GET /v1/healthz HTTP/1", "GET /v1/healthz HTTP/1.10", "GET /v1/healthz HTTP/11", "GET /v1/healthz HTTP/01.1", "GET /v1/healthz HTTP /1.1",
		"GET /v1/healthz HTTP/-1.1", "GET /v1/healthz HTTP/1,1", "GET /v1/healthz HTTPS/1.1", "GET /v1/healthz HTTP/1.1\x00", "GET /v1/healthz HTTP/a.b")
	each("version", "505 http_version ×", line, "GET /v1/healthz HTTP/1.2", "GET /v1/healthz HTTP/2.0", "GET /v1/healthz HTTP/0.9", "GET /v1/healthz HTTP/9.9", "PRI * HTTP/2.0")
	each("method", "405 method_not_allowed", func(m string) string { return lines(m+" /v1/healthz HTTP/1.1", "Host: ADDR") },
		"get", "M-SEARCH", "FOO", "CONNECT", "TRACE", strings.Repeat("A", 100))
	each("target", malformed, target, "", "v1/healthz", "*", "/v1/healthz#x", "#", "/v1/\x00healthz", "/v1/\x7fhealthz", "/v1/\x80healthz", "/v1/\x1bhealthz",
		"/v1/%zz", "/v1/%", "/v1/%2", "/v1/healthz%", "?x", "localhost:80")
	each("target", "404 not_found", target, "/", "//v1/healthz", "/v1/./healthz", "/v1/../v1/healthz", "/v1/healthz/", "/v1/healthz;x", `/v1\healthz`, "/v1/%68ealthz", "/v1/healthz%00", "/%2e%2e/x", "/<>\"{}|^`'", "//evil.example/v1/healthz", "/:80")
	each("target", "400 unknown_parameter", target, "/v1/healthz?x", "/v1/healthz?%zz", "/v1/healthz?a=<>\"{}|^`")
	add("OPTIONS *", lines("OPTIONS * HTTP/1.1", "Host: ADDR"), "404 not_found")
	add("CONNECT authority", lines("CONNECT ADDR HTTP/1.1", "Host: ADDR"), malformed)
	absolute := func(t string) string { return lines("GET "+t+" HTTP/1.1", "Host: other.example") }
	each("absolute", "200", absolute, "http://ADDR/v1/healthz", "HTTP://ADDR/v1/healthz", "http://localhost:/v1/healthz", "http://[::1]/v1/healthz", "http://LOCALHOST/v1/healthz")
	each("absolute", "404 not_found", absolute, "http://ADDR", "http://ADDR?x", "http://ADDR/")
	each("absolute", wrongHost, target, "http://other.example/v1/healthz", "https://ADDR/v1/healthz", "http://127.0.0.1.example/v1/healthz")
	each("absolute", malformed, target, "http:///v1/healthz", "http://user@ADDR/v1/healthz", "http://ADDR:x/v1/healthz", "http://[::1/v1/healthz", "http:/v1/healthz", "ftp://ADDR/v1/healthz", "http://ADDR/%zz", "http://a,b/", "http://a b/", "://ADDR/")
	add("absolute without Host", lines("GET http://ADDR/v1/healthz HTTP/1.1"), malformed)
	add("absolute HTTP/1.0 without Host", lines("GET http://ADDR/v1/healthz HTTP/1.0"), "200 ×")
	add("absolute, Origin of the target", lines("POST http://ADDR/v1/topics/a HTTP/1.1", "Host: other.example", "Origin: http://ADDR", "Content-Length: 0"), "200")
	add("absolute, Origin of the Host", lines("POST http://ADDR/v1/topics/a HTTP/1.1", "Host: localhost", "Origin: http://localhost", "Content-Length: 0"), "403 foreign_origin")
}

func lineEnds(add addRequest, each addRequests) {
	good := healthz("X: y")
	add("LF only", strings.ReplaceAll(good, "\r\n", "\n"), malformed)
	add("LF after the request line", strings.Replace(good, "\r\n", "\n", 1), malformed)
	add("LF after a header", strings.Replace(good, "ADDR\r\n", "ADDR\n", 1), malformed)
	add("LF as the last line", strings.Replace(good, "\r\n\r\n", "\r\n\n", 1), malformed)
	add("LF LF at the end", strings.Replace(good, "\r\n\r\n", "\n\n", 1), malformed)
	add("CR CR LF", strings.Replace(good, "\r\n", "\r\r\n", 1), malformed)
	add("CR CR LF as the last line", strings.Replace(good, "\r\n\r\n", "\r\n\r\r\n", 1), malformed)
	add("CR only", strings.ReplaceAll(good, "\r\n", "\r")+"\r\n\r\n", malformed)
	add("empty line before", "\r\n"+good, "200")
	add("two empty lines before", "\r\n\r\n"+good, malformed)
	add("LF before", "\n"+good, malformed)
	add("CR before", "\r"+good, malformed)
	add("space before", " "+good, malformed)
	add("empty line between", good+"\r\n"+good, "200, 200")
	add("empty line after a body", publication("x")+"\r\n"+good, "200, 200")
	add("NUL before", "\x00"+good, malformed)
	add("byte order mark before", "\xef\xbb\xbf"+good, malformed)
}

func fields(add addRequest, each addRequests) {
	header := func(l string) string { return healthz(l) }
	each("header", "200", header, "X:y", "X: y", "X:\t y \t", "X:", "X: \xe9\xff", "X: a\tb", "!#$%&'*+-.^_`|~: y", "X: :", "X: ,;=\"()<>@?[]{}", "x: y\r\nX: z", "Content_Length: 5", "Transfer_Encoding: chunked", "TE: trailers",
		"Cookie: a=b; c", "Range: bytes=9-0", "Trailer: Content-Length", "Max-Forwards: 0", "Accept-Encoding: gzip", "X-HTTP-Method-Override: DELETE", "X-Forwarded-Host: other.example", "X-Rewrite-URL: /v1/stats",
		strings.Repeat("N", 1000)+": y", "X: "+strings.Repeat("y", 7<<10), strings.TrimSuffix(strings.Repeat("X:y\r\n", 1000), "\r\n"))
	each("header", malformed, header, "X : y", "X\t: y", "X", ": y", "X Y: z", "(X): y", "X[0]: y", "X\x00: y", "X\x80: y", "X\x01: y", "X: a\x00b", "X: a\rb", "X: a\nb", "X: a\x01b", "X: a\x7fb", "X: a\vb", "X: a\fb", "X: a\x1bb", "\"X\": y", "\r: y", "X: y\r")
	each("folded", malformed, header, "X: a\r\n b", "X: a\r\n\tb", "X:\r\n b", "X: a\r\n ", " X: y", "\tX: y")
	add("space before the first header", lines("GET /v1/healthz HTTP/1.1", " Host: ADDR"), malformed)
	add("space line", lines("GET /v1/healthz HTTP/1.1", "Host: ADDR", " "), malformed)
	each("above the limit", "431 header_too_large ×", header, "X: "+strings.Repeat("y", 64<<10), strings.TrimSuffix(strings.Repeat("X: y\r\n", 10_000), "\r\n"), strings.Repeat("N", 64<<10)+": y")
	add("target above the limit", target("/"+strings.Repeat("a", 64<<10)), "431 header_too_large ×")
	add("method above the limit", strings.Repeat("A", 64<<10)+" / HTTP/1.1\r\n\r\n", "431 header_too_large ×")
	twice := func(name string) string { return healthz(name+": text/plain", name+": text/plain") }
	each("twice", malformed, twice, "Content-Type", "content-type", "Content-Encoding", "Last-Event-ID")
	add("two Content-Types", publication("x", "Content-Type: text/plain", "Content-Type: text/html"), malformed)
	add("two Content-Encodings", publication("x", "Content-Encoding: identity", "Content-Encoding: gzip"), malformed)
	add("gzip", publication("x", "Content-Encoding: gzip"), "415 unsupported_encoding")
	add("identity", publication("x", "Content-Encoding: identity"), "200")
	add("a form", publication("x=y", "Content-Type: application/x-www-form-urlencoded"), "415 unsupported_media_type")
	add("Latin-1", publication("x", "Content-Type: text/plain; charset=latin-1"), "415 unsupported_media_type")
	each("Origin", "403 foreign_origin", func(o string) string { return publication("x", "Origin: "+o) }, "http://other.example", "null", "https://ADDR", "ADDR", "http://ADDR/", "http://ADDR\r\nOrigin: http://ADDR")
	add("own Origin", publication("x", "Origin: http://ADDR"), "200")
}

func hosts(add addRequest, each addRequests) {
	host := func(h string) string { return lines("GET /v1/healthz HTTP/1.1", "Host:"+h) }
	each("Host", "200", host, " ADDR", "ADDR", "\tADDR ", " localhost", " LocalHost:1", " [::1]", " [::1]:80", " 127.0.0.1:", " 127.9.9.9:99999")
	each("Host", malformed, host, "", " ", " ADDR/x", " user@ADDR", " http://ADDR", " ADDR, ADDR", " ADDR ADDR", " ADDR:x", " ADDR?x", " ADDR#x", " [::1", " [zz]", " ::1", " :80", " local%68ost", ` "localhost"`, " l\xc3\xb6calhost", " a\\b", " ADDR\r\nHost: ADDR", " ADDR\r\nhost: other.example", " other.example\r\nHost: ADDR", " ADDR\r\n ADDR")
	each("Host", wrongHost, host, " other.example", " localhost.", " localhost.other.example", " 192.0.2.1", " 127.0.0.1.other.example", " 2130706433", " 0x7f.1", " 127.1", " [::ffff:192.0.2.1]", " 0.0.0.0")
	add("no Host", lines("GET /v1/healthz HTTP/1.1"), malformed)
	add("no Host, HTTP/1.0", lines("GET /v1/healthz HTTP/1.0"), wrongHost)
	add("two Hosts, HTTP/1.0", lines("GET /v1/healthz HTTP/1.0", "Host: ADDR", "Host: ADDR"), malformed)
	add("space before the colon of Host", lines("GET /v1/healthz HTTP/1.1", "Host : ADDR"), malformed)
}

func lengths(add addRequest, each addRequests) {
	length := func(l string) string { return unmeasured("hello", "Content-Length:"+l) }
	each("Content-Length", "200", length, " 5", "5", "\t5 ", " 05", " 0000000000000000000000005")
	each("Content-Length", malformed, length, "", " ", " +5", " -5", " -0", " 0x5", " 5 5", " 5,5", " 5, 5", " 5;", " 5.0", " 5e0", " 1e1", " five", " \xef\xbc\x95", " 5\r\nContent-Length: 5", " 5\r\nContent-Length: 6", " 5\r\ncontent-length: 0", " 5\v", " \"5\"", " 5\r\n 5", " 5_0")
	each("Content-Length", "413 payload_too_large ×", length, " 65537", " 4294967301", " 9223372036854775808", " 18446744073709551621", " 99999999999999999999", " 340282366920938463463374607431768211461")
	add("space before the colon of Content-Length", unmeasured("hello", "Content-Length : 5"), malformed)
	add("no length", unmeasured(""), "200")
	add("length 0", publication(""), "200")
	add("the largest body", publication(strings.Repeat("x", 64<<10)), "200")
	add("less than was sent", unmeasured("hello!", "Content-Length: 5")+"\r\n\r\n", "200, "+malformed)
	add("more than was sent", unmeasured("hell", "Content-Length: 5"), "408 timeout ×")
	add("incomplete headers", "GET /v1/healthz HTTP/1.1\r\nHost: ADDR\r\n", "408 timeout ×")
	add("incomplete request line", "GET", "408 timeout ×")
	add("half an empty line", "\r", "408 timeout ×")
	add("not UTF-8", publication("\xff"), "400 bad_utf8")
	bodied := func(method string) string {
		return lines(method+" /v1/healthz HTTP/1.1", "Host: ADDR", "Content-Length: 5") + "hello"
	}
	each("body", "400 unexpected_body ×", bodied, "GET", "DELETE", "PUT", "OPTIONS", "post")
	add("body on HEAD", bodied("HEAD"), "400 ×")
	add("large body on GET", healthz("Content-Length: 99999999"), "400 unexpected_body ×")
	add("GET with length 0", healthz("Content-Length: 0"), "200")
}

func codings(add addRequest, each addRequests) {
	chunks := func(c string) string { return unmeasured(c, "Transfer-Encoding: chunked") }
	each("chunks", noLength, chunks, "0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", "+1\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n", "1 \r\nx\r\n0\r\n\r\n", "1 ;a\r\nx\r\n0\r\n\r\n", "1;a=\"\r\nx\r\n0\r\n\r\n", "1;a\nx\r\n0\r\n\r\n",
		"FFFFFFFFFFFFFFFFF\r\nx", "1\nx\n0\n\n", "1\r\nx0\r\n\r\n", "1\r\nxy\r\n0\r\n\r\n", "1\r\nx\r\n0\r\n", "1\r\nx\r\n", "\r\n1\r\nx\r\n0\r\n\r\n", "g\r\nx\r\n0\r\n\r\n", "1;"+strings.Repeat("e", 64<<10)+"\r\nx\r\n0\r\n\r\n",
		"0\r\nContent-Length: 9\r\nHost: other.example\r\n\r\n", "0\r\nX : y\r\n\r\n", "00000000000000000001\r\nx\r\n0\r\n\r\n", "1_0\r\nx\r\n0\r\n\r\n")
	coding := func(c string) string {
		return unmeasured("1\r\nx\r\n0\r\n\r\n", "Transfer-Encoding:"+c, "Content-Length: 11")
	}
	each("Transfer-Encoding and a length", noLength, coding, " chunked", "chunked", " Chunked", "\tchunked", " chunked ", " identity", " gzip, chunked", " chunked, identity", " chunked, chunked", " xchunked", " chunkedx", ` "chunked"`, "", " ,", " ,chunked", " chunked;q=1", " \x80chunked",
		" chunked\r\nTransfer-Encoding: chunked", " identity\r\nTransfer-Encoding: chunked", "\r\n chunked", " gzip", " trailers")
	each("Transfer-Encoding and a length", malformed, coding, " \vchunked", " chunked\x00", " chu\rnked", " \x7fchunked", " x\nTransfer-Encoding: chunked")
	named := func(n string) string { return publication("hello", n+" chunked") }
	each("nearly Transfer-Encoding", malformed, named, "Transfer-Encoding :", "Transfer-Encoding\t:", " Transfer-Encoding:", "Transfer-Encoding\x00:", "Transfer\r-Encoding:", "X: y\nTransfer-Encoding:", "X: y\rTransfer-Encoding:", "Transfer Encoding:")
	each("nearly Transfer-Encoding", "200", named, "Transfer_Encoding:", "Transfer-Encodin:", "Transfer-Encodings:", "X-Transfer-Encoding:")
	add("transfer-encoding in lower case", unmeasured("0\r\n\r\n", "transfer-encoding: chunked"), noLength)
	add("length before a coding", unmeasured("0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"), noLength)
	old := func(headers ...string) string {
		return lines(append([]string{"POST /v1/topics/a HTTP/1.0", "Host: ADDR"}, headers...)...)
	}
	add("chunked, HTTP/1.0", old("Transfer-Encoding: chunked")+"1\r\nx\r\n0\r\n\r\n", noLength)
	add("chunked and a length, HTTP/1.0", old("Transfer-Encoding: chunked", "Content-Length: 11")+"1\r\nx\r\n0\r\n\r\n", noLength)
	add("a length, HTTP/1.0", old("Content-Length: 1")+"x", "200 ×")
	add("chunked on GET", healthz("Transfer-Encoding: chunked")+"0\r\n\r\n", noLength)
	add("chunked on HEAD", lines("HEAD /v1/healthz HTTP/1.1", "Host: ADDR", "Transfer-Encoding: chunked")+"0\r\n\r\n", "411 ×")
}

func connections(add addRequest, each addRequests) {
	connection := func(c string) string { return healthz("Connection:" + c) }
	each("Connection", "200 ×", connection, " close", " Close", " CLOSE", "close", " keep-alive, close", " close, keep-alive", " ,close,", " keep-alive\r\nConnection: close", " close\r\nConnection: keep-alive", " TE, Close")
	each("Connection", "200", connection, "", " keep-alive", " Keep-Alive", " closed", " x-close", " Host", " Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", " Upgrade\r\nUpgrade: websocket")
	add("Proxy-Connection", healthz("Proxy-Connection: close"), "200")
	old := func(headers string) string { return lines("GET /v1/healthz HTTP/1.0", "Host: ADDR"+headers) }
	each("HTTP/1.0", "200 ×", old, "", "\r\nConnection: keep-alive", "\r\nConnection: close", "\r\nKeep-Alive: timeout=5")
	add("connection header names the length", publication("hello", "Connection: Content-Length"), "200")
}

func expectations(add addRequest, each addRequests) {
	expecting := func(e string) string { return publication("hello", "Expect:"+e) }
	each("Expect", "100, 200", expecting, " 100-continue", " 100-Continue", "100-CONTINUE ")
	each("Expect", "417 expectation_failed ×", expecting, " x", " 100-continue, x", " 100-continued", " 200-ok", " 100", " ,")
	each("Expect", malformed, expecting, " 100-continue\r\nExpect: 100-continue", " x\r\nExpect: 100-continue")
	add("empty Expect", expecting(""), "200")
	add("Expect above the limit", unmeasured("", "Expect: 100-continue", "Content-Length: 65537"), "413 payload_too_large ×")
	add("Expect without a body", healthz("Expect: 100-continue"), "200")
	add("unknown Expect without a body", healthz("Expect: x"), "417 expectation_failed ×")
	add("Expect with length 0", publication("", "Expect: 100-continue"), "200")
	add("Expect with a coding", unmeasured("0\r\n\r\n", "Expect: 100-continue", "Transfer-Encoding: chunked"), noLength)
	add("Expect, HTTP/1.0", lines("POST /v1/topics/a HTTP/1.0", "Host: ADDR", "Expect: 100-continue", "Content-Length: 1")+"x", "200 ×")
	add("unknown Expect, HTTP/1.0", lines("POST /v1/topics/a HTTP/1.0", "Host: ADDR", "Expect: x", "Content-Length: 1")+"x", "200 ×")
	add("Expect and a refusal", publication("x=y", "Expect: 100-continue", "Content-Type: application/x-www-form-urlencoded"), "100, 415 unsupported_media_type")
}

func pipelines(add addRequest, _ addRequests) {
	good := healthz()
	add("two requests", good+good, "200, 200")
	add("HEAD and GET", lines("HEAD /v1/healthz HTTP/1.1", "Host: ADDR")+good, "200, 200")
	add("thirty requests", strings.Repeat(good, 30), strings.TrimPrefix(strings.Repeat(", 200", 30), ", "))
	add("publications and requests", publication("x")+good+publication("y")+good, "200, 200, 200, 200")
	body := strings.ReplaceAll(good, "ADDR", "localhost")
	add("a request in a body", publication(body), "200")
	add("a request in a body, and another", publication(body)+good, "200, 200")
	add("garbage after a request", good+"garbage\r\n\r\n", "200, "+malformed)
	add("garbage after a body", publication("x")+"\x16\x03\x01", "200, "+malformed)
	add("a coding in the second request", good+unmeasured("0\r\n\r\n", "Transfer-Encoding: chunked")+good, "200, "+noLength)
	add("smuggled by length and coding", unmeasured("0\r\n\r\n"+good, "Content-Length: 5", "Transfer-Encoding: chunked"), noLength)
	add("smuggled by coding and length", unmeasured("5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n", "Content-Length: 4", "Transfer-Encoding: chunked"), noLength)
	add("smuggled by identity", unmeasured(good, "Content-Length: 0", "Transfer-Encoding: identity"), noLength)
	add("smuggled by two lengths", unmeasured(good, "Content-Length: 0", fmt.Sprint("Content-Length: ", len(good))), malformed)
	add("smuggled in a header", healthz("X: y\rGET /v1/stats HTTP/1.1\rHost: ADDR"), malformed)
	add("smuggled by a body on GET", healthz(fmt.Sprint("Content-Length: ", len(good)))+good, "400 unexpected_body ×")
	add("smuggled by HTTP/1.0", lines("POST /v1/topics/a HTTP/1.0", "Host: ADDR", "Content-Length: 1")+"x"+good, "200 ×")
	add("after Connection: close", healthz("Connection: close")+good, "200 ×")
	add("refused with a body, and another", publication("x", "Origin: null")+good, "403 foreign_origin, 200")
	add("unsupported with a body, and another", publication("x", "Content-Type: text/html")+good, "415 unsupported_media_type, 200")
	add("nowhere with a body, and another", lines("POST /v1/x HTTP/1.1", "Host: ADDR", "Content-Length: 1")+"x"+good, "404 not_found, 200")
	add("Expect with a body, and another", publication("x", "Expect: 100-continue")+good, "100, 200, 200")
	add("a wrong host, and another", lines("GET /v1/healthz HTTP/1.1", "Host: other.example")+good, wrongHost)
	add("HTTP/0.9 after a request", good+"GET /v1/healthz\r\n", "200, "+malformed)
	add("absolute, and another", lines("GET http://ADDR/v1/healthz HTTP/1.1", "Host: other.example")+good, "200, 200")
}

func otherProtocols(add addRequest, each addRequests) {
	each("another protocol", malformed, func(s string) string { return s },
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "SSH-2.0-OpenSSH_9.2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"+healthz(), "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", "\x05\x01\x00", "\x00\x00\x00\x00", "QUIT\r\n", "EHLO example\r\n",
		"RTSP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "G\x00E\x00T\x00 \x00/\x00\r\x00\n\x00", "\x10\x10\x00\x04MQTT", "{\"id\":1}\r\n", "<xml/>\r\n", "\r\n \r\n")
}
