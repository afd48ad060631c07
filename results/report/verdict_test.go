package report_test

import (
	"io"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// everything is all text of a report on a run.
func everything(t *testing.T, run *results.Run) string {
	t.Helper()
	r := report.New(run)
	return strings.Join(r.Document().Sentences(), "\n") +
		render(t, func(w io.Writer) error { return r.Document().Terminal(w, report.TableOptions{}) }) +
		render(t, func(w io.Writer) error { return r.Document().Markdown(w) }) +
		render(t, func(w io.Writer) error { return r.Document().HTML(w, nil) }) +
		render(t, func(w io.Writer) error { return r.CSV(w) }) +
		render(t, func(w io.Writer) error { return r.Trials(w) }) +
		render(t, func(w io.Writer) error { return r.Comparisons(w) })
}

// The same files give the same bytes on any machine.
func TestReportDependsOnlyOnRun(t *testing.T) {
	run := states["infinite"]()
	want := everything(t, run)
	t.Setenv("TZ", "Pacific/Kiritimati")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	local := time.Local
	time.Local = time.FixedZone("Kiritimati", 14*3600)
	defer func() { time.Local = local }()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if everything(t, run) != want {
		t.Error("time zone, locale or processors changed the report")
	}
}

func TestOrderOfTrialsChangesNoVerdict(t *testing.T) {
	run := states["discarded"]()
	text := func() string {
		r := report.New(run)
		return strings.Join(r.Document().Sentences()[:4], "\n") + render(t, r.Comparisons)
	}
	want := text()
	random := rand.New(rand.NewPCG(5, 5))
	random.Shuffle(len(run.Trials), func(i, j int) { run.Trials[i], run.Trials[j] = run.Trials[j], run.Trials[i] })
	if got := text(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A report has verdicts from eight valid repetitions on. Otherwise it states why not.
func TestVerdictsFromEightRepetitionsOn(t *testing.T) {
	for name, want := range map[string]string{
		"three": "  For a verdict: pushbench run chat --repetitions 12", "eight": "8 repetitions. Differences", "verdict": "12 repetitions. Differences", "discarded": "10 repetitions. Differences",
		"many-invalid": "  No verdict: 3 of 12 repetitions are invalid", "invalid": "INVALID", "stopped": "INTERRUPTED",
	} {
		d := on(name).Document()
		if all := d.Sentences(); !slices.ContainsFunc(all, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("%s: %q, want %s", name, all, want)
		}
		hasVerdicts := strings.Contains(want, "Differences")
		for what, text := range map[string]string{
			"wide table": render(t, func(w io.Writer) error { return d.Terminal(w, report.TableOptions{Wide: true}) }),
			"markdown":   render(t, d.Markdown),
			"page":       render(t, func(w io.Writer) error { return d.HTML(w, nil) }),
		} {
			if strings.Contains(text, "Verdicts on the declared metrics") != hasVerdicts {
				t.Errorf("%s: the %s has verdicts: %v, want %v", name, what, !hasVerdicts, hasVerdicts)
			}
		}
	}
}

// Every output has the badge of the headline.
func TestOneBadge(t *testing.T) {
	for name, want := range map[string]string{"single": "INCONCLUSIVE", "estimate": "ESTIMATE", "decided": "VERDICT", "invalid": "INVALID", "saturated": "OVERLOADED", "stopped": "INTERRUPTED"} {
		d := on(name).Document()
		if got := on(name).Badge(); got != want || d.Badge != want {
			t.Errorf("%s: %s and %s, want %s", name, got, d.Badge, want)
		}
		for what, text := range map[string]string{
			"page":     render(t, func(w io.Writer) error { return d.HTML(w, nil) }),
			"markdown": render(t, d.Markdown),
			"terminal": strings.ToUpper(render(t, func(w io.Writer) error { return d.Terminal(w, report.TableOptions{}) })),
		} {
			for _, badge := range []string{"VERDICT", "ESTIMATE", "INCONCLUSIVE", "INVALID", "OVERLOADED", "INTERRUPTED"} {
				first := strings.Join(strings.SplitN(text, "\n", 2)[:1], "")
				if what == "page" {
					first = regexp.MustCompile(`class="badge \w+"`).FindString(text)
				}
				if strings.Contains(first, badge) != (badge == want) {
					t.Errorf("%s: the %s has the badge %s: %v", name, what, badge, badge != want)
				}
			}
		}
	}
}

// Columns that do not fit the terminal stand below the others, and none is left out.
func TestTableFitsTerminal(t *testing.T) {
	for name, run := range states {
		r := report.New(run())
		at := func(width int) string {
			return render(t, func(w io.Writer) error { return r.Document().Terminal(w, report.TableOptions{Width: width}) })
		}
		whole := strings.Fields(at(1000))
		for _, width := range []int{60, 80, 100, 120, 200} {
			got := at(width)
			for line := range strings.Lines(got) {
				if n := lipgloss.Width(line); n > width {
					t.Errorf("%s: %d columns of %d: %s", name, n, width, line)
				}
			}
			has := strings.Fields(got)
			for _, cell := range whole {
				if !slices.Contains(has, cell) {
					t.Errorf("%s: with %d columns there is no %s", name, width, cell)
				}
			}
		}
	}
}

// The table fits the terminal with any number of declared metrics.
func TestManyVerdictsFitTerminal(t *testing.T) {
	run := states["discarded"]()
	run.Manifest.Compare = results.Declared{Margin: 0.05}
	for _, m := range metric.All {
		if m.Better == metric.Lower {
			run.Manifest.Compare.Primary = append(run.Manifest.Compare.Primary, m.Name)
		}
	}
	got := render(t, func(w io.Writer) error {
		return report.New(run).Document().Terminal(w, report.TableOptions{Color: true, Width: 120, Wide: true})
	})
	for line := range strings.Lines(got) {
		if n := lipgloss.Width(line); n > 120 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, name := range run.Manifest.Compare.Primary {
		if !strings.Contains(got, metric.ByName(name).Title) {
			t.Errorf("%s is missing", name)
		}
	}
}

// The order follows the verdicts: two rows that are not different share a place, however far apart their
// ranges are.
func TestOrderFollowsVerdicts(t *testing.T) {
	own := *twelve()
	run := &own
	if got, _ := fastest(t, run); !strings.Contains(got, "WebSocket 10.3 ms (10.3–10.4) and SSE 10.4 ms (10.3–10.4): no measurable difference\n  long polling") {
		t.Errorf("got %s", got)
	}
	run.Manifest.Compare = results.Declared{Primary: []string{metric.P50}, Margin: 1} // 19.8 is not twice 10.3
	if got, _ := fastest(t, run); !strings.Contains(got, "and long polling 20 ms (19.4–20.1): not every pair is distinguishable\n  short polling") {
		t.Errorf("a margin of 100 %%: got %s", got)
	}
}

// takes sets the latency of all messages of a transport by repetition, with enough observations for a p99.
func takes(run *results.Run, transport string, latency func(repetition int) time.Duration) {
	for i := range run.Trials {
		tr := &run.Trials[i]
		if tr.Transport != transport {
			continue
		}
		tr.Latency = results.Latency{Independent: 100_000}
		tr.Latency.Histogram.RecordMany(latency(tr.Repetition), tr.Ledger.Delivered)
	}
}

func always(d time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return d }
}

// fastest is the order by latency, and the table of verdicts in Markdown.
func fastest(t *testing.T, run *results.Run) (order, verdicts string) {
	t.Helper()
	d := report.New(run).Document()
	for _, s := range d.Sections {
		for _, p := range s.Paragraphs {
			if strings.HasPrefix(p.Text, "Fastest") {
				order = strings.Join(append([]string{p.Text}, p.Items...), "\n  ")
			}
		}
	}
	if order == "" {
		t.Fatalf("no order by latency:\n%s", strings.Join(d.Sentences(), "\n"))
	}
	_, verdicts, _ = strings.Cut(render(t, d.Markdown), "## Verdicts")
	return order, verdicts
}

// timed is a run in which each transport has its own constant latency.
func timed(repetitions int) *results.Run {
	run := synthetic.Run(repetitions, time.Second)
	takes(run, "shortpoll", always(500*time.Millisecond))
	takes(run, "longpoll", always(100*time.Millisecond))
	takes(run, "sse", always(5*time.Millisecond))
	takes(run, "websocket", always(8*time.Millisecond))
	return run
}

// One outlier among twelve repetitions decides the pool's p99, but no verdict: the order must follow the
// verdicts.
func TestOutlierDoesNotReverseOrder(t *testing.T) {
	run := timed(12)
	takes(run, "sse", func(repetition int) time.Duration {
		if repetition == 7 {
			return 9 * time.Millisecond
		}
		return 5 * time.Millisecond
	})
	if order, before := fastest(t, run); !strings.Contains(before, "| latency p99 | websocket / sse | 1.60 |") || !strings.Contains(order, "SSE 5.0 ms (5–9)\n  WebSocket 8 ms") {
		t.Errorf("%s\n%s", before, order)
	}
}

// Rows share a place if one of them is distinguishable from none of the others.
func TestIndistinguishableRowJoinsPlaces(t *testing.T) {
	run := timed(12)
	takes(run, "longpoll", always(6*time.Millisecond)) // which is distinguishable from SSE
	takes(run, "websocket", func(repetition int) time.Duration {
		return []time.Duration{2, 60, 7}[repetition%3] * time.Millisecond
	})
	order, before := fastest(t, run)
	if !strings.Contains(before, "| inconclusive |") || !strings.Contains(before, "| latency p99 | sse / longpoll | 0.833 |") {
		t.Fatalf("the test needs an inconclusive comparison: %s", before)
	}
	if !strings.Contains(order, "SSE 5 ms (5), long polling 6 ms (6) and WebSocket 7.0 ms (2–60): not every pair is distinguishable\n  short polling") {
		t.Error(order)
	}
}

// A message that never arrives has the highest latency.
func TestInfiniteLatencyIsLast(t *testing.T) {
	run := timed(5)
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Transport == "sse" {
			tr.Latency.Infinite = tr.Ledger.Delivered
			tr.Ledger.DeclaredGap = tr.Ledger.Delivered
			tr.Ledger.Expected *= 2
		}
	}
	order, _ := fastest(t, run)
	if !strings.HasSuffix(order, "\n  SSE ∞ (∞)") {
		t.Error(order)
	}
	if all := strings.Join(report.New(run).Document().Sentences(), "\n"); !strings.Contains(all, "declared undeliverable by the server, which counts as never delivered: SSE") {
		t.Errorf("no sentence gives the reason:\n%s", all)
	}
}

// A single transport can be measured, but not compared.
func TestSingleTransportHasNoVerdict(t *testing.T) {
	run := synthetic.Run(12, time.Second)
	run.Manifest.Transports = []string{"sse"}
	run.Trials = slices.DeleteFunc(run.Trials, func(tr results.Trial) bool { return tr.Transport != "sse" })
	r := report.New(run)
	if first := r.Document().Sentences()[0]; r.Badge() != "ESTIMATE" || !strings.Contains(first, "nothing to compare") {
		t.Errorf("%s: %s", r.Badge(), first)
	}
}

// A difference within the declared margin makes no order either.
func TestMarginIsTheDeclaredOne(t *testing.T) {
	run := timed(5)
	takes(run, "websocket", always(5500*time.Microsecond))
	if order, _ := fastest(t, run); !strings.Contains(order, "SSE 5 ms (5)\n  WebSocket") {
		t.Errorf("5 %%: %s", order)
	}
	run.Manifest.Compare = results.Declared{Primary: []string{metric.P99}, Margin: 0.5}
	if order, _ := fastest(t, run); !strings.Contains(order, "no measurable difference") {
		t.Errorf("50 %%: %s", order)
	}
}
