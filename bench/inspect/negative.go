package inspect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// A Handshake is one that a server must either refuse or accept.
type Handshake struct {
	Name    string
	Source  string // the standard that requires it
	Refuse  bool   // whether the server must refuse it
	Open    string // the clause that allows the other reaction; "": none does
	Changes func([]Line) []Line
	check   func(header) string // an additional check of the response; nil: none
}

// A Reaction is the response of a server to a Handshake.
type Reaction struct {
	Handshake
	Status int   // 0: no response
	Ended  error // why there was no response
	Grade  Grade
	Why    string
}

// without removes a field from a request.
func without(name string) func([]Line) []Line {
	return func(lines []Line) []Line {
		return slices.DeleteFunc(lines, func(l Line) bool { return is(l, name) })
	}
}

// with replaces a field by other lines.
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

// request replaces a text in the request line.
func request(old, new string) func([]Line) []Line {
	return func(lines []Line) []Line {
		lines[0].Text = strings.Replace(lines[0].Text, old, new, 1)
		return lines
	}
}

func is(l Line, name string) bool {
	n, _, found := strings.Cut(l.Text, ":")
	return found && equalFold(n, name)
}

// lowerCase writes the names of all fields in lower case.
func lowerCase(lines []Line) []Line {
	for i, l := range lines[1:] {
		name, value, _ := strings.Cut(l.Text, ":")
		lines[i+1].Text = strings.ToLower(name) + ":" + value
	}
	return lines
}

// Handshakes lists first those that a server must refuse, then those that it must accept.
var Handshakes = []Handshake{
	{"POST instead of GET", "RFC 6455, section 4.2.1", true, "", request("GET ", "POST "), nil},
	{"HTTP/1.0", "RFC 9110, section 7.8; RFC 6455, section 4.2.1", true, "", request("HTTP/1.1", "HTTP/1.0"), nil},
	{"no Host", "RFC 9112, section 3.2; RFC 6455, section 4.2.1", true, "", without("Host"), isBadRequest},
	{"two Hosts", "RFC 9112, section 3.2", true, "", with("Host", "a.test", "b.test"), isBadRequest},
	{"no Upgrade", "RFC 6455, section 4.2.1", true, "", without("Upgrade"), nil},
	{"Upgrade to another protocol", "RFC 6455, section 4.2.1", true, "", with("Upgrade", "h2c"), nil},
	{"no Connection", "RFC 6455, section 4.2.1", true, "", without("Connection"), nil},
	{"Connection without Upgrade", "RFC 6455, section 4.2.1", true, "", with("Connection", "keep-alive"), nil},
	{"no key", "RFC 6455, section 4.2.1", true, "", without("Sec-WebSocket-Key"), nil},
	{"a key of 5 bytes", "RFC 6455, section 4.2.1", true, "RFC 6455, section 4.2.2: a server need not decode the key", with("Sec-WebSocket-Key", "c2hvcnQ="), nil},
	{"a key that is not base64", "RFC 6455, section 4.2.1", true, "RFC 6455, section 4.2.2: a server need not decode the key", with("Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!=="), nil},
	{"two keys", "RFC 6455, sections 4.2.1 and 11.3.1", true, "", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEA=="), nil},
	{"no version", "RFC 6455, section 4.2.1", true, "", without("Sec-WebSocket-Version"), nil},
	{"version 12", "RFC 6455, sections 4.2.2 and 4.4", true, "", with("Sec-WebSocket-Version", "12"), func(h header) string {
		if !has(h.value("Sec-WebSocket-Version"), "13") {
			return "refused, but without the field Sec-WebSocket-Version: 13, which lists the supported versions"
		}
		return ""
	}},
	{"field names in lower case", "RFC 9110, section 5.1", false, "", lowerCase, nil},
	{"Upgrade: WebSocket, in mixed case", "RFC 6455, section 4.2.1", false, "", with("Upgrade", "WebSocket"), nil},
	{"Connection: keep-alive, Upgrade", "RFC 6455, section 4.2.1; Firefox sends it", false, "", with("Connection", "keep-alive, Upgrade"), nil},
	{"an unknown subprotocol", "RFC 6455, section 4.2.2: the server may choose none", false, "RFC 6455, section 4.2.2, and MQTT 3.1.1, section 6: a server may require a subprotocol that it knows", with("Sec-WebSocket-Protocol", "unheard-of"), func(h header) string {
		if chosen := h.value("Sec-WebSocket-Protocol"); chosen != "" && chosen != "unheard-of" {
			return "chose a subprotocol that was not offered: " + cutText(chosen)
		}
		return ""
	}},
	{"an unknown extension", "RFC 6455, section 9.1: the server accepts no extension that it does not know", false, "", with("Sec-WebSocket-Extensions", "unheard-of; x=1"), func(h header) string {
		if chosen := h.value("Sec-WebSocket-Extensions"); chosen != "" {
			return "accepted an extension that does not exist: " + cutText(chosen)
		}
		return ""
	}},
	{"an unknown field", "RFC 9110, section 5.1: unknown fields are ignored", false, "", with("X-Unheard-Of", "1"), nil},
}

// isBadRequest checks the status that an error of Host requires.
func isBadRequest(h header) string {
	if h.status != http.StatusBadRequest {
		return "refused, but not with the status 400"
	}
	return ""
}

// ErrPublicAddress reports that a server has a public address.
var ErrPublicAddress = errors.New("malformed handshakes are sent only to this machine and to private networks")

// Negative tries every handshake, one after the other, each on a separate connection. It
// connects only to this machine and to private networks (RFC 1918, RFC 4193).
func Negative(ctx context.Context, t Target) ([]Reaction, error) {
	address, err := privateAddress(ctx, t)
	if err != nil {
		return nil, err
	}
	var all []Reaction
	for _, hs := range Handshakes {
		if ctx.Err() != nil {
			return all, context.Cause(ctx)
		}
		one, err := hs.try(ctx, t, address)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

// privateAddress returns the address to connect to if it is private. It resolves the name
// once: a second lookup could return another address.
func privateAddress(ctx context.Context, t Target) (string, error) {
	lookup, cancel := context.WithTimeout(ctx, max(t.wait(), defaultWait))
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(lookup, "ip", t.URL.Hostname())
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("look up %s: %w", t.URL.Hostname(), err)
	}
	for _, a := range found {
		if a = a.Unmap(); !a.IsLoopback() && !a.IsPrivate() {
			return "", fmt.Errorf("%s is at %s: %w", t.URL.Hostname(), a, ErrPublicAddress)
		}
	}
	return net.JoinHostPort(found[0].Unmap().String(), t.port()), nil
}

// try makes one handshake.
func (hs Handshake) try(ctx context.Context, t Target, address string) (Reaction, error) {
	r := Reaction{Handshake: hs}
	c, err := dial(ctx, t, address)
	if err != nil {
		return r, err
	}
	defer c.Close()
	e := &Exchange{Target: t}
	key := newKey()
	e.send(c, hs.Changes(t.upgradeRequest(key)), "")
	h, err := e.receive(c)
	r.Ended = err
	r.Status = h.status
	r.judge(h, t.wrongSwitch(h, key))
	return r, nil
}

// wrongSwitch returns what is wrong in the lines of a 101 that switch the protocol; "": nothing.
func (t Target) wrongSwitch(h header, key string) string {
	if h.status != 101 {
		return ""
	}
	for i, l := range h.explain(t.upgradeRules(key)) {
		name, _, _ := strings.Cut(l.Text, ":")
		switches := i == 0 || slices.ContainsFunc([]string{"Upgrade", "Connection", "Sec-WebSocket-Accept"}, func(one string) bool { return equalFold(one, name) })
		if switches && (l.Grade == Wrong || l.Grade == Missing) {
			return name + ": " + l.Why
		}
	}
	return ""
}

// judge grades the reaction. A server that closes the connection refuses, but the standard requires
// a response. Silence is neither.
func (r *Reaction) judge(h header, wrong string) {
	accepted := r.Status == 101
	r.Grade, r.Why = Right, "refused"
	if accepted {
		r.Why = "accepted"
	}
	switch {
	case isViolation(r.Ended):
		r.Grade, r.Why = Wrong, r.Ended.Error()
	case timedOut(r.Ended) || isLimit(r.Ended):
		r.Grade, r.Why = NoAnswer, plain(r.Ended).Error()
	case r.Ended != nil && r.Refuse:
		r.Grade, r.Why = Contestable, "closed without a response; an HTTP error is required (RFC 6455, section 4.2.1)"
	case r.Ended != nil && r.Open != "":
		r.Grade, r.Why = Contestable, "closed without a response ("+r.Open+")"
	case r.Ended != nil:
		r.Grade, r.Why = Wrong, "closed without a response"
	case r.Refuse && r.Status == http.StatusInternalServerError:
		r.Grade, r.Why = Contestable, "refused by an internal error; an appropriate HTTP error is required, such as 400 (RFC 6455, section 4.2.1)"
	case accepted == r.Refuse && r.Open != "":
		r.Grade, r.Why = Contestable, r.Why+" ("+r.Open+")"
	case accepted == r.Refuse:
		r.Grade = Wrong
	case wrong != "":
		r.Grade, r.Why = Wrong, "accepted, but "+wrong
	case r.check != nil && r.check(h) != "":
		r.Grade, r.Why = Wrong, r.check(h)
	case r.Refuse && r.Status < 400:
		r.Grade, r.Why = Contestable, "not switched: a server may ignore Upgrade (RFC 9110, section 7.8), but an HTTP error is required (RFC 6455, section 4.2.1)"
	}
}
