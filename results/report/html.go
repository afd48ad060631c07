package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"regexp"
	"slices"
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
	//go:embed tables.js
	tablesScript string
	//go:embed page.js
	chartsScript string
	//go:embed uplot/uPlot.iife.min.js
	plotScript string
	//go:embed uplot/uPlot.min.css
	plotStyle string
	//go:embed uplot/LICENSE
	plotLicence string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"parts":   partsOf,
	"lines":   Section.notes,
	"id":      func(title string) string { return Section{Title: title}.ID() },
	"step":    stepOf,
	"svg":     inline,
	"policy":  func() string { return policy },
	"scripts": scripts,
	"styles":  func() []template.CSS { return []template.CSS{template.CSS(plotStyle), template.CSS(pageStyle)} }, //nolint:gosec // ours and uPlot's
	"licence": func() template.HTML { return template.HTML("<!-- uPlot 1.6.32\n" + plotLicence + "-->") },        //nolint:gosec // as above
}).Parse(pageSource))

// A page is a Document with its charts. It needs no network and no script; with scripts its charts are
// interactive and its tables can be saved.
type page struct {
	Document
	Charts []chart.Chart // their SVG is written unescaped, so it must be ours
}

// HTML writes the document as one page, with charts.
func (d Document) HTML(w io.Writer, charts []chart.Chart) error {
	return pageTemplate.Execute(w, page{d, charts})
}

// Shown are the sections that are visible at once.
func (p page) Shown() []Section {
	return slices.DeleteFunc(slices.Clone(p.Sections), func(s Section) bool { return !s.Shown || s.empty() })
}

// Folded are the other sections.
func (p page) Folded() []Section {
	return slices.DeleteFunc(slices.Clone(p.Sections), func(s Section) bool { return s.Shown || s.empty() })
}

// Below are the charts of a section.
func (p page) Below(s Section) []chart.Chart {
	return slices.DeleteFunc(slices.Clone(p.Charts), func(c chart.Chart) bool { return c.Name != s.Chart })
}

// Rest are the charts that belong to no section that is visible at once.
func (p page) Rest() []chart.Chart {
	return slices.DeleteFunc(slices.Clone(p.Charts), func(c chart.Chart) bool {
		return slices.ContainsFunc(p.Shown(), func(s Section) bool { return s.Chart == c.Name })
	})
}

// parts are a cell as the page draws it: "✓ 2.5× (0.40 s)" has a mark, a value and the rest.
type parts struct {
	Mark, Word  string // the word is read in place of a sign
	Value, Rest string
	Tone        Tone
}

// marks are the signs that begin a cell, with the words for screen readers.
var marks = []struct {
	sign, word string
}{{signMet, "met"}, {signUnmet, "not met"}, {signUndecided, "undecided"}, {signSame, "no measurable difference"}, {signBest, ""}}

// A step is a paragraph with a command: "Load: it changes the cost." and "pushbench capacity chat".
type step struct{ Name, Text, Command string }

// stepOf is a paragraph as a step; without a command only the text is set.
func stepOf(p Paragraph) step {
	name, text, ok := strings.Cut(p.Text, ": ")
	if !ok || len(p.Items) != 1 || !strings.HasPrefix(p.Items[0], "pushbench ") {
		return step{Text: p.Text}
	}
	return step{name, results.Capital(text), p.Items[0]}
}

// ordinals match the place that begins a cell.
var ordinals = regexp.MustCompile(`^[0-9]+(st|nd|rd|th) `)

// quantities match a number with at most a unit behind it and two words before it.
var quantities = regexp.MustCompile(`^(\pL+ ){0,2}\S*[0-9∞]\S*( \S+)?$`)

func partsOf(c Cell) (p parts) {
	p.Value, p.Tone = c.Text, c.Tone
	for _, m := range marks {
		if rest, ok := strings.CutPrefix(c.Text, m.sign); ok {
			p.Mark, p.Word, p.Value = m.sign, m.word, strings.TrimSpace(rest)
		}
	}
	if place := ordinals.FindString(p.Value); place != "" {
		p.Mark, p.Value = strings.TrimSpace(place), p.Value[len(place):]
	}
	if i := strings.Index(p.Value, " ("); i > 0 && strings.HasSuffix(p.Value, ")") && quantities.MatchString(p.Value[:i]) {
		p.Value, p.Rest = p.Value[:i], p.Value[i+1:]
	}
	return p
}

// policy allows the page to use its scripts and styles only, and to load and send nothing.
var policy = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src" + hashes(plotStyle, pageStyle) +
	"; script-src" + hashes(tablesScript, plotScript, chartsScript)

// hashes are the sources of a content security policy that allow these texts.
func hashes(texts ...string) (all string) {
	for _, text := range texts {
		sum := sha256.Sum256([]byte(text))
		all += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return all
}

// scripts are those of the tables, and of the charts if there are any.
func scripts(charts []chart.Chart) []template.JS {
	all := []template.JS{template.JS(tablesScript)} //nolint:gosec // ours
	if len(charts) > 0 {
		all = append(all, template.JS(plotScript), template.JS(chartsScript)) //nolint:gosec // uPlot's and ours
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
