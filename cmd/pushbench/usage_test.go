package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"pushbench/cmd/internal/app"
	"pushbench/cmd/internal/scripttest"
)

var update = flag.Bool("update", false, "write what the scripts' commands print into the scripts")

// TestUsage runs testdata/usage: help, and everything that is refused before anything is
// measured. The command runs in this process, so that the race detector sees it. Beside
// testscript's own commands there are:
//
//	pushbench ARGUMENT…             runs it, which must end with exit code 0
//	exits CODE pushbench ARGUMENT…  runs it, which must end with that code
//	says TEXT                       it printed this one line to stderr and nothing to stdout
func TestUsage(t *testing.T) {
	scenarios, err := filepath.Abs(filepath.Join("..", "..", "scenarios"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.RunT(scripttest.InTurn{T: t}, testscript.Params{
		Dir:                 filepath.Join("testdata", "usage"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SCENARIOS", scenarios)
			env.Setenv("REFERENCE", filepath.Join(filepath.Dir(scenarios), "results", "reference", "chat"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"pushbench": func(ts *testscript.TestScript, neg bool, args []string) { inProcess(ts, int(app.OK), args) },
			"exits": func(ts *testscript.TestScript, neg bool, args []string) {
				scripttest.Usage(ts, !neg && len(args) >= 2 && args[1] == "pushbench", "exits CODE pushbench ARGUMENT…")
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				inProcess(ts, want, args[2:])
			},
			"says": scripttest.Prints,
		},
	})
}

// inProcess runs the command in the script's folder, which is this process's for as long.
func inProcess(ts *testscript.TestScript, want int, args []string) {
	here, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	code := run(context.Background(), args, strings.NewReader(""), ts.Stdout(), ts.Stderr())
	ts.Check(os.Chdir(here))
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}
