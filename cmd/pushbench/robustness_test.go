//go:build !race

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// A triedArea is a file of testdata/robustness: a table of docs/robustness.md.
type triedArea struct {
	Title        string         `yaml:"title"`
	Rows         []triedRow     `yaml:"rows"`
	DoesNotApply []inapplicable `yaml:"does_not_apply"`
}

// An inapplicable input or fault needs something that pushbench does not have, so that no test can cover it.
type inapplicable struct {
	What   string `yaml:"what"`
	Reason string `yaml:"reason"`
}

// A triedRow is an input or a fault, its outcome, and the tests that fail with another outcome.
type triedRow struct {
	Tried   string      `yaml:"tried"`
	Happens string      `yaml:"happens"`
	Tests   []namedTest `yaml:"tests"`
}

// A namedTest is a test function or a script of a folder.
type namedTest struct {
	In    string   `yaml:"in"`
	Name  string   `yaml:"name"`
	Cases []string `yaml:"cases"` // texts of the rows of its table, or names of files of its testdata
}

// The page lists only what a test covers, and names tests that exist. What cannot occur is listed with its reason.
func TestAllTextOfTheRobustnessPageIsTrue(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "robustness", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	root, tried, page := moduleRoot(t), map[string]bool{}, strings.Builder{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var area triedArea
		if err := yaml.UnmarshalWithOptions(text, &area, yaml.Strict()); err != nil || area.Title == "" || len(area.Rows) == 0 {
			t.Fatalf("%s: %q with %d rows, %v", name, area.Title, len(area.Rows), err)
		}
		fmt.Fprintf(&page, "\n## %s\n\n| tried | what happens | tests |\n|---|---|---|\n", area.Title)
		for _, row := range area.Rows {
			key := area.Title + ": " + row.Tried
			if row.Tried == "" || row.Happens == "" || len(row.Tests) == 0 || tried[key] {
				t.Errorf("%s: %q is incomplete, or listed twice", name, row.Tried)
			}
			tried[key] = true
			var links []string
			for _, test := range row.Tests {
				file, err := test.find(root)
				if err != nil {
					t.Errorf("%s: %q: %v", name, row.Tried, err)
				}
				links = append(links, fmt.Sprintf("[%s](../%s)", test.Name, file))
			}
			fmt.Fprintf(&page, "| %s | %s | %s |\n", cell(row.Tried), cell(row.Happens), strings.Join(links, ", "))
		}
		if len(area.DoesNotApply) > 0 {
			page.WriteString("\n| does not apply | reason |\n|---|---|\n")
		}
		for _, row := range area.DoesNotApply {
			key := area.Title + ": " + row.What
			if row.What == "" || row.Reason == "" || tried[key] {
				t.Errorf("%s: %q is incomplete, or listed twice", name, row.What)
			}
			tried[key] = true
			fmt.Fprintf(&page, "| %s | %s |\n", cell(row.What), cell(row.Reason))
		}
	}
	comparePart(t, "docs/robustness.md", "tables", page.String())
}

// find returns the path of the test's file in the module. It is an error if there is no such test, or if one of its
// cases is neither a text in the folder's tests nor the name of a file of its testdata.
func (n namedTest) find(root string) (file string, err error) {
	folder := filepath.Join(root, filepath.FromSlash(n.In))
	pattern := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(n.Name) + `\(`)
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if script := filepath.Join(folder, n.Name); filepath.Ext(n.Name) == ".txtar" {
		paths, pattern = []string{script}, regexp.MustCompile("")
	}
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		all.Write(text)
		if pattern.Match(text) {
			file = n.In + "/" + filepath.Base(path)
		}
	}
	if file == "" {
		return "", fmt.Errorf("%s has no test %s", n.In, n.Name)
	}
	for _, c := range n.Cases {
		data, err := filepath.Glob(filepath.Join(folder, "testdata", "*", c+".yaml"))
		if err != nil || len(data) == 0 && !strings.Contains(all.String(), c) {
			return "", fmt.Errorf("%s of %s has no case %q", n.Name, n.In, c)
		}
	}
	return file, nil
}

func TestMissingTestsOfAllTextAreFound(t *testing.T) {
	root := moduleRoot(t)
	for want, test := range map[string]namedTest{
		"":                     {In: "scenarios", Name: "TestBroken", Cases: []string{"duplicate-key"}},
		"no such file":         {In: "scenarios", Name: "broken.txtar"},
		"has no test TestBrok": {In: "scenarios", Name: "TestBrok"},
		"has no case":          {In: "scenarios", Name: "TestBroken", Cases: []string{"no-such-case"}},
	} {
		_, err := test.find(root)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", test, err, want)
		}
	}
}
