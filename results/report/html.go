package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"pushbench/results"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"lines": func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }) },
}).Parse(pageSource))

// page is what the template draws.
type page struct {
	Title     string
	Question  string
	Status    results.Status
	Verdict   string // VERDICT, ESTIMATE, or empty
	Sentences []string
	Overview  section
	Figures   []pageFigure
	Sections  []section
}

type pageFigure struct {
	Name, Title, Alt string
	SVG              template.HTML
}

// HTML writes the report as one page that needs nothing else: no network, no
// script. The figures' SVG is written as it is, so it must be ours.
func (r *Report) HTML(w io.Writer, figures []results.Figure) error {
	all, m := r.sections(), r.Run.Manifest
	p := page{
		Title:     results.Plain(m.Workload.Scenario),
		Question:  results.Plain(m.Workload.Question),
		Status:    m.Status,
		Sentences: r.Sentences(),
		Overview:  all[0],
		Sections:  all[1:],
	}
	switch {
	case m.Status == results.Invalid:
	case r.Judgement.Withheld == "":
		p.Verdict = verdictLabel
	default:
		p.Verdict = estimateLabel
	}
	for _, f := range figures {
		p.Figures = append(p.Figures, pageFigure{f.Name, f.Title, f.Alt, inline(f.SVG)})
	}
	return pageTemplate.Execute(w, p)
}

// inline cuts the prologue off an SVG document, which HTML does not allow.
func inline(svg []byte) template.HTML {
	s := string(svg)
	if i := strings.Index(s, "<svg"); i >= 0 {
		s = s[i:]
	}
	return template.HTML(s) //nolint:gosec // drawn by results/chart, which escapes its text
}

// Right reports whether a column holds nothing but figures, to be aligned to
// the right. The first names the row.
func (s section) Right(column int) bool {
	if column == 0 {
		return false
	}
	for _, l := range s.Rows {
		if !numeric(l.Cells[column]) {
			return false
		}
	}
	return true
}

// numeric reports whether a cell reads as a figure, or stands where one would.
func numeric(cell string) bool {
	return cell == "" || strings.ContainsAny(cell[:1], "0123456789-") || cell == "n/a" || cell == "∞" || cell == "–"
}
