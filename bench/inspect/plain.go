package inspect

import "slices"

// opening returns the first lines of every request.
func (t Target) opening() []Line {
	request := t.method() + " " + requestURI(t.URL) + " HTTP/1.1"
	return []Line{
		{Text: request, Bytes: len(request) + len("\r\n"), For: "method, resource and version (RFC 9112, section 3)"},
		field("Host", hostOf(t.URL), "name of the server, because several names can share one address (RFC 9110, section 7.2)"),
		field("User-Agent", "pushbench", "software of the client (RFC 9110, section 10.1.5)"),
	}
}

func field(name, value, purpose string) Line {
	text := name + ": " + value
	return Line{Text: text, Bytes: len(text) + len("\r\n"), For: purpose}
}

// own returns the fields of the target.
func (t Target) own() (lines []Line) {
	for _, f := range t.Fields {
		lines = append(lines, Line{Text: f, Bytes: len(f) + len("\r\n"), For: "a field of --header"})
	}
	return lines
}

// has reports whether the target has a field of its own.
func (t Target) has(name string) bool {
	return slices.ContainsFunc(t.own(), func(l Line) bool { return is(l, name) })
}

const newConnection = "allowed, but every poll requires a new connection: one more round trip, two more with TLS (RFC 9112, sections 9.3 and 9.6)"

// plainRequest sends a request without an upgrade: a poll, or one that opens a stream.
func (e *Exchange) plainRequest(c *conn) error {
	t := e.Target
	lines := t.opening()
	stream, isStream := streams[t.Kind]
	if isStream && !t.has("Accept") {
		lines = append(lines, field("Accept", stream.mediaType, stream.accepts))
	}
	lines = append(lines, t.own()...)
	if t.Origin != "" {
		lines = append(lines, field("Origin", t.Origin, "origin of the page whose script makes the request (RFC 6454, section 7)"))
	}
	e.send(c, t.withLength(lines), t.Body)
	h, err := e.receive(c)
	if err != nil {
		return err
	}
	e.Response = h.explain(t.plainRules())
	b := newBody(c.reader, h)
	b.cut = c.cut
	if isStream && h.status == 200 && t.method() != "HEAD" {
		return e.readStream(c, h, b, stream)
	}
	return e.wholeBody(c, h, b)
}

// plainRules returns the rules for the response to a poll or for a stream.
func (t Target) plainRules() []rule {
	framed := []rule{
		{"Content-Length", "length of the body, so that the connection can carry the next response (RFC 9112, section 6.2)", 0, checkLength},
		{"Transfer-Encoding", "sends the body in chunks with their sizes, because its length is not known in advance (RFC 9112, section 7.1)", 0, checkCoding},
		{"Connection", "whether the connection stays open for the next request; in HTTP/1.1 it does by default (RFC 9112, section 9.3)", 0, func(value string, h header) (Grade, string) {
			if t.Kind == Poll && has(value, "close") {
				return Contestable, newConnection
			}
			return checkList("Connection", token)(value, h)
		}},
	}
	if stream, isStream := streams[t.Kind]; isStream {
		required := 0
		if t.Kind == SSE {
			required = 200
		}
		return append(framed,
			rule{"", stream.opens, 0, func(_ string, h header) (Grade, string) {
				if h.status == 101 {
					return Wrong, unaskedSwitch
				}
				return judge(h.status == 200, "the server did not open a stream. "+meaning(h.status))
			}},
			rule{"Content-Type", stream.typed, required, stream.checkType(t.Kind)},
			rule{"Cache-Control", "forbids caches to store or transform the stream (RFC 9111, section 5.2.2)", 0, nil})
	}
	return append(framed,
		rule{"", "200 carries messages, 204 means that there are none (RFC 9110, section 15.3)", 0, t.judgePoll},
		rule{"Cache-Control", "forbids caches to respond to the next poll instead of the server (RFC 9111, section 5.2.2.5)", 0, nil})
}

const unaskedSwitch = "the request has no Upgrade field: the server must not switch (RFC 9110, section 7.8)"

// judgePoll checks the status of a poll.
func (t Target) judgePoll(_ string, h header) (Grade, string) {
	conditional := t.has("If-None-Match") || t.has("If-Modified-Since")
	switch {
	case h.status == 101:
		return Wrong, unaskedSwitch
	case h.status == 304 && conditional:
		return Right, ""
	case h.status == 304:
		return Contestable, "304 responds to a conditional request, and this one is not (RFC 9110, section 15.4.5)"
	case h.status/100 == 3:
		return Wrong, "a redirect, which is not followed. " + meaning(h.status)
	case h.status == 206 && !t.has("Range"):
		return Wrong, "206 responds to a request with the field Range, and this one has none (RFC 9110, section 15.3.7)"
	case h.version == "1.0" && h.status/100 == 2 && !has(h.value("Connection"), "keep-alive") && !has(h.value("Connection"), "close"):
		return Contestable, newConnection
	}
	return judge(h.status/100 == 2, "the poll was refused. "+meaning(h.status))
}
