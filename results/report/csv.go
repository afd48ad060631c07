package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// CSV writes one row for each trial and one for each case's pool, with
// every metric under its name and unit, then each trial's within-run intervals. A figure that is not shown is empty,
// "n/a" when there were too few observations, "inf" when it never arrived.
func (r *Report) CSV(w io.Writer) error {
	run := r.Run
	out := csv.NewWriter(w)
	head := []string{"scenario", "transport", "block", "position", "status", "valid", "reason"}
	for _, m := range metric.All {
		head = append(head, strings.TrimSuffix(m.Name+"_"+m.Unit, "_"))
	}
	head = append(head, withinHead()...)
	if run.Manifest.Sweeps() {
		head = append(head, "case", "stack", "flush_ms")
	}
	rows := [][]string{head}
	for _, row := range r.Summary.Rows {
		for _, t := range run.Trials {
			if t.CaseName() == row.Name {
				rows = append(rows, append(trialCells(run, t), caseCells(run, row)...))
			}
		}
		if len(row.Trials) > 0 {
			rows = append(rows, append(pooledCells(run, row), caseCells(run, row)...))
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return err
	}
	return out.Error()
}

func trialCells(run *results.Run, t results.Trial) []string {
	cells := []string{
		safe(run.Manifest.Workload.Scenario), safe(t.Transport), strconv.Itoa(t.Block), strconv.Itoa(t.Position),
		string(t.Status), strconv.FormatBool(t.Valid()), safe(t.Reason),
	}
	for _, m := range metric.All {
		cells = append(cells, cell(summary.Measure(m.Name, t)))
	}
	return append(cells, withinRecord(t)...)
}

func pooledCells(run *results.Run, r summary.Row) []string {
	cells := []string{safe(run.Manifest.Workload.Scenario), safe(r.Transport), "pooled", "", string(run.Manifest.Status), "true", safe(run.Manifest.Reason)}
	for _, m := range metric.All {
		cells = append(cells, cell(r.Value(m.Name)))
	}
	return append(cells, make([]string, len(withinHead()))...) // an interval within one run cannot speak for several
}

// caseCells tell the cases of a sweep apart.
func caseCells(run *results.Run, r summary.Row) []string {
	if !run.Manifest.Sweeps() {
		return nil
	}
	return []string{safe(r.Name), safe(r.Stack), strconv.FormatFloat(metric.Milliseconds(r.Flush), 'g', 8, 64)}
}

// cell prints a value at full precision, for machines.
func cell(v summary.Value) string {
	switch v.Known {
	case summary.NotShown:
		return ""
	case summary.TooFew:
		return "n/a"
	case summary.Infinite:
		return "inf"
	default:
		return strconv.FormatFloat(v.X, 'g', 8, 64)
	}
}

// safe keeps a text from becoming a formula in a spreadsheet:
// https://owasp.org/www-community/attacks/CSV_Injection.
func safe(text string) string {
	text = results.Plain(text)
	if text != "" && strings.ContainsAny(text[:1], "=+-@") {
		return "'" + text
	}
	return text
}
