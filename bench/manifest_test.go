package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbench/bench/client/engines"
	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
)

// readScenario returns a scenario of 100 clients, with additional lines.
func readScenario(t *testing.T, lines ...string) *scenarios.Scenario {
	t.Helper()
	const text = "version: 1\nname: test\nclients: {count: 100}\npublish: {by: backend, rate: 10/s}\npayload: {size: 64B}\nwindow: 10s\n"
	s, err := scenarios.Read("test", strings.NewReader(text+strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestManifestDescribesTheLink(t *testing.T) {
	const far = "network: {rtt: 20ms, jitter: 2ms, rate: 1MB}"
	for _, c := range []struct {
		engine     string
		lines      []string
		want       results.Manifest
		conditions int
	}{
		{engines.EventLoop, nil, results.Manifest{Network: "loopback"}, 0},
		{engines.EventLoop, []string{far}, results.Manifest{Network: "stream", RTT: 20 * time.Millisecond, Jitter: 2 * time.Millisecond, LineRate: 1e6}, 1},
		{engines.Goroutine, []string{far}, results.Manifest{Network: "stream", RTT: 20 * time.Millisecond, Jitter: 2 * time.Millisecond, LineRate: 1e6}, 2},
		{engines.EventLoop, []string{"network: {rate: 1kB}"}, results.Manifest{Network: "stream", LineRate: 1000}, 1},
	} {
		run := Run{Scenario: readScenario(t, c.lines...), Setup: &trial.Setup{Engine: c.engine}}
		got := run.manifest(time.Now(), run.Scenario.Configurations())
		if got.Network != c.want.Network || got.RTT != c.want.RTT || got.Jitter != c.want.Jitter || got.LineRate != c.want.LineRate {
			t.Errorf("%v: %s, %v, %v, %d; want %+v", c.lines, got.Network, got.RTT, got.Jitter, got.LineRate, c.want)
		}
		about := slices.DeleteFunc(got.Conditions, func(s string) bool { return !strings.Contains(s, "link") && !strings.Contains(s, "distance") })
		if len(about) != c.conditions {
			t.Errorf("%v on %s: conditions %q, want %d", c.lines, c.engine, about, c.conditions)
		}
	}
}

func TestManifestSaysThatTheWarmupIsTooShort(t *testing.T) {
	for line, want := range map[string]bool{
		"warmup: 900ms": true, "warmup: 1s": false, "warmup: 900ms\nshortpoll: {interval: 500ms}": false, "warmup: 900ms\ndelivery: latest": false,
		"warmup: 900ms\ntransports: [longpoll, sse]": false, "warmup: 2s\nsweep: {interval: [1s, 5s]}": true, "warmup: 9s\nshortpoll: {interval: 15s}\ndrain: 20s": true,
	} {
		run := Run{Scenario: readScenario(t, line), Setup: &trial.Setup{Engine: engines.EventLoop}}
		conditions := run.manifest(time.Now(), run.Scenario.Configurations()).Conditions
		if got := slices.ContainsFunc(conditions, func(s string) bool { return strings.Contains(s, "warm-up") }); got != want {
			t.Errorf("%q: conditions %q", line, conditions)
		}
	}
}

func TestManifestDeclaresTheComparisons(t *testing.T) {
	for _, c := range []struct {
		compare string
		builds  int
		want    results.Declared
	}{
		{"", 1, results.Declared{Primary: []string{metric.P50, metric.CPUPerMessage}, Against: "websocket", Margin: 0.05}},
		{"", 2, results.Declared{Primary: []string{metric.P50, metric.CPUPerMessage, metric.ServerCPUPerMessage}, Against: "websocket", Margin: 0.05}},
		{"compare: {primary: [mean], against: sse, margin: 2.5%}", 2, results.Declared{Primary: []string{metric.Mean}, Against: "sse", Margin: 0.025}},
		{"compare: {primary: [mean], against: all}", 1, results.Declared{Primary: []string{metric.Mean}, Margin: 0.05}},
	} {
		if diff := cmp.Diff(c.want, comparison(readScenario(t, c.compare), c.builds)); diff != "" {
			t.Errorf("%q, %d builds (-want +got):\n%s", c.compare, c.builds, diff)
		}
	}
}
