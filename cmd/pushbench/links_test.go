package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var (
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	span    = regexp.MustCompile("`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	link    = regexp.MustCompile(`\]\(([^)\s#]*)(?:#([^)\s]*))?\)`)
)

// A page is a Markdown file: its links, and the anchors of its headings.
type page struct {
	anchors map[string]bool
	links   [][]string // match, path, anchor
}

// parsePage reads the links and headings of a page outside code.
func parsePage(text string) page {
	prose := fence.ReplaceAllString(text, "")
	p := page{anchors: map[string]bool{}, links: link.FindAllStringSubmatch(span.ReplaceAllString(prose, ""), -1)}
	for _, m := range heading.FindAllStringSubmatch(prose, -1) {
		name := anchorOf(m[1])
		for i := 1; p.anchors[name]; i++ {
			name = anchorOf(m[1]) + "-" + strconv.Itoa(i)
		}
		p.anchors[name] = true
	}
	return p
}

// anchorOf is the anchor that GitHub gives to a heading: lower case, without punctuation, with
// hyphens in place of spaces.
func anchorOf(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

// readPages reads all Markdown files, except expected outputs, by their path in the module.
func readPages(t *testing.T) map[string]page {
	t.Helper()
	root, pages := moduleRoot(t), map[string]page{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "node_modules" || name == "bin" || name == "dist" || name == filepath.Join("results", "runs")):
			return filepath.SkipDir
		case filepath.Ext(name) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		pages[filepath.ToSlash(name)] = parsePage(string(text))
		return err
	})
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	return pages
}

// Links between pages point to existing files and headings.
func TestLinksPointToFilesAndHeadings(t *testing.T) {
	pages := readPages(t)
	for name, p := range pages {
		for _, broken := range p.broken(moduleRoot(t), name, pages) {
			t.Errorf("%s: %s", name, broken)
		}
	}
}

// broken describes the links of the page that lead nowhere.
func (p page) broken(root, name string, pages map[string]page) (all []string) {
	for _, m := range p.links {
		path, anchor := m[1], m[2]
		if strings.Contains(path, ":") {
			continue
		}
		to := name
		if path != "" {
			to = filepath.ToSlash(filepath.Join(filepath.Dir(name), path))
		}
		if _, err := os.Stat(filepath.Join(root, to)); err != nil {
			all = append(all, "no such file: "+path)
			continue
		}
		if anchor != "" && !pages[to].anchors[anchor] {
			all = append(all, to+" has no heading for #"+anchor)
		}
	}
	return all
}

func TestBrokenLinksAreFound(t *testing.T) {
	pages := map[string]page{"README.md": parsePage(strings.Join([]string{
		"# A title, with `code` (twice)", "# Same", "# Same",
		"[a](#a-title-with-code-twice) [b](#same-1) [c](CONTRIBUTING.md) [d](https://example.com/x#y)",
		"`[e](no)`", "```", "[f](no)", "# No", "```",
		"[g](no.md) [h](#no) [i](docs/ci.md#no)",
	}, "\n"))}
	got := pages["README.md"].broken(moduleRoot(t), "README.md", pages)
	want := []string{"no such file: no.md", "README.md has no heading for #no", "docs/ci.md has no heading for #no"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Every page of docs/ can be reached from the README by links.
func TestPagesAreReachableFromTheReadme(t *testing.T) {
	pages := readPages(t)
	reached, next := map[string]bool{"README.md": true}, []string{"README.md"}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		for _, m := range pages[name].links {
			to := filepath.ToSlash(filepath.Join(filepath.Dir(name), m[1]))
			if _, ok := pages[to]; ok && !reached[to] {
				reached[to], next = true, append(next, to)
			}
		}
	}
	for name := range pages {
		if strings.HasPrefix(name, "docs/") && !reached[name] {
			t.Errorf("no link leads to %s: link it from README.md or from another page", name)
		}
	}
}

// The program names only pages that exist.
func TestPagesInOutputExist(t *testing.T) {
	root, named := moduleRoot(t), 0
	mention := regexp.MustCompile(`\bdocs/[a-z/-]+\.md\b`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		return literals(path, path, func(_, position, text string) {
			for _, page := range mention.FindAllString(text, -1) {
				named++
				if _, err := os.Stat(filepath.Join(root, page)); err != nil {
					t.Errorf("%s: %v", position, err)
				}
			}
		})
	})
	if err != nil || named == 0 {
		t.Errorf("%d pages named, %v", named, err)
	}
}
