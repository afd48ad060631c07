package trace

import (
	"slices"
	"time"

	"pushbench/bench/relay"
)

// A Trace lists all traffic between a client and a server in chronological order.
type Trace struct {
	Title       string
	Connections int
	Up, Down    int64 // bytes of TCP payload
	Requests    int   // HTTP requests, upgrades included
	Frames      int   // WebSocket frames in both directions
	Steps       []Step
}

// A Kind is the kind of a step.
type Kind int

// The kinds of steps.
const (
	Open     Kind = iota // the client opened a connection
	Up                   // data from client to server
	Down                 // data from server to client
	AtClient             // an event at the client
	AtServer             // an event at the server
)

// A Step is one event of a trace.
type Step struct {
	Kind       Kind
	At         time.Duration // since the first connection was opened
	Connection int           // from 1; 0: none
	Bytes      int           // of TCP payload
	Text       string
}

// A Note is an event at the client or the server, not on the wire.
type Note struct {
	At       time.Time
	AtServer bool
	Text     string
}

// Read makes a trace from the conversations that a relay has recorded with a server of pushbench.
func Read(title string, recorded []relay.Conversation, notes []Note) Trace {
	return read(title, recorded, notes, describe)
}

// ReadForeign makes a trace of another server's conversations. It shows how each record begins, as mask returns it.
func ReadForeign(title string, recorded []relay.Conversation, notes []Note, mask func(record []byte) []byte) Trace {
	t := read(title, recorded, notes, func(record []byte) string { return beginning(mask(record)) })
	for i := range t.Steps {
		t.Steps[i].Text = string(mask([]byte(t.Steps[i].Text)))
	}
	return t
}

func read(title string, recorded []relay.Conversation, notes []Note, describe func([]byte) string) Trace {
	t := Trace{Title: title, Connections: len(recorded)}
	if len(recorded) == 0 {
		return t
	}
	began := recorded[0].Opened
	for i, c := range recorded {
		t.Up, t.Down = t.Up+int64(len(c.Up)), t.Down+int64(len(c.Down))
		t.Steps = append(t.Steps, Step{Kind: Open, At: c.Opened.Sub(began), Connection: i + 1, Text: "opens a connection"})
		t.Steps = append(t.Steps, t.conversation(c, i+1, began, describe)...)
	}
	for _, n := range notes {
		kind := AtClient
		if n.AtServer {
			kind = AtServer
		}
		t.Steps = append(t.Steps, Step{Kind: kind, At: n.At.Sub(began), Text: n.Text})
	}
	slices.SortStableFunc(t.Steps, func(a, b Step) int { return int(a.At - b.At) })
	return t
}

// Complete reports whether a client that counted a number of bytes down counted all of them.
// It may miss the last element, which a server may send to a closed client.
func (t Trace) Complete(down int64) bool {
	last := int64(0)
	for _, s := range t.Steps {
		if s.Kind == Down {
			last = int64(s.Bytes)
		}
	}
	return down == t.Down || down == t.Down-last
}

// maxSteps bounds the steps of a connection: a server may send millions of empty records.
const maxSteps = 100_000

// conversation parses both directions of a connection. Each element has the time of the piece
// that completed it.
func (t *Trace) conversation(c relay.Conversation, connection int, began time.Time, describe func([]byte) string) (steps []Step) {
	parsers := map[bool]*parser{true: {up: true, describe: describe}, false: {describe: describe}}
	rest := map[bool][]byte{true: c.Up, false: c.Down}
	last := map[bool]time.Duration{}
	for _, piece := range c.Pieces {
		p, at := parsers[piece.Up], piece.At.Sub(began)
		last[piece.Up] = at
		n := min(piece.Bytes, len(rest[piece.Up]))
		p.pending = append(p.pending, rest[piece.Up][:n]...)
		rest[piece.Up] = rest[piece.Up][n:]
		for {
			e, ok := p.next()
			if !ok {
				break
			}
			t.Requests, t.Frames = t.Requests+e.requests, t.Frames+e.frames
			if len(steps) < maxSteps {
				steps = append(steps, Step{Kind: direction(piece.Up), At: at, Connection: connection, Bytes: e.bytes, Text: e.text})
			}
		}
	}
	for _, up := range []bool{true, false} {
		if left := len(parsers[up].pending) + len(rest[up]); left > 0 {
			steps = append(steps, Step{Kind: direction(up), At: last[up], Connection: connection, Bytes: left, Text: "an incomplete element"})
		}
	}
	return steps
}

func direction(up bool) Kind {
	if up {
		return Up
	}
	return Down
}
