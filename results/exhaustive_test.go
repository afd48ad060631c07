//go:build !race

package results_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"pushbench/results"
)

// These tests corrupt each byte of files, which takes half a minute under the race detector. They
// have no concurrency.

// eachFlip calls f with one bit of each byte of a file flipped.
func eachFlip(t *testing.T, files fstest.MapFS, name string, f func(i int, run *results.Run, err error)) {
	t.Helper()
	whole := files[name].Data
	for i := range whole {
		files[name].Data = bytes.Clone(whole)
		files[name].Data[i] ^= 1 << (i % 8)
		run, err := results.OpenFS(files, "flipped")
		f(i, run, err)
	}
	files[name].Data = whole
}

func TestFlippedBitInAFinishedFolderIsDetectedExhaustively(t *testing.T) {
	t.Parallel()
	files := inMemory(t, finish(t, tiny()))
	for _, name := range append(measured, "SHA256SUMS") {
		eachFlip(t, files, name, func(i int, _ *results.Run, err error) {
			isCorrupt(t, err, "%s: bit %d of byte %d flipped", name, i%8, i)
		})
	}
	run, err := results.OpenFS(files, "whole")
	if err != nil {
		t.Fatal(err)
	}
	same(t, run, tiny())
}

// Without SHA256SUMS, the checksum of each line detects the flip. The last line end is the
// exception: without it the line counts as truncated, with a warning.
func TestFlippedBitInAKilledFolderIsDetectedExhaustively(t *testing.T) {
	t.Parallel()
	files := inMemory(t, begin(t, tiny()).Path())
	whole, err := results.OpenFS(files, "whole")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"manifest.json", "trials.jsonl", "intervals.jsonl"} {
		eachFlip(t, files, name, func(i int, run *results.Run, err error) {
			if i == len(files[name].Data)-1 && err == nil {
				if len(run.Warnings) <= len(whole.Warnings) {
					t.Errorf("%s: the last line is truncated, and warnings are %q", name, run.Warnings)
				}
				return
			}
			isCorrupt(t, err, "%s: bit %d of byte %d flipped", name, i%8, i)
		})
	}
}

// eachCut calls f with a file truncated to each shorter length.
func eachCut(t *testing.T, files fstest.MapFS, name string, f func(left []byte, run *results.Run, err error)) {
	t.Helper()
	whole := files[name].Data
	for n := range whole {
		files[name].Data = whole[:n]
		run, err := results.OpenFS(files, "cut")
		f(whole[:n], run, err)
	}
	files[name].Data = whole
}

// Each complete line is kept, and a truncated one is reported.
func TestKilledFolderIsReadExhaustively(t *testing.T) {
	t.Parallel()
	files := inMemory(t, begin(t, tiny()).Path())
	check := func(name string, kept func(*results.Run) int) {
		eachCut(t, files, name, func(left []byte, run *results.Run, err error) {
			if err != nil {
				t.Fatalf("%s cut to %d bytes: %v", name, len(left), err)
			}
			if got, want := kept(run), bytes.Count(left, []byte("\n")); got != want {
				t.Errorf("%s cut to %d bytes: %d lines kept, want %d", name, len(left), got, want)
			}
			truncated := len(left) > 0 && left[len(left)-1] != '\n'
			if reported := strings.Contains(strings.Join(run.Warnings, "\n"), name+": line"); reported != truncated {
				t.Errorf("%s cut to %d bytes: warnings %q", name, len(left), run.Warnings)
			}
		})
	}
	check("trials.jsonl", func(r *results.Run) int { return len(r.Trials) })
	files["intervals.jsonl"].Data = firstLine(files["intervals.jsonl"].Data)
	check("intervals.jsonl", func(r *results.Run) int { return len(r.Intervals) })
}

func firstLine(data []byte) []byte { return data[:bytes.IndexByte(data, '\n')+1] }

func TestCutFinishedFolderIsRefusedExhaustively(t *testing.T) {
	t.Parallel()
	files := inMemory(t, finish(t, tiny()))
	for _, name := range measured {
		eachCut(t, files, name, func(left []byte, _ *results.Run, err error) {
			isCorrupt(t, err, "%s cut to %d bytes", name, len(left))
		})
	}
}

// No value is lost in translation: the values that are read have every number of the files.
func TestVersion1IsReadExhaustively(t *testing.T) {
	for _, dir := range append(references(t), version1) {
		run := open(t, dir)
		if run.Manifest.Schema != 1 {
			continue
		}
		sameNumbers(t, dir+"/manifest.json", values(t, filepath.Join(dir, "manifest.json"), "manifest"), []results.Manifest{run.Manifest})
		sameNumbers(t, dir+"/trials.jsonl", values(t, filepath.Join(dir, "trials.jsonl"), "trial"), run.Trials)
		sameNumbers(t, dir+"/intervals.jsonl", values(t, filepath.Join(dir, "intervals.jsonl"), "interval"), run.Intervals)
	}
}
