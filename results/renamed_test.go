package results_test

import (
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
)

// named is a run of one configuration, with its name and an assertion about it.
func named(name, assertion string) *results.Run {
	run := tiny()
	m := &run.Manifest
	m.Configurations = []results.Configuration{{Name: name, Transport: "sse", Library: "nethttp", BatchingDelay: 5 * time.Millisecond}}
	m.Orders = [][]string{{name}}
	m.Servers = map[string]string{name: "stack=nethttp flush=5ms"}
	m.Workload.BatchingDelay = map[string]time.Duration{name: 5 * time.Millisecond}
	m.Assertions = []metric.Assertion{{Text: assertion, Configuration: name, Metric: "p50", Op: "<", Times: 2, OtherConfiguration: name, OtherMetric: "p99"}}
	m.Published = metric.Published{Source: "x", Values: []metric.PublishedValue{{What: "y", Printed: "z", Configuration: name, Metric: "p50", OverConfiguration: name, OverMetric: "p50", Times: 1}}}
	for i := range run.Trials {
		run.Trials[i].Configuration = name
	}
	for i := range run.Intervals {
		run.Intervals[i].Configuration = name
	}
	return run
}

// A folder with the old names of axes reads like one with the current names.
func TestOldConfigurationNamesAreTranslated(t *testing.T) {
	old := named("sse stack=nethttp flush=5ms", "sse stack=nethttp flush=5ms p50 < 2 * sse stack=nethttp flush=5ms p99")
	want := named("sse library=nethttp batching_delay=5ms", "sse library=nethttp batching_delay=5ms p50 < 2 * sse library=nethttp batching_delay=5ms p99")
	folder := begin(t, old)
	if partial := open(t, folder.Path()); len(partial.Trials) != 1 || partial.Trials[0].Configuration != want.Trials[0].Configuration {
		t.Errorf("unfinished folder: %+v", partial.Trials)
	}
	got, err := folder.Finish(old.Manifest, nothing)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
	if len(got.Warnings) > 0 {
		t.Errorf("warnings %q, want none", got.Warnings)
	}
	same(t, open(t, finish(t, want)), want)
}
