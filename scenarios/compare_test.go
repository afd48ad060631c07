package scenarios_test

import (
	"slices"
	"strings"
	"testing"

	"pushbench/results/metric"
	"pushbench/scenarios"
)

// The default metrics are the latency that the window has enough observations for, and the cost.
func TestComparedByDefault(t *testing.T) {
	const text = "version: 1\nname: test\nclients: {count: 1000}\npublish: {by: backend, rate: 200/s}\npayload: {size: 64B}\nwindow: "
	for _, c := range []struct {
		lines  string
		builds bool
		want   []string
	}{
		{"6s", false, []string{metric.P99, metric.CPUPerMessage}},
		{"5s", false, []string{metric.P50, metric.CPUPerMessage}},
		{"6s\nsweep: {rate: [100/s, 200/s]}", false, []string{metric.P50, metric.CPUPerMessage}},
		{"6s\nshortpoll: {interval: 6s}\ndrain: 6s", false, []string{metric.P50, metric.CPUPerMessage}},
		{"6s\nshortpoll: {interval: 6s}\ntransports: [sse, websocket]", false, []string{metric.P99, metric.CPUPerMessage}},
		{"6s\ncost: price", false, []string{metric.P99, metric.Price}},
		{"6s\ncost: price\ndelivery: latest", false, []string{metric.AgeP99, metric.Price}},
		{"6s\ncost: cpu", false, []string{metric.P99, metric.CPUPerMessage}},
		{"6s\ndelivery: latest", false, []string{metric.AgeP99, metric.Cores}},
		{"5s\ndelivery: latest", false, []string{metric.AgeMean, metric.Cores}},
		{"6s", true, []string{metric.P99, metric.CPUPerMessage, metric.ServerCPUPerMessage}},
		{"6s\ndelivery: latest", true, []string{metric.AgeP99, metric.Cores, metric.ServerCores}},
		{"6s\ncompare: {primary: [max]}", true, []string{metric.Max}},
	} {
		s, err := scenarios.Read("test", strings.NewReader(text+c.lines))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.ComparedBy(c.builds); !slices.Equal(got, c.want) {
			t.Errorf("%q, builds %v: got %v, want %v", c.lines, c.builds, got, c.want)
		}
	}
}
