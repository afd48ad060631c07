// Package wire reads and writes what clients and servers exchange: the heads and bodies
// of HTTP/1.1, chunked streams of events and of lines, and the frames of WebSocket.
//
// It owns the grammar, for both engines: what an engine measures does not depend on which
// code parses its bytes, and two parsers would be two places for one mistake. The checks that prove
// something by being independent have readers of their own: bench/relay and bench/trace
// count beside the client, bench/inspect judges what a server sent, and the servers
// parse with the libraries they are built on. It must never read or write a connection,
// count, or know an engine.
package wire

import "errors"

// MaxBody bounds an answer, an event and a frame, in bytes, so that a server gone wrong
// cannot exhaust us. The largest batch of PROTOCOL.md takes about a fiftieth of it.
const MaxBody = 16 << 20

// What a server may get wrong.
var (
	ErrResponse = errors.New("malformed answer")
	ErrTooLong  = errors.New("answer is too long")
	ErrMore     = errors.New("server sent more than its answer")
	ErrChunk    = errors.New("malformed chunk")
	ErrFrame    = errors.New("malformed frame")
	ErrBinary   = errors.New("server sent a binary frame")
	ErrExtra    = errors.New("upgrade answered with an extension or protocol that was not offered")
)
