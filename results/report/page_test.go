package report_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"pushbench/results/chart"
	"pushbench/results/report"
)

// Elements without an end tag, and elements that a paragraph must not contain.
var (
	voids  = []string{"meta", "link", "br", "hr", "img", "input", "wbr"}
	blocks = []string{"p", "ul", "ol", "dl", "div", "section", "table", "pre", "figure", "details", "h1", "h2", "h3", "nav", "main"}
)

// parents are the elements that must have one of these as their parent.
var parents = map[string][]string{
	"li": {"ul", "ol"}, "dt": {"dl", "div"}, "dd": {"dl", "div"}, "caption": {"table"}, "tr": {"thead", "tbody"},
	"th": {"tr"}, "td": {"tr"}, "summary": {"details"}, "figcaption": {"figure"}, "thead": {"table"}, "tbody": {"table"},
}

// mistakes are the errors of a page that a browser would repair silently, and those that only assistive
// technology notices.
func mistakes(page string) (found []string) {
	var open []string
	seen := map[string]bool{}
	var links []string
	level, captions := 0, 0
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		token := z.Token()
		switch kind {
		case html.ErrorToken:
			for _, link := range links {
				if !seen[link] {
					found = append(found, "no target for "+link)
				}
			}
			if len(open) > 0 {
				found = append(found, "not closed: "+strings.Join(open, " "))
			}
			return found
		case html.StartTagToken:
			attributes := map[string]string{}
			for _, a := range token.Attr {
				attributes[a.Key] = a.Val
			}
			if id, ok := attributes["id"]; ok {
				if id == "" || seen[id] || strings.ContainsAny(id, " \"'<>") {
					found = append(found, "bad or repeated id "+id)
				}
				seen[id] = true
			}
			if link, ok := strings.CutPrefix(attributes["href"], "#"); ok {
				links = append(links, link)
			}
			parent := ""
			if len(open) > 0 {
				parent = open[len(open)-1]
			}
			if allowed := parents[token.Data]; allowed != nil && !slices.Contains(allowed, parent) {
				found = append(found, token.Data+" in "+parent)
			}
			if slices.Contains(open, "p") && slices.Contains(blocks, token.Data) {
				found = append(found, token.Data+" in a paragraph")
			}
			switch token.Data {
			case "h1", "h2", "h3":
				if next := int(token.Data[1] - '0'); next > level+1 {
					found = append(found, token.Data+" skips a level")
				} else {
					level = next
				}
			case "th":
				if attributes["scope"] == "" {
					found = append(found, "a heading cell without scope")
				}
			case "table":
				captions--
			case "caption":
				captions++
			}
			if role := attributes["role"]; (role == "img" || role == "group") && attributes["aria-label"] == "" {
				found = append(found, "no label: "+token.String())
			}
			if !slices.Contains(voids, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				found = append(found, "</"+token.Data+"> in "+strings.Join(open, " "))
				return found
			}
			open = open[:len(open)-1]
		}
		if captions > 0 {
			found = append(found, "a caption outside of a table")
		}
	}
}

func TestPageIsValid(t *testing.T) {
	charts := []chart.Chart{{Name: "pareto", Title: "Price", Alt: "it falls", SVG: []byte("<svg></svg>")}, {Name: "latency", Title: "Latency", Alt: "it rises", SVG: []byte("<svg></svg>")}}
	for state := range states {
		page := render(t, func(w io.Writer) error { return on(state).Document().HTML(w, charts) })
		for _, m := range mistakes(page) {
			t.Errorf("%s: %s", state, m)
		}
	}
	hostile := render(t, func(w io.Writer) error {
		return report.New(hostileRun(`"><p id="x" id=x></section>`)).Document().HTML(w, charts)
	})
	for _, m := range mistakes(hostile) {
		t.Errorf("hostile: %s", m)
	}
}

// Pages with mistakes prove that the test above can fail.
func TestMistakesAreFound(t *testing.T) {
	for _, page := range []string{
		"<p>", "<p><ul></ul></p>", "</p>", "<b><i></b></i>", `<i id="a"></i><b id="a"></b>`, `<a href="#none"></a>`, "<li></li>", "<h1></h1><h3></h3>",
		"<table><thead><tr><th></th></tr></thead></table>", `<div role="img"></div>`,
	} {
		if len(mistakes(page)) == 0 {
			t.Errorf("no mistake found in %s", page)
		}
	}
}
