package report

import (
	"io"
	"math"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"pushbench/results"
)

// TableOptions describes the terminal. The zero value is for a pipe: plain text, a row or a sentence per
// line.
type TableOptions struct {
	Color bool // default false, as for NO_COLOR, TERM=dumb and pipes
	Width int  // columns; 0: no limit
	Wide  bool // all columns, and the sections behind the answer; default: those by which people choose
}

// readable is the longest line of text, even in a wider terminal.
const readable = 120

// item begins a line that belongs to the list under the last line without it.
const item = "  "

func (o TableOptions) width() int {
	if o.Width > 0 {
		return o.Width
	}
	return math.MaxInt
}

func (o TableOptions) detail() Detail {
	if o.Wide {
		return Wide
	}
	return Brief
}

// wrap breaks text between words; the terminal would break it inside words. Items of a list stay indented.
// Without a width the text stays on one line, which searches can match.
func (o TableOptions) wrap(text string) string {
	if o.Width == 0 {
		return text
	}
	indent := ""
	if entry, isItem := strings.CutPrefix(text, item); isItem {
		text, indent = entry, item
	}
	return indent + strings.Join(Wrapped(text, min(o.Width, readable)-len(indent)), "\n"+indent)
}

// Wrapped are the lines of a text, broken between words only. A word that is longer than a line has its own.
func Wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case lipgloss.Width(line)+1+lipgloss.Width(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// Terminal writes the document for a terminal or a pipe.
func (d Document) Terminal(w io.Writer, opts TableOptions) error {
	d = d.within(opts.detail())
	blocks := []string{opts.paragraphs(d.headline())}
	for i, s := range d.Sections {
		if i > 0 && s.Title != "" {
			blocks = append(blocks, opts.bold(results.Plain(s.Title))+"\n"+s.drawn(opts))
		} else {
			blocks = append(blocks, s.drawn(opts))
		}
	}
	blocks = slices.DeleteFunc(blocks, func(block string) bool { return block == "" })
	_, err := io.WriteString(w, strings.Join(blocks, "\n\n")+"\n")
	return err
}

func (o TableOptions) bold(text string) string {
	return lipgloss.NewStyle().Bold(o.Color).Render(text)
}

// paragraphs are the lines of paragraphs and of the lists below them.
func (o TableOptions) paragraphs(all []Paragraph) string {
	var lines []string
	for _, line := range (Document{Headline: all}).Sentences() {
		lines = append(lines, o.wrap(results.Plain(line)))
	}
	return strings.Join(lines, "\n")
}

// drawn is a section without its title.
func (s Section) drawn(opts TableOptions) string {
	var parts []string
	if len(s.Paragraphs) > 0 {
		parts = append(parts, opts.paragraphs(s.Paragraphs))
	}
	if len(s.Rows) > 0 {
		parts = append(parts, s.table(opts))
	}
	for _, note := range s.notes() {
		parts = append(parts, opts.wrap(results.Plain(note)))
	}
	for _, command := range s.Code {
		parts = append(parts, item+results.Plain(command))
	}
	return strings.Join(parts, "\n")
}

// table is the table. Columns that do not fit the width are drawn below the others, each part next to the
// first column.
func (s Section) table(opts TableOptions) string {
	all := s.grid(opts, 1)
	if wide := s.grid(opts, 2); lipgloss.Width(wide) <= opts.width() || lipgloss.Width(all) > opts.width() {
		all = wide
	}
	if lipgloss.Width(all) <= opts.width() || len(s.Columns) < 2 {
		return all
	}
	var parts []string
	for from := 1; from < len(s.Columns); {
		keep := []int{0, from}
		grid := s.only(keep).folded(opts).grid(opts, 2)
		for next := from + 1; next < len(s.Columns); next++ {
			wider := s.only(append(keep, next)).grid(opts, 2)
			if lipgloss.Width(wider) > opts.width() {
				break
			}
			keep, grid = append(keep, next), wider
		}
		parts, from = append(parts, grid), from+len(keep)-1
	}
	return strings.Join(parts, "\n")
}

// folded is a table of two columns with the text of the second on several lines, so that it fits the width.
func (s Section) folded(opts TableOptions) Section {
	first := lipgloss.Width(s.Columns[0].Title)
	for _, row := range s.Rows {
		first = max(first, lipgloss.Width(row.Cells[0].Text))
	}
	rows := slices.Clone(s.Rows)
	for i, row := range rows {
		rows[i].Cells = slices.Clone(row.Cells)
		rows[i].Cells[1].Text = strings.Join(Wrapped(row.Cells[1].Text, max(1, opts.width()-first-2)), "\n")
	}
	s.Rows = rows
	return s
}

// grid is a section's table without borders, with a gap between the columns, and the units below the
// titles.
func (s Section) grid(opts TableOptions, gap int) string {
	var titles, units []string
	for _, c := range s.Columns {
		titles, units = append(titles, c.Title), append(units, c.Unit)
	}
	rows, hasUnits := s.Rows, strings.Join(units, "") != ""
	if hasUnits {
		rows = append([]Row{{cells(units)}}, rows...)
	}
	t := table.New().Headers(titles...)
	for _, row := range rows {
		var texts []string
		for _, c := range row.Cells {
			texts = append(texts, c.Text)
		}
		t.Row(texts...)
	}
	drawn := t.StyleFunc(func(row, col int) lipgloss.Style {
		style := lipgloss.NewStyle()
		if col > 0 {
			style = style.PaddingLeft(gap)
			if s.Numeric(col) {
				style = style.Align(lipgloss.Right)
			}
		}
		switch {
		case !opts.Color:
			return style
		case row == table.HeaderRow:
			return style.Bold(true)
		case rows[row].Cells[col].Tone == Bad:
			return style.Foreground(lipgloss.Red)
		default:
			return style.Faint(hasUnits && row == 0)
		}
	}).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).BorderHeader(false).String()
	var lines []string
	for line := range strings.SplitSeq(drawn, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.Join(lines, "\n")
}
