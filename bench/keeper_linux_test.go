package bench

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

// keepRefused keeps the cores awake where the kernel takes no wish from us.
func keepRefused(in io.Reader, out io.Writer) error {
	return keepAwake(in, out, func() (io.Closer, error) { return nil, os.ErrPermission })
}

func startKeeper(t *testing.T, role string) *keeper {
	t.Helper()
	t.Setenv(roleVariable, role)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	k, err := newKeeper([]string{self})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A standstill of everything is seen on every core, as long as it was, and once.
func TestKeeperSeesAStandstill(t *testing.T) {
	k := startKeeper(t, "keeper")
	defer k.process.End(time.Minute)
	if _, err := k.stalls(); err != nil { // its watchers are there
		t.Fatal(err)
	}
	begin := clock.Now()
	if err := syscall.Kill(k.process.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	const frozen = 200 * time.Millisecond
	<-time.After(frozen)
	if err := syscall.Kill(k.process.PID(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	// The watchers wake when they can: the first answers may come before.
	seen := map[int]validity.Stall{}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit) && len(seen) < len(child.OwnCores()); {
		stalls, err := k.stalls()
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
	if held, err := wishNoSleep(); err == nil {
		held.Close()
		wished = "the kernel was asked to let no core sleep (/dev/cpu_dma_latency)"
	}
	for role, want := range map[string]string{"keeper": wished, "refused": spinning} {
		t.Run(role, func(t *testing.T) {
			k := startKeeper(t, role)
			defer k.process.End(time.Minute)
			if k.kept != want {
				t.Errorf("kept awake by %q, want %q", k.kept, want)
			}
			if s, err := k.stalls(); err != nil || len(s) != len(child.OwnCores()) {
				t.Errorf("%v, %v: want one of each core", s, err)
			}
			if said := k.sleep(); !strings.HasPrefix(said, want+": no latency holds") {
				t.Errorf("it says %q", said)
			}
		})
	}
	var none *keeper
	if said := none.sleep(); !strings.Contains(said, "may sleep") {
		t.Errorf("without a keeper: %q", said)
	}
}

func TestKeeperThatIsGoneIsAnError(t *testing.T) {
	k := startKeeper(t, "keeper")
	if err := k.process.End(time.Minute); err != nil {
		t.Errorf("its end: %v", err)
	}
	if s, err := k.stalls(); err == nil {
		t.Errorf("a keeper that is gone says %v", s)
	}
}

func TestNobodyWatchesWhereCoresMaySleep(t *testing.T) {
	var none *keeper
	if s, err := none.stalls(); err != nil || len(s) != 0 {
		t.Errorf("%v, %v; want nothing", s, err)
	}
}
