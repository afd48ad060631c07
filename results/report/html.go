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
	"lines":   func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }) },
	"svg":     inline,
	"data":    panels,
	"policy":  func() string { return policy(plotScript, pageScript) },
	"scripts": func() []template.JS { return []template.JS{template.JS(plotScript), template.JS(pageScript)} }, //nolint:gosec // ours and uPlot's
	"style":   func() template.CSS { return template.CSS(plotStyle) },                                          //nolint:gosec // uPlot's
	"licence": func() template.HTML { return template.HTML("<!-- uPlot 1.6.32\n" + plotLicence + "-->") },      //nolint:gosec // as above
}).Parse(pageSource))

// A page is what the template draws. It needs nothing else: no network, and no script, though with
// scripts its figures answer a pointer.
type page struct {
	Title    string
	Question string   // under the title
	Badges   []string // what it is worth: the status, VERDICT or ESTIMATE
	Headline []string
	Account  []part
	Sections []section     // the first stands above the figures
	Charts   []chart.Chart // their SVG is written as it is, so it must be ours
	Caption  string        // follows the basis of each figure
}

func (p page) write(w io.Writer) error { return pageTemplate.Execute(w, p) }

// HTML writes the report as one page.
func (r *Report) HTML(w io.Writer, figures []chart.Chart) error {
	m := r.Run.Manifest
	p := page{
		results.Plain(m.Workload.Scenario), results.Plain(m.Workload.Question),
		[]string{string(m.Status)},
		r.conclusion(), r.account(), r.sections(), figures, r.caption(),
	}
	if m.Status != results.Invalid {
		p.Badges = append(p.Badges, label(r.Judgement))
	}
	return p.write(w)
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

// panels are the figures as the script reads them.
func panels(figures []chart.Chart) (all []any) {
	for _, f := range figures {
		all = append(all, struct {
			Name   string        `json:"name"`
			Panels []chart.Panel `json:"panels"`
		}{f.Name, append([]chart.Panel{}, f.Panels...)}) // the script reads no null
	}
	return all
}
