package compare

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushbench/results"
)

// The differences between two workloads are named one by one, as people write them.
func TestMismatchesNameWhatDiffers(t *testing.T) {
	base := results.Manifest{
		Seed: 1, Network: "loopback", Engine: "events", Compare: results.Declared{Primary: []string{"p50", "p99"}, Margin: 0.05},
		Configurations: []results.Configuration{{Name: "sse"}, {Name: "websocket"}},
		Workload: results.Workload{
			Scenario: "chat", Clients: 10, PublishRate: 1e6, PollInterval: time.Second,
			BatchingDelay: map[string]time.Duration{"sse": 0, "websocket": 5 * time.Millisecond},
		},
	}
	for _, c := range []struct {
		change func(*results.Manifest)
		want   string
	}{
		{func(*results.Manifest) {}, ""},
		{func(m *results.Manifest) { m.Workload.Question, m.Workload.SHA256 = "Why?", "1" }, ""},
		{func(m *results.Manifest) { m.Seed = 2 }, "the seed differs: 1 and 2"},
		{func(m *results.Manifest) { m.Workload.Scenario = "feed" }, "the scenario differs: chat and feed"},
		{func(m *results.Manifest) { m.RTT, m.NAT = 20*time.Millisecond, true }, "the network differs: round trip 0s and 20ms, NAT false and true"},
		{func(m *results.Manifest) { m.Compare.Margin = 0.1 }, "the declared comparison differs: margin 0.05 and 0.1"},
		{func(m *results.Manifest) { m.Compare.Primary = []string{"p999"} }, "the declared comparison differs: metrics p50, p99 and p999"},
		{func(m *results.Manifest) { m.Compare.Primary = []string{"p99", "server_cpu_per_message"} }, ""}, // p99 is common
		{func(m *results.Manifest) { m.Configurations = m.Configurations[:1] }, "the list of configurations differs: sse, websocket and sse"},
		{
			func(m *results.Manifest) { m.Workload.Clients, m.Workload.PublishRate = 5, 2e6 },
			"the workload differs: clients 10 and 5, publish rate 1000000 and 2000000",
		},
		{
			func(m *results.Manifest) {
				m.Workload.PollInterval, m.Workload.BatchingDelay = 1250*time.Millisecond, nil
			},
			"the workload differs: poll interval 1s and 1.25s, batching delay sse 0s, websocket 5ms and none",
		},
	} {
		other := base
		c.change(&other)
		if got := strings.Join(mismatches(base, other), "; "); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

// A run of format version 1 compares with one of the current format.
func TestVersionsOfTheFormatAreComparable(t *testing.T) {
	earlier, err := results.Open("../testdata/version1")
	if err != nil {
		t.Fatal(err)
	}
	m := earlier.Manifest
	m.RunID++
	folder, err := results.Create(filepath.Join(t.TempDir(), "run"), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range earlier.Trials {
		if err := folder.AppendTrial(trial); err != nil {
			t.Fatal(err)
		}
	}
	now, err := folder.Finish(m, func(*results.Run) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]*results.Run{{earlier, now}, {now, earlier}} {
		analysis, err := Runs(pair[0], pair[1])
		if err != nil {
			t.Fatal(err)
		}
		compared := map[string]bool{}
		for _, d := range analysis.Family {
			if d.Ratio == 1 {
				compared[ConfigurationOf(d)+" "+d.Metric] = true
			}
		}
		for _, c := range m.Configurations {
			if !compared[c.Name+" p50"] {
				t.Errorf("%s: p50 is not the same in both versions: %v", c.Name, compared)
			}
		}
	}
}
