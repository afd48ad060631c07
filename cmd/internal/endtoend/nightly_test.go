//go:build nightly && linux

package endtoend

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"pushbench/bench/client/engines"
	"pushbench/bench/validity"
	"pushbench/results"
)

// All mutants, including those whose checks require a quiet machine.
func TestSelfTestCatchesEveryMutant(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.caught(t) })
	}
}

// The byte counts of every engine must match those of TCP.
func TestBytesOfEveryEngineMatchTCP(t *testing.T) {
	for _, engine := range engines.Names()[1:] {
		t.Run(engine, func(t *testing.T) { wireBytes(t, engine) })
	}
}

// Programs that compete for the cores make a run INVALID: their effect is not attributed to the server.
func TestOtherLoadIsDetected(t *testing.T) {
	for range runtime.NumCPU() {
		busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = busy.Process.Kill()
			_ = busy.Wait()
		}()
	}
	folder := filepath.Join(t.TempDir(), "run")
	out, _ := exec.CommandContext(t.Context(), pushbench, "run", "quick", "--transports", "websocket", "--out", folder).CombinedOutput()
	run, err := results.Open(folder)
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, trial := range run.Trials {
		if !slices.ContainsFunc(trial.FailedChecks(), func(c results.ValidityCheck) bool { return c.Name == validity.NoOtherLoad }) {
			t.Errorf("attempt %d is %s: %s", trial.Attempt, trial.Status, trial.Reason)
		}
	}
}
