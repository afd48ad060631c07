// Package inspect makes one request by hand (a WebSocket's opening handshake, a poll, or a
// stream of server-sent events or of lines) and says of every line of it and of its answer what it
// is for, where that is written, and whether it is right.
//
// It owns its connections and parses every byte itself: a client stops at what is wrong,
// but this must read on and judge it. It must never use a library that would put right
// what it is there to see, nor make more than the few requests that it was asked for.
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

// A Kind is what is asked for.
type Kind string

// The kinds, as reports name them.
const (
	WebSocket Kind = "WebSocket"
	Poll      Kind = "poll"
	SSE       Kind = "SSE"
	Lines     Kind = "JSON lines"
)

// A Target is whom to ask for what.
type Target struct {
	Kind Kind
	URL  *url.URL // its scheme is http or https

	Origin      string        // of the page that asks; default: none, as of a program that is no browser
	Subprotocol string        // WebSocket: what to offer, such as "graphql-ws"; default: nothing
	Deflate     bool          // WebSocket: offer permessage-deflate (RFC 7692); default: no extension
	Wait        time.Duration // for each answer; default 2s
	TLS         *tls.Config   // default: verify as the system does
}

const defaultWait = 2 * time.Second

// schemes are those that a target may be written with.
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

// ParseTarget reads a URL: ws:// and wss:// are a WebSocket, http:// and https:// a
// poll, sse+http:// and sse+https:// a stream of events, stream+http:// and stream+https://
// one of newline-delimited JSON.
func ParseTarget(text string) (Target, error) {
	const allowed = "allowed: ws://HOST/PATH, wss:// (a WebSocket), http://, https:// (a poll), sse+http://, sse+https:// (an event stream), stream+http:// or stream+https:// (a stream of lines)"
	u, err := url.Parse(text)
	if err != nil {
		return Target{}, fmt.Errorf("%q is no URL; %s", text, allowed)
	}
	scheme, ok := schemes[strings.ToLower(u.Scheme)]
	switch {
	case !ok || u.Host == "" || u.Hostname() == "":
		return Target{}, fmt.Errorf("%q cannot be inspected; %s", text, allowed)
	case u.Fragment != "" && scheme.kind == WebSocket:
		return Target{}, fmt.Errorf("%q has a fragment, which a WebSocket's URL must not (RFC 6455, section 3)", text)
	case u.User != nil:
		return Target{}, fmt.Errorf("%q names a user, which is not sent; allowed: a URL without", u.Redacted())
	}
	u.Scheme, u.Fragment = scheme.http, ""
	return Target{Kind: scheme.kind, URL: u}, nil
}

// port is the URL's, or its scheme's.
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

// address is where to connect to.
func (t Target) address() string { return net.JoinHostPort(t.URL.Hostname(), t.port()) }

func (t Target) wait() time.Duration {
	if t.Wait > 0 {
		return t.Wait
	}
	return defaultWait
}

// A Verdict is what there is to say of a line.
type Grade string

// Verdicts. Plain ones are neither asked for nor forbidden.
const (
	Plain   Grade = ""
	Right   Grade = "right"
	Wrong   Grade = "WRONG"
	Missing Grade = "MISSING"
)

// A Line is one line of a request's or an answer's header.
type Line struct {
	Text  string // without its line end
	Bytes int    // with it
	For   string // what it is for, and where that is written
	Grade Grade
	Why   string // of what is wrong
}

// headerComplete is the stage at which an answer is understood.
const headerComplete = "header complete"

// A Stage is a point that a connection came to.
type Stage struct {
	Name string
	At   time.Duration // since the dial began
}

// An Exchange is one request and what came of it.
type Exchange struct {
	Target   Target
	Stages   []Stage
	Request  []Line
	Answer   []Line // empty: none came
	Status   int    // of the answer
	After    []Line // what came behind the header: a frame, an event, a body
	Up, Down int64  // bytes of TCP payload, TLS included
	Failed   error  // why it ended early, if it did

	RoundTrips int // until the answer: TCP's, TLS's (one, or two before TLS 1.3) and the request's
}

// Wrong lists what is wrong with the answer.
func (e *Exchange) Wrong() (all []Line) {
	for _, l := range slices.Concat(e.Answer, e.After) {
		if l.Grade == Wrong || l.Grade == Missing {
			all = append(all, l)
		}
	}
	return all
}

// headBytes are those of a header, its empty line included.
func headBytes(lines []Line) (n int) {
	for _, l := range lines {
		n += l.Bytes
	}
	if n > 0 {
		n += len("\r\n")
	}
	return n
}

// Do makes the exchange. What fails is in it; the error is of what kept it from beginning.
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
		e.Failed = e.ask(c)
	}
	e.Up, e.Down = c.counted.up.Load(), c.counted.down.Load()
	return e, nil
}

// reach notes that a stage is reached.
func (e *Exchange) reach(c *conn, name string) {
	e.Stages = append(e.Stages, Stage{Name: name, At: time.Since(c.begun)})
}

// send writes the request, in one write, and explains it.
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

// receive reads the answer's header.
func (e *Exchange) receive(c *conn) (head, error) {
	if _, err := c.reader.Peek(1); err != nil {
		return head{}, fmt.Errorf("wait for the answer: %w", plain(err))
	}
	e.reach(c, "first byte of the answer")
	h, err := readHead(c.reader)
	if err != nil {
		return h, err
	}
	e.reach(c, headerComplete)
	e.Status = h.status
	return h, nil
}

// plain names the errors that people know by other words.
func plain(err error) error {
	if nothingYet(err) {
		return errors.New("nothing came in time")
	}
	return err
}

func nothingYet(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
