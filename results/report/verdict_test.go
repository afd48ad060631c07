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
	"pushbench/results/report"
)

// everything is all that a report says of a run.
func everything(t *testing.T, run *results.Run) string {
	t.Helper()
	return strings.Join(report.Sentences(run), "\n") +
		render(t, func(w io.Writer) error { return report.Table(w, run, report.TableOptions{}) }) +
		render(t, func(w io.Writer) error { return report.Markdown(w, run) }) +
		render(t, func(w io.Writer) error { return report.HTML(w, run, nil) }) +
		render(t, func(w io.Writer) error { return report.CSV(w, run) }) +
		render(t, func(w io.Writer) error { return report.Comparisons(w, run) })
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
		return strings.Join(report.Sentences(run)[:4], "\n") + render(t, func(w io.Writer) error { return report.Comparisons(w, run) })
	}
	want := said()
	random := rand.New(rand.NewPCG(5, 5))
	random.Shuffle(len(run.Trials), func(i, j int) { run.Trials[i], run.Trials[j] = run.Trials[j], run.Trials[i] })
	if got := said(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// From eight valid blocks on a report judges, and says so in its first word.
func TestFromEightBlocksOnTheReportJudges(t *testing.T) {
	for name, want := range map[string]string{
		"three": "ESTIMATE: 3 of the 8", "eight": "VERDICT from 8 blocks", "verdict": "VERDICT from 12 blocks", "dropped": "VERDICT from 10 blocks",
		"void": "ESTIMATE, no verdict: 3 of 12 blocks are void", "invalid": "INVALID", "stopped": "PARTIAL",
	} {
		run := states[name]()
		if first := report.Sentences(run)[0]; !strings.HasPrefix(first, want) {
			t.Errorf("%s: %q, want %s", name, first, want)
		}
		judges := strings.HasPrefix(want, "VERDICT")
		for what, text := range map[string]string{
			"table":    render(t, func(w io.Writer) error { return report.Table(w, run, report.TableOptions{}) }),
			"markdown": render(t, func(w io.Writer) error { return report.Markdown(w, run) }),
			"page":     render(t, func(w io.Writer) error { return report.HTML(w, run, nil) }),
		} {
			if strings.Contains(text, "≠ different") != judges && what == "table" || strings.Contains(text, "Verdicts on the declared metrics") != judges && what != "table" {
				t.Errorf("%s: the %s judges: %v, want %v", name, what, !judges, judges)
			}
		}
		if page := render(t, func(w io.Writer) error { return report.HTML(w, run, nil) }); strings.Contains(page, `badge VERDICT`) != judges {
			t.Errorf("%s: the page's badge says VERDICT: %v", name, !judges)
		}
	}
}

// However many metrics are declared, the terminal's table fits.
func TestManyVerdictsFitTheTerminal(t *testing.T) {
	run := states["dropped"]()
	run.Manifest.Compare = results.Declared{Margin: 0.05}
	for _, m := range results.Metrics {
		if m.Better == results.Lower {
			run.Manifest.Compare.Primary = append(run.Manifest.Compare.Primary, m.Name)
		}
	}
	got := render(t, func(w io.Writer) error { return report.Table(w, run, report.TableOptions{Color: true}) })
	for line := range strings.Lines(got) {
		if n := lipgloss.Width(line); n > 120 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, name := range run.Manifest.Compare.Primary {
		if !strings.Contains(got, results.MetricByName(name).Title) {
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
		i := slices.IndexFunc(report.Sentences(run), func(s string) bool { return strings.HasPrefix(s, "Soonest") })
		return report.Sentences(run)[i]
	}
	if got := soonest(); !strings.Contains(got, "websocket 10.3 ms (10.3–10.4) and sse 10.4 ms (10.3–10.4), too close to call, then longpoll") {
		t.Errorf("got %s", got)
	}
	run.Manifest.Compare = results.Declared{Primary: []string{results.P50}, Margin: 1} // 19.8 is not twice 10.3
	if got := soonest(); !strings.Contains(got, "and longpoll 19.8 ms (19.4–20.1), too close to call, then shortpoll") {
		t.Errorf("a margin of 100 %%: got %s", got)
	}
}
