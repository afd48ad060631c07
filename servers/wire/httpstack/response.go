package httpstack

import (
	"net/http"
	"strconv"
)

// A Response is a response for either library. The body is JSON.
// PROTOCOL.md defines header bytes and their order.
type Response struct {
	Status  int
	Body    []byte // nil: no body and no Content-Type
	Allow   string // of a 405
	Version string // Sec-WebSocket-Version of a refused handshake (RFC 6455 section 4.4)
	NoStore bool   // Cache-Control: no-store
	Close   bool   // the connection ends with this response
	Origin  string // the page that may read the response, if it is not of this server; Allow of its preflight is for that page
}

// refuses reports whether the response ends a connection from which more bytes may arrive.
func (r Response) refuses() bool { return r.Close && r.Status >= http.StatusBadRequest }

const (
	contentType = "application/json"
	noStore     = "no-store"
)

// setHeaders sets the headers that neither library sets automatically.
func (s *Stack) setHeaders(r Response, set func(name, value string)) {
	if r.NoStore {
		set("Cache-Control", noStore)
	}
	switch {
	case r.Allow != "" && r.Status == http.StatusNoContent:
		set("Access-Control-Allow-Methods", r.Allow)
		set("Access-Control-Allow-Headers", "Content-Type, Last-Event-ID")
	case r.Allow != "":
		set("Allow", r.Allow)
	}
	if r.Origin != "" {
		set("Access-Control-Allow-Origin", r.Origin)
		set("Vary", "Origin")
	}
	if r.Version != "" {
		set("Sec-WebSocket-Version", r.Version)
	}
	if n := s.fillLength(r); n > 0 {
		set(fillHeader, s.fill[:n])
	}
}

// AppendResponse appends the response to a poll in the same bytes as the library writes it: the
// responses to a waiting and to an immediate poll must not differ on the wire, except by their Date. The order of
// headers is alphabetical in net/http and different in fasthttp; the number of bytes is equal.
func (s *Stack) AppendResponse(dst []byte, r Response) []byte {
	return s.appendResponse(dst, r, s.clock.date())
}

func (s *Stack) appendResponse(dst []byte, r Response, d *date) []byte {
	if s.Library == NetHTTP {
		dst = appendNetHeaders(dst, r, d)
	} else {
		dst = appendFastHeaders(dst, r, d)
	}
	if n := s.fillLength(r); n > 0 {
		dst = append(append(append(dst, fillHeader+": "...), s.fill[:n]...), "\r\n"...)
	}
	if r.Origin != "" {
		dst = AppendOrigin(dst, r.Origin)
	}
	if r.Close {
		dst = append(dst, "Connection: close\r\n"...)
	}
	return append(append(dst, "\r\n"...), r.Body...)
}

// AppendOrigin appends the headers by which a browser lets a page of another origin read a response (Fetch, section
// 3.3.3), and a cache keeps the responses of origins apart.
func AppendOrigin(dst []byte, origin string) []byte {
	return append(append(append(dst, "Access-Control-Allow-Origin: "...), origin...), "\r\nVary: Origin\r\n"...)
}

// appendNetHeaders appends the headers of a poll in the order of net/http.
func appendNetHeaders(dst []byte, r Response, d *date) []byte {
	if r.Body == nil {
		return appendDate(append(dst, "HTTP/1.1 204 No Content\r\nCache-Control: "+noStore+"\r\n"...), d)
	}
	dst = append(dst, "HTTP/1.1 200 OK\r\nCache-Control: "+noStore+"\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
	return appendDate(append(dst, "\r\nContent-Type: "+contentType+"\r\n"...), d)
}

// appendFastHeaders appends the headers of a poll in the order of fasthttp.
func appendFastHeaders(dst []byte, r Response, d *date) []byte {
	if r.Body == nil {
		return append(appendDate(append(dst, "HTTP/1.1 204 No Content\r\n"...), d), "Cache-Control: "+noStore+"\r\n"...)
	}
	dst = appendDate(append(dst, "HTTP/1.1 200 OK\r\n"...), d)
	dst = append(dst, "Content-Type: "+contentType+"\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
	return append(dst, "\r\nCache-Control: "+noStore+"\r\n"...)
}

// fillHeader is the header that pads headers to Config.ResponseHeaderBytes.
const fillHeader = "X-Fill"

// fillLength returns the length of that header's value in a response; 0: there is none, because
// padding is off or the headers are too long.
func (s *Stack) fillLength(r Response) int {
	if s.ResponseHeaderBytes == 0 || r.Status != http.StatusOK && r.Status != http.StatusNoContent {
		return 0
	}
	size := len("HTTP/1.1 200 \r\n") + len(http.StatusText(r.Status)) + dateLine + len("\r\n")
	if r.Body != nil {
		size += len("Content-Type: "+contentType+"\r\nContent-Length: \r\n") + len(strconv.Itoa(len(r.Body)))
	}
	if r.NoStore {
		size += len("Cache-Control: " + noStore + "\r\n")
	}
	if r.Close {
		size += len("Connection: close\r\n")
	}
	if r.Origin != "" {
		size += len(AppendOrigin(nil, r.Origin))
	}
	return max(0, s.ResponseHeaderBytes-size-len(fillHeader+": \r\n"))
}
