// Package inspect makes one request (a WebSocket opening handshake, a poll, or a stream of
// server-sent events or JSON lines). For every line of request and response it gives the
// purpose, the standard, and whether the line is correct.
//
// It owns its connections and parses every byte itself: a client stops at an error, but this
// package must continue and report it. It must not use a library that would correct errors,
// nor make more requests than necessary.
package inspect

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Kind is the kind of a request.
type Kind string

// The kinds, by their names in reports.
const (
	WebSocket Kind = "WebSocket"
	Poll      Kind = "poll"
	SSE       Kind = "SSE"
	Lines     Kind = "JSON lines"
)

// A Target describes the request to make.
type Target struct {
	Kind Kind
	URL  *url.URL // its scheme is http or https

	Origin      string        // of the requesting page; default: none, as for a program other than a browser
	Subprotocol string        // WebSocket: subprotocols to offer, such as "graphql-ws"; default: none
	Send        []string      // WebSocket: messages to send first; see CheckMessage; default: none
	Fields      []string      // header fields to add, such as "Authorization: Bearer x"; see Check; default: none
	Method      string        // polls and streams; default GET
	Body        string        // polls and streams; default: none
	Deflate     bool          // WebSocket: offer permessage-deflate (RFC 7692); default: no extension
	Wait        time.Duration // for each response; default 2s
	TLS         *tls.Config   // default: verify with the certificates of the system

	connect func(ctx context.Context, network, address string) (net.Conn, error) // nil: a dial; tests replace it
}

const defaultWait = 2 * time.Second

// A Grade rates a line.
type Grade string

// Grades. A Plain line is neither required nor forbidden. A Contestable one is allowed by the
// standards, or they contradict each other, but some clients refuse it.
const (
	Plain   Grade = ""
	Right   Grade = "correct"
	Wrong   Grade = "INCORRECT"
	Missing Grade = "MISSING"

	NoAnswer    Grade = "NO ANSWER"
	Contestable Grade = "CONTESTABLE"
)

// A Line is one line of the header of a request or a response.
type Line struct {
	Text  string // without its line end
	Bytes int    // including its line end
	For   string // purpose and standard
	Grade Grade
	Why   string // the reason if it is wrong or missing
}

// headerComplete is the stage at which the header of a response is complete.
const headerComplete = "header complete"

// A Stage is a point in the life of a connection.
type Stage struct {
	Name string
	At   time.Duration // since the dial began
}

// An Exchange is one request and its response.
type Exchange struct {
	Target   Target
	Stages   []Stage
	Request  []Line
	Interim  []Line // responses with status 1xx before the response
	Response []Line // empty: no response
	Status   int    // of the response
	After    []Line // after the header: a frame, an event, a body
	First    string // payload of the first frame, first line of a stream, or body, as received
	Up, Down int64  // bytes of TCP payload, TLS included

	RoundTrips int // until the response: TCP, TLS (one, or two before TLS 1.3) and the request

	unsent  error // of the write of the request
	content int   // bytes read after the header
	frames  int   // or lines of a stream
}

// Header returns the value of a field of the response's header; "": it has none.
func (e *Exchange) Header(name string) string {
	for _, l := range e.Response {
		if field, value, found := strings.Cut(l.Text, ":"); found && equalFold(field, name) && l.Bytes > 0 {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Wrong lists the errors of the response.
func (e *Exchange) Wrong() []Line { return e.Graded(Wrong, Missing) }

// Graded lists the lines with one of the grades.
func (e *Exchange) Graded(grades ...Grade) (all []Line) {
	for _, l := range slices.Concat(e.Interim, e.Response, e.After) {
		if slices.Contains(grades, l.Grade) {
			all = append(all, l)
		}
	}
	return all
}

// Verdict returns the grade of the whole exchange: Wrong, NoAnswer, Contestable or Right.
func (e *Exchange) Verdict() Grade {
	switch {
	case len(e.Wrong()) > 0:
		return Wrong
	case len(e.Graded(NoAnswer)) > 0:
		return NoAnswer
	case len(e.Graded(Contestable)) > 0:
		return Contestable
	}
	return Right
}

// headerBytes returns the size of a header, including its empty line.
func headerBytes(lines []Line) (n int) {
	for _, l := range lines {
		n += l.Bytes
	}
	if n > 0 && !slices.ContainsFunc(lines, func(l Line) bool { return l.Text == emptyLine }) {
		n += len("\r\n")
	}
	return n
}

// Do makes the exchange. It returns an error only if it could not connect; a later error, such as the
// cause of the end of the context, is a line of the exchange.
func Do(ctx context.Context, t Target) (*Exchange, error) {
	e := &Exchange{Target: t}
	c, err := dial(ctx, t, t.address())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	e.RoundTrips = 2 + c.handshakes
	e.Stages = append(e.Stages, c.stages...)
	err = e.exchange(c)
	if !isViolation(err) {
		err = ended(ctx, err)
	}
	e.end(err)
	e.Up, e.Down = c.counter.up.Load(), c.counter.down.Load()
	return e, nil
}

// exchange sends the request and reads what follows.
func (e *Exchange) exchange(c *conn) error {
	if e.Target.Kind == WebSocket {
		return e.upgrade(c)
	}
	return e.plainRequest(c)
}

// end adds a line for an error that ended the exchange early.
func (e *Exchange) end(err error) {
	if err == nil {
		return
	}
	l := Line{Text: "(end of the exchange)", For: "no standard limits the time (RFC 9112, section 9.5)", Grade: NoAnswer, Why: err.Error()}
	switch {
	case isViolation(err):
		l.Grade, l.For = Wrong, ""
	case isLimit(err):
		l.For = "no standard limits the size (RFC 9110, sections 2.3 and 5.4)"
		if e.Status != 0 { // what was read can be judged
			l.Grade = Plain
		}
	case timedOut(err) && e.Status == 0 && e.Target.Kind == Poll:
		l.Why = fmt.Sprintf("no response within %s (--wait): a long poll may be held for longer (RFC 6202, section 2.1)", e.Target.wait())
	case timedOut(err):
		l.Why = fmt.Sprintf("not complete within %s (--wait)", e.Target.wait())
	}
	e.After = append(e.After, l)
}

// reached reports whether a stage was recorded.
func (e *Exchange) reached(name string) bool {
	return slices.ContainsFunc(e.Stages, func(s Stage) bool { return s.Name == name })
}

// reach records the time of a stage.
func (e *Exchange) reach(c *conn, name string) {
	e.Stages = append(e.Stages, Stage{Name: name, At: time.Since(c.begun)})
}

// send writes the request in one write and stores its explanation. A server may respond before it has read all, and
// close the connection (RFC 9110, section 15.5.14): the response counts, even if the write has failed.
func (e *Exchange) send(c *conn, lines []Line, body string) {
	e.Request = lines
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Text + "\r\n")
	}
	b.WriteString("\r\n" + body)
	_, err := c.Write([]byte(b.String()))
	if err == nil {
		e.reach(c, "request sent")
		return
	}
	e.unsent = fmt.Errorf("write the request: %w", err)
	if timedOut(err) && !c.over() {
		c.extendDeadline(lateBytes)
	}
}

// maxInterim limits the responses with status 1xx before a response.
const maxInterim = 16

// receive reads the header of the response. Responses with status 1xx before it are interim ones
// (RFC 9110, section 15.2).
func (e *Exchange) receive(c *conn) (header, error) {
	if _, err := c.reader.Peek(1); err != nil && e.unsent != nil {
		return header{}, e.unsent
	} else if timedOut(err) {
		return header{}, err
	} else if err != nil {
		return header{}, fmt.Errorf("the server closed the connection without a response: %w", err)
	}
	e.reach(c, "first byte of the response")
	if first, _ := c.reader.Peek(c.reader.Buffered()); first[0] != 'H' {
		return header{}, notHTTP(string(first)) // without the wait for a line end
	}
	for i := range maxInterim {
		if _, err := c.reader.Peek(1); i > 0 && errors.Is(err, io.EOF) {
			return header{}, fmt.Errorf("the server closed the connection after an interim response: %w", err)
		}
		h, err := readHeader(c.reader)
		if err != nil {
			return h, err
		}
		if h.status/100 != 1 || h.status == 101 {
			e.reach(c, headerComplete)
			e.Status = h.status
			return h, nil
		}
		e.Interim = append(e.Interim, h.explain(interimRules)...)
	}
	return header{}, limit(fmt.Sprintf("%d interim responses; the rest was not read", maxInterim))
}

// interimRules are the rules for a response with status 1xx.
var interimRules = []rule{
	{"", "an interim response: the final one follows (RFC 9110, section 15.2)", 0, nil},
	{"Content-Length", "length of a body", 0, checkLength},
	{"Transfer-Encoding", "coding of a body", 0, checkCoding},
	{"Link", "resources that the page will need (RFC 8297)", 0, nil},
}

// plain replaces a timeout by a plainer error.
func plain(err error) error {
	if timedOut(err) {
		return errors.New("timed out")
	}
	return err
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
