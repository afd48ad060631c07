package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
)

// The best of the scorecard are those of the headline. Three repetitions rank nothing.
func TestScorecardAgreesWithTheHeadline(t *testing.T) {
	r := New(synthetic.Run(8, time.Second))
	for _, name := range []string{r.latency(), r.cpu(), metric.Price} {
		best := rowNames(r.best(name, r.Summary.Rows))
		for _, row := range r.Summary.Rows {
			cell := scoreCell(row, name, r.standings(name)[row.Name])
			if marked := strings.HasPrefix(cell.Text, signBest); marked != slices.Contains(best, row.Name) || marked != (cell.Tone == Good) {
				t.Errorf("%s of %s is %q, tone %q; the best are %v", name, row.Name, cell.Text, cell.Tone, best)
			}
		}
	}
	for _, row := range New(synthetic.Run(3, time.Second)).scorecardSection().Rows {
		for _, cell := range row.Cells[1:] {
			if partsOf(cell).Mark != "" {
				t.Errorf("a mark from three repetitions: %q", cell.Text)
			}
		}
	}
}

// A transport that loses messages or fails a requirement does not compete. It is named as one that lost them.
func TestFlawedRowsHaveNoPlace(t *testing.T) {
	run := synthetic.Run(8, time.Second)
	for i := range run.Trials {
		if l := &run.Trials[i].Ledger; run.Trials[i].Transport == "shortpoll" {
			l.Expected, l.Lost = l.Expected+10, 10
		}
	}
	r := New(run)
	for _, row := range r.Summary.Rows {
		if place := r.standings(r.cpu())[row.Name]; (place == "") != (row.Name == "shortpoll") {
			t.Errorf("%s has the place %q", row.Name, place)
		}
	}
	if name := r.scorecardSection().Rows[0].Cells[0]; name != (Cell{"Short polling, lost 80", Bad}) {
		t.Errorf("got %+v", name)
	}
}

// No measurable difference between any two is not a victory of all.
func TestEqualRowsAreMarkedAsEqual(t *testing.T) {
	run := synthetic.Run(8, time.Second)
	for i := range run.Trials {
		run.Trials[i].Cost = run.Trials[run.Trials[i].Repetition*4-4].Cost
	}
	r := New(run)
	for _, row := range r.Summary.Rows {
		if got := r.standings(r.cpu())[row.Name]; got != signSame {
			t.Errorf("%s: %q, want %q", row.Name, got, signSame)
		}
	}
}

func TestPlacesAreWithinOneLoad(t *testing.T) {
	run := synthetic.Run(8, time.Second)
	run.Manifest.Configurations = run.Manifest.AllConfigurations()
	for i := range run.Manifest.Configurations {
		run.Manifest.Configurations[i].PublishRate = float64(100 * (1 + i/2))
	}
	r := New(run)
	for _, row := range r.Summary.Rows {
		if got := r.standings(r.cpu())[row.Name]; got != signBest && got != "2nd" {
			t.Errorf("%s has the place %q of two", row.Name, got)
		}
	}
}

// A built-in scenario in a folder, and a file, are named as on the command line.
func TestCommandsNameTheScenarioAsItWasGiven(t *testing.T) {
	for want, command := range map[string][]string{
		"papers/lubbers":         {"pushbench", "run", "--out", "runs/lubbers", "papers/lubbers"},
		"./lubbers.yaml":         {"pushbench", "run", "./lubbers.yaml"},
		"lubbers":                {"pushbench", "check", "results/lubbers"},
		"lubbers --window '2 s'": {"pushbench", "run", "--quick", "lubbers", "-n", "3", "--window", "2 s", "--format=csv", "--out", "runs/lubbers"},
	} {
		run := synthetic.Run(4, time.Second)
		run.Manifest.Command, run.Manifest.Workload.Scenario = command, "lubbers"
		if got := New(run).advice(); !strings.HasPrefix(got, "For a verdict: pushbench run "+want+" --repetitions ") {
			t.Errorf("%q: %s, want %s", command, got, want)
		}
	}
}

// The commands that measure other conditions keep the run's transports.
func TestCommandsKeepTheTransports(t *testing.T) {
	run := synthetic.Run(4, time.Second)
	for _, given := range [][]string{{"--transports", "sse,websocket"}, {"--transports=sse,websocket"}} {
		run.Manifest.Command = append([]string{"pushbench", "run", "chat"}, given...)
		for _, condition := range New(run).reversalSection().Paragraphs {
			command := condition.Items[0]
			if kept := strings.Contains(command, " --transports sse,websocket"); kept == strings.Contains(command, "crossover") {
				t.Errorf("%q: %s", given, command)
			}
		}
	}
}

func TestOrdinals(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 22: "22nd", 113: "113th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// A cell has the same mark, value and rest on the page as in the text.
func TestPartsOfCells(t *testing.T) {
	for text, want := range map[string]parts{
		"✓ 2.5× (0.40 s)": {Mark: "✓", Word: "met", Value: "2.5×", Rest: "(0.40 s)"},
		"? ":              {Mark: "?", Word: "undecided"},
		"◆ best 0.40":     {Mark: "◆ best", Value: "0.40"},
		"2nd 0.53":        {Mark: "2nd", Value: "0.53"},
		"218 (211–222)":   {Value: "218", Rest: "(211–222)"},
		"2nd":             {Value: "2nd"},
		"✗ ∞ (0.1×)":      {Mark: "✗", Word: "not met", Value: "∞", Rest: "(0.1×)"},
		"λT / (1 − e)":    {Value: "λT / (1 − e)"},
		"in 1s: core 0: no stall (longest gap 33µs); core 1: no stall (longest gap 25µs)": {Value: "in 1s: core 0: no stall (longest gap 33µs); core 1: no stall (longest gap 25µs)"},
		"–": {Value: "–"},
	} {
		if got := partsOf(Cell{Text: text}); got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

// A run of format version 1 has neither a price nor memory per client, and says how to get them.
func TestOlderRunSaysWhatItLacks(t *testing.T) {
	run := synthetic.Run(4, time.Second)
	run.Manifest.Schema = 1
	const lacks = "format version 1, without memory per client and price. To measure them: pushbench run chat"
	if text := strings.Join(New(run).notes(nil), "\n"); !strings.Contains(text, lacks) {
		t.Errorf("got %s\nwant %s", text, lacks)
	}
}

// SSE and long polling are not compared by the run, and one repetition lets their ranges overlap. WebSocket is
// shown to cost less than long polling.
func TestHeadlineRestsOnDeclaredComparisons(t *testing.T) {
	run := synthetic.Run(12, time.Second)
	run.Manifest.Compare = results.Declared{Primary: []string{metric.P50, metric.CPUPerMessage}, Margin: 0.05, Against: "websocket"}
	run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < 100ms", Metric: "p(50)", Op: "<", Bound: 100}}
	for i := range run.Trials {
		tr := &run.Trials[i]
		if tr.Transport == "shortpoll" {
			continue
		}
		perMessage := map[string]int{"longpoll": 350, "websocket": 240, "sse": 230}[tr.Transport] + 20*(tr.Repetition%3-1) // in tenths of a µs
		latency := map[string]time.Duration{"longpoll": 10100, "websocket": 10050, "sse": 10000}[tr.Transport] * time.Microsecond
		if tr.Transport == "longpoll" && tr.Repetition == 5 {
			perMessage = 240
		}
		tr.Cost.Server.CPU = time.Duration(perMessage) * time.Duration(tr.Ledger.Delivered) * 50 * time.Nanosecond
		tr.Cost.Generator.CPU = tr.Cost.Server.CPU
		tr.Latency.Histogram = results.Histogram{}
		tr.Latency.Histogram.RecordMany(latency, tr.Ledger.Delivered)
	}
	h := New(run).headline()
	if want := "Use WebSocket or SSE: no measurable difference."; h.Text != want {
		t.Errorf("got %s\nwant %s", h.Text, want)
	}
	const want = "Long polling: 1.5× the total CPU, same p50 (within 5 %) of WebSocket."
	if !slices.Contains(h.Items, want) {
		t.Errorf("got %q\nwant %s", h.Items, want)
	}
}

func TestShownDifferenceIsNotARatioOfOne(t *testing.T) {
	for x, want := range map[float64]string{1.04: "1.04", 1.01: "1.01", 1.004: "1.004", 0.9996: "0.9996", 1: "1.00", 0.946: "0.95", 1.12: "1.1", 0.69: "0.69", 1830: "1,800"} {
		if got := ratio(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

// A server whose processes cannot be read has no memory per client, and the table says why.
func TestMemoryThatWasNotMeasuredHasItsReason(t *testing.T) {
	run := synthetic.Targets(4, time.Second, "nchan", "reference")
	for i := range run.Trials {
		if trial := &run.Trials[i]; strings.HasSuffix(trial.Configuration, "target=nchan") {
			trial.Cost.Idle = results.IdleMemory{NotMeasured: "no process can be read"}
		}
	}
	r := New(run)
	section := r.resultsSection()
	at := slices.IndexFunc(section.Columns, func(c Column) bool { return c.Title == "memory" })
	for _, row := range section.Rows {
		if missing, nchan := row.Cells[at].Text == "n/a", strings.HasPrefix(row.Cells[0].Text, "nchan"); missing != nchan {
			t.Errorf("%q has the memory %q", row.Cells[0].Text, row.Cells[at].Text)
		}
	}
	if !strings.Contains(section.Note, "nchan over WebSocket was not measured: no process can be read.\n") || strings.Contains(section.Note, "client of reference") {
		t.Errorf("the reason is missing in the note:\n%s", section.Note)
	}
	for i := range run.Trials {
		run.Trials[i].Cost.Idle = results.IdleMemory{NotMeasured: "--quick leaves it out"}
	}
	if note := New(run).resultsSection().Note; !strings.Contains(note, "n/a: memory per client was not measured: --quick leaves it out.\n") {
		t.Errorf("a reason that holds for all rows names rows:\n%s", note)
	}
}

// A requirement that is met by 1 % has a headroom of 1.01, wherever it stands.
func TestHeadroomNearOneIsNotRoundedToOne(t *testing.T) {
	run := synthetic.Run(4, time.Second)
	row := New(run).Summary.Rows[0]
	limit := row.Typical(metric.P50).X * 1.01
	run.Manifest.Requirements = []metric.Assertion{{Text: "p(50) < limit", Metric: "p(50)", Op: "<", Bound: limit}}
	r := New(run)
	if got := r.requirementsMet(row).Text; !strings.HasSuffix(got, ", 1.01×") {
		t.Errorf("the results have %q", got)
	}
	if got := r.requirementsSection().Rows[0].Cells[1].Text; !strings.HasSuffix(got, " (1.01×)") {
		t.Errorf("the requirements have %q", got)
	}
}

// The requirements have the exact number of messages that the table has.
func TestRequirementHasTheCountOfTheTable(t *testing.T) {
	run := synthetic.Run(4, time.Second)
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Transport == "shortpoll" && tr.Repetition == 2 {
			tr.Ledger.Lost = 585
		}
	}
	run.Manifest.Requirements = []metric.Assertion{{Text: "lost == 0", Metric: "lost", Op: "=="}}
	r := New(run)
	row := r.Summary.Rows[0]
	if table, got := r.lost(row).Text, r.requirementsSection().Rows[0].Cells[1].Text; table != "585 LOST" || got != signUnmet+" 585" {
		t.Errorf("the table has %q, the requirements have %q", table, got)
	}
}

// A headline counts transports only if each has one configuration at a load.
func TestHeadlineNamesWhatItRanks(t *testing.T) {
	delays, loads := batchingSweep(1), synthetic.Run(1, time.Second)
	if got := New(delays).headline().Text; !strings.HasSuffix(got, " configurations cannot be ranked.") {
		t.Errorf("with batching delays: %q", got)
	}
	for _, c := range loads.Manifest.AllConfigurations() {
		more := c
		c.Clients, more.Clients, more.Name = 10, 20, c.Name+" clients=20"
		loads.Manifest.Configurations = append(loads.Manifest.Configurations, c, more)
	}
	if got := New(loads).noun(); got != "transport" {
		t.Errorf("with loads: %q", got)
	}
}
