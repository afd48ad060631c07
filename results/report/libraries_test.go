package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
)

var bothLibraries = []string{"nethttp", "fasthttp"}

// sentence finds the sentence that begins with the text, with the items of its list.
func sentence(t *testing.T, run *results.Run, begins string) string {
	t.Helper()
	all := New(run).Document().Sentences()
	i := slices.IndexFunc(all, func(s string) bool { return strings.HasPrefix(s, begins) })
	if i < 0 {
		t.Fatalf("no sentence begins with %q:\n%s", begins, strings.Join(all, "\n"))
	}
	end := i + 1
	for end < len(all) && strings.HasPrefix(all[end], item) {
		end++
	}
	return strings.Join(all[i:end], "\n")
}

func TestCostOrderIsConfirmedByAllLibrariesOrRejected(t *testing.T) {
	for repetitions, basis := range map[int]string{4: "(by disjoint ranges)", 12: "(VERDICT)"} {
		run := synthetic.Sweep(repetitions, time.Second, bothLibraries, []time.Duration{0})
		text := sentence(t, run, "Server CPU ")
		for _, want := range []string{
			basis, "on all measured libraries (nethttp and fasthttp):\n", "\n  confirmed: short polling below long polling",
			"SSE below long polling", "\n  depends on the library: ",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%d repetitions: %q is not in %q", repetitions, want, text)
			}
		}
	}
}

// An order that is reversed on one library is the library's doing, not the transport's.
func TestReversedCostOrderDependsOnLibrary(t *testing.T) {
	run := synthetic.Sweep(12, time.Second, bothLibraries, []time.Duration{0})
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Configuration == "sse library=fasthttp" {
			tr.Cost.Server.CPU *= 4
		}
	}
	text := sentence(t, run, "Server CPU ")
	if !strings.Contains(text, "depends on the library: SSE below long polling (on fasthttp: reversed)") {
		t.Errorf("got %q", text)
	}
	all := New(run).librarySection()
	if want := 3 * 6; len(all.Rows) != want {
		t.Errorf("%d rows, want %d: all pairs by all metrics", len(all.Rows), want)
	}
}

// Two trials of each have disjoint ranges by chance once in three.
func TestFewTrialsConfirmNoCostOrder(t *testing.T) {
	text := sentence(t, synthetic.Sweep(2, time.Second, bothLibraries, []time.Duration{0}), "Server CPU ")
	if !strings.Contains(text, "confirmed: no order") || strings.Contains(text, "depends on the library") {
		t.Errorf("got %q", text)
	}
}

func TestOrderByCPUNamesItsLibrary(t *testing.T) {
	text := sentence(t, synthetic.Run(4, time.Second), "Cheapest by ")
	if !strings.Contains(text, "(server library: reference)") {
		t.Errorf("got %q", text)
	}
}

// The library reference has a column of its own, from the rows of the libraries that it stands for.
func TestReferenceSharesRowsWithItsLibraries(t *testing.T) {
	run := synthetic.Sweep(12, time.Second, bothLibraries, []time.Duration{0})
	alone := New(run).librarySection()
	run.Manifest.Library = "reference, nethttp, fasthttp"
	r := New(run)
	all := r.librarySection()
	if want := []string{"reference", "nethttp", "fasthttp"}; !slices.Equal(libraryNames(r.byLibrary()), want) || len(all.Rows) != len(alone.Rows) {
		t.Errorf("%d rows of %v, want %d of %v", len(all.Rows), all.Columns, len(alone.Rows), want)
	}
	if !strings.Contains(all.Note, "Each program was measured once.") || strings.Contains(alone.Note, "Each program was measured once.") {
		t.Error("the note on reference is missing, or there without reference")
	}
	for _, l := range r.byLibrary() {
		for _, row := range l.rows {
			want := l.library
			if want == "reference" {
				want = map[bool]string{true: "nethttp", false: "fasthttp"}[row.Transport == "websocket"]
			}
			if row.Library != want {
				t.Errorf("%s stands for %s with %s, want %s", l.library, row.Library, row.Transport, want)
			}
		}
	}
}
