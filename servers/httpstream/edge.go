// Package httpstream serves HTTP streaming: the response to one GET is a stream of
// newline-delimited JSON, one batch per line, as fetch reads it in a browser.
//
// It owns the format of a line. It must never write a line break within one.
package httpstream

import (
	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// New makes the edge of a service.
func New(s *wire.Service) *wire.Edge {
	return wire.NewStreamEdge(s, wire.StreamFormat{
		ContentType: "application/x-ndjson",
		Heartbeat:   "\n", // an empty line
		Append:      appendLine,
	})
}

// appendLine appends a batch as one line. JSON has no raw line breaks, and a batch contains
// the cursor from which the stream resumes.
func appendLine(dst, body []byte, _ hub.Cursor) []byte {
	return append(append(dst, body...), '\n')
}
