package results_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbench/results"
)

// tiny returns a run small enough to corrupt each byte of it.
func tiny() *results.Run {
	var some results.Histogram
	for _, d := range []time.Duration{100 * time.Microsecond, 200 * time.Microsecond, 900 * time.Microsecond} {
		some.Record(d)
	}
	started := time.Date(2025, 11, 22, 19, 0, 0, 0, time.UTC)
	return &results.Run{
		Manifest: results.Manifest{
			Schema: results.Schema, Status: results.Complete, Started: started, Ended: started.Add(time.Minute),
			Repetitions: 1, Transports: []string{"sse"}, Workload: results.Workload{Scenario: "tiny", Clients: 1},
		},
		Trials: []results.Trial{{
			Repetition: 1, Position: 1, Transport: "sse", Status: results.Complete, Started: started, Took: time.Second,
			Publishes: results.Publishes{Planned: 4, OnTime: 4, Sent: 4, Acknowledged: 4},
			Ledger:    results.Ledger{Expected: 4, Delivered: 3, Lost: 1, Received: 3},
			Latency:   results.Latency{Histogram: some, Infinite: 1, Independent: 4},
		}},
		Intervals: []results.Interval{
			{Repetition: 1, Transport: "sse", At: time.Second, Length: time.Second},
			{Repetition: 1, Transport: "sse", At: 2 * time.Second, Start: time.Second, Length: time.Second, Published: 4, Delivered: 3, Counted: 3, Latency: some},
		},
	}
}

// begin writes the run without its end, as a killed process leaves it.
func begin(t *testing.T, run *results.Run) *results.Folder {
	t.Helper()
	folder, err := results.Create(filepath.Join(t.TempDir(), "run"), run.Manifest, []byte("name: tiny\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range run.Intervals {
		if err := folder.AppendInterval(i); err != nil {
			t.Fatal(err)
		}
	}
	for _, trial := range run.Trials {
		if err := folder.AppendTrial(trial); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// finish writes the complete run and returns its folder.
func finish(t *testing.T, run *results.Run) string {
	t.Helper()
	finished, err := begin(t, run).Finish(run.Manifest, nothing)
	if err != nil {
		t.Fatal(err)
	}
	same(t, finished, run)
	return finished.Path
}

// nothing derives no files.
func nothing(*results.Run) error { return nil }

func open(t *testing.T, path string) *results.Run {
	t.Helper()
	run, err := results.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// same fails the test unless both runs have the same measurements.
func same(t *testing.T, got, want *results.Run) {
	t.Helper()
	for name, pair := range map[string][2]any{
		"manifest":  {got.Manifest, want.Manifest},
		"trials":    {got.Trials, want.Trials},
		"intervals": {got.Intervals, want.Intervals},
	} {
		if diff := cmp.Diff(asJSON(t, pair[1]), asJSON(t, pair[0])); diff != "" {
			t.Errorf("%s differ (-want +got):\n%s", name, diff)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// inMemory copies a folder into memory, to corrupt it quickly.
func inMemory(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		files[e.Name()] = &fstest.MapFile{Data: read(t, dir, e.Name())}
	}
	return files
}
