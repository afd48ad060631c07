package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"pushbench/results"
	"pushbench/results/chart"
)

// The page and what it is made of. uPlot is by Leon Sorokin, under the licence beside it.
var (
	//go:embed page.html
	pageSource string
	//go:embed page.js
	pageScript string
	//go:embed uplot/uPlot.iife.min.js
	plotScript string
	//go:embed uplot/uPlot.min.css
	plotStyle string
	//go:embed uplot/LICENSE
	plotLicence string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"lines": func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }) },
}).Parse(pageSource))

// page is what the template draws.
type page struct {
	Title    string
	Question string   // under the title
	Badges   []string // what it is worth, in a word each: the status, VERDICT or ESTIMATE
	Answer   []string
	Account  []part
	Overview section
	Figures  []pageFigure
	Sections []section

	Data    []figureData // what the script draws
	Scripts []template.JS
	Policy  string // the content security policy: these scripts by their hashes, and nothing else
	Style   template.CSS
	Licence template.HTML // a comment: the licence of what is inlined
}

type pageFigure struct {
	Name, Title, Alt, Caption string
	SVG                       template.HTML
}

// figureData is a figure as the script finds it.
type figureData struct {
	Name   string        `json:"name"`
	Panels []chart.Panel `json:"panels"`
}

// HTML writes the report as one page. The figures' SVG is written as it is, so it must be ours.
func (r *Report) HTML(w io.Writer, figures []chart.Figure) error {
	all, m := r.sections(), r.Run.Manifest
	p := page{
		Title:    results.Plain(m.Workload.Scenario),
		Question: results.Plain(m.Workload.Question),
		Badges:   []string{string(m.Status)},
		Answer:   r.conclusion(),
		Account:  r.account(),
		Overview: all[0],
		Sections: all[1:],
	}
	switch {
	case m.Status == results.Invalid:
	case r.Judgement.Withheld == "":
		p.Badges = append(p.Badges, verdictLabel)
	default:
		p.Badges = append(p.Badges, estimateLabel)
	}
	return p.write(w, figures, r.caption())
}

// write draws a page that needs nothing else: no network, and no script, though with scripts
// its figures answer a pointer. Under each figure the caption follows what it rests on.
func (p page) write(w io.Writer, figures []chart.Figure, caption string) error {
	p.Scripts = []template.JS{template.JS(plotScript), template.JS(pageScript)} //nolint:gosec // ours and uPlot's
	p.Policy = policy(plotScript, pageScript)
	p.Style = template.CSS(plotStyle)                                      //nolint:gosec // uPlot's
	p.Licence = template.HTML("<!-- uPlot 1.6.32\n" + plotLicence + "-->") //nolint:gosec // as above
	p.Data = []figureData{}
	for _, f := range figures {
		p.Figures = append(p.Figures, pageFigure{f.Name, f.Title, f.Alt, f.Basis + caption, inline(f.SVG)})
		data := figureData{f.Name, f.Panels}
		if data.Panels == nil {
			data.Panels = []chart.Panel{}
		}
		p.Data = append(p.Data, data)
	}
	return pageTemplate.Execute(w, p)
}

// policy lets the page run these scripts and do nothing else: load nothing, send nothing.
// Styles stay open, as the figures have them in attributes.
func policy(scripts ...string) string {
	all := "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; script-src"
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s))
		all += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return all
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
