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

// preventRefused prevents idle states where the kernel refuses the request to.
func preventRefused(in io.Reader, out io.Writer) error {
	return preventIdle(in, out, func() (io.Closer, error) { return nil, os.ErrPermission })
}

// withMonitor tests beside a monitor whose child plays a role.
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

// A stall of the whole process is seen once on every core, with its length.
func TestMonitorSeesAStall(t *testing.T) {
	withMonitor(t, "monitor", func(m *Monitor) { seesAStall(t, m) })
}

func seesAStall(t *testing.T, m *Monitor) {
	t.Helper()
	if _, err := m.Stalls(); err != nil { // its watchers are there
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
	// The watchers wake when they can: the first answers may come before.
	seen := map[int]validity.Stall{}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit) && len(seen) < len(child.OwnCores()); {
		stalls, err := m.Stalls()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stalls {
			if s.Longest >= frozen-2*validity.WatchEvery {
				seen[s.Core] = s
			}
		}
	}
	took := clock.Now().Sub(begin)
	for _, core := range child.OwnCores() {
		s, ok := seen[core]
		if !ok || s.Total < s.Longest || s.Longest > took {
			t.Errorf("core %d: %+v (%v), want %v to %v", core, s, ok, frozen-2*validity.WatchEvery, took)
		}
		if over := s.Ended.Sub(begin); over < frozen || over > took {
			t.Errorf("core %d: it was over after %v, want %v to %v", core, over, frozen, took)
		}
	}
}

// Where the kernel takes no wish from us, threads keep the cores awake; either way it is
// said, and the cores are watched.
func TestCoresAreKeptAwake(t *testing.T) {
	const spinning = "a thread at idle priority keeps each core from sleeping"
	wished := spinning
	if held, err := requestNoSleep(); err == nil {
		held.Close()
		wished = "the kernel was asked to let no core sleep (/dev/cpu_dma_latency)"
	}
	for role, want := range map[string]string{"monitor": wished, "refused": spinning} {
		t.Run(role, func(t *testing.T) {
			withMonitor(t, role, func(m *Monitor) {
				if m.kept != want {
					t.Errorf("idle states prevented by %q, want %q", m.kept, want)
				}
				if s, err := m.Stalls(); err != nil || len(s) != len(child.OwnCores()) {
					t.Errorf("%v, %v: want one of each core", s, err)
				}
				if said := m.Condition(); !strings.HasPrefix(said, want+": no latency holds") {
					t.Errorf("it says %q", said)
				}
			})
		})
	}
	var none *Monitor
	if said := none.Condition(); !strings.Contains(said, "may sleep") {
		t.Errorf("without a monitor: %q", said)
	}
}

func TestMonitorThatHasExitedIsAnError(t *testing.T) {
	withMonitor(t, "monitor", func(m *Monitor) {
		if err := m.Process.End(time.Minute); err != nil {
			t.Errorf("its exit: %v", err)
		}
		if s, err := m.Stalls(); err == nil {
			t.Errorf("a monitor that has exited reports %v", s)
		}
	})
}

func TestWithoutAMonitorNothingIsSeen(t *testing.T) {
	var none *Monitor
	if s, err := none.Stalls(); err != nil || len(s) != 0 {
		t.Errorf("%v, %v; want nothing", s, err)
	}
}
