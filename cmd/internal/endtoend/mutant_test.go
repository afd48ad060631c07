package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A mutant is this program with one defect put in on purpose. The self-test must notice
// it: what checks the instrument is checked as well.
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
	{"bench/record/book.go", "	outcome []atomic.Uint32 //", "	left    []atomic.Int64\n	outcome []atomic.Uint32 //"},
	{"bench/record/book.go", "		outcome:  make(", "		left:     make([]atomic.Int64, len(plan.Messages)),\n		outcome:  make("},
	{"bench/record/book.go", "	b.outcome[index].Store(sent)\n", "	b.outcome[index].Store(sent)\n	b.left[index].Store(int64(at))\n"},
	{"bench/record/recorder.go", "r.interval.Latency.Record(r.book.since(index, at))", "r.interval.Latency.Record(time.Duration(int64(at) - r.book.left[index].Load()))"},
}

var mutants = []mutant{
	{
		name: "latency counts from the actual send", proof: "freeze", reveal: "Little's law", timed: true, // whose samples know nothing of when it was sent
		edits: fromActualSend,
	},
	{
		name: "latency counts from the actual send, and Little's law is not looked at", proof: "freeze", reveal: "websocket p99 of a standstill", timed: true,
		edits: append(fromActualSend, edit{"bench/validity/littleslaw.go", "	h := e.Trial.Latency.Histogram\n", "	if e.Flight.Samples > 0 {\n		return true, \"\"\n	}\n	h := e.Trial.Latency.Histogram\n"}),
	},
	{
		name: "lost messages are left out of the quantiles", proof: "survivors", reveal: "p99 of what was owed",
		edits: []edit{{"bench/record/recorder.go", "Infinite: a.Lost + a.DeclaredGap", "Infinite: 0"}},
	},
	{
		name: "a gate is switched off", proof: "gates", reveal: "generator on time: spoilt trials refused",
		edits: []edit{{"bench/validity/checks.go", "{GeneratorOnTime, onTime, true}", `{GeneratorOnTime, func(Evidence) (bool, string) { return true, "switched off" }, true}`}},
	},
	{
		name: "a client retries in secret", proof: "retries", reveal: "shortpoll requests on the wire",
		edits: []edit{
			{"bench/client/request.go", "s.Config.Head)\n	s.Traffic.Requests.Add(1) //", "s.Config.Head)\n	if !s.stages.Resume {\n		s.Traffic.Requests.Add(1)\n	} //"},
			{"bench/client/subscriber.go", "	s.Report(Event{Kind: Disconnected, Cause: Cause(err)}, at)\n", ""},
		},
	},
	{
		name: "all pollers poll in phase", proof: "shortpoll", reveal: "publisher's period = T", timed: true,
		edits: []edit{{"bench/generator/drive.go", "random.Float64()", "0 * random.Float64()"}},
	},
}

// apply makes every edit and returns the changed files, by their path in this module. Each
// edit must find its text exactly once: the mutants must follow the code.
func (m mutant) apply(root string) (changed map[string]string, err error) {
	changed = map[string]string{}
	for _, e := range m.edits {
		text, known := changed[e.file]
		if !known {
			ours, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			text = string(ours)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%s has %q %d times, want once", e.file, e.old, n)
		}
		changed[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return changed, nil
}

// build compiles the mutant. An overlay puts its files in place of ours; ours are
// not touched.
func (m mutant) build(t *testing.T) (executable string) {
	t.Helper()
	root, err := filepath.Abs(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := m.apply(root)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, text := range changed {
		path := filepath.Join(folder, strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(root, file)] = path
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
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", list, "-o", executable, "pushbench/cmd/pushbench").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return executable
}

// moduleRoot is where go.mod is, from here.
var moduleRoot = filepath.Join("..", "..", "..")

// caught runs the proof that must fail, and says how it did not.
func (m mutant) caught(t *testing.T) {
	t.Helper()
	var out bytes.Buffer
	self := exec.CommandContext(t.Context(), m.build(t), "selftest", "--only", m.proof)
	self.Stdout, self.Stderr = &out, &out
	self.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // a lock of its own
	err := self.Run()
	if code := codeOf(err); code != exitInvalid {
		t.Errorf("ended with %v, want exit code %d\n%s", err, exitInvalid, out.String())
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "  FAIL") && strings.Contains(line, m.reveal) {
			return
		}
	}
	t.Errorf("%q is in no row that fails\n%s", m.reveal, out.String())
}

// An edit whose text has gone would leave a defect of the self-test unnoticed.
func TestEveryMutantFollowsTheCode(t *testing.T) {
	for _, m := range mutants {
		if _, err := m.apply(moduleRoot); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
	stale := mutant{edits: []edit{{"go.mod", "no such text", ""}}}
	if _, err := stale.apply(moduleRoot); err == nil {
		t.Error("an edit without its text is applied")
	}
}

// A mutant that no machine can hide is built and caught in each run of the tests, another
// one for each commit; with -tags nightly all are.
func TestSelfTestCatchesAMutant(t *testing.T) {
	var sure []mutant
	for _, m := range mutants {
		if !m.timed {
			sure = append(sure, m)
		}
	}
	turn := 0
	if out, err := exec.CommandContext(t.Context(), "git", "rev-list", "--count", "HEAD").Output(); err == nil { // else it is no checkout
		turn, _ = strconv.Atoi(strings.TrimSpace(string(out)))
	}
	m := sure[turn%len(sure)]
	t.Run(m.name, func(t *testing.T) { m.caught(t) })
}
