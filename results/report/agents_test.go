package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
	"pushbench/results/report"
)

// Every agent has a row per configuration, over all valid trials.
func TestAgentsHaveRows(t *testing.T) {
	run := synthetic.Run(2, time.Second)
	for i := range run.Trials {
		one := &run.Trials[i]
		one.Agents = []results.AgentShare{
			{Name: "box", Machine: "0123456789", Server: 30 * time.Millisecond},
			{Name: "near\x1b[31m", Clients: 7, Ledger: results.Ledger{Expected: 5, Delivered: 4, Lost: 1}, Generator: 20 * time.Millisecond, Bound: time.Duration(i+1) * time.Millisecond, Control: 500},
		}
	}
	var b bytes.Buffer
	if err := report.New(run).Document().Markdown(&b); err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(b.String(), "Agents")
	if !found || strings.Contains(table, "\x1b") || strings.Contains(table, "0123456789") {
		t.Fatalf("no table of agents, or with control characters:\n%s", b.String())
	}
	for _, want := range []string{"| box | 01234567 |", `| near\[31m |`, "| 8 | 2 |"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%.2000s", want, table)
		}
	}
}
