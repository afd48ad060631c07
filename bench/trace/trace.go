package trace

import (
	"slices"
	"time"

	"pushbench/bench/relay"
)

// A Trace is all that passed between a client and a server, in the order of time.
type Trace struct {
	Title       string
	Connections int
	Up, Down    int64 // bytes of TCP payload
	Requests    int   // HTTP requests, upgrades included
	Frames      int   // WebSocket frames, both ways
	Steps       []Step
}

// A Kind says what a step is.
type Kind int

// The kinds of steps.
const (
	Open     Kind = iota // the client opened a connection
	Up                   // something went from client to server
	Down                 // something came from server to client
	AtClient             // something happened there
	AtServer             // something happened there
)

// A Step is a moment of a trace.
type Step struct {
	Kind       Kind
	At         time.Duration // since the first connection was opened
	Connection int           // from 1; 0: it is about none
	Bytes      int           // of TCP payload
	Text       string
}

// A Note is something that happened at one end, not on the wire.
type Note struct {
	At       time.Time
	AtServer bool
	Text     string
}

// Read makes a trace of what a relay has recorded.
func Read(title string, recorded []relay.Conversation, notes []Note) Trace {
	t := Trace{Title: title, Connections: len(recorded)}
	if len(recorded) == 0 {
		return t
	}
	began := recorded[0].Opened
	for i, c := range recorded {
		t.Up, t.Down = t.Up+int64(len(c.Up)), t.Down+int64(len(c.Down))
		t.Steps = append(t.Steps, Step{Kind: Open, At: c.Opened.Sub(began), Connection: i + 1, Text: "opens a connection"})
		t.Steps = append(t.Steps, t.conversation(c, i+1, began)...)
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

// Heard says whether a client that has counted so many bytes down has counted all that came:
// but for the last thing, which a server may say to one that has gone.
func (t Trace) Heard(down int64) bool {
	last := int64(0)
	for _, s := range t.Steps {
		if s.Kind == Down {
			last = int64(s.Bytes)
		}
	}
	return down == t.Down || down == t.Down-last
}

// conversation reads both directions of a connection. Each thing has the time of the piece
// that completed it.
func (t *Trace) conversation(c relay.Conversation, connection int, began time.Time) (steps []Step) {
	lanes := map[bool]*lane{true: {up: true}, false: {}}
	rest := map[bool][]byte{true: c.Up, false: c.Down}
	last := map[bool]time.Duration{}
	for _, piece := range c.Pieces {
		l, at := lanes[piece.Up], piece.At.Sub(began)
		last[piece.Up] = at
		n := min(piece.Bytes, len(rest[piece.Up]))
		l.pending = append(l.pending, rest[piece.Up][:n]...)
		rest[piece.Up] = rest[piece.Up][n:]
		for {
			said, ok := l.next()
			if !ok {
				break
			}
			t.Requests, t.Frames = t.Requests+said.requests, t.Frames+said.frames
			steps = append(steps, Step{Kind: direction(piece.Up), At: at, Connection: connection, Bytes: said.bytes, Text: said.text})
		}
	}
	for _, up := range []bool{true, false} {
		if left := len(lanes[up].pending) + len(rest[up]); left > 0 {
			steps = append(steps, Step{Kind: direction(up), At: last[up], Connection: connection, Bytes: left, Text: "the beginning of something"})
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
