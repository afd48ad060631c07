package report_test

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"pushbench/results"
	"pushbench/results/internal/golden"
	"pushbench/results/report"
)

// A CI system reads a run as a test report.
func TestJUnit(t *testing.T) {
	for _, state := range []string{"assertions", "invalid", "many-invalid"} {
		golden.Compare(t, "junit-"+state+".xml", junitText(t, on(state).JUnit()))
	}
	junitText(t, report.New(hostileRun("a\x00 ]]> <b> \x1b[31m\n\"")).JUnit())

	a, b := alternating(12, func(b *results.Run) { slower(b, "websocket", 8*time.Millisecond, 0.10) })
	text := junitText(t, compared(t, a, b).JUnit())
	if n := strings.Count(text, "<failure"); n != 2 {
		t.Errorf("%d failures, want those of p50 and p99:\n%s", n, text)
	}
	b.Trials = b.Trials[:20]
	undecided := compared(t, a, b)
	if text := junitText(t, undecided.JUnit()); strings.Count(text, "<skipped") != len(undecided.Analysis.Family) || strings.Contains(text, "<error") {
		t.Errorf("not every undecided comparison is skipped:\n%s", text)
	}
}

// junitText checks a report against both schemas and returns its text.
func junitText(t *testing.T, suites junit.Testsuites) string {
	t.Helper()
	text, err := xml.MarshalIndent(suites, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var root element
	if err := xml.Unmarshal(text, &root); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for schema, rules := range junitSchemas {
		root.check(t, schema, rules)
	}
	for i, s := range root.Children {
		if s.attribute("id") != strconv.Itoa(i) {
			t.Errorf("suite %d has the id %q", i, s.attribute("id"))
		}
		for counter, of := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"} {
			n := 0
			s.walk(func(e element) {
				if e.XMLName.Local == of {
					n++
				}
			})
			if got := s.attribute(counter); got != strconv.Itoa(n) && (got != "" || n > 0) {
				t.Errorf("suite %d: %s is %q, want %d", i, counter, got, n)
			}
		}
	}
	return string(text) + "\n"
}

type element struct {
	XMLName    xml.Name
	Attributes []xml.Attr `xml:",any,attr"`
	Children   []element  `xml:",any"`
}

func (e element) attribute(name string) string {
	i := slices.IndexFunc(e.Attributes, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return e.Attributes[i].Value
}

func (e element) walk(f func(element)) {
	f(e)
	for _, child := range e.Children {
		child.walk(f)
	}
}

// A rule is what a schema says of an element: attributes, with a question mark if they are optional, and a
// pattern of its children.
type rule struct{ attributes, children string }

// junitSchemas are the rules of https://github.com/windyroad/JUnit-Schema/blob/master/JUnit.xsd, and of
// junit-10.xsd in https://github.com/jenkinsci/xunit-plugin, without the elements that pushbench does not write.
var junitSchemas = map[string]map[string]rule{
	"Ant": {
		"testsuites": {"", "(testsuite )*"},
		"testsuite":  {"package id name timestamp hostname tests failures errors skipped? time", "properties (testcase )*system-out system-err "},
		"properties": {"", "(property )*"},
		"property":   {"name value", ""},
		"testcase":   {"name classname time", "((skipped|error|failure) )?"},
		"skipped":    {"message?", ""},
		"error":      {"message? type", ""},
		"failure":    {"message? type", ""},
		"system-out": {}, "system-err": {},
	},
	"Jenkins": {
		"testsuites": {"name? time? tests? failures? errors?", "(testsuite )*"},
		"testsuite":  {"name tests failures errors group? time? skipped? timestamp? hostname? id? package? file? log? url?", "((testsuite|properties|testcase|system-out|system-err) )*"},
		"properties": {"", "(property )*"},
		"property":   {"name value", ""},
		"testcase":   {"name time? classname? group?", "((skipped|error|failure|system-out|system-err) )*"},
		"skipped":    {"message? type?", ""},
		"error":      {"message? type?", ""},
		"failure":    {"message? type?", ""},
		"system-out": {}, "system-err": {},
	},
}

// junitValues are the patterns that satisfy both schemas.
var junitValues = map[string]string{
	"timestamp": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`, "time": `\d+\.\d{3}`, "tests": `\d+`, "failures": `\d+`, "errors": `\d+`, "skipped": `\d+`, "id": `\d+`,
	"name": `.+`, "classname": `.+`, "hostname": `.+`, "package": `.+`,
}

func (e element) check(t *testing.T, schema string, rules map[string]rule) {
	t.Helper()
	name := e.XMLName.Local
	r, known := rules[name]
	if !known {
		t.Errorf("%s: no element %s", schema, name)
		return
	}
	for want := range strings.FieldsSeq(r.attributes) {
		if required := strings.TrimSuffix(want, "?") == want; required && !slices.ContainsFunc(e.Attributes, func(a xml.Attr) bool { return a.Name.Local == want }) {
			t.Errorf("%s: %s has no %s", schema, name, want)
		}
	}
	for _, a := range e.Attributes {
		allowed := strings.Fields(strings.ReplaceAll(r.attributes, "?", ""))
		if !slices.Contains(allowed, a.Name.Local) {
			t.Errorf("%s: %s must not have %s", schema, name, a.Name.Local)
		}
		if p := junitValues[a.Name.Local]; !regexp.MustCompile(`^(?:`+p+`)?$`).MatchString(a.Value) && p != "" {
			t.Errorf("%s: %s of %s is %q", schema, a.Name.Local, name, a.Value)
		}
	}
	var children strings.Builder
	for _, child := range e.Children {
		children.WriteString(child.XMLName.Local + " ")
		child.check(t, schema, rules)
	}
	if !regexp.MustCompile(`^(?:` + r.children + `)$`).MatchString(children.String()) {
		t.Errorf("%s: %s has the children %q, want %s", schema, name, children.String(), r.children)
	}
}
