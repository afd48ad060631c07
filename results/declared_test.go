package results_test

import (
	"slices"
	"strings"
	"testing"

	"pushbench/results"
	"pushbench/results/metric"
)

func TestManifestHasAKnownCost(t *testing.T) {
	for cost, valid := range map[string]bool{"": true, results.ByCPU: true, results.ByPrice: true, "money": false} {
		run := tiny()
		run.Manifest.Cost = cost
		if _, err := results.Create(t.TempDir()+"/run", run.Manifest, []byte("name: tiny\n")); (err == nil) != valid {
			t.Errorf("cost %q: %v", cost, err)
		}
	}
	price, cpu := results.Manifest{Cost: results.ByPrice}, results.Manifest{Cost: results.ByCPU}
	if price.CostMetric() != metric.Price || cpu.CostMetric() != metric.CPUPerMessage {
		t.Errorf("metrics %s and %s", price.CostMetric(), cpu.CostMetric())
	}
}

// A valid declaration is read back, an invalid one is refused, and an old manifest without one has
// the default.
func TestDeclared(t *testing.T) {
	for _, c := range []struct {
		name     string
		declared results.Declared
		problem  string
	}{
		{"nothing", results.Declared{}, ""},
		{"two metrics", results.Declared{Primary: []string{metric.P999, metric.Mean}, Margin: 0.1}, ""},
		{"no metric", results.Declared{Margin: 0.1}, "no primary metric"},
		{"unknown metric", results.Declared{Primary: []string{"latency"}, Margin: 0.1}, `"latency" is unknown`},
		{"no better direction", results.Declared{Primary: []string{metric.Expected}, Margin: 0.1}, `"expected"`},
		{"a metric twice", results.Declared{Primary: []string{metric.P50, metric.P50}, Margin: 0.1}, "twice"},
		{"every transport with one", results.Declared{Primary: []string{metric.P50}, Against: "sse", Margin: 0.1}, ""},
		{"an unknown transport", results.Declared{Primary: []string{metric.P50}, Against: "all", Margin: 0.1}, `"all" is no transport`},
		{"no margin", results.Declared{Primary: []string{metric.P50}}, "margin 0"},
		{"a margin above 1", results.Declared{Primary: []string{metric.P50}, Margin: 1.5}, "margin 1.5"},
		{"a negative margin", results.Declared{Primary: []string{metric.P50}, Margin: -0.1}, "margin -0.1"},
	} {
		run := tiny()
		run.Manifest.Compare = c.declared
		folder, err := results.Create(t.TempDir()+"/run", run.Manifest, []byte("name: tiny\n"))
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: got %v, want %q", c.name, err, c.problem)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		read, err := results.Open(folder.Path())
		if err != nil {
			t.Fatal(err)
		}
		want := c.declared
		if want.Primary == nil {
			want = results.DefaultDeclared
		}
		if got := read.Manifest.Compare.OrDefault(); got.Margin != want.Margin || got.Against != want.Against || !slices.Equal(got.Primary, want.Primary) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, want)
		}
	}
}

// A sentence names the first of many reasons.
func TestBriefReason(t *testing.T) {
	const first, second = "repetition 1 sse: cores kept running: core 0: late; core 1: late", "repetition 2 sse: late"
	for reason, want := range map[string]string{
		"":                                       "",
		first:                                    first,
		first + "; " + second:                    first + " (and another trial)",
		first + "; " + second + "; " + second:    first + " (and 2 more trials)",
		"interrupted; nothing more was measured": "interrupted; nothing more was measured",
	} {
		if got := (results.Manifest{Reason: reason}).BriefReason(); got != want {
			t.Errorf("%q: got %q, want %q", reason, got, want)
		}
	}
}

func TestUnknownSchemaIsAnError(t *testing.T) {
	if _, err := results.JSONSchema("server"); err == nil || !strings.Contains(err.Error(), "manifest, trial, interval") {
		t.Errorf("%v", err)
	}
}
