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

var update = flag.Bool("update", false, "update the scripts with the output of their commands")

// TestUsage runs testdata/usage: help, and command lines that are refused before a measurement.
// The command runs in this process, so that the race detector covers it. Additional commands of the
// scripts:
//
//	pushbench ARGUMENT…             run pushbench; it must exit with code 0
//	exits CODE pushbench ARGUMENT…  run pushbench; it must exit with that code
//	stderr-only TEXT                the last command printed only this line, to stderr
func TestUsage(t *testing.T) {
	t.Setenv("PUSHBENCH_LOCK", t.TempDir()) // independent of measurements on this machine
	t.Setenv("HOME", t.TempDir())           // and of the user's tokens
	t.Setenv("XDG_CONFIG_HOME", "")
	scenarios, err := filepath.Abs(filepath.Join("..", "..", "scenarios"))
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
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
			env.Setenv("SELF", self)
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
			"stderr-only": scripttest.StderrOnly,
		},
	})
}

// inProcess runs pushbench in the script's folder, to which this process changes meanwhile.
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
