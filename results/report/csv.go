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
// https://owasp.org/www-community/attacks/CSV_Injection. Names and text of pushbench are ASCII, because Excel
// reads a file without a byte order mark as the local code page, and other readers take the mark for a part
// of the first name.
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
	text := ascii(results.Plain(v.(string)))
	if text != "" && strings.ContainsAny(text[:1], "=+-@") {
		return "'" + text
	}
	return text
}

// CSV writes one row per configuration with the estimate of every metric, as in the other reports, under its
// name and unit. A value that was not measured is empty, "n/a" with too few observations, and "inf" for messages that
// never arrived.
func (r *Report) CSV(w io.Writer) error {
	m := r.Run.Manifest
	var rows [][]any
	for _, row := range r.Summary.Rows {
		if len(row.Trials) > 0 {
			cells := []any{m.Workload.Scenario, row.Transport, string(m.Status), m.Reason, len(row.Trials)}
			for _, m := range metric.All {
				cells = append(cells, row.Typical(m.Name))
			}
			rows = append(rows, r.configured(row, cells))
		}
	}
	header := append([]string{"scenario", "transport", "status", "reason", "valid_trials"}, metricColumns()...)
	return writeCSV(w, r.withConfiguration(header), rows)
}

// Trials writes one row per trial as CSV does, with the within-run intervals. It is a file of its own, so that
// a sum or an average of a column counts nothing twice. For the same reason an invalid trial has no values.
func (r *Report) Trials(w io.Writer) error {
	header := append([]string{"scenario", "transport", "repetition", "position", "status", "valid", "reason"}, metricColumns()...)
	for _, q := range summary.WithinQuantiles {
		header = append(header, q.Metric+"_within_run_lo_ms", q.Metric+"_within_run_hi_ms")
	}
	var rows [][]any
	for _, row := range r.Summary.Rows {
		for _, t := range r.Run.Trials {
			if t.ConfigurationName() != row.Name {
				continue
			}
			t.Prices = row.Pooled.Prices
			cells := []any{r.Run.Manifest.Workload.Scenario, t.Transport, t.Repetition, t.Position, string(t.Status), t.Valid(), t.Reason}
			if values := append(measured(t), within(t)...); t.Valid() {
				cells = append(cells, values...)
			} else {
				cells = append(cells, slices.Repeat([]any{""}, len(values))...)
			}
			rows = append(rows, r.configured(row, cells))
		}
	}
	return writeCSV(w, r.withConfiguration(header), rows)
}

// metricColumns are the names of all metrics with their units.
func metricColumns() (names []string) {
	for _, m := range metric.All {
		names = append(names, ascii(strings.TrimSuffix(m.Name+"_"+m.Unit, "_")))
	}
	return names
}

// measured are the values of all metrics.
func measured(t results.Trial) (cells []any) {
	for _, m := range metric.All {
		cells = append(cells, summary.Measure(m.Name, t))
	}
	return cells
}

// within are the ends of all within-run intervals.
func within(t results.Trial) (cells []any) {
	for _, q := range summary.WithinQuantiles {
		over, ok := summary.Within(t.Latency, q.Q)
		if !ok {
			over.Lo.Known, over.Hi.Known = summary.NotShown, summary.NotShown
		}
		cells = append(cells, over.Lo, over.Hi)
	}
	return cells
}

// withConfiguration adds the columns of configured to a header.
func (r *Report) withConfiguration(header []string) []string {
	if r.Run.Manifest.Sweeps() {
		header = append(header, "configuration", "library", "batching_delay_ms")
	}
	return header
}

// configured adds the configuration to a row of a run that sweeps an axis.
func (r *Report) configured(row summary.Row, cells []any) []any {
	if r.Run.Manifest.Sweeps() {
		cells = append(cells, row.Name, row.Library, metric.Milliseconds(row.BatchingDelay))
	}
	return cells
}

// Comparisons writes all ratios as CSV: see writeComparisons.
func (r *Report) Comparisons(w io.Writer) error { return writeComparisons(w, r.Analysis) }

// writeComparisons writes all pairs and metrics. Comparisons that were not declared have no p, p_holm and
// verdict.
func writeComparisons(w io.Writer, a compare.Analysis) error {
	var rows [][]any
	for i, d := range slices.Concat(a.Family, a.Others) {
		row := []any{d.Metric, d.Names[0], d.Names[1], i < len(a.Family), d.Repetitions}
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
		"metric", "a", "b", "declared", "repetitions", "ratio_b_over_a", "lo_95", "hi_95", "lo_90", "hi_90",
		"p", "p_holm", "verdict", "repetitions_needed", "a_infinite_repetitions", "b_infinite_repetitions", "remarks",
	}, rows)
}
