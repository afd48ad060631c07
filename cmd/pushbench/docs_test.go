package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbench/bench/inspect"
	"pushbench/bench/model"
	"pushbench/results/summary"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each metric that the model predicts has a tolerance.
func TestPredictionsHaveTolerances(t *testing.T) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Configurations() {
			timed := transports.Of(c.Transport).Timed
			for _, p := range model.Predict(s.For(c), c.Transport, model.Measured{Delay: time.Millisecond, RepollGap: time.Millisecond, Write: time.Microsecond}) {
				if !slices.ContainsFunc(summary.Tolerances, func(t summary.Tolerance) bool { return t.Metric == p.Metric && t.Timed == timed }) {
					t.Errorf("%s, %s: %s is predicted and has no tolerance", name, c.Name(), p.Metric)
				}
			}
		}
	}
}

// Headings and signs that the documentation quotes from a report are those that a report prints.
func TestDocsQuoteWhatReportsPrint(t *testing.T) {
	var printed []string
	sources, err := filepath.Glob(filepath.Join("..", "..", "results", "report", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if err := literals(name, name, func(_, _, text string) { printed = append(printed, text) }); err != nil {
			t.Fatal(err)
		}
	}
	all := strings.Join(printed, "\n")
	quoted := regexp.MustCompile(`(?:^|[^*\w])\*([A-Z][a-z]+[^*\n]* [^*\n]+)\*(?:$|[^*])`)
	found := 0
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	labs, labsErr := filepath.Glob(filepath.Join("..", "..", "docs", "labs", "*.md"))
	if err := errors.Join(err, labsErr); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Concat(pages, labs) {
		name := strings.TrimPrefix(filepath.ToSlash(path), "../../")
		page := readPage(t, name)
		for _, m := range quoted.FindAllStringSubmatch(page, -1) {
			if found++; !slices.Contains(printed, m[1]) {
				t.Errorf("%s quotes the heading %q, which no report has", name, m[1])
			}
		}
		for _, sign := range "≠≈≲✓✗◆" {
			if strings.ContainsRune(page, sign) && !strings.ContainsRune(all, sign) {
				t.Errorf("%s explains the sign %c, which no report prints", name, sign)
			}
		}
	}
	if found < 6 {
		t.Errorf("the documentation quotes %d headings, want 6 or more", found)
	}
	summary := readPage(t, "results/reference/chat/summary.md")
	rows := regexp.MustCompile(`(?m)^\| [^|]+ \| [a-z]+ / [a-z]+ \| .*\|$`).FindAllString(readPage(t, "docs/reading-results.md"), -1)
	for _, row := range rows {
		if !strings.Contains(summary, strings.TrimSuffix(row, "|")) {
			t.Errorf("the reference run of chat has no row %q", row)
		}
	}
	if len(rows) != 2 {
		t.Errorf("docs/reading-results.md has %d rows of verdicts, want 2", len(rows))
	}
}

// The documented step replaces the comment that has its marker, and otherwise adds one.
func TestDocumentedStepReplacesItsOwnComment(t *testing.T) {
	_, script, ok := strings.Cut(readPage(t, "docs/ci.md"), "run: |\n")
	script, _, end := strings.Cut(script, "\n\n")
	if !ok || !end {
		t.Fatal("docs/ci.md has no step with a script")
	}
	for id, want := range map[string]string{
		"77": "api --method PATCH repos/me/it/issues/comments/77 -F body=@comment.md",
		"":   "pr comment 5 --body-file comment.md",
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"comment.md": "<!-- results-chat-bench -->\nbody\n",
			"gh":         "#!/bin/sh\necho \"$*\" >>calls\nif [ \"$2\" = --paginate ]; then echo \"$ID\"; fi\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // gh is a command
				t.Fatal(err)
			}
		}
		c := exec.Command("bash", "-eo", "pipefail", "-c", script) // as the runner does
		c.Dir, c.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "ID="+id, "COMMENT=comment.md", "NUMBER=5", "GITHUB_REPOSITORY=me/it")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		calls, err := os.ReadFile(filepath.Join(dir, "calls"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(strings.TrimSpace(string(calls)), "\n"); len(got) != 2 || !strings.Contains(got[0], `startswith("<!-- results-chat-bench -->")`) || got[1] != want {
			t.Errorf("with the comment %q the step calls %q, last want %q", id, got, want)
		}
	}
}

// The layout in CONTRIBUTING.md has every folder of these.
func TestLayoutNamesEveryFolder(t *testing.T) {
	page, named := readPage(t, "CONTRIBUTING.md"), 0
	for _, in := range []string{"bench", "servers", "results"} {
		folders, err := filepath.Glob(filepath.Join("..", "..", in, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, folder := range folders {
			name := filepath.Base(folder)
			if info, err := os.Stat(folder); err != nil || !info.IsDir() || name == "testdata" {
				continue
			}
			if named++; !strings.Contains(page, name+"/ ") {
				t.Errorf("CONTRIBUTING.md does not name %s/%s", in, name)
			}
		}
	}
	if named < 30 {
		t.Errorf("%d folders, want 30 or more", named)
	}
}

// Each direct dependency has its reason in CONTRIBUTING.md.
func TestDependenciesHaveReasons(t *testing.T) {
	page, required := readPage(t, "CONTRIBUTING.md"), 0
	for line := range strings.Lines(readPage(t, "go.mod")) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") { // not a direct one
			continue
		}
		required++
		if name := strings.TrimPrefix(fields[0], "github.com/"); !strings.Contains(page, name) {
			t.Errorf("CONTRIBUTING.md does not state what %s saves", name)
		}
	}
	if required < 10 {
		t.Errorf("go.mod requires %d modules, want 10 or more", required)
	}
}

// docs/model.md names every formula of bench/model, and its table of tolerances is the one that decides
// whether a metric agrees with the model.
func TestModelPageIsComplete(t *testing.T) {
	page := readPage(t, "docs/model.md")
	for _, name := range exportedFunctions(t, filepath.Join("..", "..", "bench", "model")) {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/model.md does not name %s", name)
		}
	}
	var table strings.Builder
	table.WriteString("| metric | transports | tolerance | reason |\n|---|---|---|---|\n")
	for _, row := range summary.Tolerances {
		cells := row.Text()
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", cells[1], cells[0], cells[2], cells[3])
	}
	comparePart(t, "docs/model.md", "tolerances", table.String())
}

// docs/inspect.md lists every handshake of inspect --negative.
func TestInspectPageListsEveryHandshake(t *testing.T) {
	for mark, refuse := range map[string]bool{"refuse": true, "accept": false} {
		table := "| handshake | clause |\n|---|---|\n"
		for _, h := range inspect.Handshakes {
			if h.Refuse == refuse {
				table += fmt.Sprintf("| %s | %s |\n", h.Name, h.Source)
			}
		}
		comparePart(t, "docs/inspect.md", mark, table)
	}
}

// exportedFunctions are the names of the functions, methods excluded, of a package.
func exportedFunctions(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %s, %v", len(files), dir, err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.IsExported() {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

// comparePart compares the part of a page between two comments with what it must be; -update writes it.
func comparePart(t *testing.T, name, mark, want string) {
	t.Helper()
	page := readPage(t, name)
	before, rest, found := strings.Cut(page, "<!-- "+mark+" -->\n")
	got, after, ended := strings.Cut(rest, "<!-- end -->")
	switch {
	case !found || !ended:
		t.Fatalf("%s has no part between <!-- %s --> and <!-- end -->", name, mark)
	case got == want:
	case *update:
		text := before + "<!-- " + mark + " -->\n" + want + "<!-- end -->" + after
		if err := os.WriteFile(filepath.Join("..", "..", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is out of date: run make docs (-want +page):\n%s", name, cmp.Diff(want, got))
	}
}

// cell escapes what has a meaning in a Markdown table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(text)
}

// literals calls check with every string of a Go file that is a sentence or a label: neither a
// struct tag, nor an import, nor a bare identifier, which files and protocols persist.
func literals(path, name string, check func(path, position, text string)) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, 0)
	if err != nil {
		return err
	}
	tags := map[*ast.BasicLit]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			tags[n.Tag] = true
		case *ast.ImportSpec:
			tags[n.Path] = true
		case *ast.BasicLit:
			text, err := strconv.Unquote(n.Value)
			if n.Kind == token.STRING && !tags[n] && err == nil && strings.Contains(text, " ") {
				check(name, name+":"+strconv.Itoa(set.Position(n.Pos()).Line), text)
			}
		}
		return true
	})
	return nil
}
