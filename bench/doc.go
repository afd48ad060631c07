// Package bench measures: it plans the trials of a run, repeats them in a balanced order, and
// hands what they found to package results.
//
// It owns Run, the order of its repetitions and the manifest; a single trial is package trial's.
// Package bench must never import a server: what ties the two ends together is the wire
// contract in servers/PROTOCOL.md, so that no bug can be shared by both and cancel out.
package bench
