//go:build nightly && linux

package endtoend

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushbench/bench/cost"
	"pushbench/cmd/internal/app"
	"pushbench/results"
)

// long is a scenario whose window ends after everything that a test does to it.
var long = strings.Replace(hostileScenario, "window: 300ms", "window: 60s", 1)

// awaitLoad waits until an agent has a server and a load generator.
func awaitLoad(t *testing.T, agent int, children int) []int {
	t.Helper()
	limit := time.After(time.Minute)
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		pids, err := cost.Descendants(agent)
		if err == nil && len(pids) >= children {
			return pids
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("the agent has %d processes, want %d: %v", len(pids), children, err)
		}
	}
}

// ended fails if one of the processes does not end. They notice the end of their parent by that of their input.
func ended(t *testing.T, pids []int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for _, pid := range pids {
		for syscall.Kill(pid, 0) == nil {
			if time.Now().After(deadline) {
				t.Errorf("process %d still runs", pid)
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// An agent whose coordinator is killed ends the load by itself, and says so.
func TestKilledCoordinatorLeavesNoLoad(t *testing.T) {
	r := startFleet(t, long, "--agents", "1")
	agent, out := r.startAgent(t, "box")
	children := awaitLoad(t, agent.Process.Pid, 3) // with the stall monitor
	if err := r.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_, _ = r.end()
	if code := codeOf(agent.Wait()); code != exitInvalid || !strings.Contains(out.String(), "no sign of life from the coordinator for ") {
		t.Errorf("exit code %d: %s", code, out)
	}
	t.Logf("the agent ended %v after its coordinator", time.Since(killed))
	ended(t, children)
}

// A run whose agent dies, or hangs, is INVALID, names the agent, and leaves nothing behind.
func TestRunNamesTheAgentThatDied(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			r := startFleet(t, long, "--agents", "1", "--server-agent", "box")
			box, _ := r.startAgent(t, "box")
			far, _ := r.startAgent(t, "far")
			children := append(awaitLoad(t, far.Process.Pid, 1), awaitLoad(t, box.Process.Pid, 1)...)
			if err := far.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			code, out := r.end()
			if code != exitInvalid || !strings.Contains(out, "agent far: no sign of life for ") {
				t.Errorf("exit code %d: %s", code, out)
			}
			_ = far.Process.Kill() // it may have ended
			_, _ = far.Process.Wait()
			if code := codeOf(box.Wait()); code != exitOK {
				t.Errorf("the other agent ended with %d", code)
			}
			ended(t, children)
			if run, err := results.Open(r.folder); err != nil || run.Manifest.Status != results.Invalid {
				t.Errorf("the folder: %v", err)
			}
		})
	}
}

// An agent that is stopped for two seconds, between two windows or in one, is noticed by the machine's checks and not by its
// silence.
func TestAgentStoppedForTwoSeconds(t *testing.T) {
	r := startFleet(t, strings.Replace(hostileScenario, "window: 300ms", "window: 4s", 1), "--agents", "1")
	agent, _ := r.startAgent(t, "box")
	awaitLoad(t, agent.Process.Pid, 3)
	_ = agent.Process.Signal(syscall.SIGSTOP)
	time.Sleep(2 * time.Second) // the disturbance itself
	_ = agent.Process.Signal(syscall.SIGCONT)
	code, out := r.end()
	_ = agent.Wait()
	if code != exitOK && code != exitInvalid || strings.Contains(out, "no sign of life") {
		t.Errorf("exit code %d: %s", code, out)
	}
	run, err := results.Open(r.folder)
	if err != nil || len(run.Trials) < 2 || !strings.Contains(run.Trials[0].Reason, "did not run for 2") {
		t.Errorf("%v, trials %d: %s", err, len(run.Trials), out)
	}
}

// An agent of another build is refused by name, and a key of another run is worth nothing.
func TestAgentsThatMayNotJoin(t *testing.T) {
	r := startFleet(t, hostileScenario, "--agents", "1", "--agents-within", "20s")
	data, err := os.ReadFile(pushbench)
	if err != nil {
		t.Fatal(err)
	}
	own := pushbench
	other := t.TempDir() + "/pushbench"
	if err := os.WriteFile(other, append(data, 0), 0o700); err != nil { //nolint:gosec // an executable
		t.Fatal(err)
	}
	pushbench = other
	agent, out := r.startAgent(t, "old")
	pushbench = own
	if code := codeOf(agent.Wait()); code != int(app.Refused) || !strings.Contains(out.String(), "it has another build") {
		t.Errorf("another build: exit code %d: %s", code, out)
	}
	another := startFleet(t, hostileScenario, "--agents", "1", "--agents-within", "10s")
	mixed := *r
	address, _, _ := strings.Cut(r.join, "?")
	_, key, _ := strings.Cut(another.join, "?")
	mixed.join = address + "?" + key
	agent, out = mixed.startAgent(t, "stranger", "timeout", "5")
	if code := codeOf(agent.Wait()); code == exitOK || strings.Contains(out.String(), "the run has ended") {
		t.Errorf("the key of another run: exit code %d: %s", code, out)
	}
	for _, one := range []*fleetRun{r, another} {
		if code, out := one.end(); code != exitInvalid || !strings.Contains(out, "0 of 1 agents have joined") {
			t.Errorf("without agents: exit code %d: %s", code, out)
		}
	}
}
