// Package transports is the table of the ways in which messages get from a server to its
// clients: their names, and the traits in which they differ.
//
// It owns what the rest of the code may ask about a transport instead of comparing names.
// Every package may import it, and it imports none of ours. It must hold nothing of a
// protocol: paths and encodings are written once at each end, as a bug that both shared
// would cancel out.
package transports

import (
	"slices"
	"strings"
)

// The names, as files and flags have them. They are untyped, so that they are of any string
// type.
const (
	ShortPoll  = "shortpoll"
	LongPoll   = "longpoll"
	SSE        = "sse"
	HTTPStream = "httpstream"
	WebSocket  = "websocket"
	Webhook    = "webhook"
)

// A Transport is one way in which messages get from a server to its clients. The zero
// value has no traits.
type Transport struct {
	Name  string // in files and flags
	Title string // in prose

	Default bool // a scenario that names no transports measures it

	Polls   bool // each batch answers a request of its own
	Timed   bool // the client polls at intervals, and the server answers at once
	Holds   bool // the server holds a poll until there is a message
	Streams bool // one request or connection carries all batches

	Upgrades          bool // it leaves HTTP by an upgrade, which servers of the reference library get from net/http
	PublishesInSocket bool // a client publishes on the connection on which it receives
	ServerDials       bool // the server opens the connections

	Batches    bool // connections wait for messages: the server can hold some back to send several in one write, and has heartbeats
	EventLoops bool // the event-loop engine has a client of it, as the goroutine engine has of all
}

// table lists the transports in report order.
var table = []Transport{
	{Name: ShortPoll, Title: "short polling", Default: true, Polls: true, Timed: true, EventLoops: true},
	{Name: LongPoll, Title: "long polling", Default: true, Polls: true, Holds: true, Batches: true, EventLoops: true},
	{Name: SSE, Title: "SSE", Default: true, Streams: true, Batches: true, EventLoops: true},
	{Name: HTTPStream, Title: "HTTP streaming", Streams: true, Batches: true, EventLoops: true},
	{Name: WebSocket, Title: "WebSocket", Default: true, Streams: true, Upgrades: true, PublishesInSocket: true, Batches: true, EventLoops: true},
	{Name: Webhook, Title: "webhooks", ServerDials: true},
}

// All returns the transports in report order.
func All() []Transport { return slices.Clone(table) }

// Names returns the names, in report order, of the transports that have a trait; nil: of all.
func Names[S ~string](trait func(Transport) bool) (names []S) {
	for _, t := range table {
		if trait == nil || trait(t) {
			names = append(names, S(t.Name))
		}
	}
	return names
}

// Find returns the transport of a name, and whether there is one.
func Find[S ~string](name S) (Transport, bool) {
	i := slices.IndexFunc(table, func(t Transport) bool { return t.Name == string(name) })
	if i < 0 {
		return Transport{}, false
	}
	return table[i], true
}

// Of returns the transport of a name: the zero value where there is none.
func Of[S ~string](name S) Transport {
	t, _ := Find(name)
	return t
}

// ClientDials is the trait of the transports whose clients open the connections.
func ClientDials(t Transport) bool { return !t.ServerDials }

// Or lists one or more names as prose does: "a, b or c".
func Or(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
