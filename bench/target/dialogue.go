package target

import (
	"bytes"
	"fmt"
	"iter"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Dialogue is the state of one client's connection to a target: which step of the protocol comes next,
// and the values that were captured. It does no I/O. One goroutine may publish while another receives.
type Dialogue struct {
	*Dialect

	mu        sync.Mutex // guards the fields below
	topics    []string
	values    [][]byte // by index; nil: not known yet
	step      int      // the next of the steps
	topic     int      // of the steps that are repeated for each topic
	loop      int      // the step with which the repetition begins; -1: none
	eventID   []byte   // of the last event of a stream; nil: none
	continues bool     // a response had a value for the next request
	refused   bool     // the server refused a request, so that the next connection repeats the steps
	pending   bool     // a heartbeat is to be sent by POST
	attempts  int      // responses to the step that is under way
	overlong  error    // a value is too long; nil: none is
	posted    [][]byte // values of a publication
	room      []byte   // memory of some of them
}

// NewDialogue returns the state of a client before its first connection.
func (d *Dialect) NewDialogue(client int, topics []string) *Dialogue {
	g := &Dialogue{Dialect: d, topics: topics, values: make([][]byte, len(d.names)), posted: make([][]byte, len(d.names)), loop: -1}
	g.values[topicsValue] = []byte(strings.Join(topics, ","))
	g.values[clientValue] = strconv.AppendInt(nil, int64(client), 10)
	g.first()
	g.setTopic(0)
	return g
}

// UseLogin gives a client its login. If there are more clients than logins, such as short-lived ones, they share them.
func (g *Dialogue) UseLogin(client int) {
	if g.own >= 0 && len(g.logins) > 0 {
		g.values[g.own] = []byte(g.logins[client%len(g.logins)])
	}
}

// first sets the values that a client has before the first response.
func (g *Dialogue) first() {
	for value, first := range g.Dialect.first {
		g.values[value] = []byte(first)
	}
}

func (g *Dialogue) setTopic(i int) {
	g.topic = i
	if i < len(g.topics) {
		g.values[topicValue], g.values[topicU16Value] = []byte(g.topics[i]), appendWithLength(nil, g.topics[i])
	}
}

// Begin begins a new attempt to connect. Requests that make a session are repeated, unless the client resumes it;
// a new session has no position.
func (g *Dialogue) Begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending, g.attempts, g.overlong = false, 0, nil
	if g.http && (len(g.steps) == 0 || g.done() && g.resumes && !g.refused) {
		return
	}
	if g.http {
		g.eventID, g.continues, g.refused = nil, false, false
		g.first()
	}
	g.step, g.loop = 0, -1
	g.setTopic(0)
}

// Refused notes that the server refused a poll or a stream.
func (g *Dialogue) Refused() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = true
}

// Resumes reports whether the client's next request continues after the last message.
func (g *Dialogue) Resumes() bool {
	return g.eventID != nil || g.continues
}

// AppendTarget appends the path of the client's request.
func (g *Dialogue) AppendTarget(dst []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.path.appendEscaped(dst, g.values)
}

// AppendBody appends the body of the client's request, if it is a POST.
func (g *Dialogue) AppendBody(dst []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.body.append(dst, g.values)
}

// AppendFields appends the header fields of the client's request, each with its line end.
func (g *Dialogue) AppendFields(dst []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	dst = appendFields(dst, g.headers, g.values)
	if g.eventID != nil && !has(g.headers, "Last-Event-ID") {
		dst = append(append(append(dst, "Last-Event-ID: "...), g.eventID...), "\r\n"...)
	}
	if g.body != nil {
		dst = appendLength(dst, g.body.size(g.values))
	}
	return dst
}

// Event notes the id of an event of a stream, which is the client's position (HTML, section 9.2.6).
func (g *Dialogue) Event(id []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if bytes.IndexByte(id, 0) < 0 {
		g.eventID = append(g.eventID[:0], id...)
	}
}

// ReadsHeader reports whether the header of the response that is awaited has a value for a later request.
func (g *Dialogue) ReadsHeader() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.awaited(), func(n next) bool { return n.header != "" })
}

// awaited returns the values that the next response has for later requests.
func (g *Dialogue) awaited() []next {
	if r := g.additional(); r != nil {
		return r.next
	}
	return g.next
}

// Header notes a header field of a response.
func (g *Dialogue) Header(name, value []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.awaited() {
		if n.header != "" && strings.EqualFold(n.header, string(name)) {
			g.set(n.value, value)
			g.continues = g.continues || g.additional() == nil
		}
	}
}

// Body notes the body of a response to a poll, an event, a line, or a record of a WebSocket.
func (g *Dialogue) Body(body []byte) {
	if len(g.next) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.next {
		if n.body != nil && g.capture(n.body, n.groups, body) {
			g.continues = true
		}
	}
}

// capture notes the named groups of an expression, and reports whether it matches.
func (g *Dialogue) capture(expect *regexp.Regexp, groups []int, record []byte) bool {
	if len(groups) <= 1 {
		return expect.Match(record)
	}
	at := expect.FindSubmatchIndex(record)
	if at == nil {
		return false
	}
	for i, value := range groups {
		if value >= 0 && at[2*i] >= 0 {
			g.set(value, record[at[2*i]:at[2*i+1]])
		}
	}
	return true
}

// maxValue is the most bytes of a value that a server sends, and that its clients send back. A login has as many.
const maxValue = 8 << 10

// set notes a value that a server has sent.
func (g *Dialogue) set(value int, text []byte) {
	if len(text) > maxValue {
		g.overlong = fmt.Errorf("the server sent a value of {%s} with %d bytes; allowed: at most %d", g.names[value], len(text), maxValue)
		return
	}
	g.values[value] = append(g.values[value][:0], text...)
}

// Overlong is the error of a value that is too long to be sent back; nil: there was none.
func (g *Dialogue) Overlong() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.overlong
}

// Subscribed reports whether all steps are done.
func (g *Dialogue) Subscribed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.done()
}

func (g *Dialogue) done() bool { return g.step == len(g.steps) }

// Step is the number of the step that is under way, from 1.
func (g *Dialogue) Step() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.step + 1
}

// AppendSend appends the text that the client sends next, if it is its turn.
func (g *Dialogue) AppendSend(dst []byte) (_ []byte, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done() || g.steps[g.step].expect != nil {
		return dst, false
	}
	send := g.steps[g.step].send
	g.beginLoop()
	dst = send.append(dst, g.values)
	g.advance()
	return dst, true
}

// beginLoop begins the repetition of steps, if the one that is under way names the topic.
func (g *Dialogue) beginLoop() {
	if g.loop < 0 && g.steps[g.step].namesTopic() {
		g.loop = g.step
		g.setTopic(0)
	}
}

// advance goes to the next step. At the end of the steps that are repeated, it goes back to their first one for
// the next topic.
func (g *Dialogue) advance() {
	g.step++
	if g.loop < 0 || !g.done() && g.steps[g.step].follows() {
		return
	}
	if g.topic+1 < len(g.topics) {
		g.setTopic(g.topic + 1)
		g.step = g.loop
		return
	}
	g.loop = -1
}

// Receive notes a record before the client is subscribed, and reports whether it ended a step. Others are
// ignored.
func (g *Dialogue) Receive(record []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done() || g.steps[g.step].expect == nil || !g.capture(g.steps[g.step].expect, g.steps[g.step].groups, record) {
		return false
	}
	g.advance()
	return true
}

// additional returns the request that comes before the next poll or the stream; nil: none.
func (g *Dialogue) additional() *request {
	switch {
	case g.pending:
		return g.Dialect.posted
	case g.http && !g.done():
		return g.steps[g.step].request
	}
	return nil
}

// Additional reports whether another request comes before the next poll or the stream: that of a step, or a
// heartbeat.
func (g *Dialogue) Additional() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.additional() != nil
}

// AppendAdditional appends that request, with common after its target and without the empty line at its end, and returns
// its body.
func (g *Dialogue) AppendAdditional(dst []byte, common string) (_, body []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.pending {
		g.beginLoop()
	}
	r := g.additional()
	dst = append(append(dst, r.method...), ' ')
	dst = append(r.path.appendEscaped(dst, g.values), common...)
	dst = appendFields(dst, r.headers, g.values)
	if r.method == http.MethodPost {
		body = r.body.append(nil, g.values)
		dst = appendLength(dst, len(body))
	}
	return dst, body
}

// maxAttempts is how many responses to a step may come before the one that is expected.
const maxAttempts = 20

// Respond notes the response to that request. A GET whose response does not match is repeated; any other response that
// the target file does not expect is an error.
func (g *Dialogue) Respond(status int, body []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending {
		if g.pending = false; status/100 != 2 {
			return fmt.Errorf("heartbeat returned status %d", status)
		}
		return nil
	}
	s := &g.steps[g.step]
	if !accepts(s.request.ok, status) {
		return fmt.Errorf("step %d returned status %d", g.step+1, status)
	}
	if s.expect != nil && !g.anyRecord(body, func(record []byte) bool { return g.capture(s.expect, s.groups, record) }) {
		if g.attempts++; s.request.method == http.MethodGet && g.attempts < maxAttempts {
			return nil
		}
		return fmt.Errorf("step %d: the response does not match %s", g.step+1, s.expect)
	}
	g.attempts = 0
	g.advance()
	return nil
}

// anyRecord reports whether a record of a response matches.
func (g *Dialogue) anyRecord(body []byte, matches func([]byte) bool) bool {
	for record := range g.Records(body) {
		if matches(record) {
			return true
		}
	}
	return false
}

// Records iterates over the records of a message or a response: all of it without a separator.
func (d *Dialect) Records(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := text; len(rest) > 0; {
			record := rest
			if rest = nil; len(d.Split) > 0 {
				record, rest, _ = bytes.Cut(record, d.Split)
			}
			if !yield(record) {
				return
			}
		}
	}
}

// RequestHeartbeat makes a heartbeat the next request.
func (g *Dialogue) RequestHeartbeat() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending = true
}

// Opens reports whether an event or a line of a stream subscribes the client. nil is the header of the response,
// which subscribes a client that continues after its last event.
func (g *Dialogue) Opens(record []byte) bool {
	if g.ready == nil || g.Resumes() {
		return true
	}
	return record != nil && g.ready.Match(record)
}

// Beats reports whether a record requests a heartbeat.
func (g *Dialogue) Beats(record []byte) bool { return g.beat != nil && g.beat.Match(record) }

// AppendHeartbeat appends the text of a heartbeat.
func (g *Dialogue) AppendHeartbeat(dst []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reply.append(dst, g.values)
}

// Acks reports whether a record acknowledges a publication.
func (g *Dialogue) Acks(record []byte) bool {
	return g.publish.ack != nil && g.publish.ack.Match(record)
}

// publication sets the values of a publication, which are valid until the next one.
func (g *Dialogue) publication(id uint32, topic string, payload []byte) [][]byte {
	copy(g.posted, g.values)
	g.room = appendWithLength(g.room[:0], topic)
	size := len(g.room)
	g.room = strconv.AppendInt(g.room, int64(len(payload)), 10)
	number := len(g.room)
	g.room = strconv.AppendUint(g.room, uint64(id), 10)
	g.posted[topicValue], g.posted[topicU16Value], g.posted[payloadValue] = g.room[lengthBytes:size], g.room[:size], payload
	g.posted[sizeValue], g.posted[idValue] = g.room[size:number], g.room[number:]
	return g.posted
}

// AppendFrame appends the text of a publication on a WebSocket.
func (g *Dialogue) AppendFrame(dst []byte, id uint32, topic string, payload []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.publish.frame.append(dst, g.publication(id, topic, payload))
}

// AppendPost appends a publication by POST: the request line, with common after its target, the header and the body.
// common ends with a line end.
func (g *Dialogue) AppendPost(dst []byte, common string, id uint32, topic string, payload []byte) (request []byte, header int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	values := g.publication(id, topic, payload)
	g.publish.compute(values)
	from := len(dst)
	dst = append(dst, "POST "...)
	dst = append(g.publish.post.appendEscaped(dst, values), common...)
	dst = appendFields(dst, g.publish.headers, values)
	dst = append(appendLength(dst, g.publish.body.size(values)), "\r\n"...)
	header = len(dst) - from
	return g.publish.body.append(dst, values), header
}
