// Package trace tells what crossed the wire between one client and one server: each request,
// answer, event and frame with its bytes and its time, as a ladder between the two.
//
// It owns the experiment with one client, the reading of recorded bytes and the drawing. It reads heads, chunks and frames
// by itself, not as bench/client does, which has counted the same connection: where both
// agree on bytes, requests and frames, neither reader is wrong. It must never say of the
// wire what was not recorded there: what it cannot read it shows as so many bytes.
package trace
