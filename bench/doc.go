// Package bench measures: it plans trials, places processes, drives the load,
// judges its own rig, and hands what it found to package results.
//
// It owns Trial, Run, Drive and the gates. It must never import a server: what
// ties the two ends together is the wire contract in servers/PROTOCOL.md, so that
// no bug can be shared by both and cancel out.
package bench
