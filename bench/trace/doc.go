// Package trace draws the bytes between one client and one server as a sequence diagram: each
// request, response, event and frame, with its size and its time.
//
// It owns the experiment with one client, the parsing of recorded bytes and the drawing. It parses
// headers, chunks and frames independently of bench/client, which counts the same connection:
// if both agree on bytes, requests and frames, both are right. It must not describe
// anything that was not recorded: bytes that it cannot parse appear as a byte count.
package trace
