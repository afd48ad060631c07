package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A mutant is this program with one thing in it wrong on purpose. The self-test must
// notice: who checks the instrument is checked as well.
type mutant struct {
	name   string
	edits  []edit
	proof  string // which must fail
	reveal string // what must stand in a row that fails: else it failed for another reason
	timed  bool   // its proof takes a quiet machine
}

// An edit replaces a text that occurs once.
type edit struct{ file, old, new string }

// fromActualSend makes latency count from when a message left, as closed loops do.
var fromActualSend = []edit{
	{"bench/record/book.go", "type outcome struct{ state atomic.Uint32 }", "type outcome struct{ state atomic.Uint32; at atomic.Int64 }"},
	{"bench/record/book.go", "	b.outcome[index].state.Store(sent)\n", "	b.outcome[index].state.Store(sent)\n	b.outcome[index].at.Store(int64(at))\n"},
	{"bench/record/recorder.go", "r.interval.Latency.Record(r.book.since(index, at))", "r.interval.Latency.Record(time.Duration(int64(at) - r.book.outcome[index].at.Load()))"},
}

var mutants = []mutant{
	{
		name: "latency counts from the actual send", proof: "freeze", reveal: "Little's law", timed: true, // whose samples know nothing of when it was sent
		edits: fromActualSend,
	},
	{
		name: "latency counts from the actual send, and Little's law is not looked at", proof: "freeze", reveal: "websocket p99 of a standstill", timed: true,
		edits: append(fromActualSend, edit{"bench/flight.go", "	h := e.Trial.Latency.Histogram\n", "	if e.Flight.Samples > 0 {\n		return true, \"\"\n	}\n	h := e.Trial.Latency.Histogram\n"}),
	},
	{
		name: "lost messages are left out of the quantiles", proof: "survivors", reveal: "p99 of what was owed",
		edits: []edit{{"bench/record/recorder.go", "Infinite: a.Lost + a.DeclaredGap", "Infinite: 0"}},
	},
	{
		name: "a gate is switched off", proof: "gates", reveal: "generator on time: spoilt trials refused",
		edits: []edit{{"bench/gate.go", "{GateLate, onTime, true}", `{GateLate, func(Evidence) (bool, string) { return true, "switched off" }, true}`}},
	},
	{
		name: "a client retries in secret", proof: "retries", reveal: "shortpoll requests on the wire",
		edits: []edit{
			{"bench/client/member_linux.go", "	m.traffic.Requests.Add(1) //", "	if !m.stages.Resume {\n		m.traffic.Requests.Add(1)\n	} //"},
			{"bench/client/member_linux.go", "	m.tell(Event{Kind: Disconnected, Cause: cause(err)}, at)\n", ""},
		},
	},
	{
		name: "all pollers poll in phase", proof: "shortpoll", reveal: "publisher's period = T", timed: true,
		edits: []edit{{"bench/drive.go", "d.random.Float64()", "0 * d.random.Float64()"}},
	},
}

// build compiles the mutant. The overlay puts its files in place of ours; ours are
// not touched.
func (m mutant) build(t *testing.T) (executable string) {
	t.Helper()
	folder := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, e := range m.edits {
		ours, err := filepath.Abs(filepath.Join("..", "..", e.file))
		if err != nil {
			t.Fatal(err)
		}
		from, known := overlay.Replace[ours]
		if !known {
			from = ours
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			t.Fatalf("%s has %q %d times, want once: the mutant must follow the code", e.file, e.old, n)
		}
		changed := filepath.Join(folder, strings.ReplaceAll(e.file, "/", "-"))
		if err := os.WriteFile(changed, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[ours] = changed
	}
	encoded, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(list, encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	executable = filepath.Join(folder, "pushbench")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", list, "-o", executable, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return executable
}

// caught runs the proof that must fail, and says how it did not.
func (m mutant) caught(t *testing.T) {
	t.Helper()
	var out bytes.Buffer
	self := exec.CommandContext(t.Context(), m.build(t), "selftest", "--only", m.proof)
	self.Stdout, self.Stderr = &out, &out
	self.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // a lock of its own
	err := self.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInvalid {
		t.Errorf("ended with %v, want exit code %d\n%s", err, exitInvalid, out.String())
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "  FAIL") && strings.Contains(line, m.reveal) {
			return
		}
	}
	t.Errorf("%q is in no row that fails\n%s", m.reveal, out.String())
}

// Each of these is caught whatever the machine does.
func TestSelfTestCatchesMutants(t *testing.T) {
	for _, m := range mutants {
		if m.timed {
			continue
		}
		t.Run(m.name, func(t *testing.T) { m.caught(t) })
	}
}
