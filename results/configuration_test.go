//go:build !race

package results_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
	"pushbench/results/summary"
)

func swept() *results.Run {
	return synthetic.Sweep(2, time.Second, []string{"nethttp", "fasthttp"}, []time.Duration{0, 5 * time.Millisecond})
}

// store writes a run as a measurement does, and returns its folder.
func store(t *testing.T, run *results.Run) string {
	t.Helper()
	f, err := results.Create(filepath.Join(t.TempDir(), "run"), run.Manifest, []byte("name: swept\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range run.Trials {
		if err := f.AppendTrial(tr); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range run.Intervals {
		if err := f.AppendInterval(i); err != nil {
			t.Fatal(err)
		}
	}
	finished, err := f.Finish(run.Manifest, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return finished.Path
}

func TestSweepOfAReferenceHasARowPerConfiguration(t *testing.T) {
	run := swept()
	read, err := results.Open(store(t, run))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run.Manifest.Configurations, read.Manifest.AllConfigurations()); diff != "" {
		t.Errorf("configurations -want +got:\n%s", diff)
	}
	s := summary.Of(read)
	if len(s.Rows) != 14 || s.ValidRepetitions != 2 {
		t.Fatalf("%d rows, %d valid repetitions; want 14 and 2", len(s.Rows), s.ValidRepetitions)
	}
	for _, r := range s.Rows {
		if len(r.Trials) != 2 || r.Trials[0].Library != r.Library || r.Trials[0].BatchingDelay != r.BatchingDelay {
			t.Errorf("%s has %d trials, the first %+v", r.Name, len(r.Trials), r.Trials[0].ConfigurationName())
		}
	}
	if !read.Manifest.SweptBatchingDelay() || !read.Manifest.Sweeps() {
		t.Error("the manifest does not report the sweep")
	}
}

// An invalid trial of one configuration does not affect the other configurations of its transport.
func TestInvalidTrialOfAReferenceAffectsOnlyItsConfiguration(t *testing.T) {
	run := swept()
	invalid := &run.Trials[2]
	invalid.Status, invalid.Reason = results.Invalid, "late"
	for _, e := range summary.Of(run).Excluded {
		if e.Repeated {
			t.Errorf("%s counts as repeated by a trial of another configuration", e.Trial)
		}
	}
	if row, _ := summary.Of(run).Row(invalid.Configuration); len(row.Trials) != 1 {
		t.Errorf("%s has %d valid trials, want 1", invalid.Configuration, len(row.Trials))
	}
}

func TestManifestOfAReferenceWithoutConfigurations(t *testing.T) {
	run := synthetic.Run(1, time.Second)
	var names []string
	for _, c := range run.Manifest.AllConfigurations() {
		names = append(names, c.Name)
		if c.Library != "reference" || c.Variant() != "" || c.Key() != c.Transport || c.FileName() != c.Transport {
			t.Errorf("%+v: key %s, file %s", c, c.Key(), c.FileName())
		}
	}
	if diff := cmp.Diff(run.Manifest.Transports, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if m := run.Manifest; m.Sweeps() || m.SweptBatchingDelay() {
		t.Error("it reports a sweep")
	}
}

// The committed run opens, and each of its rows has trials.
func TestAReferenceOpens(t *testing.T) {
	run, err := results.Open("reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range summary.Of(run).Rows {
		if r.Name != r.Transport || len(r.Trials) == 0 {
			t.Errorf("%s: %d trials", r.Name, len(r.Trials))
		}
	}
}

func TestAReferenceWithAnInvalidConfigurationIsRefused(t *testing.T) {
	for name, corrupt := range map[string]func(*results.Run){
		"a trial of an unknown configuration":                func(r *results.Run) { r.Trials[3].Configuration = "longpoll batching_delay=7ms" },
		"an interval of an unknown configuration":            func(r *results.Run) { r.Intervals[3].Configuration = "longpoll batching_delay=7ms" },
		"a trial with the wrong transport":                   func(r *results.Run) { r.Trials[0].Transport = "sse" },
		"a duplicate trial":                                  func(r *results.Run) { r.Trials[1] = r.Trials[0] },
		"a duplicate configuration":                          func(r *results.Run) { r.Manifest.Configurations[1] = r.Manifest.Configurations[0] },
		"a configuration of an unknown transport":            func(r *results.Run) { r.Manifest.Configurations[0].Transport = "pigeon" },
		"a configuration that is a path":                     func(r *results.Run) { r.Manifest.Configurations[0].Name = "shortpoll ../x=1" },
		"a configuration with the name of another transport": func(r *results.Run) { r.Manifest.Configurations[0].Name = "sse library=x" },
		"a negative batching delay":                          func(r *results.Run) { r.Manifest.Configurations[3].BatchingDelay = -1 },
		"a negative batching delay in a trial":               func(r *results.Run) { r.Trials[0].BatchingDelay = -1 },
	} {
		run := synthetic.Sweep(1, time.Second, []string{"nethttp", "fasthttp"}, []time.Duration{0, 5 * time.Millisecond})
		corrupt(run)
		if err := writeAndOpen(t, run); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// writeAndOpen returns the error of writing or reading the run.
func writeAndOpen(t *testing.T, run *results.Run) error {
	t.Helper()
	f, err := results.Create(filepath.Join(t.TempDir(), "run"), run.Manifest, []byte("name: swept\n"))
	if err != nil {
		return err
	}
	for _, tr := range run.Trials {
		err = errors.Join(err, f.AppendTrial(tr))
	}
	for _, i := range run.Intervals {
		err = errors.Join(err, f.AppendInterval(i))
	}
	finished, failed := f.Finish(run.Manifest, nothing)
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	_, err = results.Open(finished.Path)
	return err
}

// A target file may have a name of 64 characters.
func TestAReferenceHasTheLongestNameOfATarget(t *testing.T) {
	run := swept()
	name := strings.Repeat("a", 64)
	run.Manifest.Configurations = append(run.Manifest.Configurations, results.Configuration{Name: "sse target=" + name, Transport: "sse", Target: name})
	f, err := results.Create(filepath.Join(t.TempDir(), "run"), run.Manifest, []byte("name: swept\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Finish(run.Manifest, nothing); err != nil {
		t.Error(err)
	}
}
