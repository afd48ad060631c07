//go:build nightly && linux

package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/client/engines"
	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/scenarios"
)

// Rows that measure: the command works in its environment, or fails after it has begun.
var measuringRows = []hostileRow{
	{"as it is", []string{"TMPDIR=/nonexistent"}, measure, exitOK, "disk/out/report.html"},
	{"one core", nil, measure, exitOK, "pushbench: warning: server and load generator share one core and disturb each other"},
	{"as it is", nil, measure + " 2>&1 | true", exitOK, ""}, // the reader ends before the run, which it must not end
}

var measuringRowsAsRoot = []hostileRow{
	{"a disk of 64 KiB", nil, measure, exitInternal, "the disk is full"},
	{"a listen queue of 8", nil, "sed 's/count: 2/connect_rate: 50000\\/s, count: 2000/; s/rate: 100/rate: 10/' hostile.yaml > burst.yaml; " + strings.Replace(measure, "hostile", "burst", 1), exitInvalid, "the listen queue was full"},
	{"a quota of a tenth of a core", nil, "pushbench doctor", exitInvalid, "0.1 cores. Throttling by the quota invalidates a trial"},
}

// No time crosses the connection: a server whose monotonic clock is a day ahead changes no latency.
func TestHostileMeasurementOfAnotherClockAsRoot(t *testing.T) {
	s, err := scenarios.Read("hostile", strings.NewReader(hostileScenario))
	if err != nil {
		t.Fatal(err)
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Fatal(err)
	}
	const ahead = 24 * time.Hour
	local := &agent.Local{Machine: agent.Machine{
		Drive: []string{pushbench, "drive"},
		Serve: func(j agent.Job, _ string) []string {
			return []string{unshare, "--time", "--monotonic", fmt.Sprint(ahead.Seconds()), pushbench, "serve", string(j.Measured.Transport), "--control", "--listen", "127.0.0.1:0"}
		},
	}}
	setup := &trial.Setup{Engine: engines.Names()[0], Servers: local, Generators: []agent.Agent{local}}
	measured := s.Configurations()[0]
	one := &trial.Trial{Setup: setup, Scenario: s.For(measured), Measured: measured, Repetition: 1, Run: 1}
	result, err := one.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := result.Latency.Histogram
	if result.Ledger.Lost > 0 || h.Count() == 0 || h.Quantile(0) < 0 || h.Quantile(1) > ahead/2 {
		t.Errorf("%+v, latencies from %v to %v, want less than half a day", result.Ledger, h.Quantile(0), h.Quantile(1))
	}
}

func TestHostileMeasurement(t *testing.T)       { runMeasuring(t, measuringRows) }
func TestHostileMeasurementAsRoot(t *testing.T) { runMeasuring(t, measuringRowsAsRoot) }

func runMeasuring(t *testing.T, rows []hostileRow) {
	t.Cleanup(func() { // the control group that a row leaves, once its processes have ended
		_ = os.Remove(filepath.Join(groupFolder, "below"))
		_ = os.Remove(groupFolder)
	})
	for _, row := range rows {
		t.Run(row.environment+": "+row.command, func(t *testing.T) {
			dir, code, out := row.run(t)
			folder := filepath.Join(dir, "disk", "out")
			if row.code == exitOK {
				if _, err := settle(t.Name(), code, row.code, folder); err != nil {
					t.Errorf("%v: %s", err, out)
				}
				if run, err := results.Open(folder); err != nil || len(run.Trials) == 0 {
					t.Errorf("%v: %s", err, out)
				}
			} else if code != row.code {
				t.Errorf("exit code %d, want %d: %s", code, row.code, out)
			}
			trials, _ := os.ReadFile(filepath.Join(folder, "trials.jsonl")) // has all failed checks, the output only the first
			if !strings.Contains(out+string(trials), row.says) {
				t.Errorf("want %q in %s%s", row.says, out, trials)
			}
		})
	}
}
