package wire

import (
	"net/http"
	"strconv"
)

const (
	contentType = "application/json"
	noStore     = "no-store"
)

// AppendHead appends the status line and headers of a poll's answer, byte for
// byte as the library below writes them: a poll that was held and one that was
// not must not differ on the wire. fasthttp has an order of its own, net/http
// that of the alphabet; the bytes are as many.
func (s *Service) AppendHead(dst []byte, r Response) []byte {
	switch {
	case r.Body == nil:
		dst = append(dst, "HTTP/1.1 204 No Content\r\nCache-Control: "+noStore+"\r\n"...)
	case s.library == NetHTTP:
		dst = append(dst, "HTTP/1.1 200 OK\r\nCache-Control: "+noStore+"\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
		dst = append(dst, "\r\nContent-Type: "+contentType+"\r\n"...)
	default:
		dst = append(dst, "HTTP/1.1 200 OK\r\nContent-Type: "+contentType+"\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
		dst = append(dst, "\r\nCache-Control: "+noStore+"\r\n"...)
	}
	if n := s.filling(r); n > 0 {
		dst = append(append(append(dst, fillName+": "...), s.fill[:n]...), "\r\n"...)
	}
	if r.Close {
		dst = append(dst, "Connection: close\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// fillName is the header that fills heads up to Limits.AnswerHead.
const fillName = "X-Fill"

// filling is how long the value of that header is in an answer; 0: there is none, as
// nothing is to be filled up, or there is no room.
func (s *Service) filling(r Response) int {
	if s.Limits.AnswerHead == 0 || r.Status != http.StatusOK && r.Status != http.StatusNoContent {
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
	return max(0, s.Limits.AnswerHead-head-len(fillName+": \r\n"))
}
