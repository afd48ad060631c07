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
	Opening     string        // WebSocket: a text frame to send first, of at most 125 bytes; default: none
	Deflate     bool          // WebSocket: offer permessage-deflate (RFC 7692); default: no extension
	Wait        time.Duration // for each response; default 2s
	TLS         *tls.Config   // default: verify with the certificates of the system
}

const defaultWait = 2 * time.Second

// schemes are the allowed schemes of a target.
var schemes = map[string]struct {
	kind Kind
	http string
}{
	"ws":           {WebSocket, "http"},
	"wss":          {WebSocket, "https"},
	"http":         {Poll, "http"},
	"https":        {Poll, "https"},
	"sse+http":     {SSE, "http"},
	"sse+https":    {SSE, "https"},
	"stream+http":  {Lines, "http"},
	"stream+https": {Lines, "https"},
}

// ParseTarget parses a URL: ws:// and wss:// select a WebSocket, http:// and https:// a
// poll, sse+http:// and sse+https:// an event stream, stream+http:// and stream+https:// a
// stream of newline-delimited JSON.
func ParseTarget(text string) (Target, error) {
	const allowed = "allowed: ws://HOST/PATH, wss:// (WebSocket), http://, https:// (poll), sse+http://, sse+https:// (event stream), stream+http:// or stream+https:// (stream of lines)"
	u, err := url.Parse(text)
	if err != nil {
		return Target{}, fmt.Errorf("%q is not a URL; %s", text, allowed)
	}
	scheme, ok := schemes[strings.ToLower(u.Scheme)]
	switch {
	case !ok || u.Host == "" || u.Hostname() == "":
		return Target{}, fmt.Errorf("%q cannot be inspected; %s", text, allowed)
	case u.Fragment != "" && scheme.kind == WebSocket:
		return Target{}, fmt.Errorf("%q has a fragment, which is not allowed for a WebSocket (RFC 6455, section 3)", text)
	case u.User != nil:
		return Target{}, fmt.Errorf("%q contains a user name, which is not sent; allowed: a URL without a user name", u.Redacted())
	}
	u.Scheme, u.Fragment = scheme.http, ""
	return Target{Kind: scheme.kind, URL: u}, nil
}

// port returns the port of the URL, or the default port of its scheme.
func (t Target) port() string {
	switch {
	case t.URL.Port() != "":
		return t.URL.Port()
	case t.secure():
		return "443"
	default:
		return "80"
	}
}

func (t Target) secure() bool { return t.URL.Scheme == "https" }

// address returns host and port.
func (t Target) address() string { return net.JoinHostPort(t.URL.Hostname(), t.port()) }

func (t Target) wait() time.Duration {
	if t.Wait > 0 {
		return t.Wait
	}
	return defaultWait
}

// A Grade rates a line.
type Grade string

// Grades. A Plain line is neither required nor forbidden.
const (
	Plain   Grade = ""
	Right   Grade = "correct"
	Wrong   Grade = "INCORRECT"
	Missing Grade = "MISSING"
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
	Response []Line // empty: no response
	Status   int    // of the response
	After    []Line // after the header: a frame, an event, a body
	First    string // payload of the first frame, first line of a stream, or body, as received
	Up, Down int64  // bytes of TCP payload, TLS included
	Failed   error  // why it ended early, if it did

	RoundTrips int // until the response: TCP, TLS (one, or two before TLS 1.3) and the request
}

// Header returns the value of a field of the response's header; "": it has none.
func (e *Exchange) Header(name string) string {
	for _, l := range e.Response {
		if field, value, found := strings.Cut(l.Text, ":"); found && strings.EqualFold(field, name) && l.Grade != Missing {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Wrong lists the errors of the response.
func (e *Exchange) Wrong() (all []Line) {
	for _, l := range slices.Concat(e.Response, e.After) {
		if l.Grade == Wrong || l.Grade == Missing {
			all = append(all, l)
		}
	}
	return all
}

// headerBytes returns the size of a header, including its empty line.
func headerBytes(lines []Line) (n int) {
	for _, l := range lines {
		n += l.Bytes
	}
	if n > 0 {
		n += len("\r\n")
	}
	return n
}

// Do makes the exchange. It returns an error only if it could not connect; a later error is
// in Exchange.Failed.
func Do(ctx context.Context, t Target) (*Exchange, error) {
	e := &Exchange{Target: t}
	c, err := dial(ctx, t, t.address())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	e.RoundTrips = 2 + c.handshakes
	e.Stages = append(e.Stages, c.stages...)
	if t.Kind == WebSocket {
		e.Failed = e.upgrade(c)
	} else {
		e.Failed = e.plainRequest(c)
	}
	e.Up, e.Down = c.counter.up.Load(), c.counter.down.Load()
	return e, nil
}

// reach records the time of a stage.
func (e *Exchange) reach(c *conn, name string) {
	e.Stages = append(e.Stages, Stage{Name: name, At: time.Since(c.begun)})
}

// send writes the request in one write and stores its explanation.
func (e *Exchange) send(c *conn, lines []Line) error {
	e.Request = lines
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Text + "\r\n")
	}
	b.WriteString("\r\n")
	if _, err := c.Write([]byte(b.String())); err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	e.reach(c, "request sent")
	return nil
}

// receive reads the header of the response.
func (e *Exchange) receive(c *conn) (header, error) {
	if _, err := c.reader.Peek(1); err != nil {
		return header{}, fmt.Errorf("wait for the response: %w", plain(err))
	}
	e.reach(c, "first byte of the response")
	h, err := readHeader(c.reader)
	if err != nil {
		return h, err
	}
	e.reach(c, headerComplete)
	e.Status = h.status
	return h, nil
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
