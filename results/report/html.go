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

// The page's template, scripts and style. uPlot is by Leon Sorokin, under the licence in its folder.
var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
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
	"listed":  paragraphs,
	"lines":   func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }) },
	"svg":     inline,
	"data":    panels,
	"policy":  func() string { return policy },
	"scripts": func() []template.JS { return []template.JS{template.JS(plotScript), template.JS(pageScript)} },   //nolint:gosec // ours and uPlot's
	"styles":  func() []template.CSS { return []template.CSS{template.CSS(plotStyle), template.CSS(pageStyle)} }, //nolint:gosec // as above
	"licence": func() template.HTML { return template.HTML("<!-- uPlot 1.6.32\n" + plotLicence + "-->") },        //nolint:gosec // as above
}).Parse(pageSource))

// A page is the template's data. A page needs no network and no script; with scripts its charts are
// interactive.
type page struct {
	Title    string
	Question string   // under the title
	Badges   []string // the status, VERDICT or ESTIMATE
	Headline []string
	Account  []qualification
	Sections []section     // the first one stands above the charts
	Charts   []chart.Chart // their SVG is written unescaped, so it must be ours
	Caption  string        // follows the basis of each chart
}

func (p page) write(w io.Writer) error { return pageTemplate.Execute(w, p) }

// A paragraph is a sentence, and the items of the list below it.
type paragraph struct {
	Text  string
	Items []string
}

// paragraphs joins each item to the line whose list it belongs to.
func paragraphs(lines []string) (all []paragraph) {
	for _, line := range lines {
		entry, isItem := strings.CutPrefix(line, item)
		if isItem && len(all) > 0 {
			last := &all[len(all)-1]
			last.Items = append(last.Items, entry)
		} else {
			all = append(all, paragraph{Text: entry})
		}
	}
	return all
}

// HTML writes the report as one page.
func (r *Report) HTML(w io.Writer, charts []chart.Chart) error {
	m := r.Run.Manifest
	p := page{
		results.Plain(m.Workload.Scenario), results.Plain(m.Workload.Question),
		[]string{statusText(m.Status)},
		r.conclusion(), r.qualifications(), r.sections(), charts, r.caption(),
	}
	if m.Status != results.Invalid {
		p.Badges = append(p.Badges, label(r.Analysis))
	}
	return p.write(w)
}

// policy allows the page to use its scripts and styles only, and to load and send nothing.
var policy = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src" + hashes(plotStyle, pageStyle) +
	"; script-src" + hashes(plotScript, pageScript)

// hashes are the sources of a content security policy that allow these texts.
func hashes(texts ...string) (all string) {
	for _, text := range texts {
		sum := sha256.Sum256([]byte(text))
		all += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return all
}

// inline removes the prologue of an SVG document, which HTML does not allow.
func inline(svg []byte) template.HTML {
	s := string(svg)
	if i := strings.Index(s, "<svg"); i >= 0 {
		s = s[i:]
	}
	return template.HTML(s) //nolint:gosec // drawn by results/chart, which escapes its text
}

// panels are the charts as the script reads them.
func panels(charts []chart.Chart) (all []any) {
	for _, c := range charts {
		all = append(all, struct {
			Name   string        `json:"name"`
			Panels []chart.Panel `json:"panels"`
		}{c.Name, append([]chart.Panel{}, c.Panels...)}) // the script does not accept null
	}
	return all
}
