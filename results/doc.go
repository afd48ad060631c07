// Package results is what pushbench remembers: the types of a run as they are
// written to disk, and the reader and writer of a run folder.
//
// It owns the persisted form of Manifest, Trial and Interval. It must never
// measure anything, nor compute what is said of a run: that is package summary's.
// Of ours it imports package metric alone.
package results
