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

// A mutant is this program with one deliberate defect. The self-test must detect it: this
// tests the self-test.
type mutant struct {
	name      string
	edits     []edit
	check     string // the self-test check that must fail
	failedRow string // text of a row that must fail: otherwise it failed for another reason
	timed     bool   // its check requires a quiet machine
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
		name: "latency counts from the actual send", check: "server-stall", failedRow: "Little's law", timed: true, // its samples do not depend on the send time
		edits: fromActualSend,
	},
	{
		name: "latency counts from the actual send, and Little's law is not checked", check: "server-stall", failedRow: "websocket p99 of a stall", timed: true,
		edits: append(fromActualSend, edit{"bench/validity/littleslaw.go", "	h := e.Trial.Latency.Histogram\n", "	if e.InFlight.Samples > 0 {\n		return true, \"\"\n	}\n	h := e.Trial.Latency.Histogram\n"}),
	},
	{
		name: "lost messages are left out of the quantiles", check: "lost-messages", failedRow: "p99 of all expected messages",
		edits: []edit{{"bench/record/recorder.go", "Infinite: a.Lost + a.DeclaredGap", "Infinite: 0"}},
	},
	{
		name: "a validity check is switched off", check: "checks", failedRow: "generator on time: corrupt trials rejected",
		edits: []edit{{"bench/validity/checks.go", "{GeneratorOnTime, generatorOnTime, false, true}", `{GeneratorOnTime, func(Evidence) (bool, string) { return true, "switched off" }, false, true}`}},
	},
	{
		name: "a client retries without counting it", check: "retries", failedRow: "shortpoll requests on the wire",
		edits: []edit{
			{"bench/client/request.go", "s.Config.HeaderBytes)\n	s.Traffic.Requests.Add(1) //", "s.Config.HeaderBytes)\n	if !s.stages.Resume {\n		s.Traffic.Requests.Add(1)\n	} //"},
			{"bench/client/subscriber.go", "	s.Report(Event{Kind: Disconnected, Cause: Cause(err)}, at)\n", ""},
		},
	},
	{
		name: "all pollers poll in phase", check: "shortpoll", failedRow: "publisher's period = T", timed: true,
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
			original, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			text = string(original)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%s has %q %d times, want once", e.file, e.old, n)
		}
		changed[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return changed, nil
}

// build compiles the mutant. An overlay replaces its files; the originals do not change.
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

// moduleRoot is the folder of go.mod, relative to this package.
var moduleRoot = filepath.Join("..", "..", "..")

// caught runs the check that must fail, and reports if it did not.
func (m mutant) caught(t *testing.T) {
	t.Helper()
	var out bytes.Buffer
	self := exec.CommandContext(t.Context(), m.build(t), "selftest", "--only", m.check)
	self.Stdout, self.Stderr = &out, &out
	self.Env = append(os.Environ(), "PUSHBENCH_LOCK="+t.TempDir()) // a separate lock
	err := self.Run()
	if code := codeOf(err); code != exitInvalid {
		t.Errorf("ended with %v, want exit code %d\n%s", err, exitInvalid, out.String())
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "  FAIL") && strings.Contains(line, m.failedRow) {
			return
		}
	}
	t.Errorf("no failed row contains %q\n%s", m.failedRow, out.String())
}

// An edit whose text no longer exists would hide a defect of the self-test.
func TestEveryMutantAppliesToCode(t *testing.T) {
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

// Each run of the tests builds and detects one mutant whose check does not depend on the
// machine; each commit selects another one. With -tags nightly all are built.
func TestSelfTestCatchesAMutant(t *testing.T) {
	var sure []mutant
	for _, m := range mutants {
		if !m.timed {
			sure = append(sure, m)
		}
	}
	turn := 0
	if out, err := exec.CommandContext(t.Context(), "git", "rev-list", "--count", "HEAD").Output(); err == nil { // an error means that this is no checkout
		turn, _ = strconv.Atoi(strings.TrimSpace(string(out)))
	}
	m := sure[turn%len(sure)]
	t.Run(m.name, func(t *testing.T) { m.caught(t) })
}
