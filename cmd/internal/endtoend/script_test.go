package endtoend

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pushbench/cmd/internal/scripttest"
)

var update = flag.Bool("update", false, "update the expected output in the scripts")

// TestScripts runs testdata/script, which serve as a manual of the command. In addition to
// testscript's commands the scripts can use:
//
//	exits CODE PROGRAM ARGUMENT…  runs it, which must end with that code
//	stderr-only TEXT              it printed only this line, to stderr
//	measures ARGUMENT…            like settles 0 FOLDER pushbench run ARGUMENT… --quick, with the folder of --out
//	settles CODE FOLDER PROGRAM ARGUMENT…
//	                              runs it, which must end with that code; exit code 3 is forgiven, and counted,
//	                              if only the machine made the run in FOLDER (a pattern) INVALID
//	every PATTERN FILE            each line of the file matches
//	appears FILE                  waits until the file is not empty
//	kills server|generator|link|run   kill -9, of the run in the background or one of its children
//	exited CODE                   the run in the background has ended with that code; after wait
//	gone                          waits until the run's children have ended
//	host FILE                     writes the host's interfaces and rules, which a network could leave behind
//
// The condition [valid] is true if the last of measures and settles was not forgiven.
func TestScripts(t *testing.T) { runScripts(t, filepath.Join("testdata", "script")) }

// TestScriptsAsRoot runs the scripts that create networks, which require root.
func TestScriptsAsRoot(t *testing.T) { runScripts(t, filepath.Join("testdata", "asroot")) }

func runScripts(t *testing.T, dir string) {
	deadline, _ := t.Deadline()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE").Output()
	caches := strings.Fields(string(out))
	if err != nil || len(caches) != 2 {
		t.Fatalf("go env: %v: %q", err, out)
	}
	testscript.RunT(scripttest.InTurn{T: t}, testscript.Params{
		Dir:                 dir,
		Deadline:            deadline,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			reference, err := filepath.Abs(filepath.Join("..", "..", "..", "results", "reference", "chat"))
			env.Setenv("REFERENCE", reference)
			env.Setenv("FOREIGN", filepath.Join(filepath.Dir(reference), "..", "..", "servers", "foreign"))
			env.Setenv("PUSHBENCH_LOCK", env.WorkDir) // independent of measurements on this machine
			env.Setenv("GOCACHE", caches[0])          // for a target that is built with the go command
			env.Setenv("GOMODCACHE", caches[1])
			env.Setenv("PATH", filepath.Dir(pushbench)+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("GOCOVERDIR", os.Getenv("GOCOVERDIR")) // for a command built with -cover
			env.Values[watchedKey{}] = new(watched)
			return err
		},
		Condition: func(name string) (bool, error) {
			if name != "valid" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return lastValid, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":       exits,
			"stderr-only": scripttest.StderrOnly,
			"measures":    measures,
			"settles":     settles,
			"every":       every,
			"appears":     appears,
			"kills":       kills,
			"exited":      exited,
			"gone":        gone,
			"host":        host,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	scripttest.Usage(ts, !neg && len(args) >= 2, "exits CODE PROGRAM ARGUMENT…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := codeOf(ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// every checks that each line of a file matches: a disturbed trial is there
// twice, and must be correct in all but its times.
func every(ts *testscript.TestScript, neg bool, args []string) {
	scripttest.Usage(ts, !neg && len(args) == 2, "every PATTERN FILE")
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	for i, line := range strings.Split(strings.TrimSuffix(ts.ReadFile(args[1]), "\n"), "\n") {
		if !pattern.MatchString(line) {
			ts.Fatalf("line %d of %s does not match: %.500s", i+1, args[1], line)
		}
	}
}

func measures(ts *testscript.TestScript, neg bool, args []string) {
	out := slices.Index(args, "--out") + 1
	scripttest.Usage(ts, !neg && out > 0 && out < len(args), "measures SCENARIO --out FOLDER ARGUMENT…")
	settles(ts, neg, slices.Concat([]string{"0", args[out], "pushbench", "run"}, args, []string{"--quick"}))
}

// lastValid reports whether the last run that a script measured was valid; scripts run sequentially.
var lastValid bool

func settles(ts *testscript.TestScript, neg bool, args []string) {
	scripttest.Usage(ts, !neg && len(args) >= 3, "settles CODE FOLDER PROGRAM ARGUMENT…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := codeOf(ts.Exec(args[2], args[3:]...))
	folders, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	folder := args[1]
	if len(folders) > 0 {
		folder = folders[0]
	}
	lastValid, err = settle(fmt.Sprintf("%s: %s", ts.Name(), strings.Join(args[2:], " ")), code, want, folder)
	ts.Check(err)
}

// host writes what a network could leave behind in the host: interfaces with their
// addresses, named namespaces, and rules.
func host(ts *testscript.TestScript, neg bool, args []string) {
	scripttest.Usage(ts, !neg && len(args) == 1, "host FILE")
	var all bytes.Buffer
	for _, command := range [][]string{{"ip", "-o", "link"}, {"ip", "-o", "address"}, {"ip", "route"}, {"ip", "netns"}, {"nft", "list", "ruleset"}} {
		output, err := exec.Command(command[0], command[1:]...).Output()
		if err != nil && !errors.Is(err, exec.ErrNotFound) {
			ts.Fatalf("%v: %v", command, err)
		}
		fmt.Fprintf(&all, "%v\n%s\n", command, output)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), all.Bytes(), 0o600))
}

// timeout is how long a script waits for an expected event.
const timeout = 30 * time.Second

// waitFor polls a condition until it is true.
func waitFor(ts *testscript.TestScript, what string, condition func() bool) {
	tick, limit := time.NewTicker(10*time.Millisecond), time.After(timeout)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-limit:
			ts.Fatalf("timed out after %v: %s", timeout, what)
		}
	}
}

func appears(ts *testscript.TestScript, neg bool, args []string) {
	scripttest.Usage(ts, !neg && len(args) == 1, "appears FILE")
	waitFor(ts, args[0]+" is not empty", func() bool {
		info, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil && info.Size() > 0
	})
}

// A watched has the run that a script started in the background.
type watched struct {
	run      *exec.Cmd
	children []process
}

type watchedKey struct{}

// kills ends only the named process: the run itself, or one of its children.
func kills(ts *testscript.TestScript, neg bool, args []string) {
	background := ts.BackgroundCmds()
	scripttest.Usage(ts, !neg && len(args) == 1 && len(background) == 1, "kills server|generator|link|run, with one run in the background")
	w := ts.Value(watchedKey{}).(*watched)
	w.run = background[0]
	var err error
	w.children, err = childrenOf(w.run.Process.Pid)
	ts.Check(err)
	pid := w.run.Process.Pid
	if args[0] != "run" {
		role := map[string]string{"server": "serve", "generator": "drive", "link": "link"}[args[0]]
		i := slices.IndexFunc(w.children, func(p process) bool { return p.role == role })
		if i < 0 {
			ts.Fatalf("the run has no %s; its children: %v", args[0], w.children)
		}
		pid = w.children[i].pid
	}
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
}

func exited(ts *testscript.TestScript, neg bool, args []string) {
	w := ts.Value(watchedKey{}).(*watched)
	scripttest.Usage(ts, !neg && len(args) == 1 && w.run != nil && len(ts.BackgroundCmds()) == 0, "exited CODE, after kills and wait")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := w.run.ProcessState.ExitCode(); got != want {
		ts.Fatalf("the run ended with exit code %d, want %d", got, want)
	}
}

func gone(ts *testscript.TestScript, neg bool, args []string) {
	w := ts.Value(watchedKey{}).(*watched)
	scripttest.Usage(ts, !neg && len(args) == 0 && len(w.children) >= 2, "gone, after kills found a server and a generator")
	waitFor(ts, "the server and the generator have ended with their run", func() bool {
		return !slices.ContainsFunc(w.children, process.alive)
	})
}

// A process as /proc shows it.
type process struct {
	pid, parent int
	state       string
	started     string // in clock ticks since the machine's start: different for a reused pid
	role        string // the first argument
}

func (p process) alive() bool {
	now, err := readProcess(p.pid)
	return err == nil && now.started == p.started && now.state != "Z"
}

func childrenOf(parent int) (children []process, err error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue // not a process
		}
		p, err := readProcess(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended in the meantime
		}
		if err != nil {
			return nil, err
		}
		if p.parent == parent {
			children = append(children, p)
		}
	}
	return children, nil
}

// readProcess reads /proc/PID, see proc_pid_stat(5).
func readProcess(pid int) (process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return process{}, err
	}
	// The name in parentheses may contain spaces and parentheses; the fields after it count from 3.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	p := process{pid: pid, parent: parent, state: fields[0], started: fields[19]}
	if arguments := strings.Split(string(command), "\x00"); len(arguments) > 1 {
		p.role = arguments[1]
	}
	return p, err
}
