package httpstack

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
)

// A head checks the request line and the headers of a request, before a library sees them. The libraries
// differ in what they tolerate, and some of it is dangerous behind a proxy that reads it differently
// (RFC 9112 section 11.2). So the check is strict: of what the RFC lets a server refuse, it refuses everything.
// It also rewrites, in place, what only one library understands.
type head struct {
	next  int // where the next line begins
	begin int // where the request begins, after an empty line that is ignored (RFC 9112 section 2.2)
	lines int // of this request

	length int64  // the Content-Length
	close  bool   // the client wants the connection closed after the response
	scheme string // of a target in absolute form, in lower case; else ""
	host   string // of a target in absolute form, which replaces the Host (RFC 9112 section 3.2.2)

	post, http10 bool
	seen         singleton
	expect       [2]int // where the value of Expect begins and ends; a slice would not survive the growth of a buffer
}

// A singleton is a header that a request has at most once. Two of them are ambiguous, because a library uses the
// first, another the last.
type singleton uint8

const (
	hasHost singleton = 1 << iota
	hasLength
	hasType
	hasEncoding
	hasExpect
	hasEventID
)

// parse checks the lines of b that are complete and have not been checked. b begins with the same bytes in
// each call. It returns how many bytes the headers have; 0: they are incomplete. It fails with an error of an unreadable request.
func (h *head) parse(b []byte, limit int) (end int, err error) {
	for {
		n := bytes.IndexByte(b[h.next:], '\n')
		if h.next+max(n+1, 0) > limit || n < 0 && len(b) > limit {
			return 0, ErrHeaderTooLarge
		}
		if n < 0 {
			return 0, h.begins(b)
		}
		line, ended := bytes.CutSuffix(b[h.next:h.next+n], []byte{'\r'})
		if !ended {
			return 0, ErrMalformed
		}
		start := h.next
		h.next += n + 1
		switch {
		case len(line) > 0 && h.lines == 0:
			h.begin = start
			err = h.requestLine(line)
		case len(line) > 0:
			err = h.field(line, start)
		case h.lines > 0:
			return h.next, h.finish(b)
		case start > 0: // a second empty line
			err = ErrMalformed
		default:
			continue
		}
		if err != nil {
			return 0, err
		}
		h.lines++
	}
}

// begins checks the first byte of a request, so that other protocols need not wait for the read timeout.
func (h *head) begins(b []byte) error {
	if rest := b[h.next:]; h.lines == 0 && len(rest) > 0 && rest[0] != '\r' && class[rest[0]]&token == 0 {
		return ErrMalformed
	}
	return nil
}

// requestLine checks METHOD SP TARGET SP HTTP/1.x (RFC 9112 section 3).
func (h *head) requestLine(line []byte) error {
	method, rest, _ := bytes.Cut(line, []byte{' '})
	target, version, found := bytes.Cut(rest, []byte{' '})
	if !found || len(method) == 0 || !all(method, token) || !printable(target) || bytes.IndexByte(target, '#') >= 0 {
		return ErrMalformed
	}
	switch v := string(version); {
	case v == "HTTP/1.1":
	case v == "HTTP/1.0":
		h.http10, h.close = true, true
	case len(v) == len("HTTP/1.1") && v[:5] == "HTTP/" && digit(v[5]) && v[6] == '.' && digit(v[7]):
		return ErrVersion
	default:
		return ErrMalformed
	}
	h.post = string(method) == "POST"
	switch {
	case len(target) > 0 && target[0] == '/':
	case string(target) == "*" && string(method) == "OPTIONS":
		return nil
	default:
		var err error
		if target, err = h.absolute(method, target); err != nil {
			return err
		}
	}
	path, _, _ := bytes.Cut(target, []byte{'?'})
	return escapes(path)
}

// absolute takes scheme and host of a target in absolute form, and moves the method, so that the line has the rest
// of it. It returns the rest.
func (h *head) absolute(method, target []byte) ([]byte, error) {
	n := bytes.Index(target, []byte("://"))
	if n < 0 {
		return nil, ErrMalformed
	}
	h.scheme = strings.ToLower(string(target[:n]))
	authority := target[n+len("://"):]
	path := len(authority)
	if i := bytes.IndexAny(authority, "/?"); i >= 0 {
		path = i
	}
	h.host = string(authority[:path])
	if h.scheme != "http" && h.scheme != "https" || h.host == "" || !validHost(h.host) {
		return nil, ErrMalformed
	}
	rest := target[n+len("://")+path:]
	skipped := len(target) - len(rest)
	if len(rest) == 0 || rest[0] != '/' { // the path is empty: an empty path is /
		skipped--
		rest = target[skipped:]
		rest[0] = '/'
	}
	// The method and its space are in front of the target, in the same line.
	copy(method[skipped:skipped+len(method)+1], method[:len(method)+1])
	h.begin += skipped
	return rest, nil
}

// escapes checks the escapes of a path, which net/http refuses.
func escapes(path []byte) error {
	for i := bytes.IndexByte(path, '%'); i >= 0; i = bytes.IndexByte(path, '%') {
		if len(path) < i+3 || class[path[i+1]]&hex == 0 || class[path[i+2]]&hex == 0 {
			return ErrMalformed
		}
		path = path[i+3:]
	}
	return nil
}

// field checks NAME ":" VALUE (RFC 9112 section 5).
func (h *head) field(line []byte, start int) error {
	n := 0
	for n < len(line) && class[line[n]]&token != 0 {
		n++
	}
	if n == 0 || n == len(line) || line[n] != ':' || !printable(line[n+1:]) && !all(line[n+1:], valued) {
		return ErrMalformed
	}
	value := bytes.Trim(line[n+1:], " \t")
	return h.named(line[:n], value, start+cap(line)-cap(value))
}

// named checks the value of a header that the servers use; at is where the value begins.
func (h *head) named(name, value []byte, at int) error {
	switch len(name) {
	case len("Host"):
		if is(name, "host") {
			return h.once(hasHost, validHost(string(value)))
		}
	case len("Expect"):
		if is(name, "expect") {
			if len(value) > 0 {
				h.expect = [2]int{at, at + len(value)}
			}
			return h.once(hasExpect, true)
		}
	case len("Trailer"):
		if is(name, "trailer") { // there are none; fasthttp refuses some names
			blank(value)
		}
	case len("Connection"):
		if is(name, "connection") {
			h.connection(value)
		}
	case len("Content-Type"):
		if is(name, "content-type") {
			return h.once(hasType, true)
		}
	case len("Last-Event-ID"):
		if is(name, "last-event-id") {
			return h.once(hasEventID, true)
		}
	case len("Content-Length"):
		if is(name, "content-length") {
			return h.once(hasLength, h.contentLength(value))
		}
	case len("Content-Encoding"):
		if is(name, "content-encoding") {
			return h.once(hasEncoding, true)
		}
	case len("Transfer-Encoding"):
		if is(name, "transfer-encoding") {
			return ErrTransferEncoding
		}
	}
	return nil
}

// once checks that a header is the first of its name, and valid.
func (h *head) once(s singleton, valid bool) error {
	if h.seen&s != 0 || !valid {
		return ErrMalformed
	}
	h.seen |= s
	return nil
}

func (h *head) connection(value []byte) {
	for option := range bytes.SplitSeq(value, []byte{','}) {
		h.close = h.close || is(bytes.Trim(option, " \t"), "close")
	}
}

// contentLength reads a length. One that is longer than any body is the same as another.
func (h *head) contentLength(digits []byte) bool {
	for _, d := range digits {
		if !digit(d) {
			return false
		}
		h.length = min(h.length*10+int64(d-'0'), 1<<50)
	}
	return len(digits) > 0
}

// finish checks what the headers mean together.
func (h *head) finish(b []byte) error {
	if h.seen&hasHost == 0 && !h.http10 {
		return ErrMalformed // RFC 9112 section 3.2
	}
	switch {
	case h.length > 0 && !h.post:
		return ErrUnexpectedBody
	case h.post && h.close && h.seen&hasLength == 0: // a body would be lost in silence, with the rest of the connection
		return ErrTransferEncoding
	}
	value := b[h.expect[0]:h.expect[1]]
	switch {
	case len(value) == 0:
	case h.http10: // RFC 9110 section 10.1.1
		blank(value)
	case !is(value, "100-continue"):
		return ErrExpectation
	case h.length == 0:
		blank(value)
	default:
		copy(value, "100-continue") // fasthttp knows only this spelling
	}
	return nil
}

// blank removes a value.
func blank(value []byte) {
	for i := range value {
		value[i] = ' '
	}
}

// validHost checks the syntax of HOST or HOST:PORT, without user name (RFC 9110 section 7.2). Of names it
// allows those that exist, in brackets only IPv6 addresses (RFC 3986 section 3.2.2). s is not kept, so that it needs
// no memory.
func validHost(s string) bool {
	name := s
	if rest, literal := strings.CutPrefix(s, "["); literal {
		name, s, _ = strings.Cut(rest, "]")
		if ip, err := netip.ParseAddr(strings.Clone(name)); err != nil || !ip.Is6() || ip.Zone() != "" || len(rest) == len(name) {
			return false
		}
	} else {
		name, _, _ = strings.Cut(s, ":")
		s = s[len(name):]
		for i := range len(name) {
			if class[name[i]]&hostname == 0 {
				return false
			}
		}
	}
	port, given := strings.CutPrefix(s, ":")
	for i := range len(port) {
		if !digit(port[i]) {
			return false
		}
	}
	return name != "" && (s == "" || given)
}

// is compares a token with one in lower case, ignoring case.
func is(s []byte, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// The classes of bytes.
const (
	token  = 1 << iota // RFC 9110 section 5.6.2
	valued             // in a header's value, and around it
	hex
	hostname // in a name or an IPv4 address
)

var class = func() (class [256]byte) {
	const letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "0123456789"
	add := func(kind byte, members string) {
		for i := range len(members) {
			class[members[i]] |= kind
		}
	}
	add(token, letters+digits+"!#$%&'*+-.^_`|~")
	add(hex, digits+"ABCDEFabcdef")
	add(hostname, letters+digits+"-._~")
	for c := 0x21; c < 0x7f; c++ {
		class[c] |= valued
	}
	for c := 0x80; c <= 0xff; c++ {
		class[c] |= valued
	}
	add(valued, " \t")
	return class
}()

// all reports whether all bytes are of a class.
func all(s []byte, kind byte) bool {
	common := kind
	for _, c := range s {
		common &= class[c]
	}
	return common != 0
}

// printable reports whether all bytes are printable ASCII, in words of eight bytes: most of a request is.
func printable(s []byte) bool {
	const each = 0x0101010101010101
	bad := uint64(0) // has the top bit of a byte that is above 0x7e or below 0x20
	for ; len(s) >= 8; s = s[8:] {
		w := binary.LittleEndian.Uint64(s)
		bad |= w | (w + each) | ^((w | each<<7) - ' '*each)
	}
	for _, c := range s {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return bad&(each<<7) == 0
}

// A source is a connection from which requests are read.
type source interface {
	begin([]byte) (int, error) // reads the first bytes of a request
	more([]byte) (int, error)  // reads further bytes of it, within the read timeout
	Unread([]byte)             // returns bytes of the next request
	Reserve(int) bool          // counts the bytes of a body that is arriving
	Unreserve()                // the body has arrived
}

// A requestReader passes the requests of a connection to a library, one at a time, each once its headers are complete
// and valid. For an invalid request it passes on another, to which the handler responds with the error: so both
// libraries respond alike, and after the responses to earlier requests.
type requestReader struct {
	head    head  // of the current request
	invalid error // why the current request is invalid; nil: it is valid
	rest    []byte
	body    int64 // bytes of the current request's body that the library has not read
}

// between reports whether the library has read a request to its end.
func (r *requestReader) between() bool { return len(r.rest) == 0 && r.body == 0 }

// read is Read of a connection.
func (r *requestReader) read(p []byte, from source, s *Stack) (int, error) {
	switch {
	case len(r.rest) > 0:
		return r.pass(p, r.rest), nil
	case r.body > 0:
		n, err := from.more(p[:min(int64(len(p)), r.body)])
		if r.body -= int64(n); err == io.EOF {
			r.body = 0 // nothing follows, and net/http reads ahead at the end of a body, in a goroutine of its own
		}
		if r.body == 0 {
			from.Unreserve()
		}
		return n, err
	}
	r.head, r.invalid = head{}, nil
	n, err := from.begin(p)
	if n == 0 {
		return 0, err
	}
	raw := p[:n]
	end, err := r.head.parse(raw, s.MaxHeader)
	if end == 0 && err == nil {
		raw, end, err = r.gather(p, raw, from, s)
	}
	if err == nil && r.head.length > int64(s.MaxBody) {
		err = ErrBodyTooLarge
	}
	whole := end + int(min(r.head.length, int64(len(raw)-end)))
	if err == nil && int64(whole-end) < r.head.length && !from.Reserve(int(r.head.length)) {
		err = ErrNoRoom
	}
	if err != nil {
		r.invalid, r.head.close = err, true
		return r.pass(p, substitute(raw[r.head.begin:])), nil
	}
	if whole < len(raw) {
		from.Unread(raw[whole:])
	}
	r.body = r.head.length - int64(whole-end)
	return r.pass(p, raw[r.head.begin:whole]), nil
}

// gather reads headers that did not arrive at once. p is room to read.
func (r *requestReader) gather(p, raw []byte, from source, s *Stack) (_ []byte, end int, err error) {
	raw = bytes.Clone(raw)
	for end == 0 && err == nil {
		var n int
		if n, err = from.more(p); err != nil {
			return raw, 0, unreadableBy(err)
		}
		raw = append(raw, p[:n]...)
		end, err = r.head.parse(raw, s.MaxHeader)
	}
	return raw, end, err
}

// unreadableBy returns the error of a request that cannot be read further.
func unreadableBy(err error) error {
	if network, ok := err.(net.Error); ok && network.Timeout() {
		return ErrTimeout
	}
	return ErrMalformed
}

// pass passes on as much of b as there is room for.
func (r *requestReader) pass(p, b []byte) int {
	n := copy(p, b)
	if r.rest = b[n:]; len(r.rest) == 0 {
		r.rest = nil
	}
	return n
}

// substitute returns the request that a library handles instead of an invalid one.
func substitute(raw []byte) []byte {
	if bytes.HasPrefix(raw, []byte("HEAD ")) {
		return []byte("HEAD" + substituted) // its response has no body
	}
	return []byte("GET" + substituted)
}

const substituted = " / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
