package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushbench/cmd/internal/app"
	"pushbench/results"
)

// The reader of standard output, such as head or a pager, may end before the table does.
func TestFilesAreWrittenBeforeTheTable(t *testing.T) {
	t.Chdir(t.TempDir())
	writeRun(t, "run")
	args := strings.Fields("compare run run --out compared --junit j.xml --comment c.md")
	if code := run(context.Background(), args, strings.NewReader(""), closedPipe{}, io.Discard); code == 0 {
		t.Error("the missing table is no error")
	}
	for _, file := range []string{"compared/compare.html", "compared/comparisons.csv", "j.xml", "c.md"} {
		if _, err := os.Stat(filepath.FromSlash(file)); err != nil {
			t.Error(err)
		}
	}
}

// What a full disk loses is no success, also of commands that do not look at the errors of their output.
func TestLostOutputIsAnError(t *testing.T) {
	for _, line := range []string{"help", "run --help", "run chat --dry-run", "list", "schema", "completion bash", "--version"} {
		if code := run(context.Background(), strings.Fields(line), strings.NewReader(""), closedPipe{}, io.Discard); code != int(app.Internal) {
			t.Errorf("%s: exit code %d, want %d", line, code, app.Internal)
		}
	}
}

// A closedPipe has no reader.
type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// writeRun writes a valid run of one trial.
func writeRun(t *testing.T, path string) {
	t.Helper()
	started := time.Date(2025, 11, 22, 19, 0, 0, 0, time.UTC)
	m := results.Manifest{
		Status: results.Complete, Started: started, Ended: started.Add(time.Minute), Repetitions: 1, Transports: []string{"sse"},
		Workload: results.Workload{Scenario: "tiny", Clients: 1, Topics: 1, PublishRate: 4, DeliveryRate: 4, PayloadBytes: 64, Window: time.Second},
	}
	folder, err := results.Create(path, m, []byte(tinyScenario))
	if err != nil {
		t.Fatal(err)
	}
	interval := results.Interval{Repetition: 1, Transport: "sse", At: time.Second, Length: time.Second}
	if err := errors.Join(folder.AppendInterval(interval), folder.AppendTrial(results.Trial{Repetition: 1, Position: 1, Transport: "sse", Status: results.Complete, Started: started, Took: time.Second})); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Finish(m, func(*results.Run) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

// tinyScenario is that of writeRun.
const tinyScenario = `version: 1
name: tiny
transports: [sse]
clients: {count: 1}
publish: {by: backend, rate: 4/s}
payload: {size: 64B}
warmup: 100ms
window: 1s
assertions: [lost == 0]
`

// A target file that does not fit on the disk leaves no half of it, which the next attempt would refuse to replace.
func TestTargetFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	if path := os.Getenv("PUSHBENCH_SMALL_FILES"); path != "" {
		tight := syscall.Rlimit{Cur: 512, Max: 512}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
			t.Fatal(err)
		}
		os.Exit(run(context.Background(), []string{"target", "new", "--out", path}, strings.NewReader(""), io.Discard, os.Stdout))
	}
	path := filepath.Join(t.TempDir(), "mine.yaml")
	command := exec.Command(os.Args[0], "-test.run=^TestTargetFileIsWrittenWholeOrNotAtAll$")
	command.Env = append(os.Environ(), "PUSHBENCH_SMALL_FILES="+path)
	said, err := command.CombinedOutput()
	if want := "pushbench: write results to " + path + ": the file would exceed the size limit\n"; err == nil || string(said) != want {
		t.Errorf("got %q (%v), want %q", said, err, want)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// What a command reads, or a run has measured, is never replaced by what it writes.
func TestInputIsNeverReplaced(t *testing.T) {
	t.Chdir(t.TempDir())
	writeRun(t, "run")
	files := []string{"mine.yaml", "target.yaml", "prices.yaml", "base"}
	for _, file := range files {
		if err := os.WriteFile(file, []byte(file), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("mine.yaml", "link"), os.Link("mine.yaml", "hard"), os.Symlink("run/trials.jsonl", "trials")); err != nil {
		t.Fatal(err)
	}
	before := contents(t)
	for line, want := range map[string]string{
		"run ./mine.yaml --junit mine.yaml":                    "--junit: ./mine.yaml is a file that the command reads",
		"run ./mine.yaml --comment link":                       "--comment: ./mine.yaml is a file that the command reads",
		"run ./mine.yaml --junit hard":                         "--junit: ./mine.yaml is a file that the command reads",
		"run quick --target target.yaml --junit target.yaml":   "--junit: target.yaml is a file that the command reads",
		"run quick --prices prices.yaml --comment prices.yaml": "--comment: prices.yaml is a file that the command reads",
		"run quick --baseline base --junit ./base":             "--junit: base is a file that the command reads",
		"report run --prices prices.yaml --junit prices.yaml":  "--junit: prices.yaml is a file that the command reads",
		"report run --junit run/manifest.json":                 "--junit: manifest.json holds what the run run measured",
		"report run --comment run/SHA256SUMS":                  "--comment: SHA256SUMS holds what the run run measured",
		"compare run run --junit run/scenario.yaml":            "--junit: scenario.yaml holds what the run run measured",
		"check run --junit trials":                             "--junit: trials.jsonl holds what the run ",
		"compare run run --out run":                            "--out: run is the folder of a run",
	} {
		var stderr strings.Builder
		if code := run(t.Context(), strings.Fields(line), strings.NewReader(""), io.Discard, &stderr); code != int(app.Usage) || !strings.HasPrefix(stderr.String(), "pushbench: "+want) {
			t.Errorf("%s: exit code %d, want %d and %q: %s", line, code, app.Usage, want, stderr.String())
		}
	}
	if after := contents(t); after != before {
		t.Errorf("the folder held\n%sand holds\n%s", before, after)
	}
}

// contents lists all files of the working directory with their checksums.
func contents(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			sum, problem := results.Checksum(path)
			all.WriteString(path + " " + sum + "\n")
			err = problem
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
