package results_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
)

func TestRunRoundTrip(t *testing.T) {
	want := synthetic.Run(1, time.Second)
	path := finish(t, want)
	got := open(t, path)
	same(t, got, want)
	if len(got.Warnings) != 0 {
		t.Errorf("warnings of a finished run: %q", got.Warnings)
	}
	if filepath.Base(path) != "run" {
		t.Errorf("finished as %s, want its final name", path)
	}
}

func TestCreateRefusesAnExistingFolder(t *testing.T) {
	for _, taken := range []string{"run", "run.partial/charts"} {
		path := filepath.Join(t.TempDir(), "run")
		if err := os.MkdirAll(filepath.Join(filepath.Dir(path), taken), 0o755); err != nil {
			t.Fatal(err)
		}
		_, err := results.Create(path, tiny().Manifest, nil)
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("with %s there: got %v, want that it already exists", taken, err)
		}
	}
}

// A run that was killed before it wrote anything leaves an empty folder, which is not in the way.
func TestCreateReplacesAnEmptyUnfinishedFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	if err := os.Mkdir(results.Unfinished(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := results.Create(path, tiny().Manifest, nil); err != nil {
		t.Error(err)
	}
}

func TestCreateMakesParentFolders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "run")
	if _, err := results.Create(path, tiny().Manifest, nil); err != nil {
		t.Fatal(err)
	}
}

func TestKilledRunIsPartial(t *testing.T) {
	want := tiny()
	folder := begin(t, want)
	got := open(t, folder.Path())
	if got.Manifest.Status != results.Partial || got.Manifest.Reason == "" {
		t.Errorf("status %s %q, want INTERRUPTED and a reason", got.Manifest.Status, got.Manifest.Reason)
	}
	if len(got.Trials) != 1 || len(got.Intervals) != 2 {
		t.Errorf("%d trials and %d intervals kept, want 1 and 2", len(got.Trials), len(got.Intervals))
	}
	if _, err := results.Open(strings.TrimSuffix(folder.Path(), ".partial")); err == nil || !strings.Contains(err.Error(), ".partial") {
		t.Errorf("opening the final name: %v, want a hint at the partial folder", err)
	}
}

func TestInterruptedTrialIsReported(t *testing.T) {
	run := tiny()
	run.Trials = nil
	got := open(t, begin(t, run).Path())
	if !strings.Contains(strings.Join(got.Warnings, "\n"), "repetition 1 sse was interrupted: 2 of its intervals") {
		t.Errorf("warnings %q do not name the interrupted trial", got.Warnings)
	}
}

func TestFinishKeepsThePartialName(t *testing.T) {
	run := tiny()
	run.Manifest.Status, run.Manifest.Reason = results.Partial, "interrupted"
	path := finish(t, run)
	if !strings.HasSuffix(path, ".partial") {
		t.Errorf("finished as %s, want .partial kept", path)
	}
	same(t, open(t, path), run)
}

func TestFinishSealsDerivedFiles(t *testing.T) {
	run := tiny()
	finished, err := begin(t, run).Finish(run.Manifest, func(run *results.Run) error {
		if len(run.Trials) != 1 || len(run.Warnings) != 0 {
			t.Errorf("derive received %d trials and warnings %q", len(run.Trials), run.Warnings)
		}
		return os.WriteFile(filepath.Join(run.Path, "summary.csv"), []byte("a,b\n"), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	path := finished.Path
	check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = path
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(path, "summary.csv"), []byte("a,c\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := open(t, path); len(got.Warnings) != 1 {
		t.Errorf("warnings %q, want one about summary.csv", got.Warnings)
	}
	if err := results.Seal(path); err != nil {
		t.Fatal(err)
	}
	if got := open(t, path); len(got.Warnings) != 0 {
		t.Errorf("warnings %q after sealing it again", got.Warnings)
	}
}

func TestFailedReportKeepsTheRun(t *testing.T) {
	run, broken := tiny(), errors.New("no report")
	finished, err := begin(t, run).Finish(run.Manifest, func(*results.Run) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of derive", err)
	}
	same(t, open(t, finished.Path), run)
}

// On a full disk the final manifest cannot be written. The measurements are not lost.
func TestRunWithoutAFinalManifestIsReturned(t *testing.T) {
	run := tiny()
	folder := begin(t, run)
	if err := os.Chmod(filepath.Join(folder.Path(), "manifest.json"), 0o444); err != nil {
		t.Fatal(err)
	}
	finished, err := folder.Finish(run.Manifest, func(*results.Run) error { return errors.New("derived") })
	if err == nil || !strings.Contains(err.Error(), "read-only") || finished == nil {
		t.Fatalf("got %v (%v), want the run and an error about its manifest", finished, err)
	}
	same(t, finished, run)
	if got := open(t, finished.Path); got.Manifest.Status != results.Partial || len(got.Trials) != 1 {
		t.Errorf("the folder is %s with %d trials, want that of a killed run", got.Manifest.Status, len(got.Trials))
	}
}

func TestAppendRefusesInvalidValues(t *testing.T) {
	folder := begin(t, tiny())
	bad := tiny().Trials[0]
	bad.Repetition, bad.Ledger.Expected = 2, 5
	if err := folder.AppendTrial(bad); err == nil || !strings.Contains(err.Error(), "expected = delivered") {
		t.Errorf("a ledger that does not add up: got %v", err)
	}
	bad.Status = results.Invalid
	if err := folder.AppendTrial(bad); err != nil {
		t.Errorf("an INVALID trial: got %v", err)
	}
	if err := folder.AppendInterval(results.Interval{Transport: "sse", Delivered: -1}); err == nil {
		t.Error("a negative count was written")
	}
}

func TestConcurrentAppends(t *testing.T) {
	run := tiny()
	trial, interval := run.Trials[0], run.Intervals[1]
	run.Trials, run.Intervals = nil, nil
	folder := begin(t, run)
	var writers sync.WaitGroup
	for repetition := 1; repetition <= 8; repetition++ {
		writers.Go(func() {
			mine, last := interval, trial
			mine.Repetition, last.Repetition = repetition, repetition
			for range 3 {
				if err := folder.AppendInterval(mine); err != nil {
					t.Error(err)
				}
			}
			if err := folder.AppendTrial(last); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	finished, err := folder.Finish(run.Manifest, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if got := open(t, finished.Path); len(got.Trials) != 8 || len(got.Intervals) != 24 {
		t.Errorf("%d trials and %d intervals, want 8 and 24", len(got.Trials), len(got.Intervals))
	}
}
