package child

import (
	"fmt"
	"os"
	"testing"
	"time"

	"pushbench/bench/cost"
)

func TestChildIsPinned(t *testing.T) {
	cores := OwnCores()
	if len(cores) < 2 {
		t.Log("one core: every child runs on it")
	}
	t.Setenv(roleVariable, "obedient")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := cores[len(cores)-1:]
	p, err := Start("server", []string{self}, Options{Cores: want})
	if err != nil {
		t.Fatal(err)
	}
	awaitLine(t, p)
	if got := affinity(t, p.PID()); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("child runs on %v, want %v", got, want)
	}
	if after := OwnCores(); fmt.Sprint(after) != fmt.Sprint(cores) {
		t.Errorf("the parent runs on %v after pinning a child, before on %v", after, cores)
	}
	if err := p.End(time.Minute); err != nil {
		t.Error(err)
	}
}

func affinity(t *testing.T, pid int) []int {
	t.Helper()
	cores, err := cost.Affinity(pid)
	if err != nil {
		t.Fatal(err)
	}
	return cores
}
