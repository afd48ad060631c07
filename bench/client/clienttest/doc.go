// Package clienttest holds the conformance suite of the client engines: what any
// engine and any server that speaks servers/PROTOCOL.md must do together, seen
// from the client's side, over every transport.
//
// It owns the expectations and a relay that counts what really crossed the
// wire. It must never know who serves: bench imports no server.
package clienttest
