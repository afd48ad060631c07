package main

import (
	"regexp"
	"testing"

	"pushbench/bench"
	"pushbench/cmd/internal/app"
	"pushbench/scenarios"
)

const (
	readmeLimit = 8 << 10 // bytes that people read to the end
	readmeChart = "results/reference/chat/charts/pareto.svg"
)

func TestReadmeIsShort(t *testing.T) {
	if size := len(readPage(t, "README.md")); size > readmeLimit {
		t.Errorf("README.md has %d bytes, want at most %d: move details to docs/", size, readmeLimit)
	}
}

// The durations in the README are those of pushbench list.
func TestReadmeStatesDurations(t *testing.T) {
	page := readPage(t, "README.md")
	for name, command := range map[string]string{"quick": "pushbench run quick", "chat": "make bench"} {
		s, err := scenarios.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`(?m)^ *` + command + ` +# ` + app.InMinutes(bench.Duration(s, 1)) + `:`)
		if !want.MatchString(page) {
			t.Errorf("README.md does not match %s", want)
		}
	}
}
