package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
)

// A Head is what matters of an HTTP/1.1 answer's header (RFC 9112, sections 4 and 6).
type Header struct {
	Status    int
	Length    int // of the body in bytes; Chunked or, if nothing is said, UntilClose
	Closes    bool
	Upgrades  bool   // to WebSocket
	Type      []byte // media type, without parameters
	Accept    []byte // Sec-WebSocket-Accept
	Extension bool   // an extension or protocol was chosen
}

// What a header may say instead of a length.
const (
	Chunked    = -1
	UntilClose = -2
)

// maxHead bounds a header, in bytes.
const maxHeader = 64 << 10

// ParseHead parses the header of an answer from the beginning of in, of which it is n
// bytes; n is 0 while it is not complete. What it points to is in in.
func ParseHeader(in []byte) (h Header, n int, err error) { return parseMessageHeader(in, false) }

// parseHead parses the header of an answer or a request.
func parseMessageHeader(in []byte, request bool) (h Header, n int, err error) {
	h.Length = UntilClose
	old := false // HTTP/1.0, which has no chunked coding and no lasting connections
	for line := 0; ; line++ {
		end := bytes.IndexByte(in[n:], '\n')
		if end < 0 {
			if len(in) > maxHeader {
				return h, 0, ErrResponse
			}
			return h, 0, nil
		}
		text := bytes.TrimSuffix(in[n:n+end], []byte("\r"))
		n += end + 1
		ok := true
		switch {
		case line == 0 && request:
			old, ok = parseRequestLine(text)
		case line == 0:
			old, ok = h.parseStatusLine(text)
		case len(text) == 0:
			if h.Status == 204 || h.Status == 304 || h.Status < 200 && h.Status > 0 {
				h.Length = 0 // whatever was said (RFC 9112, section 6.3)
			}
			if old && h.Length == Chunked {
				err = ErrResponse
			}
			h.Closes = h.Closes || old
			return h, n, err
		default:
			ok = h.parseField(text)
		}
		if !ok {
			err = ErrResponse // returned when the header is complete: until then it is a connection that broke off
		}
	}
}

func parseRequestLine(line []byte) (old, ok bool) {
	ok = bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0"))
	return ok && line[len(line)-1] == '0', ok
}

// statusLine takes a status line. Its status stays 0 if it is none.
func (h *Header) parseStatusLine(line []byte) (old, ok bool) {
	if len(line) < len("HTTP/1.1 200") || string(line[:7]) != "HTTP/1." || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return false, false
	}
	status, err := strconv.ParseUint(string(line[9:12]), 10, 16)
	if err != nil || status < 100 {
		return false, false
	}
	h.Status = int(status)
	return line[7] == '0', true
}

// field takes one field, and reports whether it is valid.
func (h *Header) parseField(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return false
	}
	value = bytes.TrimSpace(value)
	switch {
	case equalFold(name, "content-length"):
		return h.contentLength(value)
	case equalFold(name, "transfer-encoding"):
		h.Length = Chunked
		return equalFold(value, "chunked")
	case equalFold(name, "connection"):
		h.Closes = h.Closes || listContains(value, "close")
	case equalFold(name, "upgrade"):
		h.Upgrades = equalFold(value, "websocket")
	case equalFold(name, "content-type"):
		kind, _, _ := bytes.Cut(value, []byte(";"))
		h.Type = bytes.TrimSpace(kind)
	case equalFold(name, "sec-websocket-accept"):
		h.Accept = value
	case equalFold(name, "sec-websocket-extensions"), equalFold(name, "sec-websocket-protocol"):
		h.Extension = h.Extension || len(value) > 0
	}
	return true
}

// sized takes a Content-Length. One that contradicts another is invalid; beside
// chunked coding it does not count.
func (h *Header) contentLength(value []byte) bool {
	length, err := strconv.ParseUint(string(value), 10, 63)
	if err != nil {
		return false
	}
	switch n := int(min(length, math.MaxInt)); h.Length {
	case UntilClose:
		h.Length = n
		return true
	case Chunked:
		return true
	default:
		return h.Length == n
	}
}

// is compares without regard to case.
func equalFold(text []byte, word string) bool { return bytes.EqualFold(text, []byte(word)) }

// has reports whether a comma-separated list has a word.
func listContains(list []byte, word string) bool {
	for one := range bytes.SplitSeq(list, []byte(",")) {
		if equalFold(bytes.TrimSpace(one), word) {
			return true
		}
	}
	return false
}

// Interim reports whether the real answer is still to come (RFC 9110, section 15.2).
func (h *Header) Interim() bool {
	return h.Status/100 == 1 && h.Status != http.StatusSwitchingProtocols
}

// OpensStream returns what is wrong with the header of a stream of a media type, if anything is.
func (h *Header) OpensStream(mediaType string) error {
	switch {
	case h.Status != http.StatusOK:
		return fmt.Errorf("stream answered with status %d", h.Status)
	case !equalFold(h.Type, mediaType):
		return errors.New("stream is not of type " + mediaType)
	case h.Length != Chunked:
		return errors.New("stream is not in chunked coding")
	default:
		return nil
	}
}

// fillName begins the header that fills a head up.
const paddingName = "Cookie: "

// EndHead ends a head, with the header before its empty line that makes it as long as it
// is to be, that line included. One that leaves no room for the header is as long as it is.
func EndHeader(head []byte, size int) []byte {
	const end = "\r\n"
	if room := size - len(head) - len(paddingName) - 2*len(end); room > 0 {
		head = append(head, paddingName...)
		for range room {
			head = append(head, 'x')
		}
		head = append(head, end...)
	}
	return append(head, end...)
}
