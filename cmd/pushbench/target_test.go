package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"pushbench/scenarios"
	"pushbench/servers/foreign"
)

// The list has every target that ships, with what is missing.
func TestTargetListNamesEveryTargetAndMissingPrograms(t *testing.T) {
	var b bytes.Buffer
	missing := func(one *scenarios.Target) []string {
		if one.Name == "nchan" {
			return one.Start.Programs
		}
		return nil
	}
	if err := listTargets(&b, missing); err != nil {
		t.Fatal(err)
	}
	for _, name := range foreign.Names() {
		if !strings.Contains(b.String(), "\n"+name+" ") && !strings.HasPrefix(b.String(), name+" ") {
			t.Errorf("no line for %s:\n%s", name, &b)
		}
	}
	const want = "nchan nchan 1.3.6 on nginx 1.22 (Debian), tried with one worker process long polling, SSE, WebSocket; not installed: nginx, /usr/lib/nginx/modules/ngx_nchan_module.so "
	if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), want) || strings.Count(b.String(), "not installed") != 1 {
		t.Errorf("got\n%s\nwant in it\n%s", &b, want)
	}
}

// Each target has the name of its folder, and all programs of its commands by name.
func TestShippedTargetsAreValid(t *testing.T) {
	names := foreign.Names()
	if len(names) < 10 {
		t.Fatalf("%d targets", len(names))
	}
	for _, name := range names {
		one, err := shippedTarget(name)
		untried := strings.Contains(one.About, "not tried against the real server")
		if err != nil || string(one.Name) != name || untried != (one.URL != "") || untried != (len(one.Start.Programs) == 0) {
			t.Errorf("%s: %+v, %v", name, one, err)
		}
	}
}

// Each target has a page with its version and the output of verify, to which the list of targets links.
func TestShippedTargetsHavePages(t *testing.T) {
	index, number := readPage(t, "docs/targets/README.md"), regexp.MustCompile(`[0-9]+\.[0-9]+(\.[0-9]+)?`)
	for _, name := range foreign.Names() {
		one, err := shippedTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		text := readPage(t, "docs/targets/"+name+".md")
		for _, want := range []string{number.FindString(one.About), "$ pushbench verify " + name + " ", "\n## Traps\n", "\n## What is not promised\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("docs/targets/%s.md does not contain %q", name, want)
			}
		}
		if !strings.Contains(index, "[`"+name+"`]("+name+".md)") {
			t.Errorf("docs/targets/README.md has no link to the page of %s", name)
		}
	}
}
