package report

import (
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// writeCSV writes a table for programs: numbers with full precision, and an empty cell for a missing
// number. Text cannot become a formula in a spreadsheet:
// https://owasp.org/www-community/attacks/CSV_Injection.
func writeCSV(w io.Writer, header []string, rows [][]any) error {
	out := [][]string{header}
	for _, row := range rows {
		var record []string
		for _, v := range row {
			record = append(record, exact(v))
		}
		out = append(out, record)
	}
	return csv.NewWriter(w).WriteAll(out)
}

// exact formats a value for a CSV file.
func exact(v any) string {
	switch v := v.(type) {
	case summary.Value:
		if v.Known == summary.Shown {
			return exact(v.X)
		}
		return map[summary.Known]string{summary.TooFew: "n/a", summary.Infinite: "inf"}[v.Known]
	case float64:
		return strconv.FormatFloat(v, 'g', 8, 64)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	}
	text := results.Plain(v.(string))
	if text != "" && strings.ContainsAny(text[:1], "=+-@") {
		return "'" + text
	}
	return text
}

// CSV writes one row per trial and one per configuration's pool, with every metric under its name and unit,
// then each trial's within-run intervals. A value that was not measured is empty, "n/a" with too few
// observations, and "inf" for messages that never arrived.
func (r *Report) CSV(w io.Writer) error {
	m := r.Run.Manifest
	header := []string{"scenario", "transport", "block", "position", "status", "valid", "reason"}
	for _, m := range metric.All {
		header = append(header, strings.TrimSuffix(m.Name+"_"+m.Unit, "_"))
	}
	for _, q := range summary.WithinQuantiles {
		header = append(header, q.Metric+"_within_run_lo_ms", q.Metric+"_within_run_hi_ms")
	}
	if m.Sweeps() {
		header = append(header, "case", "stack", "flush_ms")
	}
	var rows [][]any
	add := func(row summary.Row, t results.Trial, cells ...any) {
		for _, m := range metric.All {
			cells = append(cells, summary.Measure(m.Name, t))
		}
		for _, q := range summary.WithinQuantiles {
			over, ok := summary.Within(t.Latency, q.Q)
			if !ok || cells[2] == "pooled" { // an interval within one run does not describe several
				over.Lo.Known, over.Hi.Known = summary.NotShown, summary.NotShown
			}
			cells = append(cells, over.Lo, over.Hi)
		}
		if m.Sweeps() {
			cells = append(cells, row.Name, row.Library, metric.Milliseconds(row.BatchingDelay))
		}
		rows = append(rows, cells)
	}
	for _, row := range r.Summary.Rows {
		for _, t := range r.Run.Trials {
			if t.ConfigurationName() == row.Name {
				add(row, t, m.Workload.Scenario, t.Transport, t.Repetition, t.Position, string(t.Status), t.Valid(), t.Reason)
			}
		}
		if len(row.Trials) > 0 {
			add(row, row.Pooled, m.Workload.Scenario, row.Transport, "pooled", "", string(m.Status), true, m.Reason)
		}
	}
	return writeCSV(w, header, rows)
}

// Comparisons writes all ratios as CSV: see writeComparisons.
func (r *Report) Comparisons(w io.Writer) error { return writeComparisons(w, r.Analysis) }

// writeComparisons writes all pairs and metrics. Metrics that were not declared have no p, p_holm and
// verdict.
func writeComparisons(w io.Writer, a compare.Analysis) error {
	var rows [][]any
	for _, d := range slices.Concat(a.Family, a.Others) {
		row := []any{d.Metric, d.Names[0], d.Names[1], slices.Contains(a.Declared.Primary, d.Metric), d.Repetitions}
		for _, x := range []float64{d.Ratio, d.Lo, d.Hi, d.Lo90, d.Hi90, d.P, d.Adjusted} {
			switch {
			case math.IsNaN(x) || d.Verdict == compare.Incomparable:
				row = append(row, "")
			case math.IsInf(x, 1):
				row = append(row, "inf")
			default:
				row = append(row, strconv.FormatFloat(x, 'g', -1, 64)) // every digit
			}
		}
		needed := any("")
		if d.Needed > 0 {
			needed = d.Needed
		}
		rows = append(rows, append(row, string(d.Verdict), needed, d.Infinite[0], d.Infinite[1], remarks(d)))
	}
	return writeCSV(w, []string{
		"metric", "a", "b", "declared", "blocks", "ratio_b_over_a", "lo_95", "hi_95", "lo_90", "hi_90",
		"p", "p_holm", "verdict", "blocks_needed", "a_inf_blocks", "b_inf_blocks", "remarks",
	}, rows)
}
