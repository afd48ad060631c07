package compare_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// series has the value of each row by repetition: p50 and server CPU time in ms. 0 is an invalid trial.
type series map[string][]float64

// run returns a run with the values of the named configurations.
func run(rows []string, values series) *results.Run {
	r := &results.Run{Manifest: results.Manifest{Status: results.Complete, Repetitions: len(values[rows[0]])}}
	for _, name := range rows {
		transport, _, _ := strings.Cut(name, " ")
		r.Manifest.Configurations = append(r.Manifest.Configurations, results.Configuration{Name: name, Transport: transport})
		for i, ms := range values[name] {
			t := results.Trial{Repetition: i + 1, Transport: transport, Configuration: name, Status: results.Complete}
			if ms == 0 {
				t.Checks = []results.ValidityCheck{{Name: "pacing"}}
				ms = 1000 // an outlier that must not affect a result
			}
			for range 100 {
				t.Latency.Histogram.Record(time.Duration(ms * 1e6))
			}
			t.Latency.Independent = 2000
			t.Cost = results.Cost{Delivered: 100, Server: results.Process{CPU: time.Duration(ms * 1e6)}}
			r.Trials = append(r.Trials, t)
		}
	}
	return r
}

func steady(n int, ms float64) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = ms * (1 + 0.01*float64(i%3))
	}
	return xs
}

func analyze(r *results.Run) compare.Analysis { return compare.Analyze(r, summary.Of(r)) }

func TestAnalyzeComparesEveryPairByTheDeclaredMetrics(t *testing.T) {
	analysis := analyze(run([]string{"a", "b", "c", "d"}, series{"a": steady(12, 1), "b": steady(12, 1), "c": steady(12, 2), "d": steady(12, 3)}))
	if analysis.Withheld != "" || len(analysis.Family) != 18 || analysis.MinDecisive != 10 || !analysis.Decides() {
		t.Fatalf("withheld %q, %d comparisons, decisive from %d repetitions on", analysis.Withheld, len(analysis.Family), analysis.MinDecisive)
	}
	for _, c := range []struct {
		a, b string
		want compare.Verdict
	}{{"a", "b", compare.Equivalent}, {"c", "a", compare.Different}, {"c", "d", compare.Different}} {
		for _, name := range results.DefaultDeclared.Primary {
			if d, ok := analysis.Between(c.a, c.b, name); !ok || d.Verdict != c.want {
				t.Errorf("%s of %s and %s: %s, want %s", name, c.a, c.b, d.Verdict, c.want)
			}
		}
	}
	for _, d := range analysis.Others {
		if d.Verdict != "" && d.Verdict != compare.Incomparable {
			t.Errorf("%s was not declared, and is %s", d.Metric, d.Verdict)
		}
	}
	if _, ok := analysis.Between("a", "b", metric.Mean); ok {
		t.Error("a metric that was not declared has a verdict")
	}
}

func TestManifestDeclaresMetricsAndMargin(t *testing.T) {
	r := run([]string{"a", "b"}, series{"a": steady(12, 1), "b": steady(12, 1.2)})
	r.Manifest.Compare = results.Declared{Primary: []string{metric.Mean}, Margin: 0.5}
	analysis := analyze(r)
	if len(analysis.Family) != 1 || analysis.Family[0].Metric != metric.Mean || analysis.Family[0].Verdict != compare.Equivalent {
		t.Errorf("20 %% with a margin of 50 %%: %+v", analysis.Family)
	}
}

// An invalid trial discards its repetition in every comparison, including those of other rows.
func TestInvalidTrialDiscardsItsRepetition(t *testing.T) {
	invalid := steady(12, 1)
	invalid[4] = 0
	analysis := analyze(run([]string{"a", "b", "c"}, series{"a": invalid, "b": steady(12, 2), "c": steady(12, 2)}))
	if fmt.Sprint(analysis.Repetitions, analysis.Discarded) != "[1 2 3 4 6 7 8 9 10 11 12] [5]" || analysis.Withheld != "" {
		t.Errorf("compared %v, discarded %v, withheld %q", analysis.Repetitions, analysis.Discarded, analysis.Withheld)
	}
	for _, d := range analysis.Family {
		if d.Repetitions != 11 {
			t.Errorf("%s of %v: %d repetitions, want 11", d.Metric, d.Names, d.Repetitions)
		}
	}
}

// The valid attempt of a repeated trial counts.
func TestRepeatedTrialKeepsItsRepetition(t *testing.T) {
	invalid := steady(12, 1)
	invalid[4] = 0
	r := run([]string{"a", "b"}, series{"a": invalid, "b": steady(12, 2)})
	repeated := r.Trials[3]
	repeated.Repetition, repeated.Attempt = 5, 1
	r.Trials = append(r.Trials, repeated)
	if analysis := analyze(r); len(analysis.Repetitions) != 12 || len(analysis.Discarded) != 0 {
		t.Errorf("compared %v, discarded %v", analysis.Repetitions, analysis.Discarded)
	}
}

func TestVerdictsAreWithheld(t *testing.T) {
	rows := []string{"a", "b"}
	withInvalid := func(invalid, repetitions int) []float64 {
		values := steady(repetitions, 1)
		clear(values[:invalid])
		return values
	}
	with := func(invalid, repetitions int, change func(*results.Run)) *results.Run {
		r := run(rows, series{"a": withInvalid(invalid, repetitions), "b": steady(repetitions, 2)})
		change(r)
		return r
	}
	unchanged := func(*results.Run) {}
	for _, c := range []struct {
		name string
		run  *results.Run
		want string // part of Withheld; empty: verdicts
	}{
		{"a fifth invalid", with(2, 10, unchanged), ""},
		{"more than a fifth invalid", with(3, 13, unchanged), "3 of 13 repetitions are invalid"},
		{"seven repetitions", with(0, 7, unchanged), "only 7 of the 8 valid repetitions"},
		{"eight, one of them invalid", with(1, 8, unchanged), "only 7 of the 8 valid repetitions"},
		{"stopped", with(0, 10, func(r *results.Run) { r.Manifest.Status, r.Manifest.Repetitions = results.Partial, 12 }), "before its planned 12 repetitions"},
		{"invalid", with(0, 12, func(r *results.Run) { r.Manifest.Status = results.Invalid }), "INVALID"},
		{"saturated", with(0, 12, func(r *results.Run) { r.Manifest.Status = results.Saturated }), ""},
		{"no trials", with(0, 12, func(r *results.Run) { r.Trials = nil }), "only 0 of the 8 valid repetitions"},
	} {
		analysis := analyze(c.run)
		if (analysis.Withheld == "") != (c.want == "") || !strings.Contains(analysis.Withheld, c.want) {
			t.Errorf("%s: withheld for %q, want %q", c.name, analysis.Withheld, c.want)
		}
		for _, d := range analysis.Family {
			if different := d.Verdict == compare.Different; different != (c.want == "") && d.Verdict != compare.Incomparable {
				t.Errorf("%s: %s is %s", c.name, d.Metric, d.Verdict)
			}
		}
	}
}

// A pair that cannot be compared has a reason, and remains in the family.
func TestIncomparablePairHasAReason(t *testing.T) {
	r := run([]string{"a", "b", "c"}, series{"a": steady(12, 1), "b": steady(12, 2), "c": steady(12, 3)})
	for i := range r.Trials {
		switch r.Trials[i].Transport {
		case "a":
			r.Trials[i].Status = results.Saturated
		case "b":
			r.Trials[i].Latency.Independent = 500
		}
	}
	analysis := analyze(r)
	if len(analysis.Family) != 9 {
		t.Fatalf("%d comparisons, want all 9", len(analysis.Family))
	}
	for _, c := range []struct{ a, b, name, want string }{
		{"a", "c", metric.P50, "a: overloaded"},
		{"b", "c", metric.P99, "b: 500 independent observations in repetition 1, latency p99 requires 1,000"},
		{"b", "c", metric.P50, ""},
	} {
		d, _ := analysis.Between(c.a, c.b, c.name)
		reasons := errors.Join(d.Warnings...)
		if (d.Verdict == compare.Incomparable) != (c.want != "") || c.want != "" && !strings.Contains(reasons.Error(), c.want) {
			t.Errorf("%s of %s and %s: %s (%v), want %q", c.name, c.a, c.b, d.Verdict, reasons, c.want)
		}
	}
	if d, _ := analysis.Between("a", "b", metric.P99); len(d.Warnings) != 2 {
		t.Errorf("both sides have no value, reasons %v", d.Warnings)
	}
}

// Configurations are compared within their variant only.
func TestConfigurationsAreComparedWithinTheirVariant(t *testing.T) {
	rows := []string{"sse", "websocket", "sse batching_delay=5ms", "websocket batching_delay=5ms"}
	all := series{}
	for i, name := range rows {
		all[name] = steady(12, float64(i+1))
	}
	analysis := analyze(run(rows, all))
	var pairs []string
	for _, d := range compare.ByMetric(metric.P50, analysis.Family) {
		pairs = append(pairs, d.Names[1]+" / "+d.Names[0])
	}
	if got, want := strings.Join(pairs, ", "), "websocket / sse, websocket batching_delay=5ms / sse batching_delay=5ms"; got != want || analysis.Variants != 2 {
		t.Errorf("%d variants, pairs %s; want 2, %s", analysis.Variants, got, want)
	}
}

// Without the declared transport, the last one of a variant is compared with the others. The other pairs
// have ratios and no verdict.
func TestTransportsAreComparedWithTheDeclaredOne(t *testing.T) {
	for _, c := range []struct {
		against string
		rows    []string
		want    string // declared pairs
	}{
		{"websocket", []string{"shortpoll", "longpoll", "websocket"}, "shortpoll websocket, longpoll websocket"},
		{"longpoll", []string{"shortpoll", "longpoll", "websocket"}, "shortpoll longpoll, longpoll websocket"},
		{"sse", []string{"shortpoll", "longpoll", "websocket"}, "shortpoll websocket, longpoll websocket"},
		{"", []string{"shortpoll", "longpoll", "websocket"}, "shortpoll longpoll, shortpoll websocket, longpoll websocket"},
		{
			"websocket",
			[]string{"shortpoll tls=no", "shortpoll tls=yes", "longpoll tls=yes", "websocket tls=no"},
			"shortpoll tls=no websocket tls=no, shortpoll tls=yes longpoll tls=yes",
		},
	} {
		values := series{}
		for i, name := range c.rows {
			values[name] = steady(12, float64(i+1))
		}
		r := run(c.rows, values)
		r.Manifest.Compare = results.Declared{Primary: []string{metric.P50}, Against: c.against, Margin: 0.05}
		analysis := analyze(r)
		var declared []string
		for _, d := range analysis.Family {
			declared = append(declared, strings.Join(d.Names[:], " "))
			if d.Verdict != compare.Different {
				t.Errorf("with %q, %v are %s", c.against, d.Names, d.Verdict)
			}
		}
		if got := strings.Join(declared, ", "); got != c.want {
			t.Errorf("with %q: declared %s; want %s", c.against, got, c.want)
		}
		for _, d := range compare.ByMetric(metric.P50, analysis.Others) {
			if _, ok := analysis.Between(d.Names[0], d.Names[1], metric.P50); ok || d.Verdict != "" || !(d.Lo > 0) {
				t.Errorf("with %q: %v were not declared, and have %+v", c.against, d.Names, d)
			}
		}
	}
}

// The order of rows only determines which side is named first.
func TestOrderOfRowsOnlySwapsNames(t *testing.T) {
	all := series{"a": steady(12, 1), "b": steady(12, 1.3)}
	d, _ := analyze(run([]string{"a", "b"}, all)).Between("a", "b", metric.P50)
	s, _ := analyze(run([]string{"b", "a"}, all)).Between("a", "b", metric.P50)
	if d.Names != [2]string{"a", "b"} || s.Names != [2]string{"b", "a"} {
		t.Fatalf("names %v and %v", d.Names, s.Names)
	}
	if s.P != d.P || s.Verdict != d.Verdict || s.Ratio != 1/d.Ratio || s.Lo != 1/d.Hi || s.Hi != 1/d.Lo {
		t.Errorf("swapped: %+v, was %+v", s, d)
	}
}
