package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
)

// A section is a titled table. The terminal, the Markdown summary and the HTML page each draw
// the same sections.
type section struct {
	Title   string
	Note    string
	Heading []string
	Rows    []tableRow
	Left    bool // a terminal aligns every column to the left, not only the first one
}

// A tableRow is a row of a section. Dim rows are predicted, not measured.
type tableRow struct {
	Cells []string
	Dim   bool
}

// add appends a row: see cells.
func (s *section) add(values ...any) { s.Rows = append(s.Rows, tableRow{Cells: cells(values...)}) }

// cells formats values for a table: numbers with three digits, durations in milliseconds and
// text on one line. A slice of strings is several cells.
func cells(values ...any) (all []string) {
	for _, v := range values {
		switch v := v.(type) {
		case []string:
			all = append(all, v...)
		case int:
			all = append(all, metric.Count(int64(v)))
		case int64:
			all = append(all, metric.Count(v))
		case float64:
			all = append(all, metric.Number(v))
		case time.Duration:
			all = append(all, metric.Number(metric.Milliseconds(v)))
		default:
			all = append(all, results.Plain(fmt.Sprint(v)))
		}
	}
	return all
}

// part is the section with the first column and some of the others. It leaves out predicted rows without a
// prediction in any of these columns.
func (s section) part(from, to int) section {
	keep := func(cells []string) []string { return slices.Concat(cells[:1], cells[1+from:1+to]) }
	all := s.Rows
	s.Heading, s.Rows = keep(s.Heading), nil
	for _, row := range all {
		row.Cells = keep(row.Cells)
		if !row.Dim || row.Cells[0] == "" || strings.Join(row.Cells[1:], "") != "" {
			s.Rows = append(s.Rows, row)
		}
	}
	return s
}

// Right reports whether a page aligns a column to the right, because all its cells are numbers. The first
// column names the row.
func (s section) Right(column int) bool {
	return column > 0 && !slices.ContainsFunc(s.Rows, func(row tableRow) bool {
		cell := strings.TrimPrefix(row.Cells[column], ratioPrefix)
		return cell != "" && !strings.ContainsAny(cell[:1], "0123456789-") && cell != "n/a" && cell != "∞" && cell != "–"
	})
}
