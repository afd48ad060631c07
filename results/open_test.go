package results_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// measured are the files in which any corruption must be detected.
var measured = []string{"manifest.json", "scenario.yaml", "trials.jsonl", "intervals.jsonl"}

// rewrite replaces a file of a folder.
func rewrite(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// isCorrupt fails the test unless err is a CorruptError.
func isCorrupt(t *testing.T, err error, format string, args ...any) {
	t.Helper()
	var corrupt *results.CorruptError
	if !errors.As(err, &corrupt) {
		t.Errorf("%s: got %v, want a CorruptError", fmt.Sprintf(format, args...), err)
	}
}

func refused(t *testing.T, dir, why string) {
	t.Helper()
	_, err := results.Open(dir)
	isCorrupt(t, err, "%s", why)
}

// reseal changes a line and updates its checksum, to test the validation that follows the
// checksum.
func reseal(kind, line, old, new string) string {
	prefix := fmt.Sprintf(`{"crc32c":"00000000",%q:`, kind)
	body := strings.Replace(line[len(prefix):len(line)-len("}\n")], old, new, 1)
	sum := crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli))
	return fmt.Sprintf("{\"crc32c\":\"%08x\",%q:%s}\n", sum, kind, body)
}

func TestImpossibleValuesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, file, kind, old, new, want string }{
		{"newer schema", "manifest.json", "manifest", `"schema": 2`, `"schema": 3`, "its schema is 3, and this pushbench reads 1 to 2: use the pushbench that wrote it"},
		{"older schema", "manifest.json", "manifest", `"schema": 2`, `"schema": 0`, "its schema is 0"},
		{"newer schema with new fields", "manifest.json", "manifest", `"schema": 2`, `"schema": 3, "moon": 1`, "its schema is 3"},
		{"unknown field", "manifest.json", "manifest", `"schema": 2`, `"schema": 2, "moon": 1`, "moon"},
		{"name of version 1 in a manifest", "manifest.json", "manifest", `"repetitions": 1`, `"blocks": 1`, `unknown field "blocks"`},
		{"name of version 1 in a trial", "trials.jsonl", "trial", `"expected":4`, `"owed":4`, `unknown field "owed"`},
		{"name of version 1 in an interval", "intervals.jsonl", "interval", `"repetition":1`, `"block":1`, `unknown field "block"`},
		{"status of version 1", "trials.jsonl", "trial", `"COMPLETE"`, `"SATURATED"`, "unknown status"},
		{"unknown status", "manifest.json", "manifest", `"INTERRUPTED"`, `"PARTLY"`, "unknown status"},
		{"ended before it started", "manifest.json", "manifest", `"2025-11-22T19:01:00Z"`, `"2025-11-22T18:01:00Z"`, "before it started"},
		{"name of a transport", "manifest.json", "manifest", `"sse"`, `"../sse"`, "invalid transport name"},
		{"negative clients", "manifest.json", "manifest", `"clients": 1`, `"clients": -1`, "negative"},
		{"number too large", "manifest.json", "manifest", `"publish_rate": 0`, `"publish_rate": 1e400`, "1e400"},
		{"no number", "manifest.json", "manifest", `"publish_rate": 0`, `"publish_rate": NaN`, "invalid character"},
		{"ledger", "trials.jsonl", "trial", `"expected":4`, `"expected":5`, "expected = delivered"},
		{"received", "trials.jsonl", "trial", `"received":3`, `"received":4`, "received = delivered"},
		{"publishes", "trials.jsonl", "trial", `"planned":4`, `"planned":5`, "planned = on time"},
		{"acknowledgements", "trials.jsonl", "trial", `"sent":4`, `"sent":5`, "sent = acknowledged"},
		{"lost but not infinite", "trials.jsonl", "trial", `"infinite":1`, `"infinite":0`, "infinite latencies"},
		{"negative", "trials.jsonl", "trial", `"cpu_ns":0`, `"cpu_ns":-1`, "negative"},
		{"transport not in the manifest", "trials.jsonl", "trial", `"sse"`, `"ssf"`, "not in the manifest"},
		{"event before the window", "trials.jsonl", "trial", `"repetition":1`, `"repetition":1,"events":[{"at_ns":-1,"took_ns":1,"what":"x"}]`, "events[].at_ns is negative"},
		{"two values", "trials.jsonl", "trial", `"repetition":1`, `"repetition":1}{"repetition":1`, ""},
		{"histogram count", "trials.jsonl", "trial", `"count":3`, `"count":4`, "a count of 4"},
		{"histogram maximum", "trials.jsonl", "trial", `"max_ns":900000`, `"max_ns":100000`, "its maximum is"},
		{"histogram not base64", "trials.jsonl", "trial", `"hdr":"`, `"hdr":"%`, "base64"},
		{"interval count", "intervals.jsonl", "interval", `"counted":0`, `"counted":1`, "1 counted"},
		{"endless interval", "intervals.jsonl", "interval", `"length_ns":1000000000`, `"length_ns":1000000000000000`, "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := begin(t, tiny()).Path()
			first, rest, _ := strings.Cut(string(read(t, dir, c.file)), "}\n"+`{"crc32c"`)
			if rest != "" {
				first, rest = first+"}\n", `{"crc32c"`+rest
			}
			changed := reseal(c.kind, first, c.old, c.new)
			if changed == first {
				t.Fatalf("%s does not hold %s:\n%s", c.file, c.old, first)
			}
			rewrite(t, dir, c.file, []byte(changed+rest))
			refused(t, dir, c.name)
			if _, err := results.Open(dir); !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q, want %q in it", err, c.want)
			}
		})
	}
}

// Earlier versions wrote latency.hlog during the run. It is a report now: it may be older, changed or missing.
func TestIntervalLogOfEarlierVersionsIsAReport(t *testing.T) {
	finished, err := begin(t, tiny()).Finish(tiny().Manifest, func(run *results.Run) error {
		rewrite(t, run.Path, "latency.hlog", []byte("#[Delivery latency in nanoseconds, one tag a transport]\n"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, open(t, finished.Path), tiny())
	rewrite(t, finished.Path, "latency.hlog", []byte("other\n"))
	if got := open(t, finished.Path).Warnings; len(got) != 1 || !strings.HasPrefix(got[0], "latency.hlog was modified") {
		t.Errorf("warnings %q, want one about latency.hlog", got)
	}
	if err := os.Remove(filepath.Join(finished.Path, "latency.hlog")); err != nil {
		t.Fatal(err)
	}
	same(t, open(t, finished.Path), tiny())
}

func TestDuplicateTrialIsRefused(t *testing.T) {
	dir := begin(t, tiny()).Path()
	line := read(t, dir, "trials.jsonl")
	rewrite(t, dir, "trials.jsonl", append(line, line...))
	refused(t, dir, "the same trial twice")
}

func TestOtherFolderIsRefused(t *testing.T) {
	refused(t, t.TempDir(), "empty folder")
	if _, err := results.Open(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	if _, err := results.Open("open_test.go"); err == nil {
		t.Error("a file was opened as a folder")
	}
}

// Opening a pipe blocks until it has a writer, and a link may leave the folder.
func TestOnlyRegularFilesOfTheFolderAreRead(t *testing.T) {
	for _, c := range []struct {
		name    string
		replace func(path string) error
	}{
		{"pipe", func(path string) error { return syscall.Mkfifo(path, 0o644) }},
		{"folder", func(path string) error { return os.Mkdir(path, 0o755) }},
		{"device", func(path string) error { return os.Symlink("/dev/zero", path) }},
		{"link out of the folder", func(path string) error { return os.Symlink("/etc/hostname", path) }},
		{"too large", func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<33)) }},
		{"missing", func(string) error { return nil }},
	} {
		for _, name := range []string{"manifest.json", "trials.jsonl"} {
			dir := begin(t, tiny()).Path()
			path := filepath.Join(dir, name)
			if err := errors.Join(os.Remove(path), c.replace(path)); err != nil {
				t.Fatal(err)
			}
			refused(t, dir, c.name)
		}
	}
}

func TestLineLengthIsLimited(t *testing.T) {
	dir := begin(t, tiny()).Path()
	rewrite(t, dir, "trials.jsonl", bytes.Repeat([]byte("x"), 9<<20))
	refused(t, dir, "a line of 9 MiB")
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	folder, err := results.Create(filepath.Join(dir, "run"), tiny().Manifest, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, i := range tiny().Intervals {
		if err := folder.AppendInterval(i); err != nil {
			f.Fatal(err)
		}
	}
	if err := folder.AppendTrial(tiny().Trials[0]); err != nil {
		f.Fatal(err)
	}
	whole := folder.Path()
	f.Add(read(f, whole, "manifest.json"), read(f, whole, "trials.jsonl"), read(f, whole, "intervals.jsonl"), []byte(""))
	f.Fuzz(func(t *testing.T, manifest, trials, intervals, sums []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{"manifest.json": manifest, "trials.jsonl": trials, "intervals.jsonl": intervals, "scenario.yaml": nil} {
			rewrite(t, dir, name, data)
		}
		if len(sums) > 0 {
			rewrite(t, dir, "SHA256SUMS", sums)
		}
		run, err := results.Open(dir)
		var corrupt *results.CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			t.Fatalf("an error that is not a CorruptError: %v", err)
		}
		if err == nil {
			summary.Of(run) // an accepted run can be summarized
		}
	})
}

// A manifest of a few megabytes cannot keep a report busy for hours, nor fill the terminal.
func TestListsOfAFolderAreBounded(t *testing.T) {
	for name, change := range map[string]func(m *results.Manifest){
		"transports has 65 items; allowed: at most 64": func(m *results.Manifest) { m.Transports = make([]string, 65) },
		"configurations has 1025 items":                func(m *results.Manifest) { m.Configurations = make([]results.Configuration, 1025) },
		"assertions has 257 items":                     func(m *results.Manifest) { m.Assertions = make([]metric.Assertion, 257) },
		"requirements has 257 items":                   func(m *results.Manifest) { m.Requirements = make([]metric.Assertion, 257) },
	} {
		m := tiny().Manifest
		change(&m)
		if _, err := results.Create(filepath.Join(t.TempDir(), "run"), m, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q in it", err, name)
		}
	}
	run := tiny()
	for i := range 1000 {
		run.Intervals = append(run.Intervals, results.Interval{Repetition: 2 + i, Transport: "sse", At: time.Second, Length: time.Second})
	}
	read, err := results.Open(begin(t, run).Path())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(read.Warnings); n > 12 || !strings.Contains(strings.Join(read.Warnings, "\n"), "990 more trials were interrupted") {
		t.Errorf("%d warnings: %.300q", n, read.Warnings)
	}
}
