// Package conformance holds our clients and our servers to servers/PROTOCOL.md together, on
// every transport, library and engine, in one process under the race detector. It has only
// tests, which count and compare bytes; none of them judges by how long something took.
package conformance
