package target

import (
	"bytes"
	"regexp"
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
	posted    [][]byte // values of a publication
	room      []byte   // memory of some of them
}

// NewDialogue returns the state of a client before its first connection.
func (d *Dialect) NewDialogue(client int, topics []string) *Dialogue {
	g := &Dialogue{Dialect: d, topics: topics, values: make([][]byte, len(d.names)), posted: make([][]byte, len(d.names)), loop: -1}
	g.values[topicsValue] = []byte(strings.Join(topics, ","))
	g.values[clientValue] = strconv.AppendInt(nil, int64(client), 10)
	for value, first := range d.first {
		g.values[value] = []byte(first)
	}
	g.setTopic(0)
	return g
}

func (g *Dialogue) setTopic(i int) {
	g.topic = i
	if i < len(g.topics) {
		g.values[topicValue], g.values[topicU16Value] = []byte(g.topics[i]), appendWithLength(nil, g.topics[i])
	}
}

// Begin begins a new connection of a WebSocket or a stream. A poll keeps its values instead: they are the
// client's position.
func (g *Dialogue) Begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.step, g.loop = 0, -1
	g.setTopic(0)
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

// AppendFields appends the header fields of the client's request, each with its line end.
func (g *Dialogue) AppendFields(dst []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	dst = appendFields(dst, g.login, g.values)
	dst = appendFields(dst, g.headers, g.values)
	if g.eventID != nil {
		dst = append(append(append(dst, "Last-Event-ID: "...), g.eventID...), "\r\n"...)
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

// Header notes a header field of a response to a poll. name is in lower case.
func (g *Dialogue) Header(name, value []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.next {
		if n.header != "" && n.header == string(name) {
			g.values[n.value] = append(g.values[n.value][:0], value...)
			g.continues = true
		}
	}
}

// Body notes the body of a response to a poll, an event or a line.
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
			g.values[value] = append(g.values[value][:0], record[at[2*i]:at[2*i+1]]...)
		}
	}
	return true
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
	if g.loop < 0 && send.namesTopic() {
		g.loop = g.step
		g.setTopic(0)
	}
	dst = send.append(dst, g.values)
	g.advance()
	return dst, true
}

// advance goes to the next step. At the end of the steps that are repeated, it goes back to their first one for
// the next topic.
func (g *Dialogue) advance() {
	g.step++
	if g.loop < 0 || g.step < len(g.steps) && g.steps[g.step].expect != nil {
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
	from := len(dst)
	dst = append(dst, "POST "...)
	dst = append(g.publish.post.appendEscaped(dst, values), common...)
	dst = appendFields(dst, g.login, values)
	if len(g.publish.headers) > 0 {
		dst = appendFields(dst, g.publish.headers, values)
	} else {
		dst = append(dst, "Content-Type: text/plain; charset=utf-8\r\n"...)
	}
	dst = append(appendLength(dst, g.publish.body.size(values)), "\r\n"...)
	header = len(dst) - from
	return g.publish.body.append(dst, values), header
}
