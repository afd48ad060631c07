package inspect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

// An Attempt is one handshake that a server must refuse, or one that it must not.
type Attempt struct {
	Name    string
	Source  string // where that is written
	Refuse  bool   // the server must
	Changes func([]Line) []Line
	check   func(head) string // what else is asked of the answer; nil: nothing
}

// A Trial is what a server made of an attempt.
type Trial struct {
	Attempt
	Status int   // 0: no answer
	Ended  error // why there was none
	Grade  Grade
	Why    string
}

// without takes a field out of a request.
func without(name string) func([]Line) []Line {
	return func(lines []Line) []Line {
		return slices.DeleteFunc(lines, func(l Line) bool { return is(l, name) })
	}
}

// with puts other lines in a field's place.
func with(name string, values ...string) func([]Line) []Line {
	return func(lines []Line) []Line {
		at := slices.IndexFunc(lines, func(l Line) bool { return is(l, name) })
		lines = without(name)(lines)
		if at < 0 {
			at = len(lines)
		}
		for i, v := range values {
			lines = slices.Insert(lines, at+i, field(name, v, ""))
		}
		return lines
	}
}

// request puts other words in the place of some of the request line.
func request(old, new string) func([]Line) []Line {
	return func(lines []Line) []Line {
		lines[0].Text = strings.Replace(lines[0].Text, old, new, 1)
		return lines
	}
}

func is(l Line, name string) bool {
	n, _, found := strings.Cut(l.Text, ":")
	return found && strings.EqualFold(n, name)
}

// lowered writes the names of all fields in lower case.
func lowered(lines []Line) []Line {
	for i, l := range lines[1:] {
		name, value, _ := strings.Cut(l.Text, ":")
		lines[i+1].Text = strings.ToLower(name) + ":" + value
	}
	return lines
}

// Attempts are all of them: first what must be refused, then what must not.
var Attempts = []Attempt{
	{"POST in place of GET", "RFC 6455, section 4.2.1", true, request("GET ", "POST "), nil},
	{"HTTP/1.0", "RFC 6455, section 4.2.1", true, request("HTTP/1.1", "HTTP/1.0"), nil},
	{"no Host", "RFC 9112, section 3.2; RFC 6455, section 4.2.1", true, without("Host"), nil},
	{"two Hosts", "RFC 9112, section 3.2", true, with("Host", "a.test", "b.test"), nil},
	{"no Upgrade", "RFC 6455, section 4.2.1", true, without("Upgrade"), nil},
	{"Upgrade to another protocol", "RFC 6455, section 4.2.1", true, with("Upgrade", "h2c"), nil},
	{"no Connection", "RFC 6455, section 4.2.1", true, without("Connection"), nil},
	{"Connection without Upgrade", "RFC 6455, section 4.2.1", true, with("Connection", "keep-alive"), nil},
	{"no key", "RFC 6455, section 4.2.1", true, without("Sec-WebSocket-Key"), nil},
	{"a key of 5 bytes", "RFC 6455, section 4.2.1", true, with("Sec-WebSocket-Key", "c2hvcnQ="), nil},
	{"a key that is no base64", "RFC 6455, section 4.2.1", true, with("Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!=="), nil},
	{"two keys", "RFC 6455, section 11.3.1", true, with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEA=="), nil},
	{"no version", "RFC 6455, section 4.2.1", true, without("Sec-WebSocket-Version"), nil},
	{"version 12", "RFC 6455, sections 4.2.2 and 4.4", true, with("Sec-WebSocket-Version", "12"), func(h head) string {
		if !has(h.value("Sec-WebSocket-Version"), "13") {
			return "refused, but without the field Sec-WebSocket-Version: 13, which says what to ask for"
		}
		return ""
	}},
	{"names of fields in lower case", "RFC 9110, section 5.1", false, lowered, nil},
	{"Upgrade: WebSocket, with capitals", "RFC 6455, section 4.2.1", false, with("Upgrade", "WebSocket"), nil},
	{"Connection: keep-alive, Upgrade", "RFC 6455, section 4.2.1; so does Firefox", false, with("Connection", "keep-alive, Upgrade"), nil},
	{"an unknown subprotocol", "RFC 6455, section 4.2.2: the server may choose none", false, with("Sec-WebSocket-Protocol", "unheard-of"), func(h head) string {
		if chosen := h.value("Sec-WebSocket-Protocol"); chosen != "" && chosen != "unheard-of" {
			return "chose a subprotocol that was not offered: " + cutText(chosen)
		}
		return ""
	}},
	{"an unknown extension", "RFC 6455, section 9.1: the server accepts none that it does not know", false, with("Sec-WebSocket-Extensions", "unheard-of; x=1"), func(h head) string {
		if chosen := h.value("Sec-WebSocket-Extensions"); chosen != "" {
			return "accepted an extension that does not exist: " + cutText(chosen)
		}
		return ""
	}},
	{"an unknown field", "RFC 9110, section 5.1: unknown fields are passed over", false, with("X-Unheard-Of", "1"), nil},
}

// ErrNotYours is why a server is not asked what it must refuse.
var ErrNotYours = errors.New("malformed handshakes go to this machine and to private networks alone")

// Negative makes every attempt, one after another, each on a connection of its own. It
// asks nobody but this machine and private networks (RFC 1918, RFC 4193).
func Negative(ctx context.Context, t Target) ([]Trial, error) {
	address, err := yours(ctx, t)
	if err != nil {
		return nil, err
	}
	var all []Trial
	for _, a := range Attempts {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		one, err := a.try(ctx, t, address)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

// yours is the address to connect to, if it is one to which this may go. The name is
// looked up once: another look could find another address.
func yours(ctx context.Context, t Target) (string, error) {
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.URL.Hostname())
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("look up %s: %w", t.URL.Hostname(), err)
	}
	for _, a := range found {
		if a = a.Unmap(); !a.IsLoopback() && !a.IsPrivate() {
			return "", fmt.Errorf("%s is at %s: %w", t.URL.Hostname(), a, ErrNotYours)
		}
	}
	return net.JoinHostPort(found[0].Unmap().String(), t.port()), nil
}

// try makes one attempt.
func (a Attempt) try(ctx context.Context, t Target, address string) (Trial, error) {
	made := Trial{Attempt: a}
	c, err := dial(ctx, t, address)
	if err != nil {
		return made, err
	}
	defer c.Close()
	e := &Exchange{Target: t}
	h := head{}
	if made.Ended = e.send(c, a.Changes(t.upgradeRequest(newKey()))); made.Ended == nil {
		h, made.Ended = e.receive(c)
	}
	made.Status = h.status
	made.judge(h)
	return made, nil
}

func (t *Trial) judge(h head) {
	accepted := t.Status == 101
	t.Grade, t.Why = Right, "refused"
	if accepted {
		t.Why = "accepted"
	}
	if accepted == t.Refuse {
		t.Grade = Wrong
	} else if t.check != nil && t.Status != 0 {
		if why := t.check(h); why != "" {
			t.Grade, t.Why = Wrong, why
		}
	}
}
