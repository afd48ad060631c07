package endtoend

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pushbench/results"
)

// A fleetRun is a run in progress that waits for agents.
type fleetRun struct {
	*exec.Cmd
	folder string
	join   string
	errors *bytes.Buffer // what it printed to standard error
	read   chan struct{} // closed when all of it is read
}

// joinLine matches the command line that a run prints for its agents.
var joinLine = regexp.MustCompile(`pushbench agent --join '([^']+)'`)

// startFleet starts a run of a scenario and waits until agents can join it.
func startFleet(t *testing.T, scenario string, args ...string) *fleetRun {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "hostile.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &fleetRun{folder: filepath.Join(dir, "out"), errors: new(bytes.Buffer), read: make(chan struct{})}
	r.Cmd = exec.Command(pushbench, append([]string{"run", file, "--quick", "--repetitions", "1", "--out", r.folder}, args...)...)
	stderr, err := r.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(io.TeeReader(stderr, r.errors))
	for r.join == "" && lines.Scan() {
		if found := joinLine.FindStringSubmatch(lines.Text()); found != nil {
			r.join = found[1]
		}
	}
	go func() {
		for lines.Scan() {
		}
		close(r.read)
	}()
	if r.join == "" {
		t.Fatalf("no command line for agents: %s", r.errors)
	}
	return r
}

// end waits for the run and returns its exit code and what it printed.
func (r *fleetRun) end() (code int, out string) {
	<-r.read
	code = codeOf(r.Wait())
	return code, r.errors.String()
}

// startAgent starts an agent of a run, in front of which a command line may stand that changes its environment.
func (r *fleetRun) startAgent(t *testing.T, name string, before ...string) (agent *exec.Cmd, out *bytes.Buffer) {
	t.Helper()
	argv := append(before, pushbench, "agent", "--join", r.join, "--name", name, "--allow-host", "127.0.0.1")
	agent, out = exec.Command(argv[0], argv[1:]...), new(bytes.Buffer)
	agent.Stdout, agent.Stderr = out, out
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	return agent, out
}

// A run on several agents delivers everything and counts it exactly, although the clock of one is a day ahead: no latency
// is between two clocks, and the start is translated.
func TestAgentsWithAnotherClockAsRoot(t *testing.T) {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Fatal(err)
	}
	r := startFleet(t, hostileScenario, "--agents", "2", "--server-agent", "box")
	var agents []*exec.Cmd
	var said []*bytes.Buffer
	for name, before := range map[string][]string{"box": nil, "near": nil, "far": {unshare, "--time", "--monotonic", "86400"}} {
		agent, out := r.startAgent(t, name, before...)
		agents, said = append(agents, agent), append(said, out)
	}
	code, out := r.end()
	for i, agent := range agents {
		if code := codeOf(agent.Wait()); code != exitOK || !strings.Contains(said[i].String(), "the run has ended") {
			t.Errorf("an agent ended with %d: %s", code, said[i])
		}
	}
	if _, err := settle(t.Name(), code, exitOK, r.folder); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run, err := results.Open(r.folder)
	if err != nil || len(run.Trials) == 0 {
		t.Fatal(err, out)
	}
	for _, one := range run.Trials {
		h := one.Latency.Histogram
		if l := one.Ledger; l.Expected == 0 || l.Delivered != l.Expected || h.Quantile(0) < 0 || h.Quantile(1) > time.Minute {
			t.Errorf("%+v, latencies from %v to %v", l, h.Quantile(0), h.Quantile(1))
		}
		var clients, control int64
		for _, a := range one.Agents {
			clients += a.Clients
			control = max(control, a.Control)
		}
		if len(one.Agents) != 3 || clients != one.Connect.Clients || control == 0 || control > 5000 {
			t.Errorf("agents %+v, want 3 with all %d clients, and a few bytes to control them", one.Agents, one.Connect.Clients)
		}
		if one.Cost.Server.Processes != 2 || one.Cost.Generator.Processes != 2 {
			t.Errorf("%d servers and %d load generators used CPU time, want 2 each", one.Cost.Server.Processes, one.Cost.Generator.Processes)
		}
	}
	if all := strings.Join(run.Manifest.Conditions, "\n"); !strings.Contains(all, "servers run on agent box") || !strings.Contains(all, "some share a kernel") || run.Manifest.Network != results.Agents {
		t.Errorf("conditions:\n%s", all)
	}
}
