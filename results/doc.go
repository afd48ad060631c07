// Package results is what pushbench remembers: the types of a run as they are
// written to disk, and the reader and writer of a run folder.
//
// It owns the persisted form of Manifest, Trial and Interval. It must never
// measure anything, and imports nothing of ours: a folder can be read, judged
// and drawn by someone who has only this package.
package results
