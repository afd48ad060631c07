package target

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/scenarios"
)

// A Dialect is the protocol of a target over one transport, compiled from its file. It is immutable, so all
// clients share one.
type Dialect struct {
	Target      string // its name
	Transport   scenarios.Transport
	Subprotocol string // offered in the upgrade; "": none
	Split       []byte // separates records in a frame; nil: a frame is a record
	Binary      bool   // frames are binary
	Secrets

	path    text
	headers []field // of the client's request, with those of the login
	body    text    // of a poll or the request of a stream; nil: it is a GET
	steps   []step
	ready   *regexp.Regexp // of a stream; nil: subscribed with the header
	next    []next
	empty   []int
	beat    *regexp.Regexp
	every   time.Duration // between heartbeats; 0: none at intervals
	reply   text
	posted  *request // the reply of a client that polls; nil: none
	http    bool     // steps are requests
	resumes bool     // a client that reconnects keeps the values of its steps
	publish publish
	create  struct {
		put     text
		headers []field
	}
	names  []string       // of values, by index
	own    int            // the value that is the login of a client; -1: none
	logins []string       // of the clients, by number
	first  map[int]string // values before the first response, by index
}

// Indexes of the values that every client has. Values that it captures follow.
const (
	topicValue = iota
	topicsValue
	payloadValue
	sizeValue
	idValue
	clientValue
	topicU16Value
	restValue // written by append
	captured
)

var fixedNames = []string{"topic", "topics", "payload", "size", "id", "client", "topic_u16", "rest"}

type step struct {
	expect  *regexp.Regexp // nil: a send, or a request with any response
	groups  []int          // value of each group; -1: none
	send    text
	request *request // nil: of a WebSocket
}

// follows reports whether a step belongs to the one before it, and so is repeated with it.
func (s *step) follows() bool {
	if s.request != nil {
		return s.request.method == http.MethodGet
	}
	return s.expect != nil
}

func (s *step) namesTopic() bool {
	if r := s.request; r != nil {
		return r.path.namesTopic() || r.body.namesTopic() || slices.ContainsFunc(r.headers, func(f field) bool { return f.value.namesTopic() })
	}
	return s.send.namesTopic()
}

// A request is neither a poll nor that of a stream: it belongs to a step or to a heartbeat.
type request struct {
	method  string
	path    text
	headers []field
	body    text
	ok      []int // nil: 200 to 299
	next    []next
}

type next struct {
	header string
	value  int
	body   *regexp.Regexp
	groups []int
}

type publish struct {
	post    text
	headers []field
	body    text
	ok      []int
	expect  *regexp.Regexp // of the response to a POST; nil: anything

	computed []computed
	time     int // the value that is the time of a POST; -1: unused
	entity   int // the value that is its body; -1: unused

	frame text
	ack   *regexp.Regexp
}

// A text is a compiled template.
type text []piece

type piece struct {
	literal string
	value   int // -1: literal
}

type field struct {
	name  string
	value text
}

// Compile compiles the protocol of a target over one transport. env returns the value of an environment
// variable. A target without the transport, or a variable that is not set, is an error.
func Compile(t *scenarios.Target, transport scenarios.Transport, env func(string) (string, bool)) (*Dialect, error) {
	if !t.Offers(transport) {
		return nil, fmt.Errorf("target %s has no transport %s; allowed: %s", t.Name, transport, join(t.Offered()))
	}
	d := &Dialect{Target: string(t.Name), Transport: transport, names: slices.Clone(fixedNames), Secrets: SecretsOf(t, env)}
	c := compiler{Dialect: d, env: env}
	c.login = c.fields(t.Login)
	switch transport {
	case "shortpoll":
		c.poll(t.Transports.ShortPoll)
	case "longpoll":
		c.poll(t.Transports.LongPoll)
	case "sse":
		c.stream(t.Transports.SSE)
	case "httpstream":
		c.stream(t.Transports.HTTPStream)
	default:
		c.socket(t.Transports.WebSocket)
	}
	d.own, d.logins = slices.Index(d.names, loginName), t.Logins
	d.resumes = slices.Contains(t.Promises.Resume, transport)
	c.publishing(t.Publish, transport)
	if c.unset != "" {
		return nil, fmt.Errorf("target %s uses the environment variable %s, which is not set; set it before the run", t.Name, c.unset)
	}
	return d, nil
}

func join(all []scenarios.Transport) string {
	words := make([]string, len(all))
	for i, t := range all {
		words[i] = string(t)
	}
	return strings.Join(words, ", ")
}

// A compiler resolves the names of placeholders.
type compiler struct {
	*Dialect
	env   func(string) (string, bool)
	login []field // of every request
	unset string  // the first environment variable without a value
}

// value returns the index of a value, which it adds if it is new.
func (c *compiler) value(name string) int {
	if i := slices.Index(c.names, name); i >= 0 {
		return i
	}
	c.names = append(c.names, name)
	return len(c.names) - 1
}

func (c *compiler) text(t scenarios.Template) (all text) {
	for _, p := range t.Pieces() {
		variable, fromEnv := strings.CutPrefix(p.Name, "env:")
		switch {
		case fromEnv:
			value, set := c.env(variable)
			if !set && c.unset == "" {
				c.unset = variable
			}
			all = append(all, piece{value, -1})
		case p.Name != "":
			all = append(all, piece{"", c.value(p.Name)})
		default:
			all = append(all, piece{c.literal(p.Text), -1})
		}
	}
	return all
}

// literal is the text of a template as it is sent: in binary frames each character is a byte.
func (c *compiler) literal(text string) string {
	if !c.Binary {
		return text
	}
	bytes := make([]byte, 0, len(text))
	for _, r := range text {
		bytes = append(bytes, byte(r))
	}
	return string(bytes)
}

func (c *compiler) fields(all []scenarios.HeaderField) (fields []field) {
	for _, h := range all {
		fields = append(fields, field{h.Name(), c.text(h.Value())})
	}
	return fields
}

// expression compiles an expression that the reader has checked; nil for "".
func (c *compiler) expression(e scenarios.Expression) (compiled *regexp.Regexp, groups []int) {
	if e == "" {
		return nil, nil
	}
	compiled = regexp.MustCompile(string(e))
	for _, name := range compiled.SubexpNames() {
		i := -1
		if name != "" {
			i = c.value(name)
		}
		groups = append(groups, i)
	}
	return compiled, groups
}

// requests compiles steps that are requests.
func (c *compiler) requests(all []scenarios.RequestStep) {
	c.http = true
	for _, one := range all {
		r := &request{method: http.MethodGet, path: c.text(one.Get), headers: c.requestFields(one.Headers), ok: one.OK}
		if one.Post != "" {
			r = c.post(one.Post, one.Headers, one.Body)
			r.ok = one.OK
		}
		for _, n := range one.Next {
			r.next = append(r.next, next{header: n.Header, value: c.value(n.As)})
		}
		expect, groups := c.expression(one.Expect)
		c.steps = append(c.steps, step{expect: expect, groups: groups, request: r})
	}
}

func (c *compiler) post(path scenarios.Template, headers []scenarios.HeaderField, body scenarios.Template) *request {
	return &request{method: http.MethodPost, path: c.text(path), headers: c.postFields(headers), body: c.text(body)}
}

// requestFields compiles the header fields of a request, with defaults that a login and the request's own fields replace.
func (c *compiler) requestFields(own []scenarios.HeaderField, defaults ...scenarios.HeaderField) []field {
	return replace(replace(c.fields(defaults), c.login), c.fields(own))
}

// postFields compiles the header fields of a POST.
func (c *compiler) postFields(own []scenarios.HeaderField) []field {
	if len(own) > 0 {
		return c.requestFields(own)
	}
	return c.requestFields(nil, defaultType)
}

// replace returns the fields of general whose names specific does not have, and those of specific.
func replace(general, specific []field) []field {
	kept := slices.DeleteFunc(slices.Clone(general), func(f field) bool { return has(specific, f.name) })
	return append(kept, specific...)
}

// has reports whether one of the fields has a name, in upper or lower case.
func has(all []field, name string) bool {
	return slices.ContainsFunc(all, func(f field) bool { return strings.EqualFold(f.name, name) })
}

// main compiles a poll, or the request of a stream.
func (c *compiler) main(path scenarios.Template, headers []scenarios.HeaderField, body scenarios.Template, defaults ...scenarios.HeaderField) {
	if body != "" && len(headers) == 0 {
		defaults = append(defaults, defaultType)
	}
	c.path, c.headers, c.body = c.text(path), c.requestFields(headers, defaults...), c.text(body)
}

// defaultType is the header of a POST without fields of its own.
const defaultType = "Content-Type: text/plain; charset=utf-8"

func (c *compiler) poll(p scenarios.PollTarget) {
	c.requests(p.Steps)
	if beat := p.Heartbeat; beat.When != "" {
		c.beat, _ = c.expression(beat.When)
		c.posted = c.post(beat.Post, beat.Headers, beat.Body)
	}
	c.Split = []byte(p.Split)
	c.main(p.Path, p.Headers, p.Body)
	c.empty = p.Empty
	if len(c.empty) == 0 {
		c.empty = []int{http.StatusNoContent, http.StatusNotModified}
	}
	c.nextValues(p.Next)
}

// nextValues compiles the values that a response has for the next request.
func (c *compiler) nextValues(all []scenarios.NextValue) {
	c.first = map[int]string{}
	for _, n := range all {
		body, groups := c.expression(n.Body)
		one := next{header: n.Header, body: body, groups: groups}
		if n.As != "" {
			one.value = c.value(n.As)
			groups = []int{one.value}
		}
		for _, value := range groups {
			if value >= 0 && n.First != "" {
				c.first[value] = n.First
			}
		}
		c.next = append(c.next, one)
	}
}

func (c *compiler) stream(s scenarios.StreamTarget) {
	c.requests(s.Steps)
	var defaults []scenarios.HeaderField
	if c.Transport == "sse" {
		defaults = []scenarios.HeaderField{"Accept: text/event-stream"}
	}
	c.main(s.Path, s.Headers, s.Body, defaults...)
	c.nextValues(s.Next)
	c.ready, _ = c.expression(s.Ready)
}

func (c *compiler) socket(s scenarios.SocketTarget) {
	c.path, c.headers = c.text(s.Path), c.requestFields(s.Headers)
	c.Subprotocol, c.Split, c.Binary = s.Subprotocol, []byte(s.Split), s.Binary
	c.nextValues(s.Next)
	for _, one := range s.Steps {
		expect, groups := c.expression(one.Expect)
		c.steps = append(c.steps, step{expect: expect, groups: groups, send: c.text(one.Send)})
	}
	c.beat, _ = c.expression(s.Heartbeat.When)
	c.every = time.Duration(s.Heartbeat.Every)
	c.reply = c.text(s.Heartbeat.Send)
}

// A Creation is a request that creates a topic.
type Creation struct {
	Path   string
	Header http.Header
}

// Creates returns the request that creates a topic; ok is false if topics need none.
func (d *Dialect) Creates(topic string) (c Creation, ok bool) {
	if len(d.create.put) == 0 {
		return c, false
	}
	values := make([][]byte, len(d.names))
	values[topicValue] = []byte(topic)
	c = Creation{string(d.create.put.appendEscaped(nil, values)), http.Header{}}
	for _, f := range d.create.headers {
		if f.value.known(values) {
			c.Header.Add(f.name, string(f.value.append(nil, values)))
		}
	}
	return c, true
}

// publishing compiles how messages are published. A client of another transport than WebSocket has no frames.
func (c *compiler) publishing(p scenarios.TargetPublish, transport scenarios.Transport) {
	c.publish = publish{post: c.text(p.Post), headers: c.postFields(p.Headers), body: c.text(cmp.Or(p.Body, "{payload}")), ok: p.OK}
	c.publish.expect, _ = c.expression(p.Expect)
	c.computed(p.Computed)
	c.create.put, c.create.headers = c.text(p.Create.Put), c.requestFields(p.Create.Headers)
	if transport == "websocket" {
		c.publish.frame = c.text(p.Frame)
		c.publish.ack, _ = c.expression(p.Ack)
	}
}

// Method is that of a poll, or of the request that opens a stream or a WebSocket.
func (d *Dialect) Method() string {
	if d.body != nil {
		return http.MethodPost
	}
	return http.MethodGet
}

// PublishesInFrames reports whether clients publish on their WebSocket.
func (d *Dialect) PublishesInFrames() bool { return len(d.publish.frame) > 0 }

// HeartbeatInterval is the time between two heartbeats of a client; 0: it sends none at intervals.
func (d *Dialect) HeartbeatInterval() time.Duration { return d.every }

// Posts reports whether messages can be published by POST.
func (d *Dialect) Posts() bool { return len(d.publish.post) > 0 }

// Acknowledges reports whether the server acknowledges frames.
func (d *Dialect) Acknowledges() bool { return d.publish.ack != nil }

// OneTopic reports whether a client can subscribe to one topic only.
func (d *Dialect) OneTopic() bool {
	if d.path.has(topicsValue) || d.body.has(topicsValue) {
		return false
	}
	return !slices.ContainsFunc(d.steps, func(s step) bool { return s.namesTopic() })
}

// append appends a text with its values.
func (t text) append(dst []byte, values [][]byte) []byte {
	for i, p := range t {
		switch {
		case p.value == restValue:
			dst = appendVariable(dst, t[i+1:].size(values))
		case p.value >= 0:
			dst = append(dst, values[p.value]...)
		default:
			dst = append(dst, p.literal...)
		}
	}
	return dst
}

// size is the number of bytes that append appends.
func (t text) size(values [][]byte) (n int) {
	for i := len(t) - 1; i >= 0; i-- {
		switch p := t[i]; {
		case p.value == restValue:
			var room [binary.MaxVarintLen64]byte
			n += len(appendVariable(room[:0], n))
		case p.value >= 0:
			n += len(values[p.value])
		default:
			n += len(p.literal)
		}
	}
	return n
}

// appendVariable appends a variable byte integer (MQTT 5.0, section 1.5.5).
func appendVariable(dst []byte, n int) []byte { return binary.AppendUvarint(dst, uint64(n)) }

// lengthBytes is the size of a length before a text.
const lengthBytes = 2

// appendWithLength appends a text after its length in two bytes (MQTT 5.0, section 1.5.4).
func appendWithLength(dst []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(min(len(text), math.MaxUint16))), text...)
}

// appendEscaped appends a text as a part of a request target: its values are percent-encoded.
func (t text) appendEscaped(dst []byte, values [][]byte) []byte {
	for _, p := range t {
		if p.value < 0 {
			dst = append(dst, p.literal...)
			continue
		}
		for _, c := range values[p.value] {
			dst = appendPercentEncoded(dst, c)
		}
	}
	return dst
}

// appendPercentEncoded appends a byte, percent-encoded unless it is unreserved (RFC 3986, section 2.3).
func appendPercentEncoded(dst []byte, c byte) []byte {
	switch {
	case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.IndexByte("-._~", c) >= 0:
		return append(dst, c)
	}
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[c>>4], digits[c&0xf])
}

func (t text) has(value int) bool {
	return slices.ContainsFunc(t, func(p piece) bool { return p.value == value })
}

func (t text) namesTopic() bool { return t.has(topicValue) || t.has(topicU16Value) }

// known reports whether all values of a text are known.
func (t text) known(values [][]byte) bool {
	return !slices.ContainsFunc(t, func(p piece) bool { return p.value >= captured && values[p.value] == nil })
}

// appendFields appends the header fields whose values are known.
func appendFields(dst []byte, fields []field, values [][]byte) []byte {
	for _, f := range fields {
		if f.value.known(values) {
			dst = append(append(dst, f.name...), ": "...)
			from := len(dst)
			dst = f.value.append(dst, values)
			for i := from; i < len(dst); i++ { // a captured value must not begin another field
				if dst[i] < ' ' || dst[i] == 0x7f {
					dst[i] = ' '
				}
			}
			dst = append(dst, "\r\n"...)
		}
	}
	return dst
}

// RefusesPost returns why a response is not the acceptance of a publication; "": it is.
func (d *Dialect) RefusesPost(status int, body []byte) string {
	switch {
	case !accepts(d.publish.ok, status):
		return fmt.Sprintf("publish returned status %d", status)
	case d.publish.expect != nil && !d.publish.expect.Match(body):
		return fmt.Sprintf("publish: the response does not match %s", d.publish.expect)
	}
	return ""
}

// accepts reports whether a status code is one of success; none: all from 200 to 299 are.
func accepts(ok []int, status int) bool {
	return len(ok) == 0 && status/100 == 2 || slices.Contains(ok, status)
}

// IsEmpty reports whether a poll with this status code returned no message, regularly.
func (d *Dialect) IsEmpty(status int) bool { return slices.Contains(d.empty, status) }

// appendLength appends a content length.
func appendLength(dst []byte, n int) []byte {
	dst = append(dst, "Content-Length: "...)
	return append(strconv.AppendInt(dst, int64(n), 10), "\r\n"...)
}
