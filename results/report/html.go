package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

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
	"lines":   Section.notes,
	"svg":     inline,
	"policy":  func() string { return policy },
	"scripts": func() []template.JS { return []template.JS{template.JS(plotScript), template.JS(pageScript)} },   //nolint:gosec // ours and uPlot's
	"styles":  func() []template.CSS { return []template.CSS{template.CSS(plotStyle), template.CSS(pageStyle)} }, //nolint:gosec // as above
	"licence": func() template.HTML { return template.HTML("<!-- uPlot 1.6.32\n" + plotLicence + "-->") },        //nolint:gosec // as above
}).Parse(pageSource))

// A page is the template's data. A page needs no network and no script; with scripts its charts are
// interactive.
type page struct {
	Document
	Results Section // the first section, which stands above the charts
	Account []Section
	Tables  []Section
	Charts  []chart.Chart // their SVG is written unescaped, so it must be ours
}

// HTML writes the document as one page, with charts.
func (d Document) HTML(w io.Writer, charts []chart.Chart) error {
	p := page{Document: d, Charts: charts}
	p.Headline = d.headline()
	for i, s := range d.Sections {
		switch {
		case i == 0:
			p.Results = s
		case len(s.Rows) == 0:
			p.Account = append(p.Account, s)
		default:
			p.Tables = append(p.Tables, s)
		}
	}
	return pageTemplate.Execute(w, p)
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
