// Package results defines the file format of a run: its types, and the reader and writer of a
// run folder.
//
// It owns the persisted form of Manifest, Trial and Interval. It must never measure anything, nor
// compute the metrics of a run: package summary does. It imports no other package of this module
// than metric.
package results
