// Package bench performs a run: it plans the trials, repeats them in a balanced order, and
// writes their results with package results.
//
// It contains Run, the order of the repetitions and the manifest. Package trial performs a
// single trial. Package bench must never import a server: the two sides share only the wire
// protocol in servers/PROTOCOL.md, so that they cannot share a bug that cancels out.
package bench
