package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
)

// TableOptions describes the terminal. The zero value is for a pipe: plain text, a row or a sentence per
// line.
type TableOptions struct {
	Color bool // default false, as for NO_COLOR, TERM=dumb and pipes
	Width int  // columns; 0: no limit
	Wide  bool // all columns of the overview; default: those by which people choose
}

// readable is the longest line of text, even in a wider terminal.
const readable = 120

func (o TableOptions) width() int {
	if o.Width > 0 {
		return o.Width
	}
	return math.MaxInt
}

// Wrap breaks text between words; the terminal would break it inside words. An item of a list stays
// indented. Without a width the text stays on one line, which searches can match.
func (o TableOptions) Wrap(text string) string {
	if o.Width == 0 {
		return text
	}
	entry, isItem := strings.CutPrefix(text, item)
	if !isItem {
		return lipgloss.Wrap(text, min(o.Width, readable), " ")
	}
	wrapped := lipgloss.Wrap(entry, max(1, min(o.Width, readable)-len(item)), " ")
	return item + strings.ReplaceAll(wrapped, "\n", "\n"+item)
}

// drawn is a section for a terminal; empty if it has no rows. Columns that do not fit the width are drawn
// below the others, each part next to the first column.
func (s section) drawn(opts TableOptions) string {
	if len(s.Rows) == 0 {
		return ""
	}
	var parts []string
	for from, n := 0, len(s.Heading)-1; from < n; {
		to := n
		grid := s.part(from, to).grid(opts, 2)
		for to > from+1 && lipgloss.Width(grid) > opts.width() {
			to--
			grid = s.part(from, to).grid(opts, 2)
		}
		parts, from = append(parts, grid), to
	}
	return strings.Join(parts, "\n")
}

// grid is a section's table without borders, with a gap between the columns.
func (s section) grid(opts TableOptions, gap int) string {
	t := table.New().Headers(s.Heading...)
	for _, l := range s.Rows {
		t.Row(l.Cells...)
	}
	drawn := t.StyleFunc(func(row, col int) lipgloss.Style {
		style := lipgloss.NewStyle()
		if col > 0 {
			style = style.PaddingLeft(gap)
			if !s.Left {
				style = style.Align(lipgloss.Right)
			}
		}
		header := row == table.HeaderRow
		if opts.Color && !header && s.Heading[col] == lostTitle && strings.Trim(s.Rows[row].Cells[col], "0–") != "" {
			style = style.Foreground(lipgloss.Red)
		}
		return style.Bold(opts.Color && header).Faint(opts.Color && !header && s.Rows[row].Dim)
	}).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).BorderHeader(false).String()
	var lines []string
	for line := range strings.SplitSeq(drawn, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.Join(lines, "\n")
}

// Table writes a row per configuration with the model's prediction below it, then the notes.
func (r *Report) Table(w io.Writer, opts TableOptions) error {
	columns := r.narrowColumns()
	if opts.Wide {
		columns = columnsOf(r.Run.Manifest)
	}
	lines := []string{r.overviewDrawn(columns, opts)}
	for _, part := range []section{r.repliesSection(), r.shortLivedSection()} {
		if drawn := part.drawn(opts); drawn != "" {
			lines = append(lines, "", drawn, "")
		}
	}
	if published := r.publishedSection(); len(published.Rows) > 0 {
		lines = append(lines, "", published.drawn(opts), opts.Wrap(published.Note), "")
	}
	if a := r.Analysis; a.Withheld == "" {
		lines = append(lines, "", verdictGrid(a).drawn(opts), opts.Wrap(verdictLegend), "")
	}
	prices := r.priceSection()
	lines = append(lines, "", prices.Title, prices.drawn(opts))
	for note := range strings.Lines(prices.Note) {
		lines = append(lines, opts.Wrap(strings.TrimSuffix(note, "\n")))
	}
	lines = append(lines, "")
	for _, note := range r.notes(columns) {
		lines = append(lines, opts.Wrap(note))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// overviewDrawn puts the units below the titles. It narrows the gaps if all columns then fit.
func (r *Report) overviewDrawn(columns []column, opts TableOptions) string {
	s, units := section{Heading: []string{"transport"}}, []string{""}
	for _, c := range columns {
		s.Heading, units = append(s.Heading, c.title), append(units, c.unit)
	}
	s.Rows = append([]tableRow{{units, true}}, r.overviewRows(columns)...)
	for _, l := range s.Rows[1:] {
		if l.Dim {
			l.Cells[0] = "  predicted"
		}
	}
	tight := s.grid(opts, 1)
	if lipgloss.Width(s.grid(opts, 2)) > opts.width() && lipgloss.Width(tight) <= opts.width() {
		return tight
	}
	return s.drawn(opts)
}

// writeTable writes tables and the sentences about them for a terminal.
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
