package bench

import (
	"os"
	"syscall"
	"testing"
	"time"

	"pushbench/bench/clock"
)

func startKeeper(t *testing.T) *keeper {
	t.Helper()
	t.Setenv(roleVariable, "keeper")
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
	k := startKeeper(t)
	defer k.process.end(time.Minute)
	if _, err := k.stalls(); err != nil { // its watchers are there
		t.Fatal(err)
	}
	begin := clock.Now()
	if err := syscall.Kill(k.process.pid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	const frozen = 200 * time.Millisecond
	<-time.After(frozen)
	if err := syscall.Kill(k.process.pid(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	// The watchers wake when they can: the first answers may come before.
	seen := map[int]Stall{}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit) && len(seen) < len(ownCores()); {
		stalls, err := k.stalls()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stalls {
			if s.Longest >= frozen-2*watchEvery {
				seen[s.Core] = s
			}
		}
	}
	took := clock.Now().Sub(begin)
	for _, core := range ownCores() {
		if s, ok := seen[core]; !ok || s.Total < s.Longest || s.Longest > took {
			t.Errorf("core %d: %+v (%v), want %v to %v", core, s, ok, frozen-2*watchEvery, took)
		}
	}
}

func TestKeeperThatIsGoneIsAnError(t *testing.T) {
	k := startKeeper(t)
	if err := k.process.end(time.Minute); err != nil {
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
	e := Sound()
	e.Stalls = nil
	if passed, detail := keptRunning(e); !passed {
		t.Errorf("refused: %s", detail)
	}
}
