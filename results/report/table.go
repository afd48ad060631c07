package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A column of the overview. Unit stands under Head where the width is short.
type column struct{ metric, head, unit string }

// columnsOf are the columns of a run: where only the latest of a topic is delivered,
// how old what a client holds is comes before how soon it came.
func columnsOf(m results.Manifest) []column {
	first := latencies
	if m.Workload.LatestOnly() {
		first = ages
	}
	all := slices.Concat(first, columns)
	if m.Workload.InputRate > 0 { // how soon the server has one
		all = slices.Concat(first, inputs, columns[:len(columns)-connects])
	}
	return withWrites(m, all)
}

var latencies = []column{
	{metric.P50, "p50", "ms"},
	{metric.P99, "p99", "ms"},
	{metric.P999, "p99.9", "ms"},
	{metric.Max, "max", "ms"},
}

var ages = []column{
	{metric.AgeMean, "age", "mean ms"},
	{metric.AgeP99, "age", "p99 ms"},
	{metric.P50, "p50", "ms"},
	{metric.P99, "p99", "ms"},
}

// inputs are of what clients send up that nobody is owed: due instant → acknowledged.
var inputs = []column{
	{metric.AckP50, "input", "p50 ms"},
	{metric.AckP99, "input", "p99 ms"},
}

// connects are the last of the columns, for which those of inputs leave no room.
const connects = 2

// columns are those that every run has.
var columns = []column{
	{metric.Delivered, "delivered", ""},
	{metric.Lost, "lost", ""},
	{metric.RequestsPerMessage, "requests", "/msg"},
	{metric.WireBytesPerMessage, "wire", "B/msg"},
	{metric.ServerCPUPerMessage, "server", "µs/msg"},
	{metric.GeneratorCPUPerMessage, "generator", "µs/msg"},
	{metric.ServerMemoryPerClient, "memory", "KiB/idle"},
	{metric.ConnectP50, "connect", "p50 ms"},
	{metric.ConnectP99, "connect", "p99 ms"},
}

// TableOptions say what the terminal can do. The zero value is for a pipe: plain text, a
// row or a sentence a line.
type TableOptions struct {
	Color bool // default false, as for NO_COLOR, TERM=dumb and pipes
	Width int  // columns; 0: as many as it takes
}

// readable is how long a line may be that is read, whatever the terminal has room for.
const readable = 120

func (o TableOptions) width() int {
	if o.Width > 0 {
		return o.Width
	}
	return math.MaxInt
}

// Wrap breaks text between words where the terminal would break it anywhere. Where there is
// none it stays a line, which is what searches find.
func (o TableOptions) Wrap(text string) string {
	if o.Width == 0 {
		return text
	}
	return lipgloss.Wrap(text, min(o.Width, readable), " ")
}

// inParts has as many of n columns side by side as there is room for, and the others below
// them. Draw draws some of them beside the first column of the table.
func (o TableOptions) inParts(n int, draw func(from, to int) string) string {
	var parts []string
	for from := 0; from < n; {
		to := n
		drawn := draw(from, to)
		for to > from+1 && lipgloss.Width(drawn) > o.width() {
			to--
			drawn = draw(from, to)
		}
		parts, from = append(parts, trimLines(drawn)), to
	}
	return strings.Join(parts, "\n")
}

// bare is a table without lines.
func bare(head []string, rows [][]string, style table.StyleFunc) string {
	return table.New().Headers(head...).Rows(rows...).StyleFunc(style).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).BorderHeader(false).
		String()
}

// Table writes one row a case, and under each what theory predicts; then what the figures of
// the table can mean.
func (r *Report) Table(w io.Writer, opts TableOptions) error {
	run, s := r.Run, r.Summary
	lines := []string{overview(s, columnsOf(run.Manifest), opts)}
	for _, part := range []section{answersSection(s), visitsSection(s)} {
		if drawn := part.drawn(opts); drawn != "" {
			lines = append(lines, "", drawn, "")
		}
	}
	if published := publishedSection(run, s); len(published.Rows) > 0 {
		lines = append(lines, "", published.drawn(opts), opts.Wrap(published.Note), "")
	}
	if j := r.Judgement; j.Withheld == "" {
		lines = append(lines, "", verdictTable(j, opts), "")
	}
	for _, note := range notes(run, s) {
		lines = append(lines, opts.Wrap(note))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// writeTable writes tables and the sentences on them for a terminal.
func writeTable(w io.Writer, opts TableOptions, tables []section, sentences []string) error {
	var lines []string
	for _, t := range tables {
		lines = append(lines, t.drawn(opts))
		if t.Note != "" {
			lines = append(lines, opts.Wrap(t.Note))
		}
		lines = append(lines, "")
	}
	for _, sentence := range sentences {
		lines = append(lines, opts.Wrap(sentence))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// theoryLabel begins the row under a transport.
const theoryLabel = "  theory"

// overview gives each column as much air as the width allows.
func overview(s summary.Summary, columns []column, opts TableOptions) string {
	airy, tight := layOut(s, columns, 2, opts), layOut(s, columns, 1, opts)
	if lipgloss.Width(airy) > opts.width() && lipgloss.Width(tight) <= opts.width() {
		return trimLines(tight)
	}
	return opts.inParts(len(columns), func(from, to int) string { return layOut(s, columns[from:to], 2, opts) })
}

func layOut(s summary.Summary, columns []column, gap int, opts TableOptions) string {
	head, units := []string{"transport"}, []string{""}
	for _, c := range columns {
		head, units = append(head, c.head), append(units, c.unit)
	}
	rows := [][]string{units}
	for _, r := range s.Rows {
		rows = append(rows, measuredCells(r, columns))
		if predicted := theoryCells(r, columns); predicted != nil {
			rows = append(rows, append([]string{theoryLabel}, predicted[1:]...))
		}
	}
	return bare(head, rows, func(row, col int) lipgloss.Style { return style(rows, row, col, gap, opts) })
}

// style aligns figures to the right, and dims what was not measured.
func style(rows [][]string, row, col, gap int, opts TableOptions) lipgloss.Style {
	s := lipgloss.NewStyle()
	if col > 0 {
		s = s.Align(lipgloss.Right).PaddingLeft(gap)
	}
	switch {
	case !opts.Color:
		return s
	case row == table.HeaderRow:
		return s.Bold(true)
	case row == 0 || rows[row][0] == theoryLabel:
		return s.Faint(true)
	default:
		return s
	}
}

func measuredCells(r summary.Row, columns []column) []string {
	cells := []string{r.Name}
	for _, c := range columns {
		cells = append(cells, r.Value(c.metric).String())
	}
	return cells
}

// theoryCells is nil when theory predicts no column of the overview.
func theoryCells(r summary.Row, columns []column) []string {
	cells, some := []string{"theory"}, false
	for _, c := range columns {
		cell := ""
		if p, ok := r.Theory(c.metric); ok {
			cell, some = metric.Number(p.Value), true
		}
		cells = append(cells, cell)
	}
	if !some {
		return nil
	}
	return cells
}

// notes explain the table: what is missing from it, and what its costs can mean.
func notes(run *results.Run, s summary.Summary) []string {
	var lines []string
	if m := run.Manifest; m.Status != results.Complete {
		lines = append(lines, fmt.Sprintf("%s: %s", m.Status, results.Plain(m.Reason)))
	}
	lines = append(lines, tooFew(s, columnsOf(run.Manifest))...)
	for _, r := range s.Rows {
		if r.Saturated {
			lines = append(lines, r.Name+": SATURATED, the figures describe overload")
		}
	}
	if len(s.Dropped) > 0 {
		lines = append(lines, leftOut(s))
	}
	for _, e := range s.Excluded {
		line := "excluded: "
		if e.Repeated {
			line = "excluded and measured again: "
		}
		lines = append(lines, line+e.Trial+": "+results.Plain(e.Reason))
	}
	for _, warning := range run.Warnings {
		lines = append(lines, results.Plain(warning))
	}
	return append(lines, caution(run.Manifest), together(s))
}

// tooFew explains each n/a of the overview.
func tooFew(s summary.Summary, columns []column) []string {
	var lines []string
	for _, c := range columns {
		var have []string
		var need int64
		for _, r := range s.Rows {
			if v := r.Value(c.metric); v.Known == summary.TooFew {
				have, need = append(have, r.Name+" has "+metric.Count(v.Have)), v.Need
			}
		}
		if len(have) > 0 {
			lines = append(lines, fmt.Sprintf("n/a: %s needs %s independent observations, %s",
				metric.ByName(c.metric).Title, metric.Count(need), list(have)))
		}
	}
	return lines
}

// caution is what must stand beside every cost.
func caution(m results.Manifest) string {
	return fmt.Sprintf("CPU: on one machine a sender does much of its receiver's TCP work: add both. It falls with load (%s deliveries/s).",
		spread(m, func(c results.Case) float64 { return c.DeliveryRate }, m.Workload.DeliveryRate))
}

// together is the headline of the costs.
func together(s summary.Summary) string {
	var said []string
	for _, r := range s.Rows {
		said = append(said, r.Name+" "+r.Value(metric.CPUPerMessage).String())
	}
	return "server + generator, µs/msg: " + strings.Join(said, " · ")
}
