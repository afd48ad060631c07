//go:build !race

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushbench/cmd/internal/app"
	"pushbench/results"
)

// A tampering is a change to a run folder or a file, and what the commands that open it do.
type tampering struct {
	name     string
	change   func(path string) error // of the folder "run", which is a valid run
	commands []string
	code     app.Code
	says     string // part of the output
	ordinary bool   // as a user who is not root
}

// Every command that opens a run, a scenario, a target or prices answers with an exit code and one sentence, within
// a bound of CPU time and memory. No control character of a file reaches the terminal, and nothing outside the
// folder is written.
func TestTamperedFilesExhaustively(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, row := range tamperings(t) {
		t.Run(row.name, func(t *testing.T) {
			base := t.TempDir()
			t.Chdir(base)
			writeRun(t, "run")
			if err := errors.Join(os.WriteFile("beside", []byte("beside"), 0o644), os.Mkdir("folder", 0o755), row.change("run")); err != nil {
				t.Fatal(err)
			}
			before := outside(t)
			for _, line := range row.commands {
				row.try(t, line)
			}
			_ = os.Chmod("run", 0o755) // so that it can be removed
			if after := outside(t); after != before {
				t.Errorf("outside the folder there was\n%sand is\n%s", before, after)
			}
		})
	}
}

func (row tampering) try(t *testing.T, line string) {
	var stdout, stderr bytes.Buffer
	var code int
	cpu, allocated := spent(func() {
		if row.ordinary {
			defer asOrdinaryUser()()
		}
		code = run(context.Background(), strings.Fields(line), strings.NewReader(""), &stdout, &stderr)
	})
	all := stderr.String() + stdout.String()
	if app.Code(code) != row.code || !strings.Contains(all, row.says) || stderr.Len() == 0 && row.code != app.OK {
		t.Errorf("%s: exit code %d, want %d and %q:\n%s", line, code, row.code, row.says, all)
	}
	if lines := strings.Count(stderr.String(), "\n"); lines > 1 {
		t.Errorf("%s: %d lines, want one:\n%s", line, lines, stderr.String())
	}
	if i := strings.IndexFunc(all, func(r rune) bool { return results.Controls(r) && r != '\n' && r != '\t' }); i >= 0 {
		t.Errorf("%s: a control character is printed: %q", line, all[max(0, i-40):i+10])
	}
	if cpu > 10*time.Second || allocated > 1<<30 {
		t.Errorf("%s: took %v of CPU time and %d MiB", line, cpu, allocated>>20)
	}
}

// asOrdinaryUser takes root's right to write everywhere from this goroutine's thread, until the function that it returns is
// called.
func asOrdinaryUser() (restore func()) {
	if os.Geteuid() != 0 {
		return func() {}
	}
	const unprivileged = 65534
	runtime.LockOSThread()
	_ = syscall.Setfsuid(unprivileged) // of this thread only: setfsuid(2)
	return func() {
		_ = syscall.Setfsuid(0)
		runtime.UnlockOSThread()
	}
}

// spent returns the CPU time of this process and the bytes that it allocated.
func spent(f func()) (time.Duration, uint64) {
	var before, after runtime.MemStats
	var began, ended syscall.Rusage
	runtime.ReadMemStats(&before)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &began)
	f()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ended)
	runtime.ReadMemStats(&after)
	return time.Duration(ended.Utime.Nano() + ended.Stime.Nano() - began.Utime.Nano() - began.Stime.Nano()), after.TotalAlloc - before.TotalAlloc
}

// outside lists what is beside the run folder.
func outside(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == "run":
			return fs.SkipDir
		}
		info, err := entry.Info()
		size := int64(0)
		if err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		fmt.Fprintln(&all, path, info.Mode(), size)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// sealed is a line of a run folder's file.
func sealed(kind string, value any) []byte {
	body, _ := json.Marshal(value)
	return sealedText(kind, string(body))
}

func sealedText(kind, body string) []byte {
	return fmt.Appendf(nil, "{\"crc32c\":\"%08x\",%q:%s}\n", crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli)), kind, body)
}

// instead replaces a file by what is made in its place.
func instead(made func(path string) error) func(string) error {
	return func(path string) error { return errors.Join(os.RemoveAll(path), made(path)) }
}

// edited replaces the content of a file.
func edited(change func([]byte) []byte) func(string) error {
	return func(path string) error {
		data, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(path, change(data), 0o644))
	}
}

// replacements are those of a file.
var replacements = map[string]func(path string) error{
	"missing":         instead(func(string) error { return nil }),
	"folder":          instead(func(path string) error { return os.Mkdir(path, 0o755) }),
	"named pipe":      instead(func(path string) error { return syscall.Mkfifo(path, 0o644) }),
	"device":          instead(func(path string) error { return os.Symlink("/dev/zero", path) }),
	"link elsewhere":  instead(func(path string) error { return os.Symlink("../beside", path) }),
	"link to itself":  instead(func(path string) error { return os.Symlink(filepath.Base(path), path) }),
	"8 GiB":           instead(func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 8<<30)) }),
	"empty":           edited(func([]byte) []byte { return nil }),
	"cut":             edited(func(data []byte) []byte { return data[:len(data)/2] }),
	"bit flipped":     edited(func(data []byte) []byte { data[len(data)/2] ^= 1; return data }),
	"zeros":           edited(func([]byte) []byte { return make([]byte, 1<<20) }),
	"line of 9 MiB":   edited(func([]byte) []byte { return bytes.Repeat([]byte("x"), 9<<20) }),
	"control letters": edited(func([]byte) []byte { return []byte(hostile) }),
}

// hostile is text that changes a terminal, a page or a table that shows it as it is.
const hostile = "\x1b]0;title\x07\x1b[2J\u202e\u009b31m<script>alert(1)</script>|=1+1\r"

// resealed changes a value of the manifest or of the first trial, and its checksums.
func resealed(file, kind string, change func(body string) string) func(dir string) error {
	return func(dir string) error {
		path := filepath.Join(dir, file)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		body := data[len(fmt.Sprintf(`{"crc32c":"00000000",%q:`, kind)):bytes.LastIndexByte(data, '}')]
		changed := change(string(body))
		if changed == string(body) {
			return fmt.Errorf("%s is unchanged:\n%s", file, body)
		}
		return errors.Join(os.WriteFile(path, sealedText(kind, changed), 0o644), results.Seal(dir))
	}
}

// numbers are those of a JSON text that may have any value.
var numbers = regexp.MustCompile(`"(?:clients|topics|window_ns|warmup_ns|drain_ns|rtt_ns|repetitions|[a-z_]*bytes|[a-z_]*rate|[a-z]+_ns|expected|lost|delivered|planned)": ?[0-9]+`)

// huge makes numbers huge.
func huge(body string) string {
	return numbers.ReplaceAllStringFunc(body, func(field string) string {
		return field[:strings.IndexByte(field, ':')+1] + "999999999999999"
	})
}

func replacing(old, new string) func(string) string {
	return func(body string) string { return strings.Replace(body, old, new, 1) }
}

// openers are the commands that open a run.
var openers = []string{"report run", "plot run --out run/charts", "compare run run", "check run"}

// nothing changes nothing.
func nothing(string) error { return nil }

// fileOpeners are the commands that open a scenario, a target or prices.
var fileOpeners = []string{"list ./mine.yaml", "run ./mine.yaml", "run quick --target ./mine.yaml --transports sse", "verify ./mine.yaml", "trace --target ./mine.yaml", "report run --prices mine.yaml"}

// tinyTarget is a target with logins.
const tinyTarget = `version: 1
name: mine
url: http://127.0.0.1:1
login_file: logins
transports:
  sse: {path: "/{topic}?token={login}"}
publish: {post: "/{topic}"}
`

func tamperings(t *testing.T) (all []tampering) {
	add := func(rows ...tampering) { all = append(all, rows...) }
	in := func(file string, change func(string) error) func(string) error {
		return func(dir string) error { return change(filepath.Join(dir, file)) }
	}
	for what, change := range replacements {
		for _, file := range []string{"manifest.json", "scenario.yaml", "trials.jsonl", "intervals.jsonl", "SHA256SUMS"} {
			if file != "SHA256SUMS" || what != "missing" { // the folder of a killed run
				add(tampering{file + " " + what, in(file, change), openers, app.Corrupt, "corrupt result ", false})
			}
		}
	}
	for _, what := range []string{"folder", "named pipe", "device", "link elsewhere"} {
		add(tampering{"report.html " + what, in("report.html", replacements[what]), openers[:1], app.Internal, "write results to run/report.html: ", false})
		if what != "folder" {
			add(tampering{"charts " + what, in("charts", replacements[what]), openers[1:2], app.Usage, "--out: ", false})
		}
		add(tampering{"extra file " + what, in("extra", replacements[what]), openers[:1], app.OK, "Valid for 1 client", false})
	}
	for what, change := range replacements {
		if what != "cut" && what != "bit flipped" && what != "link elsewhere" { // may be valid, or a way to give a file
			add(tampering{"scenario, target or prices " + what, func(string) error {
				return errors.Join(os.WriteFile("mine.yaml", []byte(tinyScenario), 0o644), change("mine.yaml"))
			}, fileOpeners, app.Usage, "mine.yaml", false})
			add(tampering{"logins " + what, func(string) error {
				return errors.Join(os.WriteFile("mine.yaml", []byte(tinyTarget), 0o644), os.WriteFile("logins", []byte("secret\n"), 0o600), change("logins"))
			}, fileOpeners[2:4], app.Usage, "logins", false})
		}
	}
	var invalid []byte
	for i := range 10_000 {
		checks := []results.ValidityCheck{{Name: hostile, Detail: hostile}, {Name: fmt.Sprint("check ", i)}}
		invalid = append(invalid, sealed("trial", results.Trial{Repetition: i + 1, Transport: "sse", Status: results.Invalid, Checks: checks})...)
	}
	for value, says := range map[string]string{
		`"publish_rate": 1.7e308`: "publish_rate", `"publish_rate": NaN`: "invalid character", `"publish_rate": 1e400`: "1e400", `"publish_rate": -1`: "negative",
	} {
		add(tampering{value, resealed("manifest.json", "manifest", replacing(`"publish_rate": 4`, value)), openers, app.Corrupt, says, false})
	}
	add(
		tampering{"nothing", nothing, openers[2:3], app.Inconclusive, "A and B are the same run", false},
		tampering{"no facts of the machine", nothing, []string{"report run --format markdown"}, app.OK, "This run cannot be repeated exactly", false},
		tampering{"a folder that may not be written", func(dir string) error { return os.Chmod(dir, 0o555) }, openers[:1], app.Internal, "Valid for 1 client", true},
		tampering{"the rest of a killed write", in(".tmp-ABCDEFGHIJKLMNOPQRSTUVWXYZ", func(path string) error { return os.WriteFile(path, []byte("half"), 0o600) }), openers[:1], app.OK, "Valid for 1 client", false},
		tampering{"negative cores", resealed("manifest.json", "manifest", replacing(`"server": null`, `"server": [-3]`)), openers, app.Corrupt, "pinning.server is negative: -3", false},
		tampering{"10,000 INVALID trials", func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, "trials.jsonl"), invalid, 0o644), results.Seal(dir))
		}, openers[:1], app.OK, "", false},
		tampering{"a scenario's name that controls terminals", resealed("manifest.json", "manifest", replacing(`"scenario": "tiny"`, `"scenario": `+quoted(hostile))), openers[:2], app.OK, "", false},
		tampering{"a reason that controls terminals", resealed("manifest.json", "manifest", replacing(`"COMPLETE"`, `"INVALID", "reason": `+quoted(hostile))), []string{"compare run run", "check run"}, app.Invalid, "run is INVALID", false},
		tampering{"a target file that starts a program", func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, "target.yaml"), []byte("version: 1\nname: evil\nstart: {command: [touch, ../started]}\n"), 0o644),
				resealed("manifest.json", "manifest", replacing(`"schema": 2`, `"schema": 2, "targets": [{"name": "evil", "file": "run/target.yaml", "sha256": ""}]`))(dir),
				os.WriteFile(filepath.Join(dir, "scenario.yaml"), []byte(tinyScenario+"sweep: {target: [evil]}\n"), 0o644), results.Seal(dir))
		}, []string{"check run"}, app.Usage, "give it with --target run/target.yaml", false},
		tampering{"huge numbers in the manifest", resealed("manifest.json", "manifest", huge), openers[:2], app.OK, "", false},
		tampering{"huge numbers in a trial", resealed("trials.jsonl", "trial", func(body string) string {
			return huge(replacing(`"COMPLETE"`, `"INVALID"`)(body))
		}), openers[:1], app.OK, "", false},
	)
	return all
}

// quoted is text as JSON.
func quoted(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}
