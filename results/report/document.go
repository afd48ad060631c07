package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"pushbench/results"
	"pushbench/results/metric"
)

// A Document is the content of a report, without its layout. Runs, comparisons, capacities and checks produce
// Documents. Terminal, Markdown, JSON and HTML draw a Document and nothing else, so that no two outputs can
// differ. Its text may contain anything; each renderer escapes it.
type Document struct {
	Title    string      `json:"title"`
	Question string      `json:"question,omitempty"`
	Badge    string      `json:"badge"`            // VERDICT, ESTIMATE, INCONCLUSIVE, INVALID, OVERLOADED or INTERRUPTED
	Basis    string      `json:"basis,omitempty"`  // the number of repetitions behind the badge
	Origin   []string    `json:"origin,omitempty"` // when, where and from what it was measured
	Headline []Paragraph `json:"headline"`         // the answer; its items are reason, consequences and scope
	Trust    []Support   `json:"trust,omitempty"`  // the evidence in one line
	Sections []Section   `json:"sections"`         // the first one is the table of results
	Caption  string      `json:"-"`                // of all charts
}

// A Support is a piece of evidence for or against the answer, and the title of the section with its details, if
// there is one.
type Support struct {
	Text    string `json:"text"`
	Section string `json:"section,omitempty"`
}

// A Section is a titled part of a Document: paragraphs, a table with notes, and commands, each of which may
// be missing.
type Section struct {
	Title      string      `json:"title"`
	Detail     Detail      `json:"-"`
	Shown      bool        `json:"-"` // the page shows it without a click
	Chart      string      `json:"-"` // the name of the chart that the page shows below it; default none
	Paragraphs []Paragraph `json:"paragraphs,omitempty"`
	Columns    []Column    `json:"columns,omitempty"`
	Rows       []Row       `json:"rows,omitempty"`
	Note       string      `json:"note,omitempty"` // below the table, a note per line
	Code       []string    `json:"code,omitempty"` // commands
}

// Detail is how much detail a reader requested to see a section or a column. Markdown and the page have all.
type Detail int

// Levels of detail.
const (
	Brief Detail = iota // in a terminal, and in a comment on a pull request
	Wide                // in a terminal with --wide
	Full                // in a file only
)

// A Paragraph is a sentence or several, and the items of the list below it. An item that begins with "pushbench "
// is a command.
type Paragraph struct {
	Text  string   `json:"text"`
	Items []string `json:"items,omitempty"`
}

// A Column of a table. Its unit is part of its title unless there is a line for units.
type Column struct {
	Title  string `json:"title"`
	Unit   string `json:"unit,omitempty"`
	Detail Detail `json:"-"` // Brief or Wide
}

// String is the title with the unit.
func (c Column) String() string { return strings.TrimSpace(c.Title + " " + c.Unit) }

// A Row of a table.
type Row struct {
	Cells []Cell `json:"cells"`
}

// A Cell is formatted. Its tone repeats what the text states.
type Cell struct {
	Text string `json:"text"`
	Tone Tone   `json:"tone,omitempty"`
}

// A Tone is a judgement that color can emphasize.
type Tone string

// Tones of a cell.
const (
	Good Tone = "good"
	Bad  Tone = "bad"
)

// columns are Brief columns without a unit.
func columns(titles ...string) (all []Column) {
	for _, title := range titles {
		all = append(all, Column{Title: title})
	}
	return all
}

// add appends a row: see cells.
func (s *Section) add(values ...any) { s.Rows = append(s.Rows, Row{Cells: cells(values...)}) }

// cells formats values for a table: numbers with three digits, durations in milliseconds and
// text on one line. A slice of strings is several cells.
func cells(values ...any) (all []Cell) {
	for _, v := range values {
		text := ""
		switch v := v.(type) {
		case Cell:
			all = append(all, v)
			continue
		case []Cell:
			all = append(all, v...)
			continue
		case []string:
			for _, each := range v {
				all = append(all, Cell{Text: each})
			}
			continue
		case int:
			text = metric.Count(int64(v))
		case int64:
			text = metric.Count(v)
		case float64:
			text = metric.Number(v)
		case time.Duration:
			text = metric.Number(metric.Milliseconds(v))
		default:
			text = results.Plain(fmt.Sprint(v))
		}
		all = append(all, Cell{Text: text})
	}
	return all
}

// empty reports whether a section has nothing to show.
func (s Section) empty() bool { return len(s.Rows)+len(s.Paragraphs)+len(s.Code) == 0 }

// notes are the lines of the note.
func (s Section) notes() []string {
	return strings.FieldsFunc(s.Note, func(r rune) bool { return r == '\n' })
}

// ID names a section in links: the words of its title before a colon. Charts have other names.
func (s Section) ID() string {
	title, _, _ := strings.Cut(strings.ToLower(s.Title), ":")
	return "section-" + strings.Join(strings.FieldsFunc(title, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), "-")
}

// Numeric reports whether a column is aligned to the right, because all its cells are numbers. The first
// column names the row.
func (s Section) Numeric(column int) bool {
	return column > 0 && !slices.ContainsFunc(s.Rows, func(row Row) bool {
		p := partsOf(row.Cells[column])
		cell := strings.TrimPrefix(p.Value, ratioPrefix)
		return cell == "" && p.Mark != "" || cell != "" && (!strings.ContainsAny(cell[:1], "0123456789-") || strings.Contains(cell, ": ")) && !strings.HasPrefix(cell, "∞") && cell != "n/a" && cell != "–"
	})
}

// within is the section with the columns of a level of detail.
func (s Section) within(level Detail) Section {
	var keep []int
	for i, c := range s.Columns {
		if c.Detail <= level {
			keep = append(keep, i)
		}
	}
	return s.only(keep)
}

// only is the section with some columns.
func (s Section) only(keep []int) Section {
	all := s
	s.Columns, s.Rows = nil, nil
	for _, i := range keep {
		s.Columns = append(s.Columns, all.Columns[i])
	}
	for _, row := range all.Rows {
		var kept Row
		for _, i := range keep {
			kept.Cells = append(kept.Cells, row.Cells[i])
		}
		s.Rows = append(s.Rows, kept)
	}
	return s
}

// within is the document with the sections and columns of a level of detail.
func (d Document) within(level Detail) Document {
	all := d.Sections
	d.Sections = nil
	for _, s := range all {
		if s.Detail <= level {
			d.Sections = append(d.Sections, s.within(level))
		}
	}
	return d
}

// answer is the first line of the headline with its badge, unless the line begins with it.
func (d Document) answer(text string) string {
	basis := d.Basis
	if !strings.HasPrefix(strings.ToUpper(text), d.Badge) {
		basis = strings.TrimSuffix(d.Badge+", "+basis, ", ")
	}
	if basis == "" {
		return text
	}
	return text + " (" + basis + ")"
}

// headline is the headline with the badge in its first line.
func (d Document) headline() []Paragraph {
	all := slices.Clone(d.Headline)
	if len(all) > 0 {
		all[0].Text = d.answer(all[0].Text)
	}
	return all
}

// Sentences are the lines of the headline and of all paragraphs. Items begin with two spaces.
func (d Document) Sentences() (lines []string) {
	all := d.headline()
	for _, s := range d.Sections {
		all = append(all, s.Paragraphs...)
	}
	for _, p := range all {
		lines = append(lines, p.Text)
		for _, entry := range p.Items {
			lines = append(lines, item+entry)
		}
	}
	return lines
}

// JSON writes the document for programs.
func (d Document) JSON(w io.Writer) error { return indented(w, d) }
