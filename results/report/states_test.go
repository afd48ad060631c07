package report_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

	"pushbench/results"
	"pushbench/results/internal/golden"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// documents are the states of everything except a run; states has those of a run, crossovers included.
var documents = map[string]func(*testing.T) report.Document{
	"compare-regression": comparing(12, func(b *results.Run) {
		slower(b, "websocket", 8*time.Millisecond, 0.10)
		slower(b, "sse", 5*time.Millisecond, -0.10)
	}),
	"compare-no-regression": comparing(12, func(*results.Run) {}),
	"compare-inconclusive": comparing(12, func(b *results.Run) {
		takes(b, "sse", func(repetition int) time.Duration { return time.Duration(4+repetition%3) * time.Millisecond })
	}),
	"compare-too-few":       comparing(4, func(*results.Run) {}),
	"compare-not-alternate": comparing(12, func(b *results.Run) { b.Manifest.Baseline = nil }),
	"compare-invalid": comparing(12, func(b *results.Run) {
		b.Manifest.Status, b.Manifest.Reason = results.Invalid, "the generator was late"
	}),

	"capacity-found": func(*testing.T) report.Document { return capacity().Document() },
	"capacity-none": func(*testing.T) report.Document {
		c := capacity()
		c.Found = c.Found[2:]
		return c.Document()
	},
	"capacity-unmeasured": func(*testing.T) report.Document {
		c := capacity()
		c.Found[1].Load, c.Found[1].Probes[0].Held = 0, false
		return c.Document()
	},
	"capacity-equal": func(*testing.T) report.Document {
		c := capacity()
		c.Found[1].SetupLimited = false
		c.Found[0].Load, c.Found[0].Probes[0].Load, c.Found[0].Beyond = 880, 880, 920
		return c.Document()
	},

	"check-failed": checking(func(*results.Run) {}),
	"check-reproduced": checking(func(run *results.Run) {
		run.Manifest.Assertions = run.Manifest.Assertions[:2]
	}),
	"check-undecided": checking(func(run *results.Run) {
		run.Manifest.Assertions = []metric.Assertion{run.Manifest.Assertions[0], run.Manifest.Assertions[3]}
	}),
	"check-invalid": checking(func(run *results.Run) {
		run.Manifest.Status, run.Manifest.Reason = results.Invalid, "the generator was late"
	}),
}

// comparing compares two runs in turns, of which the second one is changed.
func comparing(repetitions int, change func(*results.Run)) func(*testing.T) report.Document {
	return func(t *testing.T) report.Document {
		a, b := alternating(repetitions, change)
		return compared(t, a, b).Document()
	}
}

// checking checks a reference by a run that is changed.
func checking(change func(*results.Run)) func(*testing.T) report.Document {
	return func(*testing.T) report.Document {
		here := *states["assertions"]()
		change(&here)
		return report.Check{Reference: on("assertions"), Here: report.New(&here)}.Document()
	}
}

func TestStatesOfDocuments(t *testing.T) {
	for name, of := range documents {
		t.Run(name, func(t *testing.T) {
			d := of(t)
			got := render(t, func(w io.Writer) error { return d.Terminal(w, report.TableOptions{Width: 80}) })
			golden.Compare(t, name+".txt", got)
			for line := range strings.Lines(got) {
				if n := lipgloss.Width(line); n > 80 {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
	}
}

// The first word of an answer is a verb or a state, and a badge is one of those that CI systems know.
func TestAnswersBeginWithAVerbOrAState(t *testing.T) {
	all := map[string]report.Document{}
	for name, of := range documents {
		all[name] = of(t)
	}
	for name := range states {
		all["run-"+name] = on(name).Document()
	}
	begins := strings.Fields("Use Choose No Inconclusive: INVALID: OVERLOADED: INTERRUPTED: Regression: Reproduced: Not")
	badges := []string{"", "VERDICT", "ESTIMATE", "INCONCLUSIVE", "INVALID", "OVERLOADED", "INTERRUPTED"}
	for name, d := range all {
		first, _, _ := strings.Cut(d.Headline[0].Text, " ")
		if !slices.Contains(begins, first) || !slices.Contains(badges, d.Badge) {
			t.Errorf("%s: %s: %q", name, d.Badge, d.Headline[0].Text)
		}
	}
}

// Sections are reached by links, so their names are different.
func TestSectionsHaveTheirOwnIDs(t *testing.T) {
	for name := range states {
		seen := map[string]bool{}
		for _, s := range on(name).Document().Sections {
			if s.ID() == "" || seen[s.ID()] {
				t.Errorf("%s: the section %q has the ID %q, as another one has", name, s.Title, s.ID())
			}
			seen[s.ID()] = true
		}
	}
}
