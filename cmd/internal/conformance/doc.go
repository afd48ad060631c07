// Package conformance checks the clients and servers of pushbench against servers/PROTOCOL.md
// together, on every transport, library and engine, in one process under the race detector. It has
// only tests, which count and compare bytes; no result depends on how long something took.
package conformance
