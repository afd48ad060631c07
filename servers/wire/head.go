package wire

import "strconv"

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
	if r.Close {
		dst = append(dst, "Connection: close\r\n"...)
	}
	return append(dst, "\r\n"...)
}
