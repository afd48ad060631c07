package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"charm.land/lipgloss/v2"
	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchproc"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/internal/golden"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/price"
	"pushbench/results/report"
	"pushbench/results/summary"
)

// The runs are generated once: no test changes them.
var (
	long   = sync.OnceValue(func() *results.Run { return synthetic.Run(4, 12*time.Second) })
	twelve = sync.OnceValue(func() *results.Run { return synthetic.Run(12, 10*time.Second) })
	eight  = sync.OnceValue(func() *results.Run { return synthetic.Run(8, time.Second) })
)

// changed is a copy of a small run after f has changed it.
func changed(f func(*results.Run)) *results.Run {
	run := synthetic.Run(5, time.Second)
	f(run)
	return run
}

// reports are the reports on the states, which tests only read.
var reports sync.Map

// on is the report on a state, summarized and analyzed once.
func on(state string) *report.Report {
	once, _ := reports.LoadOrStore(state, sync.OnceValue(func() *report.Report { return report.New(states[state]()) }))
	return once.(func() *report.Report)()
}

func render(t *testing.T, f func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// invalidate makes one trial of a repetition invalid.
func invalidate(run *results.Run, repetition, position int) {
	t := &run.Trials[(repetition-1)*4+position]
	t.Checks[1] = results.ValidityCheck{Name: "pacing", Detail: "send lateness p99 3 ms, at most 1 ms allowed"}
}

// crossover is a run that sweeps the poll interval: short polling is cheapest from 2 s of staleness on.
func crossover() *results.Run {
	return changed(func(r *results.Run) {
		const often, seldom = "shortpoll interval=40ms", "shortpoll interval=1.6s"
		r.Manifest.Transports = []string{"shortpoll", "websocket"}
		r.Manifest.Configurations = []results.Configuration{
			{Name: often, Transport: "shortpoll", Interval: 40 * time.Millisecond},
			{Name: seldom, Transport: "shortpoll", Interval: 1600 * time.Millisecond},
			{Name: "websocket", Transport: "websocket"},
		}
		r.Trials = slices.DeleteFunc(r.Trials, func(t results.Trial) bool { return t.Transport != "shortpoll" && t.Transport != "websocket" })
		for i, t := range r.Trials {
			if t.Transport == "shortpoll" {
				r.Trials[i].Configuration = seldom
				t.Configuration = often
				t.Cost.Server.CPU *= 20
				r.Trials = append(r.Trials, t)
			}
		}
		takes(r, "shortpoll", always(20*time.Millisecond))
		for i, t := range r.Trials {
			if t.Configuration == seldom {
				r.Trials[i].Latency = results.Latency{Independent: 100_000}
				r.Trials[i].Latency.Histogram.RecordMany(1500*time.Millisecond, t.Ledger.Delivered)
			}
		}
	})
}

// states are the runs whose sentences and tables must differ.
var states = map[string]func() *results.Run{
	"estimate": long,
	"eight":    eight,
	"single":   func() *results.Run { return synthetic.Run(1, time.Second) },
	"three":    func() *results.Run { return synthetic.Run(3, time.Second) },
	"invalid": func() *results.Run {
		return changed(func(r *results.Run) {
			r.Manifest.Status, r.Manifest.Reason = results.Invalid, r.Trials[6].Name()+": generator on time: send lateness p99 980 ms, at most 1 ms allowed"
			r.Trials[6].Status, r.Trials[6].Reason = results.Invalid, "generator on time: send lateness p99 980 ms, at most 1 ms allowed"
			r.Trials[6].Checks[1] = results.ValidityCheck{Name: "generator on time", Detail: "send lateness p99 980 ms, at most 1 ms allowed"}
		})
	},
	"latest": func() *results.Run {
		return changed(func(r *results.Run) {
			r.Manifest.Workload.Delivery = "latest"
			for i := range r.Trials {
				r.Trials[i].Predicted = []results.Prediction{{Metric: metric.AgeMean, Value: 20, Formula: "d + 1/λ"}}
			}
		})
	},
	"latest-long": func() *results.Run {
		run := *long()
		run.Manifest.Workload.Delivery = "latest"
		return &run
	},
	"no-ages": func() *results.Run { // of a version that did not measure ages
		return changed(func(r *results.Run) {
			for i := range r.Trials {
				r.Trials[i].Age = results.AgeOfInformation{}
			}
		})
	},
	"assertions": func() *results.Run { // some pass, one fails, one is undecided
		run := *long()
		run.Manifest.Requirements = []metric.Assertion{{Text: "p(99) < 500ms", Metric: "p(99)", Op: "<", Bound: 500}, {Text: "lost == 0", Metric: "lost", Op: "=="}}
		run.Manifest.Assertions = []metric.Assertion{
			{Text: "lost == 0", Metric: "lost", Op: "=="},
			{Text: "websocket p(50) < 0.1 * shortpoll", Configuration: "websocket", Metric: "p(50)", Op: "<", Times: 0.1, OtherConfiguration: "shortpoll", OtherMetric: "p(50)"},
			{Text: "sse p(99) < 1ms", Configuration: "sse", Metric: "p(99)", Op: "<", Bound: 1},
			{Text: "longpoll p(99.99) < 1ms", Configuration: "longpoll", Metric: "p(99.99)", Op: "<", Bound: 1},
			{Text: "longpoll p(99.999) < 1s", Configuration: "longpoll", Metric: "p(99.999)", Op: "<", Bound: 1000},
		}
		return &run
	},
	"unmet": func() *results.Run { // no transport meets the requirement, and clients send upstream messages
		run := *long()
		run.Manifest.Workload.UpstreamRate, run.Manifest.Workload.UpstreamBytes = 600, 48
		run.Manifest.Requirements = []metric.Assertion{{Text: "p(99) < 1ms", Metric: "p(99)", Op: "<", Bound: 1}}
		run.Manifest.Assertions = []metric.Assertion{{Text: "lost == 0", Metric: "lost", Op: "=="}}
		return &run
	},
	"none-meets": func() *results.Run {
		run := *long()
		run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 1ms", Metric: "p(50)", Op: "<", Bound: 1}}
		return &run
	},
	"equal": func() *results.Run { // SSE costs what WebSocket costs
		return changed(func(r *results.Run) {
			r.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 15ms", Metric: "p(50)", Op: "<", Bound: 15}, {Text: "lost == 0", Metric: "lost", Op: "=="}}
			for i, t := range r.Trials {
				for _, other := range r.Trials {
					if t.Transport == "sse" && other.Transport == "websocket" && other.Repetition == t.Repetition {
						r.Trials[i].Cost.Server.CPU, r.Trials[i].Cost.Generator.CPU = other.Cost.Server.CPU, other.Cost.Generator.CPU
					}
				}
			}
		})
	},
	"unusual": func() *results.Run { // options that are not the default
		run := *long()
		m := &run.Manifest
		m.Engine, m.Library, m.Pinning = "goroutines", "nethttp", results.Pinning{}
		m.Conditions = []string{"2 servers share the clients, each with its own load generator", "CPU sleep states allowed: latencies include wake-up time"}
		m.Servers = map[string]string{"sse": `library=nethttp inject="drop=5"`, "websocket": `library=nethttp inject="drop=5"`}
		return &run
	},
	"crossover": crossover,
	"priced":    func() *results.Run { return changed(priced) },
	"partial": func() *results.Run {
		return changed(func(r *results.Run) {
			r.Manifest.Status, r.Manifest.Reason = results.Partial, "interrupted in repetition 5"
			r.Trials = r.Trials[:18]
			r.Warnings = []string{"repetition 5 sse was interrupted: 2 of its intervals are kept, but are part of no result"}
		})
	},
	"saturated": func() *results.Run {
		return changed(func(r *results.Run) {
			r.Manifest.Status, r.Manifest.Reason = results.Saturated, "longpoll could not keep up with 2,000 deliveries/s"
			for i := range r.Trials {
				if r.Trials[i].Transport == "longpoll" {
					r.Trials[i].Status = results.Saturated
				}
			}
		})
	},
	"lost": func() *results.Run {
		return changed(func(r *results.Run) {
			r.Manifest.Network, r.Manifest.RTT, r.Manifest.NotShown = "loopback", 0, nil
			for i := range r.Trials {
				t := &r.Trials[i]
				if t.Transport != "websocket" {
					continue
				}
				t.Ledger.Expected, t.Ledger.Lost, t.Latency.Infinite = 2*t.Ledger.Expected, t.Ledger.Expected, t.Ledger.Expected
				t.Ledger.LostBy = map[string]int64{"closed": t.Ledger.Lost - 1, "timeout": 1}
				t.Latency.Independent = 100_000
			}
		})
	},
	"irregular": func() *results.Run { // duplicates, changed payloads, lost connections, missing acknowledgements
		return changed(func(r *results.Run) {
			for i := range r.Trials {
				t := &r.Trials[i]
				l, p := &t.Ledger, &t.Publishes
				switch t.Transport {
				case "websocket":
					l.Duplicates, l.Unexpected, l.Corrupt, l.Reordered = 40, 30, 20, 5
					l.Received += 70
				case "sse":
					p.Acknowledged, p.Failed, p.Unknown, p.FailedBy = p.Sent-3, 2, 1, map[string]int64{"publish returned status 503": 2}
				case "longpoll":
					t.Connect.Lost, t.Connect.LostBy = 4, map[string]int64{"connection reset": 3, "connection closed mid-message": 1}
				case "shortpoll":
					p.Acknowledged, p.Unknown = 0, p.Sent // its server acknowledges nothing
				}
			}
		})
	},
	"ended": func() *results.Run { // the server ended during a trial
		return changed(func(r *results.Run) {
			last := &r.Trials[len(r.Trials)-1]
			last.Status, last.Reason, last.Checks = results.Invalid, "the server ended: exit status 3; it wrote nothing", nil
			r.Manifest.Status, r.Manifest.Reason = results.Invalid, last.Name()+": "+last.Reason
		})
	},
	"verdict": twelve,
	"decided": func() *results.Run { // verdicts support the choice
		run := *twelve()
		run.Manifest.Compare = results.Declared{Primary: []string{metric.P50, metric.CPUPerMessage}, Margin: 0.05}
		run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 100ms", Metric: "p(50)", Op: "<", Bound: 100}}
		return &run
	},
	"targets": func() *results.Run { // two servers and pushbench's own, over every transport
		run := synthetic.Targets(9, time.Second, "nchan", "centrifugo", "reference")
		run.Manifest.Targets = []results.Target{{Name: "nchan", File: "servers/nchan.yaml", SHA256: "ab"}, {Name: "centrifugo", File: "centrifugo.yaml", SHA256: "cd"}}
		run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 100ms", Metric: "p(50)", Op: "<", Bound: 100}}
		return run
	},
	"discarded": func() *results.Run {
		run := synthetic.Run(12, time.Second)
		invalidate(run, 3, 0)
		invalidate(run, 7, 2)
		return run
	},
	"many-invalid": func() *results.Run {
		run := synthetic.Run(12, time.Second)
		for repetition := 1; repetition <= 3; repetition++ {
			invalidate(run, repetition, repetition)
		}
		return run
	},
	"stopped": func() *results.Run {
		run := synthetic.Run(12, time.Second)
		run.Manifest.Status, run.Manifest.Reason = results.Partial, "interrupted in repetition 10"
		run.Trials = run.Trials[:9*4]
		return run
	},
	"infinite": func() *results.Run {
		run := synthetic.Run(12, time.Second)
		run.Manifest.Compare = results.Declared{Primary: []string{metric.P50, metric.ConnectBytesUp, metric.EmptyResponseShare}, Margin: 0.1}
		for i := range run.Trials {
			if t := &run.Trials[i]; t.Transport == "sse" && t.Repetition%4 == 0 {
				t.Ledger.Expected, t.Ledger.Lost, t.Latency.Infinite = 3*t.Ledger.Expected, 2*t.Ledger.Expected, 2*t.Ledger.Expected
			}
		}
		return run
	},
	"empty": func() *results.Run {
		return changed(func(r *results.Run) { r.Trials, r.Intervals = nil, nil })
	},
}

// A terminal of 80 columns shows the headline and the table of each state. A word is never broken.
func TestTerminal(t *testing.T) {
	for name := range states {
		t.Run(name, func(t *testing.T) {
			got := render(t, func(w io.Writer) error { return on(name).Document().Terminal(w, report.TableOptions{Width: 80}) })
			golden.Compare(t, "run-"+name+".txt", got)
			for line := range strings.Lines(got) {
				if n := lipgloss.Width(line); n > 80 {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			if strings.Contains(got, "\x1b") {
				t.Error("a plain table has escapes")
			}
		})
	}
}

func TestColouredTable(t *testing.T) {
	got := render(t, func(w io.Writer) error {
		return on("estimate").Document().Terminal(w, report.TableOptions{Color: true})
	})
	golden.Compare(t, "run-color.txt", got)
	lost := render(t, func(w io.Writer) error { return on("lost").Document().Terminal(w, report.TableOptions{Color: true}) })
	if red := "\x1b[31m"; strings.Contains(got, red) || !strings.Contains(lost, red) {
		t.Errorf("red without losses: %v, with losses: %v", strings.Contains(got, red), strings.Contains(lost, red))
	}
}

// The wide table has every column; the narrow one, which people see first, fits 80 columns.
func TestWideTableHasAllColumns(t *testing.T) {
	r := on("assertions")
	narrow := render(t, func(w io.Writer) error { return r.Document().Terminal(w, report.TableOptions{Width: 80}) })
	wide := render(t, func(w io.Writer) error { return r.Document().Terminal(w, report.TableOptions{Wide: true}) })
	golden.Compare(t, "run-wide.txt", wide)
	for _, title := range []string{" delivered ", " p99.9 ", " generator "} {
		if strings.Contains(narrow, title) || !strings.Contains(wide, title) {
			t.Errorf("%q: narrow %v, wide %v", title, strings.Contains(narrow, title), strings.Contains(wide, title))
		}
	}
	_, table, _ := strings.Cut(narrow, "\n\n")
	for i, line := range strings.Split(table, "\n")[:10] { // two lines of headings, two per transport
		if n := lipgloss.Width(line); n > 80 {
			t.Errorf("line %d: %d columns: %s", i+1, n, line)
		}
	}
}

// The median of the repetitions is the value of the table and of the sentences; losses are totals.
func TestTableAndSentencesAgree(t *testing.T) {
	r := on("lost")
	table := render(t, func(w io.Writer) error { return r.Document().Terminal(w, report.TableOptions{}) })
	sentences := strings.Join(r.Document().Sentences(), "\n")
	for _, value := range []string{"10.3", "13", "20", "510"} { // p50 in ms
		if !strings.Contains(table, " "+value+" ") || !strings.Contains(sentences, " "+value+" ms") {
			t.Errorf("p50 of %s ms is missing:\n%s\n%s", value, table, sentences)
		}
	}
	if !strings.Contains(table, "10,000") || !strings.Contains(sentences, "10,000 of 20,000") {
		t.Errorf("10,000 lost messages are missing:\n%s\n%s", table, sentences)
	}
}

func TestMarkdown(t *testing.T) {
	for name := range states {
		t.Run(name, func(t *testing.T) {
			golden.Compare(t, "summary-"+name+".md", render(t, func(w io.Writer) error { return on(name).Document().Markdown(w) }))
		})
	}
}

// scripts are the scripts of a page, and hashes their entries in its policy.
var (
	scripts    = regexp.MustCompile(`(?s)<script>.*?</script>`)
	pageStyles = regexp.MustCompile(`(?s)<style>.*?</style>`)
	hashes     = regexp.MustCompile(`sha256-(?:[^&]|&#43;)+`)
)

func TestHTML(t *testing.T) {
	c := chart.Chart{Name: "latency", Title: "Latency", Alt: "it rises", SVG: []byte("<?xml version=\"1.0\"?>\n<svg><text>x</text></svg>")}
	got := render(t, func(w io.Writer) error { return on("estimate").Document().HTML(w, []chart.Chart{c}) })
	golden.Compare(t, "report.html", hashes.ReplaceAllString(scripts.ReplaceAllString(got, "<script>…</script>"), "sha256-…"))
	if strings.Contains(got, "<?xml") || !strings.Contains(got, "<svg><text>x</text></svg>") {
		t.Error("the chart is not inlined as HTML allows")
	}
}

func TestCSV(t *testing.T) {
	for name, file := range map[string]struct {
		write func(io.Writer) error
		rows  int
	}{
		"summary.csv": {on("estimate").CSV, 4},
		"trials.csv":  {on("estimate").Trials, 4 * 4},
	} {
		got := render(t, file.write)
		golden.Compare(t, name, got)
		if rows := records(t, got); len(rows) != 1+file.rows {
			t.Errorf("%s: %d rows, want a header and %d", name, len(rows), file.rows)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return r > unicode.MaxASCII }); i >= 0 {
			t.Errorf("%s: %q is not ASCII", name, got[i:i+8])
		}
	}
}

// records parses a CSV file.
func records(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Whoever sums a column of trials.csv gets the deliveries of the valid trials: no pool, no invalid trial.
func TestSumsOfTrialsCountNothingTwice(t *testing.T) {
	rows := records(t, render(t, on("discarded").Trials))
	column, sum := slices.Index(rows[0], "delivered"), 0.0
	for _, row := range rows[1:] {
		if row[column] == "" {
			continue
		}
		n, err := strconv.ParseFloat(row[column], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	var want float64
	for _, tr := range on("discarded").Run.Trials {
		if tr.Valid() {
			want += summary.Measure(metric.Delivered, tr).X
		}
	}
	if sum != want || want == 0 {
		t.Errorf("%v deliveries, want %v", sum, want)
	}
}

func TestCellsCannotBeFormulas(t *testing.T) {
	run := changed(func(r *results.Run) {
		r.Manifest.Workload.Scenario = "=HYPERLINK(\"http://x\")"
		r.Manifest.Reason = "=1"
		r.Trials[0].Reason = "@SUM(1)\n\x1b[31m"
		r.Trials[1].Reason = "+1"
		r.Trials[2].Reason = "-1, and a \"quote\""
	})
	rows := records(t, render(t, report.New(run).Trials))
	for _, row := range append(rows, records(t, render(t, report.New(run).CSV))...) {
		for i, cell := range row[:7] {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") || strings.ContainsAny(cell, "\x1b\n") {
				t.Errorf("column %s contains %q", rows[0][i], cell)
			}
		}
	}
}

func TestComparisons(t *testing.T) {
	for _, name := range []string{"estimate", "infinite", "verdict", "many-invalid"} {
		golden.Compare(t, "comparisons-"+name+".csv", render(t, func(w io.Writer) error { return on(name).Comparisons(w) }))
	}
}

func TestGoToolsReadBench(t *testing.T) {
	got := render(t, func(w io.Writer) error { return on("estimate").Bench(w) })
	golden.Compare(t, "bench.txt", got)
	lines := map[string]int{}
	in := benchfmt.NewReader(strings.NewReader(got), "bench.txt")
	for in.Scan() {
		if _, unit := in.Result().(*benchfmt.UnitMetadata); unit {
			continue
		}
		r, ok := in.Result().(*benchfmt.Result)
		if !ok {
			t.Fatalf("not a result: %v", in.Result())
		}
		lines[string(r.Name)]++
		if v, ok := r.Value("p50-sec"); !ok || v <= 0 || v > 2 {
			t.Errorf("%s: p50 is %v s", r.Name, v)
		}
		if r.GetConfig("pkg") != "pushbench/chat" || r.GetConfig("cpu") == "" {
			t.Errorf("%s: pkg %q, cpu %q", r.Name, r.GetConfig("pkg"), r.GetConfig("cpu"))
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	for _, transport := range long().Manifest.Transports {
		if name := "Chat/transport=" + transport; lines[name] != 4 {
			t.Errorf("%d lines of %s, want one per trial", lines[name], name)
		}
	}
}

// benchstat compares two runs in one table if they have the same configuration lines. It needs the direction
// of each unit to judge a delta.
func TestTwoCommitsShareTheTableOfBenchstat(t *testing.T) {
	old, recent := synthetic.Run(8, time.Second), synthetic.Run(8, time.Second)
	recent.Manifest.Tool.Commit, recent.Manifest.Served.Commit = "feedc0de", "feedbeef"
	recent.Manifest.Status = results.Partial
	table, err := new(benchproc.ProjectionParser).Parse(".config", nil) // benchstat's default
	if err != nil {
		t.Fatal(err)
	}
	tables := map[benchproc.Key]bool{}
	for i, run := range []*results.Run{old, recent} {
		text := render(t, report.New(run).Bench)
		if want := "# commit: " + run.Manifest.Tool.Commit + "\n"; !strings.Contains(text, want) {
			t.Errorf("run %d: no comment %q", i+1, want)
		}
		in := benchfmt.NewReader(strings.NewReader(text), "bench.txt")
		measured := map[string]bool{}
		for in.Scan() {
			if r, ok := in.Result().(*benchfmt.Result); ok {
				tables[table.Project(r)] = true
				for _, v := range r.Values {
					measured[v.Unit] = true
				}
			}
		}
		for unit := range measured {
			want, other := map[string]int{"delivered": 1, "msgs/batch": 0}[unit]
			if !other {
				want = -1
			}
			if got := in.Units().GetBetter(unit); got != want {
				t.Errorf("%s: better is %d, want %d", unit, got, want)
			}
		}
	}
	if len(tables) != 1 {
		t.Errorf("%d tables, want one with a delta: %v", len(tables), tables)
	}
}

func TestBenchLeavesOutMissingNumbers(t *testing.T) {
	got := render(t, func(w io.Writer) error { return on("lost").Bench(w) })
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "Benchmark") && strings.Contains(line, "websocket") && (strings.Contains(line, "max-ns") || strings.Contains(line, "mean-ns")) {
			t.Errorf("a finite maximum of a run that lost messages: %s", line)
		}
	}
	if strings.Contains(got, "Inf") || strings.Contains(got, "NaN") {
		t.Errorf("no number:\n%s", got)
	}
	// One trial of five lost messages: the other four alone would flatter the configuration.
	run := changed(func(r *results.Run) {
		t := &r.Trials[0]
		t.Ledger.Expected, t.Ledger.Lost, t.Latency.Infinite = 3*t.Ledger.Expected, 2*t.Ledger.Expected, 2*t.Ledger.Expected
	})
	got = render(t, report.New(run).Bench)
	configuration := "transport=" + run.Trials[0].Transport
	if !strings.Contains(got, "# left out: "+configuration+" p50-ns is infinite in 1 of 5 trials") {
		t.Errorf("no comment names the unit that is left out:\n%s", got)
	}
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "Benchmark") && strings.Contains(line, configuration+" ") && strings.Contains(line, " p50-ns") {
			t.Errorf("a unit that should be left out: %s", line)
		}
	}
}

func TestScenarioNamesMakeBenchmarkNames(t *testing.T) {
	for scenario, want := range map[string]string{"chat": "BenchmarkChat/", "chat-room_2": "BenchmarkChatRoom2/", "π": "BenchmarkΠ/"} {
		run := changed(func(r *results.Run) { r.Manifest.Workload.Scenario = scenario })
		if got := render(t, func(w io.Writer) error { return report.New(run).Bench(w) }); !strings.Contains(got, want) {
			t.Errorf("scenario %s: no line begins with %s", scenario, want)
		}
	}
}

func TestPercentileFiles(t *testing.T) {
	for _, r := range on("lost").Summary.Rows {
		golden.Compare(t, r.Transport+".hgrm", render(t, func(w io.Writer) error { return report.Percentiles(w, r) }))
	}
}

// The text of a host name, a branch or a server's error stays text.
func TestHostileStringsStayInert(t *testing.T) {
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `</svg><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`,
		`[x](javascript:alert(1))`, "`code`|cell", "\x1b]0;title\x07", "\u202egnp.exe", "]]><x>", `{{.}}`, "</style><style>*{display:none}",
	} {
		checkInert(t, hostile)
	}
}

func FuzzReportsStayInert(f *testing.F) {
	f.Add("<script>")
	f.Fuzz(checkInert)
}

// hostileRun has the text in every field that an outsider can set.
func hostileRun(text string) *results.Run {
	run := synthetic.Run(1, time.Second)
	m := &run.Manifest
	m.Status, m.Reason = results.Partial, text
	m.Command, m.Network, m.Library, m.Engine = []string{text}, text, text, text
	m.Workload.Scenario, m.Workload.Question, m.Workload.Description = text, text, text
	m.Host.CPUModel, m.Host.Kernel, m.Host.Sysctls = text, text, map[string]string{text: text}
	m.Tool.Commit, m.Servers, m.NotShown, m.Conditions = text, map[string]string{text: text}, []string{text}, []string{text}
	m.Prices = price.Default()
	m.Prices.Currency, m.Prices.Date, m.Prices.Note = "USD"+text, text, text
	m.Prices.Sources = []price.Source{{What: price.CoreMonth, URL: "https://" + text + "/", Date: text}, {What: price.EgressGB, URL: text}}
	run.Warnings = []string{text}
	for i := range run.Trials {
		run.Trials[i].Checks[0] = results.ValidityCheck{Name: text, Passed: i > 0, Detail: text}
		run.Trials[i].Reason = text
		run.Trials[i].Ledger.LostBy = map[string]int64{text: 1}
		run.Trials[i].Predicted = []results.Prediction{{Metric: metric.P50, Value: 1, Formula: text}}
	}
	return run
}

func checkInert(t *testing.T, hostile string) {
	r := report.New(hostileRun(hostile))
	page := render(t, func(w io.Writer) error { return r.Document().HTML(w, nil) })
	clean := render(t, func(w io.Writer) error { return report.New(hostileRun("harmless")).Document().HTML(w, nil) })
	for _, tag := range []string{"<script", "<img", "<style", "</style", "<a", "<svg", "</svg", "href", "src="} {
		if got, want := strings.Count(strings.ToLower(withoutText(page)), tag), strings.Count(strings.ToLower(withoutText(clean)), tag); got != want {
			t.Errorf("%q: the page has %d of %s, want %d", hostile, got, tag, want)
		}
	}
	for name, text := range map[string]string{
		"page":     page,
		"table":    render(t, func(w io.Writer) error { return r.Document().Terminal(w, report.TableOptions{}) }),
		"markdown": render(t, func(w io.Writer) error { return r.Document().Markdown(w) }),
	} {
		if strings.ContainsAny(text, "\x1b\x07\u202e\x00") {
			t.Errorf("%q: the %s contains control characters", hostile, name)
		}
	}
	markdown := render(t, func(w io.Writer) error { return r.Document().Markdown(w) })
	for _, active := range []string{"<script", "<img", "](", "</svg"} {
		if i := strings.Index(strings.ToLower(markdown), active); i > 0 && markdown[i-1] != '\\' {
			t.Errorf("%q: the Markdown contains %s unescaped", hostile, active)
		}
	}
}

// withoutText leaves the tags of a page with their attributes, which a browser interprets.
func withoutText(page string) string {
	var tags strings.Builder
	inTag := false
	for _, r := range page {
		if r == '<' {
			inTag = true
		}
		if inTag {
			tags.WriteRune(r)
		}
		if r == '>' {
			inTag = false
		}
	}
	return tags.String()
}

// A browser guesses the encoding of a page that does not declare it in its first 1,024 bytes.
func TestPageDeclaresItsEncodingFirst(t *testing.T) {
	page := render(t, func(w io.Writer) error { return on("estimate").Document().HTML(w, nil) })
	if !strings.HasPrefix(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">") {
		t.Errorf("the page begins with %.120s", page)
	}
}

// The page loads nothing and sends nothing, and its policy forbids both. It uses only its three scripts and two
// styles, by their hashes. Without charts it has the script of the tables alone.
func TestPageIsSelfContained(t *testing.T) {
	c := chart.Chart{Name: "latency", Title: "Latency", Alt: "it rises", SVG: []byte("<svg></svg>")}
	page := render(t, func(w io.Writer) error { return on("estimate").Document().HTML(w, []chart.Chart{c}) })
	for _, active := range []string{"http://", "https://", "src=", "@import", "url("} {
		if strings.Contains(scripts.ReplaceAllString(page, ""), active) {
			t.Errorf("the page contains %s", active)
		}
	}
	policy := policies.FindStringSubmatch(page)
	if policy == nil || !strings.HasPrefix(policy[1], "default-src &#39;none&#39;; ") || strings.Contains(policy[1], "unsafe") {
		t.Fatalf("the content security policy is %q", policy)
	}
	for directive, found := range map[string][]string{"style-src": pageStyles.FindAllString(page, -1), "script-src": scripts.FindAllString(page, -1)} {
		_, allowed, _ := strings.Cut(html.UnescapeString(policy[1]), directive)
		allowed, _, _ = strings.Cut(allowed, ";")
		for _, text := range found {
			text = text[strings.Index(text, ">")+1 : strings.LastIndex(text, "<")]
			sum := sha256.Sum256([]byte(text))
			if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(allowed, "'sha256-"+hash+"'") {
				t.Errorf("%s does not allow a text of %d B", directive, len(text))
			}
		}
		if want := map[string]int{"style-src": 2, "script-src": 3}[directive]; len(found) != want {
			t.Errorf("%s: %d texts, want %d", directive, len(found), want)
		}
	}
	if strings.Contains(page, " style=") {
		t.Error("the page has style attributes, which its policy forbids")
	}
	if bare := render(t, func(w io.Writer) error { return on("estimate").Document().HTML(w, nil) }); strings.Count(bare, "<script") != 1 {
		t.Error("a page without charts has other scripts than that of its tables")
	}
}

var policies = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)

func TestWriteWritesAllFiles(t *testing.T) {
	dir := t.TempDir()
	c := chart.Chart{Name: "latency", SVG: []byte("<svg/>"), PNG: []byte("png")}
	if err := on("estimate").Write(dir, c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"summary.csv", "trials.csv", "comparisons.csv", "summary.md", "bench.txt", "latency.hlog", "report.html", "charts/latency.svg", "charts/latency.png",
		"shortpoll.hgrm", "longpoll.hgrm", "sse.hgrm", "websocket.hgrm",
	} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteNamesFileThatFailed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "summary.md"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := on("estimate").Write(dir)
	if err == nil || !strings.Contains(err.Error(), "summary.md") {
		t.Errorf("got %v, want that summary.md could not be written", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); err != nil {
		t.Errorf("the other files were not written: %v", err)
	}
}

// The quantiles of connecting and of the age are those of the table of results, which differ from those of the
// pool if a repetition deviates.
func TestSectionsHaveTheEstimatorOfTheResults(t *testing.T) {
	run := synthetic.Run(5, 30*time.Second)
	for i := range run.Trials {
		if one := &run.Trials[i]; one.Repetition == 1 {
			var slow, old results.Histogram
			slow.RecordMany(9*time.Second, one.Connect.Stages["ready"].Count())
			old.RecordMany(9*time.Second, one.Age.Age.Count())
			one.Connect.Stages["ready"], one.Age.Age = slow, old
		}
	}
	r := report.New(run)
	for _, want := range []struct{ section, column, metric string }{
		{"Connecting", "ready p50", metric.ConnectP50},
		{"Age of information: staleness of the clients' data", "p50", "age_p50"},
	} {
		all := r.Document().Sections
		s := all[slices.IndexFunc(all, func(s report.Section) bool { return s.Title == want.section })]
		column := slices.IndexFunc(s.Columns, func(c report.Column) bool { return c.Title == want.column })
		for i, row := range r.Summary.Rows {
			pooled, v := summary.Measure(want.metric, row.Pooled), row.Typical(want.metric)
			if got := s.Rows[i].Cells[column].Text; got != v.String() || v.X == pooled.X {
				t.Errorf("%s, %s of %s is %s, want %v, not the pool's %v", want.section, want.column, row.Name, got, v, pooled)
			}
		}
		if !strings.Contains(s.Note, "medians of the repetitions") {
			t.Errorf("%s: %q", want.section, s.Note)
		}
	}
}

// No table names a configuration of a target by its identifier.
func TestTablesNameTargetsInWords(t *testing.T) {
	for _, s := range on("targets").Document().Sections {
		for _, c := range s.Columns {
			if strings.Contains(c.Title, "target=") {
				t.Errorf("%s: column %q", s.Title, c.Title)
			}
		}
	}
}
