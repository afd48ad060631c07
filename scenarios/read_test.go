package scenarios

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// small is the shortest scenario: it omits every field that has a default.
const small = `version: 1
name: small
clients:
  count: 10
publish:
  by: backend
  rate: 10/s
payload:
  size: 128B
window: 5s
`

func read(t testing.TB, text string) *Scenario {
	t.Helper()
	s, err := Read("small.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return s
}

func TestReadResolvesDefaults(t *testing.T) {
	want := &Scenario{
		Version:     1,
		Name:        "small",
		Transports:  []Transport{transports.ShortPoll, transports.LongPoll, transports.SSE, transports.WebSocket},
		Clients:     Clients{Count: 10, ConnectRate: 2000},
		Topics:      Topics{Count: 1, PerClient: 1, Spread: Even, Skew: 1},
		Publish:     Publish{By: ByBackend, Rate: 10, Arrivals: Poisson, Burst: 10},
		Payload:     Payload{Size: 128},
		Delivery:    Every,
		Network:     Network{Link: StreamLink},
		ShortPoll:   ShortPollSettings{Interval: Duration(time.Second), Pacing: FixedRate},
		LongPoll:    LongPollSettings{Timeout: Duration(25 * time.Second)},
		Idle:        Duration(time.Second),
		Warmup:      Duration(time.Second),
		Window:      Duration(5 * time.Second),
		Drain:       Duration(5 * time.Second),
		Repetitions: 4,
		Seed:        1,
		Compare:     Compare{Margin: 5},
		Servers:     1,
		Library:     Reference,
	}
	if diff := cmp.Diff(want, read(t, small)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadKeepsValues(t *testing.T) {
	want := &Scenario{
		Version:     1,
		Name:        "0all",
		Description: "Two lines, folded.",
		Question:    "Which?",

		ShortQuestion: "Which, in short?",
		Purpose:       Application,

		Transports:  []Transport{transports.WebSocket, transports.SSE},
		Clients:     Clients{Count: 1_000_000, ConnectRate: 0.5 * 1000},
		Topics:      Topics{Count: 100, PerClient: 3, Spread: Zipf, Skew: 1.25},
		Publish:     Publish{By: ByClients, Rate: 0.5, Arrivals: Burst, Burst: 2},
		Payload:     Payload{Sizes: []SizeWeight{{32, 9}, {65536, 0.5}}},
		Delivery:    Latest,
		Network:     Network{Link: StreamLink},
		ShortPoll:   ShortPollSettings{Interval: Duration(time.Millisecond), Pacing: FixedDelay, NewConnection: true},
		LongPoll:    LongPollSettings{Timeout: Duration(time.Second), BatchingDelay: Duration(20 * time.Millisecond), NewConnection: true},
		SSE:         PushSettings{BatchingDelay: Duration(time.Microsecond)},
		WebSocket:   PushSettings{BatchingDelay: Duration(time.Second)},
		Idle:        0,
		Warmup:      0,
		Window:      Duration(90 * time.Second),
		Drain:       Duration(2 * time.Second),
		Repetitions: 1000,
		Seed:        18446744073709551615,
		Compare:     Compare{Primary: []string{"cpu_per_message", "p999"}, Against: "sse", Margin: 2.5},
		Servers:     1,
		Library:     Reference,
	}
	got := read(t, `---
# A comment, and fields in another order.
seed: 18446744073709551615
name: 0all
"version": 1
description: >
  Two lines,
  folded.
question: 'Which?'
short_question: Which, in short?
purpose: application
transports:
- websocket
- sse
clients: {count: 1000000, connect_rate: 30000/min}
topics: {count: 100, per_client: 3, spread: zipf, skew: 1.25}
publish: {by: clients, rate: "30/min", arrivals: burst, burst: 2}
payload:
  sizes:
    - size: 32B
      weight: 9
    - {size: 64KiB, weight: 0.5}
delivery: latest
shortpoll: {interval: 1ms, pacing: fixed-delay, new_connection: true}
longpoll: {timeout: 1s, batching_delay: 20ms, new_connection: true}
sse: {batching_delay: 1µs}
websocket: {batching_delay: 1s}
idle: 0s
warmup: 0s
window: 1m30s
drain: 2s
repetitions: 1000
compare: {primary: [cpu_per_message, p999], against: sse, margin: 2.5%}
`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadAcceptsOtherLineEnds(t *testing.T) {
	want := read(t, small)
	for name, text := range map[string]string{
		"byte order mark": "\uFEFF" + small,
		"CRLF":            strings.ReplaceAll(small, "\n", "\r\n"),
		"no last newline": strings.TrimSuffix(small, "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, read(t, text)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestBroken reads testdata/broken/*.yaml, one mistake each, and compares the errors with
// testdata/broken.txt. Run with -update to rewrite it.
func TestBroken(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no broken scenarios: %v", err)
	}
	var got bytes.Buffer
	for _, file := range files {
		_, err := Load(file)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v, want an *Error", file, err)
			continue
		}
		got.WriteString(e.Error() + "\n")
	}
	compareGolden(t, "testdata/broken.txt", got.Bytes())
}

func compareGolden(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s -want +got:\n%s", golden, diff)
	}
}

func TestErrorIsData(t *testing.T) {
	_, err := Read("x.yaml", strings.NewReader(strings.Replace(small, "window: 5s", "window: 10", 1)))
	var got *Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want an *Error", err)
	}
	want := &Error{
		File: "x.yaml", Line: 10, Column: 9, Field: "window", Value: `"10"`,
		Message: "is not allowed; allowed: a duration with its unit, 1ms … 1h",
		Hint:    "the unit is missing, did you mean `10s`?",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Error{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadRejectsLargeFiles(t *testing.T) {
	comment := strings.Repeat("#", maxBytes-len(small)-1) + "\n"
	read(t, comment+small)
	_, err := Read("big.yaml", strings.NewReader("#"+comment+small))
	wantError(t, err, "big.yaml: is larger than 1 MiB, the limit for a file")
	_, err = Read("long.yaml", strings.NewReader(small+strings.Repeat("\n", maxText)))
	wantError(t, err, "long.yaml: is larger than 64 KiB without comments, the limit for a file")
}

func TestReadStopsAtTheLimit(t *testing.T) {
	_, err := Read("zero", zeros{})
	wantError(t, err, "zero: is larger than 1 MiB, the limit for a file")
}

// zeros is a portable /dev/zero.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestReadReportsReadErrors(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, err := Read("disk.yaml", iotest.ErrReader(broken))
	wantError(t, err, "disk.yaml: cannot be read: the disk is gone")
	waits := &fs.PathError{Op: "read", Path: "kmsg", Err: os.ErrDeadlineExceeded} // a file of the kernel that waits for data
	wantError(t, unreadable("kmsg", waits), "kmsg: cannot be read: no data arrived for 5s")
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want it to wrap %v", err, broken)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(path, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := "no such scenario or file; allowed: " + strings.Join(Names(), ", ") + ", or the path of a YAML file"
	for _, c := range []struct{ arg, name, err string }{
		{"chat", "chat", ""},
		{"crowd", "crowd", ""},
		{path, "small", ""},
		{"chta", "", "chta: " + missing + "; did you mean `chat`?"},
		{"lubbers", "", "lubbers: " + missing + "; did you mean `papers/lubbers`?"},
		{"pimentl.yaml", "", "pimentl.yaml: " + missing + "; did you mean `papers/pimentel`?"},
		{"crowd.yaml.bak", "", "crowd.yaml.bak: " + missing},
		{"nothing/like/it.yaml", "", "nothing/like/it.yaml: " + missing},
		{"a\nb", "", `"a\nb": ` + missing},
		{dir, "", dir + ": is a directory; allowed: a regular file"},
		{pipe, "", pipe + ": is a named pipe; allowed: a regular file"},
		{"/dev/zero", "", "/dev/zero: is a device; allowed: a regular file"},
		{path + "/below", "", path + "/below: cannot be read: not a directory"},
	} {
		t.Run(c.arg, func(t *testing.T) {
			s, err := Load(c.arg)
			if c.err != "" {
				wantError(t, err, c.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.Name != c.name {
				t.Errorf("got scenario %q, want %q", s.Name, c.name)
			}
		})
	}
}

func TestEmbeddedScenarios(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			s, err := Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if s.Name != path.Base(name) || s.Description == "" || s.Question == "" || s.ShortQuestion == "" {
				t.Errorf("got name %q, description %q, question %q, short question %q: want its file's name and all texts", s.Name, s.Description, s.Question, s.ShortQuestion)
			}
			if _, err := Source(name); err != nil {
				t.Error(err)
			}
			if lab := strings.HasPrefix(name, "labs/"); lab != (s.Purpose == Lab) {
				t.Errorf("the purpose is %q, and it is an exercise: %t", s.Purpose, lab)
			}
			papers := strings.HasPrefix(name, "papers/")
			if papers != (len(s.Published.Values) > 0) || papers != (s.Purpose == Published) || s.Purpose == "" {
				t.Errorf("it has %d published values and the purpose %q, and is a paper: %t", len(s.Published.Values), s.Purpose, papers)
			}
			for _, ratio := range regexp.MustCompile(`\d+ to 1`).FindAllString(s.Question+s.ShortQuestion, -1) {
				if !slices.ContainsFunc(s.Published.Values, func(v metric.PublishedValue) bool { return v.Printed == ratio }) {
					t.Errorf("the question asks about %s, which is no published value", ratio)
				}
			}
			for _, f := range s.Published.Values {
				for _, c := range []string{f.Configuration, f.OverConfiguration} {
					if c != "" && !slices.ContainsFunc(s.Configurations(), func(is Configuration) bool { return is.Name() == c }) {
						t.Errorf("%s: %q is not measured", f.What, c)
					}
				}
			}
		})
	}
	if _, err := Source("nope"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Source of an unknown name: got %v, want fs.ErrNotExist", err)
	}
}

func TestCheckFindsConflicts(t *testing.T) {
	s := read(t, small)
	if err := s.Check(); err != nil {
		t.Errorf("Check of what Read returned: %v", err)
	}
	s.Warmup = s.Window
	wantError(t, s.Check(), "scenario small: warmup: value \"5s\" is not allowed; allowed: shorter than window, which is 5s")
}

// FuzzRead checks the reader: it does not panic, an error is one sentence with a position unless it
// concerns the whole file, and a scenario that it accepts can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	for _, name := range Names() {
		data, err := Source(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Read("fuzz.yaml", bytes.NewReader(data)) // TestHostileInputAllocatesInProportion checks the cost
		if err != nil {
			checkSentence(t, err)
			return
		}
		checkRoundTrip(t, s)
	})
}

func checkSentence(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T, want an *Error", err)
	}
	if strings.ContainsFunc(e.Error(), hidden) || len(e.Error()) > 1000 {
		t.Errorf("got %q, want one short line", e.Error())
	}
	if located := e.Line > 0 && e.Column > 0; !located && (e.Line != 0 || e.Column != 0 || e.Field != "" || e.Value != "") {
		t.Errorf("got %#v, want a position for a field or value", e)
	}
}

func checkRoundTrip(t interface {
	Helper()
	Fatalf(string, ...any)
}, s *Scenario,
) {
	t.Helper()
	s.Warnings = nil // they depend on the file
	written := s.YAML()
	reread, err := Read("reread.yaml", bytes.NewReader(written))
	if err != nil {
		t.Fatalf("reading the output of YAML: %v\n%s", err, written)
	}
	if diff := cmp.Diff(s, reread); diff != "" {
		t.Fatalf("-written +read:\n%s\n%s", diff, written)
	}
	// Read and the library's decoder must agree on complete and correct files.
	var strict Scenario
	if err := yaml.UnmarshalWithOptions(written, &strict, yaml.Strict(), yaml.CustomUnmarshaler(fromText)); err != nil {
		t.Fatalf("strict decoder: %v\n%s", err, written)
	}
	resolve(&strict.Published)
	if diff := cmp.Diff(s, &strict); diff != "" {
		t.Fatalf("-reader +strict decoder:\n%s\n%s", diff, written)
	}
}
