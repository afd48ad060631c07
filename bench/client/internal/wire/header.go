package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
)

// A Header holds the fields of a response header that the client uses (RFC 9112, sections 4
// and 6).
type Header struct {
	Status    int
	Length    int // of the body in bytes; Chunked, or UntilClose without a length
	Closes    bool
	Upgrades  bool   // to WebSocket
	Type      []byte // media type, without parameters
	Accept    []byte // Sec-WebSocket-Accept
	Protocol  []byte // Sec-WebSocket-Protocol
	Extension bool   // an extension was chosen
	Encoding  []byte // Content-Encoding; nil: none
}

// Values of Length that are not a length.
const (
	Chunked    = -1
	UntilClose = -2
)

// maxHeader bounds a header, in bytes.
const maxHeader = 64 << 10

// ParseHeader parses the header of a response, which is the first n bytes of in; n is 0
// while it is not complete. The Header points into in.
func ParseHeader(in []byte) (h Header, n int, err error) { return parseMessageHeader(in, false) }

// parseMessageHeader parses the header of a response or a request.
func parseMessageHeader(in []byte, request bool) (h Header, n int, err error) {
	h.Length = UntilClose
	old := false // HTTP/1.0, which has no chunked coding and no keep-alive by default
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
				h.Length = 0 // whatever the fields are (RFC 9112, section 6.3)
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
			err = ErrResponse // returned with the complete header: before, the connection may still fail
		}
	}
}

func parseRequestLine(line []byte) (old, ok bool) {
	ok = bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0"))
	return ok && line[len(line)-1] == '0', ok
}

// parseStatusLine parses a status line. Status remains 0 if it is malformed.
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

// parseField parses one field, and reports whether it is valid.
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
	case equalFold(name, "content-encoding") && !equalFold(value, "identity"):
		h.Encoding = value
	case equalFold(name, "sec-websocket-accept"):
		h.Accept = value
	case equalFold(name, "sec-websocket-protocol"):
		h.Protocol = value
	case equalFold(name, "sec-websocket-extensions"):
		h.Extension = h.Extension || len(value) > 0
	}
	return true
}

// contentLength parses a Content-Length. One that contradicts another is invalid; chunked
// coding overrides it.
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

// equalFold compares without regard to case.
func equalFold(text []byte, word string) bool { return bytes.EqualFold(text, []byte(word)) }

// listContains reports whether a comma-separated list contains a word.
func listContains(list []byte, word string) bool {
	for one := range bytes.SplitSeq(list, []byte(",")) {
		if equalFold(bytes.TrimSpace(one), word) {
			return true
		}
	}
	return false
}

// Interim reports whether the final response follows (RFC 9110, section 15.2).
func (h *Header) Interim() bool {
	return h.Status/100 == 1 && h.Status != http.StatusSwitchingProtocols
}

// OpensStream returns an error unless the header opens a stream of the media type.
func (h *Header) OpensStream(mediaType string) error {
	switch {
	case h.Status != http.StatusOK:
		return fmt.Errorf("stream returned status %d", h.Status)
	case !equalFold(h.Type, mediaType):
		return errors.New("stream is not of type " + mediaType)
	case h.Length != Chunked:
		return errors.New("stream is not in chunked coding")
	default:
		return h.Plain()
	}
}

// IsBatch returns an error if the header says that the body is no batch in JSON.
func (h *Header) IsBatch() error {
	if h.Type != nil && !equalFold(h.Type, "application/json") {
		return fmt.Errorf("response is of type %.100q, not application/json", h.Type)
	}
	return h.Plain()
}

// OpensForeignStream returns an error unless the header of a target opens a stream: of events if events is
// set, else of any media type.
func (h *Header) OpensForeignStream(events bool) error {
	switch {
	case h.Status != http.StatusOK:
		return fmt.Errorf("stream returned status %d", h.Status)
	case events && !equalFold(h.Type, "text/event-stream"):
		return fmt.Errorf("stream is of type %.100q, not text/event-stream", h.Type)
	default:
		return h.Plain()
	}
}

// Plain returns an error if the body is compressed, which no request accepts.
func (h *Header) Plain() error {
	if h.Encoding != nil {
		return fmt.Errorf("response is compressed: Content-Encoding %.100q", h.Encoding)
	}
	return nil
}

// EachField calls do with each field of a complete header: its name as it was sent, and its value.
func EachField(header []byte, do func(name, value []byte)) {
	for line := range bytes.SplitSeq(header, []byte("\n")) {
		if name, value, ok := bytes.Cut(line, []byte(":")); ok {
			do(name, bytes.TrimSpace(value))
		}
	}
}

// paddingName begins the field that pads a header.
const paddingName = "Cookie: "

// EndHeader ends a header with an empty line. Before it, it inserts a field that pads the
// header to size bytes, empty line included, unless there is no room for the field.
func EndHeader(header []byte, size int) []byte {
	const end = "\r\n"
	if room := size - len(header) - len(paddingName) - 2*len(end); room > 0 {
		header = append(header, paddingName...)
		for range room {
			header = append(header, 'x')
		}
		header = append(header, end...)
	}
	return append(header, end...)
}
