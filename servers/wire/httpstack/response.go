package httpstack

import (
	"net/http"
	"strconv"
)

// A Response is an answer, for whichever library writes it. The body is JSON.
// Header bytes and their order are in PROTOCOL.md.
type Response struct {
	Status  int
	Body    []byte // nil: no body and no Content-Type
	Allow   string // of a 405
	Version string // Sec-WebSocket-Version, where a handshake is refused (RFC 6455 section 4.4)
	NoStore bool   // Cache-Control: no-store
	Close   bool   // the connection ends with this answer
}

const (
	contentType = "application/json"
	noStore     = "no-store"
)

// setHeaders sets the headers that neither library sets by itself.
func (s *Stack) setHeaders(r Response, set func(name, value string)) {
	if r.NoStore {
		set("Cache-Control", noStore)
	}
	if r.Allow != "" {
		set("Allow", r.Allow)
	}
	if r.Version != "" {
		set("Sec-WebSocket-Version", r.Version)
	}
	if n := s.fillLength(r); n > 0 {
		set(fillHeader, s.fill[:n])
	}
}

// AppendAnswer appends a poll's answer, byte for byte as the library writes it: a poll that was held and one that was
// not must not differ on the wire. fasthttp has an order of its own, net/http
// that of the alphabet; the bytes are as many.
func (s *Stack) AppendResponse(dst []byte, r Response) []byte {
	switch {
	case r.Body == nil:
		dst = append(dst, "HTTP/1.1 204 No Content\r\nCache-Control: "+noStore+"\r\n"...)
	case s.Library == NetHTTP:
		dst = append(dst, "HTTP/1.1 200 OK\r\nCache-Control: "+noStore+"\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
		dst = append(dst, "\r\nContent-Type: "+contentType+"\r\n"...)
	default:
		dst = append(dst, "HTTP/1.1 200 OK\r\nContent-Type: "+contentType+"\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
		dst = append(dst, "\r\nCache-Control: "+noStore+"\r\n"...)
	}
	if n := s.fillLength(r); n > 0 {
		dst = append(append(append(dst, fillHeader+": "...), s.fill[:n]...), "\r\n"...)
	}
	if r.Close {
		dst = append(dst, "Connection: close\r\n"...)
	}
	return append(append(dst, "\r\n"...), r.Body...)
}

// fillName is the header that fills heads up to Config.AnswerHead.
const fillHeader = "X-Fill"

// filling is how long the value of that header is in an answer; 0: there is none, as
// nothing is to be filled up, or there is no room.
func (s *Stack) fillLength(r Response) int {
	if s.ResponseHeaderBytes == 0 || r.Status != http.StatusOK && r.Status != http.StatusNoContent {
		return 0
	}
	head := len("HTTP/1.1 200 \r\n") + len(http.StatusText(r.Status)) + len("\r\n")
	if r.Body != nil {
		head += len("Content-Type: "+contentType+"\r\nContent-Length: \r\n") + len(strconv.Itoa(len(r.Body)))
	}
	if r.NoStore {
		head += len("Cache-Control: " + noStore + "\r\n")
	}
	if r.Close {
		head += len("Connection: close\r\n")
	}
	return max(0, s.ResponseHeaderBytes-head-len(fillHeader+": \r\n"))
}
