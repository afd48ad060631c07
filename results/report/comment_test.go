package report_test

import (
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/golden"
	"pushbench/results/metric"
	"pushbench/results/report"
)

func TestCommentOnARegression(t *testing.T) {
	a, b := alternating(12, func(b *results.Run) {
		slower(b, "websocket", 8*time.Millisecond, 0.10)
		slower(b, "sse", 5*time.Millisecond, -0.10)
	})
	golden.Compare(t, "comment-regression.md", render(t, compared(t, a, b).Document().Comment))
}

func TestCommentStatesTheOutcome(t *testing.T) {
	unchanged := func(*results.Run) {}
	for _, c := range []struct {
		name        string
		repetitions int
		change      func(*results.Run)
		want        string
	}{
		{"equal builds", 12, unchanged, "- No regression in 12 declared comparisons. (VERDICT, 12 repetitions)\n"},
		{"too few repetitions", 4, unchanged, "- Inconclusive: only 4 of the 9 "},
		{"noise", 12, func(b *results.Run) {
			takes(b, "sse", func(repetition int) time.Duration { return time.Duration(4+repetition%3) * time.Millisecond })
		}, "- Inconclusive: 2 of 12 declared comparisons have no conclusion. (12 repetitions)\n"},
	} {
		a, b := alternating(c.repetitions, c.change)
		if text := string(render(t, compared(t, a, b).Document().Comment)); !strings.Contains(text, c.want) || !strings.Contains(text, " | 8 → 8 ms | ") {
			t.Errorf("%s: got %s\nwant %s", c.name, text, c.want)
		}
	}
}

// GitHub refuses comments of more than 65,536 characters.
func TestCommentOfManyConfigurationsIsShort(t *testing.T) {
	a, b := alternating(12, func(*results.Run) {})
	for _, run := range []*results.Run{a, b} {
		for _, m := range metric.All {
			if m.Better != metric.Neither {
				run.Manifest.Compare.Primary = append(run.Manifest.Compare.Primary, m.Name)
			}
		}
		run.Manifest.Compare.Margin = 0.05
		own := run.Manifest.AllConfigurations()
		run.Manifest.Configurations = own
		for _, c := range own {
			for _, suffix := range []string{" a", " b", " c", " d", " e", " f", " g"} {
				c.Name = c.Transport + suffix
				run.Manifest.Configurations = append(run.Manifest.Configurations, c)
			}
		}
	}
	text := string(render(t, compared(t, a, b).Document().Comment))
	if len(text) > 60000 || !strings.Contains(text, " more rows in the run's report.\n") {
		t.Errorf("%d bytes, which end in %q", len(text), text[max(0, len(text)-200):])
	}
}

func TestCommentOnARunHasItsAnswerAndItsTable(t *testing.T) {
	run := timed(4)
	text := string(render(t, report.New(run).Document().Comment))
	for _, want := range []string{"# chat: ESTIMATE\n", "Valid for ", "\n## Results\n", "\n| websocket |"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("the comment has %q %d times: %s", want, strings.Count(text, want), text)
		}
	}
	for _, tooMuch := range []string{"\n## Validity checks", "Total: "} {
		if strings.Contains(text, tooMuch) {
			t.Errorf("the comment has %q: %s", tooMuch, text)
		}
	}

	run.Manifest.Status, run.Manifest.Reason = results.Invalid, "the generator was late"
	if text := string(render(t, report.New(run).Document().Comment)); !strings.Contains(text, "\n- INVALID: the generator was late.") || strings.Contains(text, "|") {
		t.Errorf("the comment on an invalid run: %s", text)
	}
}
