// Package sse serves server-sent events (WHATWG HTML, section 9.2): a stream whose events
// are batches.
//
// It owns the format of an event. It must never let a payload start a field or an event.
package sse

import (
	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// New makes the edge of a service.
func New(s *wire.Service) *wire.Edge {
	return wire.NewStreamEdge(s, wire.StreamFormat{
		ContentType: "text/event-stream",
		Heartbeat:   ":\n\n", // a comment, and the empty line that ends it (section 9.2.6)
		Append:      appendEvent,
	})
}

// appendEvent appends a batch as one event. JSON has no raw line breaks, so a payload can
// never start another field or event.
func appendEvent(dst, body []byte, next hub.Cursor) []byte {
	dst = next.AppendTo(append(dst, "id: "...))
	dst = append(append(dst, "\ndata: "...), body...)
	return append(dst, "\n\n"...)
}
