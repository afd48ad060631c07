// Package wire parses and encodes the bytes between clients and servers: headers and bodies
// of HTTP/1.1, chunked streams of events and of lines, and WebSocket frames.
//
// It owns the grammar, for both engines: an engine's measurements do not depend on its
// parser, and a second parser would be a second place for the same mistake. Independent
// checks have parsers of their own: bench/relay and bench/trace count independently of the
// client, bench/inspect checks what a server sends, and the servers parse with their
// libraries. It must never read or write a connection, count, or know an engine.
package wire

import "errors"

// MaxBody bounds a response, an event and a frame, in bytes, so that a faulty server cannot
// exhaust the client's memory. The largest batch of PROTOCOL.md takes about a fiftieth of it.
const MaxBody = 16 << 20

// longKept is from how many bytes on the memory of a message is not kept for the next one.
const longKept = 1 << 20

// Errors of a server.
var (
	ErrResponse = errors.New("malformed HTTP response")
	ErrTooLong  = errors.New("response, event or frame exceeds 16 MiB")
	ErrMore     = errors.New("server sent bytes after its response")
	ErrChunk    = errors.New("malformed chunk")
	ErrID       = errors.New("id of an event exceeds 4096 bytes")
	ErrFrame    = errors.New("malformed frame")
	ErrBinary   = errors.New("server sent a binary frame")
	ErrText     = errors.New("server sent a text frame")
	ErrExtra    = errors.New("upgrade response chose an extension or subprotocol that was not offered")
	ErrAccept   = errors.New("upgrade response has a wrong Sec-WebSocket-Accept")
	ErrMissing  = errors.New("upgrade response does not confirm the subprotocol")
)
