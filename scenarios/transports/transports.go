// Package transports is the table of transports: their names, and the traits in which they differ.
//
// It owns the traits, so that the rest of the code does not compare names. Every package may import
// it, and it imports no package of the module. It must contain no part of a protocol: paths and
// encodings are implemented separately at each end, because a shared bug would cancel out.
package transports

import (
	"slices"
	"strings"
)

// The names in files and flags. They are untyped, so that they convert to any string type.
const (
	ShortPoll  = "shortpoll"
	LongPoll   = "longpoll"
	SSE        = "sse"
	HTTPStream = "httpstream"
	WebSocket  = "websocket"
	Webhook    = "webhook"
)

// A Transport is a way to deliver messages from a server to its clients. The zero value has no traits.
type Transport struct {
	Name  string // in files and flags
	Title string // in prose

	Default bool // measured by a scenario that names no transports

	Polls   bool // each batch is the response to a separate request
	Timed   bool // the client polls at intervals, and the server responds at once
	Holds   bool // the server keeps a poll open until there is a message
	Streams bool // one request or connection carries all batches

	Upgrades          bool // it leaves HTTP by an upgrade, for which servers of the reference library use net/http
	PublishesInSocket bool // a client publishes on the connection on which it receives
	ServerDials       bool // the server opens the connections

	Batches    bool // connections wait for messages: the server can delay messages to send several in one write, and sends heartbeats
	EventLoops bool // the event-loop engine has a client for it; the goroutine engine has one for every transport
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

// Names returns the names, in report order, of the transports with a trait, or of all if trait is nil.
func Names[S ~string](trait func(Transport) bool) (names []S) {
	for _, t := range table {
		if trait == nil || trait(t) {
			names = append(names, S(t.Name))
		}
	}
	return names
}

// Find returns the transport with a name, and whether it exists.
func Find[S ~string](name S) (Transport, bool) {
	i := slices.IndexFunc(table, func(t Transport) bool { return t.Name == string(name) })
	if i < 0 {
		return Transport{}, false
	}
	return table[i], true
}

// Of returns the transport with a name, or the zero value if there is none.
func Of[S ~string](name S) Transport {
	t, _ := Find(name)
	return t
}

// ClientDials reports whether the clients of a transport open the connections.
func ClientDials(t Transport) bool { return !t.ServerDials }

// Or lists one or more names in prose: "a, b or c".
func Or(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// ReferenceLibrary returns the HTTP library of the servers that the library reference stands for.
func (t Transport) ReferenceLibrary() string {
	if t.Upgrades {
		return "nethttp"
	}
	return "fasthttp"
}
