package report_test

import (
	"io"
	"math/rand/v2"
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

// everything is all that a report says of a run.
func everything(t *testing.T, run *results.Run) string {
	t.Helper()
	r := report.New(run)
	return strings.Join(r.Sentences(), "\n") +
		render(t, func(w io.Writer) error { return r.Table(w, report.TableOptions{}) }) +
		render(t, func(w io.Writer) error { return r.Markdown(w) }) +
		render(t, func(w io.Writer) error { return r.HTML(w, nil) }) +
		render(t, func(w io.Writer) error { return r.CSV(w) }) +
		render(t, func(w io.Writer) error { return r.Comparisons(w) })
}

// Whoever renders the same files gets the same bytes.
func TestTheReportDependsOnNothingButTheRun(t *testing.T) {
	run := states["infinite"]()
	want := everything(t, run)
	t.Setenv("TZ", "Pacific/Kiritimati")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	local := time.Local
	time.Local = time.FixedZone("elsewhere", 14*3600)
	defer func() { time.Local = local }()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if everything(t, run) != want {
		t.Error("time zone, locale or processors changed the report")
	}
}

func TestTheOrderOfTrialsChangesNoVerdict(t *testing.T) {
	run := states["dropped"]()
	said := func() string {
		r := report.New(run)
		return strings.Join(r.Sentences()[:4], "\n") + render(t, r.Comparisons)
	}
	want := said()
	random := rand.New(rand.NewPCG(5, 5))
	random.Shuffle(len(run.Trials), func(i, j int) { run.Trials[i], run.Trials[j] = run.Trials[j], run.Trials[i] })
	if got := said(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// From eight valid blocks on a report judges, and says so in the first word of one of its first two sentences.
func TestFromEightBlocksOnTheReportJudges(t *testing.T) {
	for name, want := range map[string]string{
		"three": "No verdict: too few valid repetitions (3 of 8)", "eight": "VERDICT from 8 blocks", "verdict": "VERDICT from 12 blocks", "dropped": "VERDICT from 10 blocks",
		"void": "No verdict: 3 of 12 repetitions are invalid", "invalid": "INVALID", "stopped": "PARTIAL",
	} {
		r := on(name)
		if said := r.Sentences()[:2]; !strings.HasPrefix(said[0], want) && !strings.HasPrefix(said[1], want) {
			t.Errorf("%s: %q, want %s", name, said, want)
		}
		judges := strings.HasPrefix(want, "VERDICT")
		for what, text := range map[string]string{
			"table":    render(t, func(w io.Writer) error { return r.Table(w, report.TableOptions{}) }),
			"markdown": render(t, func(w io.Writer) error { return r.Markdown(w) }),
			"page":     render(t, func(w io.Writer) error { return r.HTML(w, nil) }),
		} {
			if strings.Contains(text, "≠ different") != judges && what == "table" || strings.Contains(text, "Verdicts on the declared metrics") != judges && what != "table" {
				t.Errorf("%s: the %s judges: %v, want %v", name, what, !judges, judges)
			}
		}
		if page := render(t, func(w io.Writer) error { return r.HTML(w, nil) }); strings.Contains(page, `badge VERDICT`) != judges {
			t.Errorf("%s: the page's badge says VERDICT: %v", name, !judges)
		}
	}
}

// What a terminal has no room for beside the rest stands below it, and nothing is left out.
func TestTheTableFitsTheTerminal(t *testing.T) {
	for name, run := range states {
		r := report.New(run())
		at := func(width int) string {
			return render(t, func(w io.Writer) error { return r.Table(w, report.TableOptions{Width: width}) })
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

// However many metrics are declared, the terminal's table fits.
func TestManyVerdictsFitTheTerminal(t *testing.T) {
	run := states["dropped"]()
	run.Manifest.Compare = results.Declared{Margin: 0.05}
	for _, m := range metric.All {
		if m.Better == metric.Lower {
			run.Manifest.Compare.Primary = append(run.Manifest.Compare.Primary, m.Name)
		}
	}
	got := render(t, func(w io.Writer) error { return report.New(run).Table(w, report.TableOptions{Color: true, Width: 120}) })
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

// The order of the answer is that of the verdicts: two rows that are not called
// different share a place, however far apart their ranges lie.
func TestTheOrderFollowsTheVerdicts(t *testing.T) {
	own := *twelve()
	run := &own
	soonest := func() string {
		all := report.New(run).Sentences()
		return all[slices.IndexFunc(all, func(s string) bool { return strings.HasPrefix(s, "Soonest") })]
	}
	if got := soonest(); !strings.Contains(got, "websocket 10.3 ms (10.3–10.4) and sse 10.4 ms (10.3–10.4), too close to call, then longpoll") {
		t.Errorf("got %s", got)
	}
	run.Manifest.Compare = results.Declared{Primary: []string{metric.P50}, Margin: 1} // 19.8 is not twice 10.3
	if got := soonest(); !strings.Contains(got, "and longpoll 19.8 ms (19.4–20.1), not all told apart, then shortpoll") {
		t.Errorf("a margin of 100 %%: got %s", got)
	}
}

// takes makes every message of some trials take as long as each says, and gives them
// enough of everything for a p99.
func takes(run *results.Run, transport string, each func(block int) time.Duration) {
	for i := range run.Trials {
		tr := &run.Trials[i]
		if tr.Transport != transport {
			continue
		}
		tr.Latency = results.Latency{Independent: 100_000}
		tr.Latency.Histogram.RecordMany(each(tr.Repetition), tr.Ledger.Unique)
	}
}

func always(d time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return d }
}

// soonest is the sentence that says who is, and all that stands before it.
func soonest(t *testing.T, run *results.Run) (said, before string) {
	t.Helper()
	all := report.New(run).Sentences()
	i := slices.IndexFunc(all, func(s string) bool { return strings.HasPrefix(s, "Soonest") })
	if i < 0 {
		t.Fatalf("nobody is the soonest:\n%s", strings.Join(all, "\n"))
	}
	return all[i], strings.Join(all[:i], "\n")
}

// timed is a run of so many blocks in which each transport takes a time of its own.
func timed(blocks int) *results.Run {
	run := synthetic.Run(blocks, time.Second)
	takes(run, "shortpoll", always(500*time.Millisecond))
	takes(run, "longpoll", always(100*time.Millisecond))
	takes(run, "sse", always(5*time.Millisecond))
	takes(run, "websocket", always(8*time.Millisecond))
	return run
}

// One odd block of twelve decides a pool's p99, and no verdict: the order must be the verdicts'.
func TestAnOddBlockTurnsNoOrderRound(t *testing.T) {
	run := timed(12)
	takes(run, "sse", func(block int) time.Duration {
		if block == 7 {
			return 9 * time.Millisecond
		}
		return 5 * time.Millisecond
	})
	if said, before := soonest(t, run); !strings.Contains(before, "websocket 1.60 × sse") || !strings.Contains(said, "sse 5 ms (5–9), then websocket 8 ms") {
		t.Errorf("%s\n%s", before, said)
	}
}

// Who is not told apart from the first cannot come after somebody who is not told apart
// from either.
func TestNobodyComesAfterWhomHeMayPrecede(t *testing.T) {
	run := timed(12)
	takes(run, "longpoll", always(6*time.Millisecond)) // which is told apart from sse
	takes(run, "websocket", func(block int) time.Duration {
		return []time.Duration{2, 60, 7}[block%3] * time.Millisecond
	})
	said, before := soonest(t, run)
	if !strings.Contains(before, "inconclusive: websocket") || !strings.Contains(before, "sse 0.833 × longpoll") {
		t.Fatalf("the test is about open comparisons: %s", before)
	}
	if !strings.Contains(said, "sse 5 ms (5), longpoll 6 ms (6) and websocket 7 ms (2–60), not all told apart, then shortpoll") {
		t.Error(said)
	}
}

// What never arrives is above everything.
func TestTheInfiniteBeatsNobody(t *testing.T) {
	run := timed(5)
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Transport == "sse" {
			tr.Latency.Infinite = tr.Ledger.Unique
			tr.Ledger.DeclaredGap = tr.Ledger.Unique
			tr.Ledger.Expected *= 2
		}
	}
	said, _ := soonest(t, run)
	if !strings.Contains(said, "then sse ∞") {
		t.Error(said)
	}
	if all := strings.Join(report.New(run).Sentences(), "\n"); !strings.Contains(all, "declared undeliverable by the server, which counts as never delivered: sse") {
		t.Errorf("nothing says why:\n%s", all)
	}
}

// One transport alone can be measured, and compared with nobody.
func TestOneTransportHasNoVerdict(t *testing.T) {
	run := synthetic.Run(12, time.Second)
	run.Manifest.Transports = []string{"sse"}
	run.Trials = slices.DeleteFunc(run.Trials, func(tr results.Trial) bool { return tr.Transport != "sse" })
	r := report.New(run)
	if first := r.Sentences()[0]; r.Badge() != "ESTIMATE" || !strings.Contains(first, "nothing to compare") {
		t.Errorf("%s: %s", r.Badge(), first)
	}
}

// What the run declared not to matter makes no order either.
func TestTheMarginIsTheDeclaredOne(t *testing.T) {
	run := timed(5)
	takes(run, "websocket", always(5500*time.Microsecond))
	if said, _ := soonest(t, run); !strings.Contains(said, "sse 5 ms (5), then websocket") {
		t.Errorf("5 %%: %s", said)
	}
	run.Manifest.Compare = results.Declared{Primary: []string{metric.P99}, Margin: 0.5}
	if said, _ := soonest(t, run); !strings.Contains(said, "too close to call") {
		t.Errorf("50 %%: %s", said)
	}
}
