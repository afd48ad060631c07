package report_test

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/internal/golden"
	"pushbench/results/report"
)

// alternating are two runs that were measured alternately, the second changed by f.
func alternating(repetitions int, f func(*results.Run)) (a, b *results.Run) {
	a, b = timed(repetitions), timed(repetitions)
	a.Path, b.Path = "before", "after"
	a.Manifest.RunID, b.Manifest.RunID = 1, 2
	a.Manifest.Baseline, b.Manifest.Baseline = []uint32{2}, []uint32{1}
	f(b)
	return a, b
}

func compared(t *testing.T, a, b *results.Run) *report.Comparison {
	t.Helper()
	c, err := report.Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// slower makes a transport's messages take longer by a share that varies between repetitions.
func slower(run *results.Run, transport string, typical time.Duration, by float64) {
	takes(run, transport, func(repetition int) time.Duration {
		return time.Duration(float64(typical) * (1 + by + 0.01*float64(repetition%3-1)))
	})
}

func TestSlowerConfigurationIsRegression(t *testing.T) {
	a, b := alternating(12, func(b *results.Run) {
		slower(b, "websocket", 8*time.Millisecond, 0.10)
		slower(b, "sse", 5*time.Millisecond, -0.10)
	})
	c := compared(t, a, b)
	var worse []string
	for _, d := range c.Analysis.Regressions() {
		worse = append(worse, compare.ConfigurationOf(d)+" "+d.Metric)
	}
	if !slices.Equal(worse, []string{"websocket p50", "websocket p99"}) {
		t.Errorf("worse: %v", worse)
	}
	golden.Compare(t, "comparison.txt", render(t, func(w io.Writer) error { return c.Document().Terminal(w, report.TableOptions{}) }))
	golden.Compare(t, "comparison.md", render(t, c.Document().Markdown))
	golden.Compare(t, "comparison.csv", render(t, c.CSV))
}

func TestRunIsEquivalentToItself(t *testing.T) {
	a, b := alternating(12, func(*results.Run) {})
	j := compared(t, a, b).Analysis
	if len(j.Regressions())+len(j.Unresolved()) != 0 {
		t.Errorf("worse %v, undecided %v, want none", j.Regressions(), j.Unresolved())
	}
	for _, d := range j.Family {
		if d.Verdict != compare.Equivalent || d.Ratio != 1 {
			t.Errorf("%+v", d)
		}
	}
}

// One family of comparisons in twenty finds a difference that does not exist. With a second measurement,
// only a difference that is worse both times is a regression.
func TestRegressionNeedsBothMeasurements(t *testing.T) {
	pair := func(transports ...string) *report.Comparison {
		a, b := alternating(12, func(b *results.Run) {
			for _, transport := range transports {
				slower(b, transport, 8*time.Millisecond, 0.10)
			}
		})
		return compared(t, a, b)
	}
	c := pair("websocket", "sse")
	second := pair("websocket")
	if err := c.Confirm(second); err == nil || !strings.Contains(err.Error(), "A is the same run twice; B is the same run twice") {
		t.Fatalf("a run confirms itself: %v", err)
	}
	for i, run := range second.Runs {
		run.Manifest.RunID, run.Manifest.Seed = uint32(3+i), 7
	}
	if err := c.Confirm(second); err != nil {
		t.Fatal(err)
	}
	var worse []string
	for _, d := range c.Analysis.Regressions() {
		worse = append(worse, compare.ConfigurationOf(d)+" "+d.Metric)
	}
	if !slices.Equal(worse, []string{"websocket p50", "websocket p99"}) {
		t.Errorf("worse: %v", worse)
	}
	text := render(t, func(w io.Writer) error { return c.Document().Terminal(w, report.TableOptions{}) })
	for _, want := range []string{"Worse in B: WebSocket latency p50", "Worse in B, but not confirmed: SSE latency p50", "worse, but not confirmed", "A, second measurement: before, "} {
		if !strings.Contains(strings.ReplaceAll(text, "\n", " "), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	undecided := pair("websocket")
	undecided.Analysis.Family = slices.Clone(second.Analysis.Family)
	for i := range undecided.Analysis.Family {
		undecided.Analysis.Family[i].Verdict = compare.Withheld
	}
	if j := pair("websocket").Analysis.Confirm(undecided.Analysis); len(j.Regressions()) != 0 || len(j.Unresolved()) != 2 {
		t.Errorf("with an undecided second measurement, %d are worse and %d undecided, want 0 and 2", len(j.Regressions()), len(j.Unresolved()))
	}
	for _, s := range c.JUnit().Suites {
		for _, tc := range s.Testcases {
			if failed := tc.Failure != nil; failed != strings.HasPrefix(tc.Name, "websocket, latency") {
				t.Errorf("%s fails: %v", tc.Name, failed)
			}
		}
	}
}

// The state of the machine between two runs affects all repetitions of one, and would look like a change.
func TestRunsThatDidNotAlternateHaveNoVerdict(t *testing.T) {
	for name, apart := range map[string]func(a, b *results.Run){
		"one after the other": func(a, b *results.Run) { a.Manifest.Baseline, b.Manifest.Baseline = nil, nil },
		"another baseline":    func(a, b *results.Run) { a.Manifest.Baseline = []uint32{3} },
		"two machines":        func(a, b *results.Run) { b.Manifest.Host.CPUModel = "another" },
		"invalid":             func(a, b *results.Run) { a.Manifest.Status = results.Invalid },
		"too short":           func(a, b *results.Run) { a.Trials, b.Trials = a.Trials[:20], b.Trials[:20] },
	} {
		a, b := alternating(12, func(b *results.Run) { slower(b, "websocket", 8*time.Millisecond, 0.5) })
		apart(a, b)
		c := compared(t, a, b)
		if c.Analysis.Withheld == "" || len(c.Analysis.Regressions()) > 0 || len(c.Analysis.Unresolved()) != len(c.Analysis.Family) {
			t.Errorf("%s: withheld %q, %d worse", name, c.Analysis.Withheld, len(c.Analysis.Regressions()))
		}
		if text := strings.Join(c.Document().Sentences(), "\n"); !strings.HasPrefix(text, "Inconclusive: ") && !strings.HasPrefix(text, "INVALID: run A: ") || strings.Contains(text, "Worse") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// Runs of different workloads are not compared.
func TestDifferentWorkloadsAreNotCompared(t *testing.T) {
	for want, change := range map[string]func(*results.Manifest){
		"the scenario differs: ":               func(m *results.Manifest) { m.Workload.Scenario = "other" },
		"the seed differs: ":                   func(m *results.Manifest) { m.Seed++ },
		"the network differs: ":                func(m *results.Manifest) { m.RTT = time.Second },
		"the client engine differs: ":          func(m *results.Manifest) { m.Engine = "other" },
		"the workload differs: ":               func(m *results.Manifest) { m.Workload.Clients++ },
		"the list of configurations differs: ": func(m *results.Manifest) { m.Transports = m.Transports[1:] },
		"the declared comparison differs: ":    func(m *results.Manifest) { m.Compare = results.Declared{Primary: []string{"p50"}, Margin: 0.5} },
		"the publish schedule differs in":      func(m *results.Manifest) { m.Schedules = []string{"b"} },
	} {
		a, b := alternating(8, func(b *results.Run) { b.Manifest.Schedules = []string{"a"} })
		a.Manifest.Schedules = []string{"a"}
		change(&b.Manifest)
		if _, err := report.Compare(a, b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A pair without a value on one side stays in the report as not comparable.
func TestSideWithoutValueIsNotComparable(t *testing.T) {
	a, b := alternating(12, func(b *results.Run) {
		for i := range b.Trials {
			if tr := &b.Trials[i]; tr.Transport == "sse" {
				tr.Latency.Independent = 10
			}
		}
	})
	c := compared(t, a, b)
	text := render(t, func(w io.Writer) error { return c.Document().Terminal(w, report.TableOptions{}) })
	if want := "not comparable: sse: 10 independent observations in repetition 1"; !strings.Contains(text, want) || !strings.Contains(text, "not comparable: 2") {
		t.Errorf("no %q in %s", want, text)
	}
}

// Two versions of one target have one name: the comparison names their sides and commits, and a confirmation
// compares both again.
func TestVersionsOfATargetAreNamed(t *testing.T) {
	versions := func(id uint32, head string) *report.Comparison {
		a, b := alternating(12, func(*results.Run) {})
		a.Manifest.RunID, b.Manifest.RunID = id, id+1
		a.Manifest.Baseline, b.Manifest.Baseline = []uint32{id + 1}, []uint32{id}
		a.Manifest.Side, a.Manifest.Served = results.BaselineSide, results.Tool{Target: "mine", Commit: "aaaaaaaaaaaa", SHA256: "file"}
		b.Manifest.Side, b.Manifest.Served = results.HeadSide, results.Tool{Target: "mine", Commit: head, Dirty: true, SHA256: "file"}
		return compared(t, a, b)
	}
	c := versions(1, "bbbbbbbbbbbb")
	text := render(t, c.Document().Markdown)
	for _, want := range []string{", baseline of mine, commit aaaaaaaaaaaa, 12 valid", ", head of mine, commit bbbbbbbbbbbb with uncommitted changes, 12 valid"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if err := c.Confirm(versions(3, "cccccccccccc")); err == nil || !strings.Contains(err.Error(), "the servers of B are a different build") {
		t.Errorf("another commit confirms: %v", err)
	}
	if err := c.Confirm(versions(3, "bbbbbbbbbbbb")); err != nil {
		t.Error(err)
	}
}

// The values of a comparison are from the repetitions of its ratio: with one repetition, the ratio is theirs.
func TestComparisonShowsComparedRepetitions(t *testing.T) {
	a, b := timed(2), timed(2)
	for i := range a.Trials {
		if a.Trials[i].Repetition == 2 {
			a.Trials[i].Status = results.Invalid
			b.Trials[i].Cost.Server.CPU *= 100
		}
	}
	c := compared(t, a, b)
	text := render(t, func(w io.Writer) error { return c.Document().Terminal(w, report.TableOptions{}) })
	if !strings.Contains(text, "medians over 1 repetition with a valid trial on both sides") {
		t.Errorf("no note on the values: %s", text)
	}
	row := regexp.MustCompile(`sse +server CPU per message +(\S+) → (\S+) µs`).FindStringSubmatch(text)
	if row == nil || row[1] != row[2] {
		t.Errorf("the values are not those of the compared repetition: %q in %s", row, text)
	}
}
