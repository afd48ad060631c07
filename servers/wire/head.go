package wire

import "strconv"

const (
	contentType = "application/json"
	noStore     = "no-store"
)

// AppendHead appends the status line and headers of a poll's answer, byte for
// byte as fasthttp writes them: a poll that was held and one that was not must
// not differ on the wire.
func AppendHead(dst []byte, r Response) []byte {
	if r.Body == nil {
		dst = append(dst, "HTTP/1.1 204 No Content\r\n"...)
	} else {
		dst = append(dst, "HTTP/1.1 200 OK\r\nContent-Type: "+contentType+"\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, "Cache-Control: "+noStore+"\r\n"...)
	if r.Close {
		dst = append(dst, "Connection: close\r\n"...)
	}
	return append(dst, "\r\n"...)
}
