package inspect

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A body reads the bytes after a header.
type body struct {
	r       *bufio.Reader
	cut     func() bool // whether TLS has ended early; nil: there is no TLS
	none    bool        // the response has no body
	chunked bool        // else its length is left, or it ends with the connection if that is negative
	left    int64       // bytes left in the body or in the current chunk
	framing int         // bytes of chunk sizes and trailers
	content int         // bytes read
	ended   bool

	extensions string // of the last chunk that had any
	faults     []Line // errors of the framing that do not end the body
	trailer    []Line
}

// newBody returns the body of a response (RFC 9112, section 6.3).
func newBody(r *bufio.Reader, h header) *body {
	b := &body{r: r, none: h.status/100 == 1 || h.status == 204 || h.status == 304, left: -1}
	codings := strings.Split(h.value("Transfer-Encoding"), ",")
	length := h.value("Content-Length")
	switch {
	case mediaType(codings[len(codings)-1]) == "chunked":
		b.chunked, b.left = true, 0
	case h.value("Transfer-Encoding") != "":
	case length != "":
		one, _, _ := strings.Cut(length, ",")
		if n, err := strconv.ParseInt(one, 10, 64); err == nil && digits.MatchString(one) {
			b.left = n
		}
	}
	return b
}

var (
	digits    = regexp.MustCompile(`^[0-9]+$`)
	hexDigits = regexp.MustCompile(`^[0-9A-Fa-f]+$`)

	quoted          = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	chunkExtensions = regexp.MustCompile("^(?:[ \t]*;[ \t]*" + tokenSyntax + "(?:[ \t]*=[ \t]*(?:" + valueSyntax + "))?)+$")
)

// untilClose reports whether the body ends with the connection.
func (b *body) untilClose() bool { return !b.none && !b.chunked && b.left < 0 }

// Read reads the content, without chunk sizes.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.ended || b.none || !b.chunked && b.left == 0:
		b.ended = true
		return 0, io.EOF
	case b.content > maxContent+maxLine: // its coding hides that nothing comes of it
		return 0, errTooMuch
	case b.untilClose():
		n, err := b.r.Read(p)
		if b.content += n; err == io.EOF && b.cut != nil && b.cut() {
			err = violates("the body may be incomplete: TLS ended without a closure alert (RFC 9112, section 9.8)")
		}
		return n, err
	case b.left == 0:
		if err := b.nextChunk(); err != nil {
			return 0, b.incomplete(err)
		}
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.content += n
	if b.left -= int64(n); b.left == 0 && err == nil && b.chunked {
		err = b.endChunk()
	}
	return n, b.incomplete(err)
}

// incomplete replaces the end of the connection by an error.
func (b *body) incomplete(err error) error {
	if err == nil || b.ended || timedOut(err) || isViolation(err) || isLimit(err) {
		return err
	}
	return violates("the body is incomplete: the connection ended (RFC 9112, section 8)")
}

// endChunk reads the line end after the data of a chunk.
func (b *body) endChunk() error {
	var end [2]byte
	n, err := io.ReadFull(b.r, end[:])
	if b.framing += n; err == nil && string(end[:]) != "\r\n" {
		return violates("CR LF must follow the data of a chunk (RFC 9112, section 7.1)")
	}
	return err
}

// nextChunk reads the size of a chunk; a chunk of size 0 ends the body.
func (b *body) nextChunk() error {
	raw, err := b.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return errLongLine
	}
	if err != nil {
		return err
	}
	if b.framing += len(raw); b.framing > maxContent {
		return errTooMuch
	}
	line := strings.TrimSuffix(string(raw), "\n")
	if !strings.HasSuffix(line, "\r") {
		b.fault(Wrong, line, "the line of a chunk size ends in LF; it must end in CR LF (RFC 9112, section 7.1)")
	}
	line = strings.TrimSuffix(line, "\r")
	size, _, extended := strings.Cut(line, ";")
	extensions := line[len(size):]
	trimmed := strings.TrimRight(size, " \t")
	switch {
	case extended && (extensions != b.extensions || trimmed != size):
		b.extensions = extensions
		b.checkExtensions(line, extensions)
	case trimmed != size:
		b.fault(Wrong, line, "white space after a chunk size (RFC 9112, section 7.1)")
	}
	digits := strings.TrimLeft(trimmed, "0")
	b.left, err = strconv.ParseInt("0"+digits, 16, 64)
	if !hexDigits.MatchString(trimmed) || err != nil {
		return violates("%q is not a chunk size (RFC 9112, section 7.1)", cutText(line))
	}
	if b.left > 0 {
		return nil
	}
	if err := b.readTrailer(); err != nil {
		return err
	}
	b.ended = true
	return io.EOF
}

// checkExtensions checks what follows a chunk size.
func (b *body) checkExtensions(line, extensions string) {
	switch {
	case !chunkExtensions.MatchString(extensions):
		b.fault(Wrong, line, "not an extension of a chunk: expected ;NAME or ;NAME=VALUE (RFC 9112, section 7.1.1)")
	case strings.ContainsAny(quoted.ReplaceAllString(line, ""), " \t"):
		b.fault(Contestable, line, "white space that recipients must accept, but that must not be sent (RFC 9110, section 5.6.3; RFC 9112, section 7.1.1)")
	}
}

// fault adds an error of the framing, once.
func (b *body) fault(grade Grade, text, why string) {
	if !slices.ContainsFunc(b.faults, func(l Line) bool { return l.Why == why }) {
		b.faults = append(b.faults, Line{Text: "chunk size " + strconv.Quote(cutText(text)), Grade: grade, Why: why})
	}
}

// readTrailer reads the fields after the last chunk (RFC 9112, section 7.1.2).
func (b *body) readTrailer() error {
	lines, sizes, bare, err := readFields(b.r, true)
	if err != nil {
		return err
	}
	h := header{version: "1.1", lines: append([]string{""}, lines...), sizes: append([]int{0}, sizes...), bare: append([]bool{false}, bare...)}
	h.byName = index(h.lines)
	b.trailer = h.explain(trailerRules)[1:]
	for i := range b.trailer {
		if b.trailer[i].For == "" {
			b.trailer[i].For = "a trailer field, sent after the content (RFC 9110, section 6.5)"
		}
	}
	return nil
}

// trailerRules forbid the fields that a recipient requires before the content.
var trailerRules = func() (rules []rule) {
	for _, name := range []string{"Age", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Date", "Expires", "Host", "Location", "Proxy-Authenticate", "Retry-After", "Set-Cookie", "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "WWW-Authenticate"} {
		rules = append(rules, rule{name, "a field of the header", 0, func(string, header) (Grade, string) {
			return Wrong, "not allowed in a trailer (RFC 9110, section 6.5.1)"
		}})
	}
	return rules
}()

// checkLength checks Content-Length.
func checkLength(value string, h header) (Grade, string) {
	all := strings.Split(value, ", ")
	switch {
	case h.status == 101:
		return Wrong, "a 101 has no body: the bytes after the header are frames (RFC 9110, section 8.6)"
	case h.status/100 == 1 || h.status == 204:
		return Wrong, fmt.Sprintf("not allowed with %d, which has no body (RFC 9110, section 8.6)", h.status)
	case h.value("Transfer-Encoding") != "":
		return Wrong, "not allowed together with Transfer-Encoding (RFC 9112, section 6.2)"
	case len(all) > 1 && len(slices.Compact(slices.Clone(all))) == 1:
		return Wrong, "the length is repeated (RFC 9110, section 8.6)"
	case len(all) > 1 && digits.MatchString(all[0]):
		return Wrong, "two different lengths: the end of the body is unknown (RFC 9112, section 6.3)"
	case !digits.MatchString(value):
		return Wrong, fmt.Sprintf("%q is not a number of bytes (RFC 9110, section 8.6)", cutText(value))
	}
	_, err := strconv.ParseInt(value, 10, 64)
	return judge(err == nil, "the length exceeds 64 bits (RFC 9110, section 8.6)")
}

// codings are the registered transfer codings (RFC 9112, section 7).
var codings = map[string]bool{"chunked": true, "gzip": true, "x-gzip": true, "deflate": true, "compress": true, "x-compress": true}

// checkCoding checks Transfer-Encoding.
func checkCoding(value string, h header) (Grade, string) {
	switch {
	case h.status == 101:
		return Wrong, "a 101 has no body: the bytes after the header are frames (RFC 9112, section 6.1)"
	case h.status/100 == 1 || h.status == 204:
		return Wrong, fmt.Sprintf("not allowed with %d, which has no body (RFC 9112, section 6.1)", h.status)
	case h.version == "1.0":
		return Wrong, "HTTP/1.0 has no transfer codings (RFC 9112, section 6.1)"
	}
	all := strings.Split(lower(value), ",")
	for i, one := range all {
		name := mediaType(one)
		switch {
		case name == "chunked" && trimOWS(one) != name:
			return Wrong, "chunked has no parameters (RFC 9112, section 7.1)"
		case !codings[name]:
			return Wrong, fmt.Sprintf("%q is not a transfer coding (RFC 9112, section 7)", cutText(name))
		case name == "chunked" && i < len(all)-1:
			return Wrong, "chunked must be the last coding, and be applied once (RFC 9112, section 6.1)"
		}
	}
	if len(all) > 1 || mediaType(all[0]) != "chunked" {
		return Contestable, "this coding was not requested by a TE field (RFC 9110, section 10.1.4)"
	}
	return Right, ""
}

// coding returns the codings of a content except chunked.
func coding(h header) string {
	transfer := slices.DeleteFunc(strings.Split(h.value("Transfer-Encoding"), ","), func(one string) bool { return mediaType(one) == "" || mediaType(one) == "chunked" })
	return trimOWS(strings.Join(slices.Concat(h.values("Content-Encoding"), transfer), ", "))
}

// decoded returns the content without a content coding, and whether it is known.
func decoded(r io.Reader, h header) (io.Reader, bool) {
	switch lower(coding(h)) {
	case "", "identity":
		return r, true
	case "gzip", "x-gzip":
		return &lazyGzip{from: r}, true
	}
	return r, false
}

// A lazyGzip reads the header of gzip at the first Read.
type lazyGzip struct {
	from io.Reader
	to   *gzip.Reader
}

func (l *lazyGzip) Read(p []byte) (n int, err error) {
	if l.to == nil {
		l.to, err = gzip.NewReader(l.from)
	}
	if err == nil {
		n, err = l.to.Read(p)
	}
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &corrupt) {
		err = violates("the content is not gzip, as its coding says (RFC 9110, section 8.4.1.3)")
	}
	return n, err
}

// wholeBody reads the response to its end.
func (e *Exchange) wholeBody(c *conn, h header, b *body) error {
	if e.Target.method() == "HEAD" {
		b.none = true
	}
	defer func() { e.After = append(e.After, b.trailer...) }()
	defer func() { e.After = append(e.After, b.faults...) }()
	reader, known := decoded(b, h)
	content, err := io.ReadAll(io.LimitReader(reader, maxContent+1))
	if err == nil && len(content) > maxContent {
		content, err = content[:maxContent], errTooMuch
	}
	e.First = string(content)
	e.addContent(h, b, content, known)
	if err != nil {
		return err
	}
	e.reach(c, "response complete")
	if h.status == 205 && len(content) > 0 {
		e.After = append(e.After, Line{Text: "(content of a 205)", Grade: Wrong, Why: "a 205 has no content (RFC 9110, section 15.3.6)"})
	}
	if !b.untilClose() {
		c.extendDeadline(min(e.Target.wait(), lateBytes))
		_, _ = b.r.Peek(1)
	}
	if extra := b.r.Buffered(); extra > 0 {
		e.After = append(e.After, Line{
			Text: fmt.Sprintf("(%d bytes after the end of the response)", extra), Bytes: extra, Grade: Wrong,
			Why: "no request was sent for them (RFC 9112, section 6.3; RFC 9110, section 6.4.1)",
		})
	}
	return nil
}

// lateBytes is the wait for bytes after the end of a response, which must not come.
const lateBytes = 100 * time.Millisecond

// addContent adds a line for the content, and one if it ends with the connection.
func (e *Exchange) addContent(h header, b *body, content []byte, known bool) {
	if len(content) > 0 {
		text := cutText(string(content))
		switch coding := coding(h); {
		case !known:
			text = fmt.Sprintf("(%d bytes, coded by %s)", len(content), cutText(coding))
		case !utf8.Valid(content):
			text = fmt.Sprintf("(%d bytes that are not text)", len(content))
		}
		e.After = append(e.After, Line{Text: text, Bytes: len(content) + b.framing, For: "the body"})
	}
	if b.untilClose() {
		e.After = append(e.After, Line{
			Text: "(a body that ends with the connection)", Grade: Contestable,
			Why: "allowed, but the connection cannot carry another response (RFC 9112, section 6.3)",
		})
	}
}
