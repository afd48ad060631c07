package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pushbench/bench"
	"pushbench/scenarios"
)

func TestListFitsEightyColumns(t *testing.T) {
	var out bytes.Buffer
	if err := listScenarios(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns, want at most 80: %s", n, line)
		}
	}
	for _, name := range scenarios.Names() {
		if n := strings.Count(out.String(), "\n"+name+" "); n != 1 {
			t.Errorf("%s is listed %d times, want once", name, n)
		}
	}
	for _, p := range scenarios.Purposes {
		if !strings.Contains(out.String(), "\n"+purposes[p]+"\n") || purposes[p] == "" {
			t.Errorf("no heading %q for %s", purposes[p], p)
		}
	}
}

// The list counts publish-only clients, and the duration in a scenario's comment is that of the list.
func TestListAgreesWithTheScenarios(t *testing.T) {
	var out bytes.Buffer
	if err := listScenarios(&out); err != nil {
		t.Fatal(err)
	}
	listed := map[string][]string{}
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); len(fields) > 3 {
			listed[fields[0]] = fields
		}
	}
	if got := listed["location"][3]; got != "1,200" {
		t.Errorf("location has %s clients, want 1,200", got)
	}
	words := map[string]string{"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"}
	comment := regexp.MustCompile(`(?m)^repetitions: .*(?:an estimate|a first look) in about (\w+) minutes`)
	found := 0
	for _, name := range scenarios.Names() {
		source, err := scenarios.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		if m := comment.FindSubmatch(source); m != nil {
			if found++; words[string(m[1])] != listed[name][1] {
				t.Errorf("the comment of %s has %s minutes, the list %s", name, m[1], listed[name][1])
			}
		}
	}
	if found < 5 {
		t.Errorf("%d comments have a duration, want 5 or more", found)
	}
}

// The scenario for newcomers takes about twenty seconds and fits the common limit of 1,024 open
// files. Nevertheless each trial has the 1,000 independent observations of a p99, with a tenth to
// spare for random arrivals.
func TestQuickIsSmallAndHasAP99(t *testing.T) {
	s, err := scenarios.Load("quick")
	if err != nil {
		t.Fatal(err)
	}
	if took := bench.Duration(s, 1); took < 17*time.Second || took > 23*time.Second {
		t.Errorf("it takes about %v, want 20 s ± 3 s", took)
	}
	if s.ClientsPublish() || s.Sessions() > 800 {
		t.Errorf("%d clients, which publish: %t: want at most 800, with one connection each", s.Sessions(), s.ClientsPublish())
	}
	window := time.Duration(s.Window).Seconds()
	if n := float64(s.Publish.Rate) * window; n < 1100 {
		t.Errorf("%.0f publications, want at least 1,100", n)
	}
	if n := float64(s.Clients.Count) * window / time.Duration(s.ShortPoll.Interval).Seconds(); n < 1100 {
		t.Errorf("%.0f polls, want at least 1,100", n)
	}
}
