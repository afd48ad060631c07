package report_test

import (
	"io"
	"strings"
	"testing"

	"pushbench/results"
	"pushbench/results/internal/golden"
	"pushbench/results/report"
)

// A search that ended early shows the loads that it found, and marks those that are not the capacity.
func TestUnfinishedCapacity(t *testing.T) {
	c := capacity()
	undecided := results.Probe{Load: 450, Open: true, Why: "p(99)<200ms is undecided: it passes in 1 of 2 repetitions", Deliveries: 9000, Folder: "probes/x"}
	c.Found[1] = results.Highest{
		Transport: "sse", Load: 400, Beyond: 800, Why: "p(99) is 310 ms", Unfinished: "at 450, " + undecided.Why,
		Probes: []results.Probe{{Load: 400, Held: true, Deliveries: 8000, P50: 40, P99: 80, CPU: 30, Folder: "probes/x"}, undecided},
	}
	c.Found[2].Unfinished = "interrupted"
	c.Found = append(c.Found, results.Highest{Transport: "longpoll", Unfinished: "an earlier search did not finish"})
	golden.Compare(t, "capacity-unfinished.txt", render(t, func(w io.Writer) error { return c.Document().Terminal(w, report.TableOptions{}) }))
	golden.Compare(t, "capacity-unfinished.md", render(t, c.Document().Markdown))
	page := render(t, func(w io.Writer) error { return c.Document().HTML(w, nil) })
	for _, want := range []string{`badge INTERRUPTED`, "If its search finished, each highest load met the limit 3 times more.", "<td>undecided</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
