package host

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/clock"
	"pushbench/bench/validity"
)

// preventRefused is PreventIdle with a kernel that refuses the request.
func preventRefused(in io.Reader, out io.Writer) error {
	return preventIdle(in, out, func() (io.Closer, error) { return nil, os.ErrPermission })
}

// withMonitor runs a test with a monitor whose child plays a role.
func withMonitor(t *testing.T, role string, test func(*Monitor)) {
	t.Helper()
	t.Setenv(roleVariable, role)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := WithMonitor([]string{self}, func(m *Monitor) error { test(m); return nil }); err != nil {
		t.Error(err)
	}
}

// A stall of the whole process is reported once per core, with its length.
func TestStallIsReportedWithItsLength(t *testing.T) {
	withMonitor(t, "monitor", func(m *Monitor) { reportsStall(t, m) })
}

func reportsStall(t *testing.T, m *Monitor) {
	t.Helper()
	if _, err := m.Stalls(); err != nil { // waits until each core is monitored
		t.Fatal(err)
	}
	begin := clock.Now()
	if err := syscall.Kill(m.Process.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	const frozen = 200 * time.Millisecond
	<-time.After(frozen)
	if err := syscall.Kill(m.Process.PID(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	// The monitors wake when they can: the first reports may come earlier.
	seen := map[int]validity.CoreStalls{}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit) && len(seen) < len(child.OwnCores()); {
		stalls, err := m.Stalls()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stalls {
			if s.Longest >= frozen-2*validity.StallInterval {
				seen[s.Core] = s
			}
		}
	}
	took := clock.Now().Sub(begin)
	for _, core := range child.OwnCores() {
		s, ok := seen[core]
		if !ok || s.Total < s.Longest || s.Longest > took {
			t.Errorf("core %d: %+v (%v), want %v to %v", core, s, ok, frozen-2*validity.StallInterval, took)
		}
		if over := s.Ended.Sub(begin); over < frozen || over > took {
			t.Errorf("core %d: the stall ended after %v, want %v to %v", core, over, frozen, took)
		}
	}
}

// If the kernel refuses the request, threads prevent idle states. In both cases the method
// is reported and the cores are monitored.
func TestIdleStatesArePrevented(t *testing.T) {
	const spinning = "CPU sleep states prevented by a spinning thread at idle priority on each core"
	normal := spinning
	if granted, err := requestNoSleep(); err == nil {
		granted.Close()
		normal = "CPU sleep states disabled by the kernel (/dev/cpu_dma_latency)"
	}
	for role, want := range map[string]string{"monitor": normal, "refused": spinning} {
		t.Run(role, func(t *testing.T) {
			withMonitor(t, role, func(m *Monitor) {
				if m.prevention != want {
					t.Errorf("prevention %q, want %q", m.prevention, want)
				}
				if s, err := m.Stalls(); err != nil || len(s) != len(child.OwnCores()) {
					t.Errorf("%v, %v: want one per core", s, err)
				}
				if got := m.Condition(); !strings.HasPrefix(got, want+": latencies exclude") {
					t.Errorf("condition %q", got)
				}
			})
		})
	}
	var none *Monitor
	if got := none.Condition(); !strings.Contains(got, "sleep states allowed") {
		t.Errorf("without a monitor: %q", got)
	}
}

func TestMonitorThatHasExitedIsAnError(t *testing.T) {
	withMonitor(t, "monitor", func(m *Monitor) {
		if err := m.Process.End(time.Minute); err != nil {
			t.Errorf("exit: %v", err)
		}
		if s, err := m.Stalls(); err == nil {
			t.Errorf("a monitor that has exited reports %v", s)
		}
	})
}

func TestWithoutAMonitorNoStallIsReported(t *testing.T) {
	var none *Monitor
	if s, err := none.Stalls(); err != nil || len(s) != 0 {
		t.Errorf("%v, %v; want none", s, err)
	}
}
