package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the path of our module, as go.mod names it.
const module = "pushbench"

// A wall says which of our packages a part of the house may import. Patterns
// are those of path.Match: a star stands for one name, without a slash.
type wall struct {
	part  string
	may   []string
	tests []string // what its tests may import beside that
}

// anything stands for every package of ours.
const anything = "anything"

// leaf is what every part may import: names and traits of the transports, with nothing of a
// protocol in it that two ends could get wrong alike.
const leaf = "scenarios/transports"

// house is CONTRIBUTING.md's drawing as data; of the parts that match a package the
// first one counts. Go itself refuses circles between packages.
//
// What matters most is missing from it: nothing of bench may import anything of
// servers. A bug that both ends shared would cancel out.
var house = []wall{
	{part: "cmd/*", may: []string{anything}},
	{part: "cmd/*/*", may: []string{anything}}, // the self-test and the tests of both ends join them, as their command does
	{part: "results/metric"},                   // scenarios ask by the names that results answer by
	{part: "results", may: []string{"results/metric"}, tests: []string{"results/internal/*", "results/summary"}},
	{part: "results/summary", may: []string{"results", "results/metric"}, tests: []string{"results/internal/*"}},
	{part: "results/compare", may: []string{"results", "results/metric", "results/summary"}, tests: []string{"results/internal/*"}},
	{part: "results/compare/proof", may: []string{"results/compare"}},
	{part: "results/report", may: []string{"results", "results/metric", "results/summary", "results/compare", "results/chart"}, tests: []string{"results/internal/*"}}, // says the verdicts
	{part: "results/chart", may: []string{"results", "results/metric", "results/summary", "results/compare"}, tests: []string{"results/internal/*"}},                   // draws them
	{part: "results/internal/*", may: []string{"results", "results/metric", "results/summary"}},
	{part: "bench/client", may: []string{"bench/*", "bench/client/internal/wire", "scenarios", "results"}}, // knows no engine
	{part: "bench/child", may: []string{"bench/cost"}},                                                     // starts and ends processes, whatever they are for
	{
		part: "bench/generator", // must not know the trial that starts it
		may: []string{
			"bench/child", "bench/client", "bench/client/engines", "bench/client/goroutine", "bench/clock", "bench/lab", "bench/payload", "bench/record", "bench/schedule", "bench/validity",
			"scenarios", "results",
		},
		tests: []string{"bench/generator/generatortest"},
	},
	{part: "bench/generator/generatortest"},
	{
		part: "bench/trial", // must not know the run that it is part of
		may: []string{
			"bench/child", "bench/client", "bench/client/engines", "bench/clock", "bench/cost", "bench/generator", "bench/host", "bench/lab", "bench/model",
			"bench/record", "bench/schedule", "bench/validity", "scenarios", "results",
		},
		tests: []string{"bench/generator/generatortest"},
	},
	{
		part: "bench", // not calibrate, which holds it against known truths
		may: []string{
			"bench/client", "bench/client/engines", "bench/host", "bench/schedule", "bench/trial", "bench/validity",
			"scenarios", "results", "results/metric",
		},
	},
	{
		part: "bench/calibrate", // of what measures nothing may import it
		may: []string{
			"bench/child", "bench/client", "bench/client/engines", "bench/clock", "bench/cost", "bench/payload",
			"scenarios", "results", "results/metric", "results/summary",
		},
	},
	{part: "bench/trace", may: []string{"bench/child", "bench/client", "bench/client/engines", "bench/clock", "bench/relay", "scenarios"}}, // an experiment with one client; nothing of it is measured
	{part: "bench/validity", may: []string{"bench/clock", "results"}},                                                                      // judges evidence and measures nothing
	{part: "bench/model", may: []string{"scenarios", "results", "results/metric"}},                                                         // predicts from the scenario, not from code that measures
	{part: "bench/host", may: []string{"bench/child", "bench/clock", "bench/cost", "bench/validity", "results"}},                           // knows the machine, and no trial
	{ // clients, ledgers, links and clocks know no trial
		part:  "bench/*",
		may:   []string{"bench/client", "bench/client/engines", "bench/clock", "bench/payload", "bench/relay", "bench/schedule", "scenarios", "results"},
		tests: []string{"bench/*", "bench/*/*"},
	},
	{part: "bench/client/clienttest", may: []string{"bench/client", "bench/clock"}},
	{part: "bench/client/engines", may: []string{"bench/client", "bench/client/eventloop", "bench/client/goroutine", "scenarios"}, tests: []string{"bench/client/*", "bench/client/internal/wire", "bench/clock", "results"}},
	{part: "bench/client/*", may: []string{"bench/client", "bench/client/internal/wire", "bench/clock", "scenarios"}, tests: []string{"bench/client/clienttest"}}, // an engine each, which knows no other
	{part: "bench/client/internal/wire"},
	{part: "servers", tests: []string{"servers/*"}}, // holds the tests that all edges share
	{part: "servers/hub"},
	{part: "servers/sock"},
	{part: "servers/faults", may: []string{"servers/hub"}},          // a decorator of the hub's publish path
	{part: "servers/wire/httpstack", may: []string{"servers/sock"}}, // all that knows net/http's and fasthttp's servers
	{part: "servers/wire", may: []string{"servers/wire/httpstack", "servers/faults", "servers/hub", "servers/sock"}},
	{part: "servers/*", may: []string{"servers/wire", "servers/wire/httpstack", "servers/hub", "servers/sock"}}, // an edge for each transport
	{part: "scenarios", may: []string{"results/metric"}},
	{part: leaf},
}

// rooms are the folders that hold Go code.
var rooms = []string{"bench", "cmd", "results", "scenarios", "servers", "tools"}

func (w wall) String() string {
	may := strings.Join(w.may, ", ")
	if may == "" {
		may = "nothing of ours"
	}
	if len(w.tests) > 0 {
		may += "; its tests also " + strings.Join(w.tests, ", ")
	}
	return fmt.Sprintf("%-20s → %s", w.part, may)
}

// drawing is the house as a person reads it.
func drawing() string {
	var b strings.Builder
	for _, w := range house {
		fmt.Fprintf(&b, "\n\t%s", w)
	}
	return b.String()
}

// An edge is an import of one package of ours by another; names have no module.
type edge struct {
	from, to string
	inTest   bool
}

// judge says what is wrong with an edge, or nothing.
func judge(e edge) error {
	if e.from == e.to || e.to == leaf {
		return nil // the first is a package's external test
	}
	i := slices.IndexFunc(house, func(w wall) bool { return matches(w.part, e.from) })
	if i < 0 {
		return fmt.Errorf("%s has no place in the house", e.from)
	}
	w := house[i]
	may := w.may
	if e.inTest {
		may = slices.Concat(w.may, w.tests)
	}
	if slices.ContainsFunc(may, func(pattern string) bool { return matches(pattern, e.to) }) {
		return nil
	}
	return fmt.Errorf("%s imports %s, but: %s", e.from, e.to, w)
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	if err != nil {
		panic(err) // a pattern in the table above
	}
	return ok || pattern == anything
}

// TestImportsKeepToTheHouse draws the real imports, tests included, for each
// system that has files of its own.
func TestImportsKeepToTheHouse(t *testing.T) {
	root := moduleRoot(t)
	for _, system := range []string{"linux", "darwin"} {
		edges := imports(t, root, system)
		if len(edges) < 20 {
			t.Fatalf("%s: found %d imports between our packages, want dozens: is %s the module's root?", system, len(edges), root)
		}
		for _, e := range edges {
			if err := judge(e); err != nil {
				t.Errorf("%s: %v\n%s", system, err, drawing())
			}
		}
	}
}

// TestHouseRefuses shows that the walls can be run into.
func TestHouseRefuses(t *testing.T) {
	for _, c := range []struct {
		edge edge
		want bool
	}{
		{edge{from: "cmd/pushbench", to: "servers/hub"}, true},
		{edge{from: "bench", to: "bench/client"}, true},
		{edge{from: "bench/record", to: "bench/client"}, true},
		{edge{from: "bench/client/goroutine", to: "bench/client/clienttest", inTest: true}, true},
		{edge{from: "bench/client/engines", to: "bench/client/eventloop"}, true},
		{edge{from: "bench/child", to: "bench/cost"}, true},
		{edge{from: "servers/sse", to: "servers/wire"}, true},
		{edge{from: "servers/wire", to: "servers/wire/httpstack"}, true},
		{edge{from: "servers", to: "servers/sse", inTest: true}, true},
		{edge{from: "results", to: "results/internal/synthetic", inTest: true}, true},
		{edge{from: "results", to: "results", inTest: true}, true},
		{edge{from: "servers/wire", to: leaf}, true},
		{edge{from: "results/chart", to: leaf}, true},
		{edge{from: "scenarios", to: "results/metric"}, true},

		{edge{from: "bench", to: "servers/hub"}, false},
		{edge{from: "bench/child", to: "results"}, false},
		{edge{from: "bench/validity", to: "bench/trial"}, false},
		{edge{from: "bench/generator", to: "bench/trial"}, false},
		{edge{from: "bench/trial", to: "bench"}, false},
		{edge{from: "bench", to: "bench/calibrate"}, false},
		{edge{from: "bench/record", to: "bench/trial"}, false},
		{edge{from: "bench/calibrate", to: "bench/child"}, true},
		{edge{from: "bench/client", to: "servers/wire", inTest: true}, false},
		{edge{from: "bench/client", to: "bench"}, false},
		{edge{from: "servers/sse", to: "servers/longpoll"}, false},
		{edge{from: "servers/sse", to: "bench/client", inTest: true}, false},
		{edge{from: "servers/wire", to: "servers/sse"}, false},
		{edge{from: "servers/wire/httpstack", to: "servers/wire"}, false},
		{edge{from: "servers/hub", to: "servers/sock"}, false},
		{edge{from: "servers/hub", to: "servers/faults"}, false},
		{edge{from: "servers/hub", to: "results"}, false},
		{edge{from: "scenarios", to: "results"}, false},
		{edge{from: leaf, to: "scenarios"}, false},
		{edge{from: "results/metric", to: "results"}, false},
		{edge{from: "results", to: "results/summary"}, false},
		{edge{from: "results/summary", to: "results/compare"}, false},
		{edge{from: "results", to: "scenarios"}, false},
		{edge{from: "results", to: "results/internal/synthetic"}, false},
		{edge{from: "results/chart", to: "results/report"}, false},
		{edge{from: "util", to: "results"}, false},
		{edge{from: "bench/client", to: "bench/client/clienttest"}, false},
		{edge{from: "bench/client", to: "bench/client/engines"}, false},
		{edge{from: "bench/client/goroutine", to: "bench/client/eventloop"}, false},
		{edge{from: "bench/client/goroutine", to: "bench/client/clienttest"}, false},
		{edge{from: "bench/trace", to: "bench/client/internal/wire"}, false},
		{edge{from: "bench/client/clienttest", to: "servers/wire"}, false},
		{edge{from: "servers/sse/deep", to: "servers/wire"}, false},
	} {
		if err := judge(c.edge); (err == nil) != c.want {
			t.Errorf("%+v: got %v, want allowed: %v", c.edge, err, c.want)
		}
	}
}

// TestGoCodeKeepsToItsRooms fails on Go code in any other folder of the root, and
// in the root itself.
func TestGoCodeKeepsToItsRooms(t *testing.T) {
	root := moduleRoot(t)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		room, _, inside := strings.Cut(filepath.ToSlash(relative), "/")
		switch {
		case entry.IsDir() && (entry.Name() == ".git" || slices.Contains(rooms, relative)):
			return fs.SkipDir
		case filepath.Ext(name) == ".go" && !inside:
			t.Errorf("%s is in the root; Go code lives in %s", relative, strings.Join(rooms, ", "))
		case filepath.Ext(name) == ".go":
			t.Errorf("%s: %s is no folder for Go code; that lives in %s", relative, room, strings.Join(rooms, ", "))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// imports asks the go command which of our packages import which.
func imports(t *testing.T, root, system string) (edges []edge) {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list.Dir = root
	list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var said bytes.Buffer
	list.Stderr = &said
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", list, err, said.String())
	}
	for packages := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			return edges
		} else if err != nil {
			t.Fatal(err)
		}
		add := func(imported []string, inTest bool) {
			for _, name := range imported {
				if to, ours := strings.CutPrefix(name, module+"/"); ours {
					edges = append(edges, edge{strings.TrimPrefix(p.ImportPath, module+"/"), to, inTest})
				}
			}
		}
		add(p.Imports, false)
		add(p.TestImports, true)
		add(p.XTestImports, true)
	}
}

// moduleRoot is the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("go env GOMOD: %v", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}
