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

// module is the module path of go.mod.
const module = "pushbench"

// A rule lists the packages of this module that the packages of one pattern may import. Patterns are
// those of path.Match: a star stands for one path element.
type rule struct {
	packages string
	may      []string
	tests    []string // additional imports of tests
}

// anything stands for every package of this module.
const anything = "anything"

// leaf may be imported by every package: names and properties of the transports, without protocol
// code in which servers and clients could share a bug.
const leaf = "scenarios/transports"

// layout is the drawing of CONTRIBUTING.md as data. The first rule that matches a package applies.
// The Go compiler refuses import cycles.
//
// Its main restriction: no package of bench may import a package of servers. A bug that both sides
// shared would cancel out.
var layout = []rule{
	{packages: "cmd/*", may: []string{anything}},
	{packages: "cmd/*/*", may: []string{anything}}, // the self-test and the end-to-end tests import servers and clients, like the command
	{packages: "results/former"},                   // bench reads servers of earlier versions
	{packages: "results/metric"},                   // scenarios and results share metric names
	{packages: "results/price"},                    // and prices
	{packages: "results", may: []string{"results/former", "results/metric", "results/price"}, tests: []string{"results/internal/*", "results/summary"}},
	{packages: "results/summary", may: []string{"results", "results/metric", "results/price"}, tests: []string{"results/internal/*"}},
	{packages: "results/compare", may: []string{"results", "results/metric", "results/summary"}, tests: []string{"results/internal/*"}},
	{packages: "results/compare/proof", may: []string{"results/compare"}},
	{packages: "results/report", may: []string{"results", "results/metric", "results/price", "results/summary", "results/compare", "results/chart"}, tests: []string{"results/internal/*"}}, // prints the verdicts
	{packages: "results/chart", may: []string{"results", "results/metric", "results/summary", "results/compare"}, tests: []string{"results/internal/*", "results/price"}},                   // draws the verdicts
	{packages: "results/internal/*", may: []string{"results", "results/metric", "results/summary"}},
	{packages: "bench/client", may: []string{"bench/*", "bench/client/internal/wire", "scenarios", "results"}}, // independent of engines
	{packages: "bench/cost", may: []string{"bench/consent", "results"}},                                        // of processes, or of what a page reports
	{packages: "bench/child", may: []string{"bench/cost"}},                                                     // starts and stops processes of any role
	{
		packages: "bench/generator", // independent of the trial that starts it
		may: []string{
			"bench/child", "bench/client", "bench/client/engines", "bench/client/goroutine", "bench/clock", "bench/lab", "bench/payload", "bench/record", "bench/schedule", "bench/target", "bench/validity",
			"scenarios", "results", "results/metric",
		},
		tests: []string{"bench/generator/generatortest"},
	},
	{packages: "bench/generator/generatortest"},
	{packages: "bench/consent", may: []string{"bench/target", "scenarios"}}, // decides before anything is sent
	{packages: "bench/supervise", may: []string{"bench/child", "bench/consent", "bench/cost", "bench/target", "scenarios"}, tests: []string{"bench/clock"}}, // starts servers of others, knows no protocol
	{
		packages: "bench/agent", // runs processes, independent of the trial that they are part of
		may: []string{
			"bench/child", "bench/clock", "bench/cost", "bench/generator", "bench/host", "bench/lab", "bench/validity",
			"scenarios", "results", "results/former",
		},
		tests: []string{"bench/client/engines", "bench/generator/generatortest"},
	},
	{packages: "bench/fleet", may: []string{"bench/agent", "bench/clock", "bench/generator", "bench/host", "scenarios", "results"}, tests: []string{"bench/generator/generatortest"}}, // agents over NATS
	{
		packages: "bench/trial", // plans and judges, independent of the run that it is part of
		may: []string{
			"bench/agent", "bench/child", "bench/client/engines", "bench/clock", "bench/generator", "bench/model", "bench/record", "bench/schedule", "bench/validity",
			"scenarios", "results",
		},
		tests: []string{"bench/cost", "bench/generator/generatortest"},
	},
	{
		packages: "bench", // not calibrate, which checks bench against known values
		may: []string{
			"bench/client", "bench/client/engines", "bench/host", "bench/schedule", "bench/trial", "bench/validity",
			"scenarios", "results", "results/metric",
		},
	},
	{
		packages: "bench/calibrate", // no measuring package may import it
		may: []string{
			"bench/child", "bench/client", "bench/client/engines", "bench/clock", "bench/cost", "bench/payload",
			"scenarios", "results", "results/metric", "results/summary",
		},
	},
	{packages: "bench/verify", may: []string{"bench/child", "bench/client", "bench/client/engines", "bench/clock", "bench/cost", "bench/payload", "bench/relay", "bench/target", "bench/trace", "scenarios"}, tests: []string{"bench/supervise"}}, // tries a target, does not measure
	{packages: "bench/identify", may: []string{"bench/inspect"}},
	{packages: "bench/trace", may: []string{"bench/child", "bench/client", "bench/client/engines", "bench/clock", "bench/payload", "bench/relay", "bench/target", "scenarios"}}, // an experiment with one client, not a measurement
	{packages: "bench/validity", may: []string{"bench/clock", "results"}},                                                                                                       // checks evidence, does not measure
	{packages: "bench/model", may: []string{"scenarios", "results", "results/metric"}},                                                                                          // predicts from the scenario, independent of measuring code
	{packages: "bench/host", may: []string{"bench/child", "bench/clock", "bench/cost", "bench/validity", "results"}},                                                            // independent of trials
	{ // clients, ledgers, links and clocks are independent of trials
		packages: "bench/*",
		may:      []string{"bench/client", "bench/client/engines", "bench/clock", "bench/payload", "bench/relay", "bench/schedule", "scenarios", "results"},
		tests:    []string{"bench/*", "bench/*/*"},
	},
	{packages: "bench/client/clienttest", may: []string{"bench/client", "bench/clock"}},
	{packages: "bench/client/engines", may: []string{"bench/client", "bench/client/eventloop", "bench/client/goroutine", "scenarios"}, tests: []string{"bench/client/*", "bench/client/internal/wire", "bench/clock", "bench/payload", "bench/target", "results"}},
	{packages: "bench/client/*", may: []string{"bench/client", "bench/client/internal/wire", "bench/clock", "scenarios"}, tests: []string{"bench/client/clienttest"}}, // each engine is independent of the others
	{packages: "bench/client/internal/wire"},
	{packages: "servers", tests: []string{"servers/*", "servers/sock/socktest"}}, // has the tests that all edges share
	{packages: "servers/hub"},
	{packages: "servers/sock", tests: []string{"servers/sock/socktest"}},
	{packages: "servers/sock/socktest"},
	{packages: "servers/faults", may: []string{"servers/hub"}},          // a decorator of the hub's publish path
	{packages: "servers/wire/httpstack", may: []string{"servers/sock"}}, // the only user of the servers of net/http and fasthttp
	{packages: "servers/wire", may: []string{"servers/wire/httpstack", "servers/faults", "servers/hub", "servers/sock"}},
	{packages: "servers/foreign/*"},                                                                                 // servers as others write them
	{packages: "servers/*", may: []string{"servers/wire", "servers/wire/httpstack", "servers/hub", "servers/sock"}}, // an edge per transport
	{packages: "scenarios", may: []string{"results/metric", "results/price"}},
	{packages: leaf},
}

// folders are the top-level folders with Go code.
var folders = []string{"bench", "cmd", "results", "scenarios", "servers", "tools"}

func (r rule) String() string {
	may := strings.Join(r.may, ", ")
	if may == "" {
		may = "no package of this module"
	}
	if len(r.tests) > 0 {
		may += "; its tests also " + strings.Join(r.tests, ", ")
	}
	return fmt.Sprintf("%-20s may import %s", r.packages, may)
}

// drawing formats the layout.
func drawing() string {
	var b strings.Builder
	for _, r := range layout {
		fmt.Fprintf(&b, "\n\t%s", r)
	}
	return b.String()
}

// An edge is an import between two packages of this module, named without the module path.
type edge struct {
	from, to string
	inTest   bool
}

// check returns an error if the layout does not allow an edge.
func check(e edge) error {
	if e.from == e.to || e.to == leaf {
		return nil // the former is the external test of a package
	}
	i := slices.IndexFunc(layout, func(r rule) bool { return matches(r.packages, e.from) })
	if i < 0 {
		return fmt.Errorf("no rule of the layout matches %s", e.from)
	}
	r := layout[i]
	may := r.may
	if e.inTest {
		may = slices.Concat(r.may, r.tests)
	}
	if slices.ContainsFunc(may, func(pattern string) bool { return matches(pattern, e.to) }) {
		return nil
	}
	return fmt.Errorf("%s imports %s, but: %s", e.from, e.to, r)
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	if err != nil {
		panic(err) // a pattern of the layout is malformed
	}
	return ok || pattern == anything
}

// TestImportsFollowTheLayout checks all imports, tests included, for each system that has separate
// files.
func TestImportsFollowTheLayout(t *testing.T) {
	root := moduleRoot(t)
	for _, system := range []string{"linux", "darwin"} {
		edges := imports(t, root, system)
		if len(edges) < 20 {
			t.Fatalf("%s: found %d imports between packages of this module, want dozens: is %s the root of the module?", system, len(edges), root)
		}
		for _, e := range edges {
			if err := check(e); err != nil {
				t.Errorf("%s: %v\n%s", system, err, drawing())
			}
		}
	}
}

// TestLayoutRefusesImports checks that the layout refuses forbidden imports.
func TestLayoutRefusesImports(t *testing.T) {
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
		if err := check(c.edge); (err == nil) != c.want {
			t.Errorf("%+v: got %v, want allowed: %v", c.edge, err, c.want)
		}
	}
}

// TestGoCodeIsInItsFolders fails for Go code in other folders of the root and in the root itself.
func TestGoCodeIsInItsFolders(t *testing.T) {
	root := moduleRoot(t)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		folder, _, inside := strings.Cut(filepath.ToSlash(relative), "/")
		switch {
		case entry.IsDir() && (entry.Name() == ".git" || slices.Contains(folders, relative)):
			return fs.SkipDir
		case filepath.Ext(name) == ".go" && !inside:
			t.Errorf("%s is in the root; allowed folders for Go code: %s", relative, strings.Join(folders, ", "))
		case filepath.Ext(name) == ".go":
			t.Errorf("%s: %s is no folder for Go code; allowed: %s", relative, folder, strings.Join(folders, ", "))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// imports lists the imports between packages of this module by the go command.
func imports(t *testing.T, root, system string) (edges []edge) {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list.Dir = root
	list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", list, err, stderr.String())
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
				if to, internal := strings.CutPrefix(name, module+"/"); internal {
					edges = append(edges, edge{strings.TrimPrefix(p.ImportPath, module+"/"), to, inTest})
				}
			}
		}
		add(p.Imports, false)
		add(p.TestImports, true)
		add(p.XTestImports, true)
	}
}

// moduleRoot returns the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("go env GOMOD: %v", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}
