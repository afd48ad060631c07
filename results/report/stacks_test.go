package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
)

var bothStacks = []string{"nethttp", "fasthttp"}

// sentence finds the one that begins so.
func sentence(t *testing.T, run *results.Run, begins string) string {
	t.Helper()
	all := New(run).Sentences()
	i := slices.IndexFunc(all, func(s string) bool { return strings.HasPrefix(s, begins) })
	if i < 0 {
		t.Fatalf("no sentence begins with %q:\n%s", begins, strings.Join(all, "\n"))
	}
	return all[i]
}

func TestClaimsHoldOnAllStacksOrAreWithdrawn(t *testing.T) {
	for blocks, basis := range map[int]string{4: "(by ranges", 12: "(VERDICT)"} {
		run := synthetic.Sweep(blocks, time.Second, bothStacks, []time.Duration{0})
		said := sentence(t, run, "Server CPU per message ")
		for _, want := range []string{
			basis, "on all stacks measured (nethttp and fasthttp) holds shortpoll below longpoll",
			"withdrawn: ", "sse below longpoll",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("%d blocks: %q is not in %q", blocks, want, said)
			}
		}
	}
}

// The other way round on one stack: the library's doing, not the transport's.
func TestAClaimThatTurnsRoundIsWithdrawn(t *testing.T) {
	run := synthetic.Sweep(12, time.Second, bothStacks, []time.Duration{0})
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Configuration == "sse library=fasthttp" {
			tr.Cost.Server.CPU *= 4
		}
	}
	said := sentence(t, run, "Server CPU per message ")
	if _, withdrawn, _ := strings.Cut(said, "withdrawn: "); !strings.Contains(withdrawn, "sse below longpoll (on fasthttp it is the other way round)") {
		t.Errorf("got %q", said)
	}
	all := New(run).stackSection()
	if want := 3 * 6; len(all.Rows) != want {
		t.Errorf("%d rows, want %d: every pair on every metric", len(all.Rows), want)
	}
}

// Two trials of each have disjoint ranges by chance once in three.
func TestFewTrialsMakeNoClaim(t *testing.T) {
	said := sentence(t, synthetic.Sweep(2, time.Second, bothStacks, []time.Duration{0}), "Server CPU per message ")
	if !strings.Contains(said, "holds nothing") || strings.Contains(said, "withdrawn") {
		t.Errorf("got %q", said)
	}
}

func TestAnOrderByCPUIsOfItsStackAlone(t *testing.T) {
	said := sentence(t, synthetic.Run(4, time.Second), "Cheapest by ")
	if !strings.Contains(said, "on the reference stack alone") {
		t.Errorf("got %q", said)
	}
}
