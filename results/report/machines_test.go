package report_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"pushbench/results"
	"pushbench/results/internal/golden"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// A CI system reads a run as a test report.
func TestJUnit(t *testing.T) {
	for _, state := range []string{"assertions", "invalid", "many-invalid"} {
		text, err := xml.MarshalIndent(on(state).JUnit(), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "junit-"+state+".xml", string(text)+"\n")
	}
	a, b := alternating(12, func(b *results.Run) { slower(b, "websocket", 8*time.Millisecond, 0.10) })
	text, err := xml.MarshalIndent(compared(t, a, b).JUnit(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "<failure"); n != 2 {
		t.Errorf("%d failures, want those of p50 and p99:\n%s", n, text)
	}
}

// JSON has no infinity and no NaN, which other programs cannot read.
func TestJSON(t *testing.T) {
	for _, state := range []string{"estimate", "verdict", "infinite", "invalid", "empty", "assertions"} {
		text := render(t, func(w io.Writer) error { return on(state).JSON(w) })
		var sum struct {
			Worth string
			Cases []struct {
				Name    string
				Metrics map[string]struct {
					Value    *float64
					Infinite bool
				}
			}
			Claims []struct{ Outcome string }
		}
		if err := json.Unmarshal([]byte(text), &sum); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		switch {
		case sum.Worth != on(state).Badge():
			t.Errorf("%s: worth %q", state, sum.Worth)
		case state == "infinite" && !strings.Contains(text, `"infinite": true`):
			t.Error("no value is infinite in a run that lost messages")
		case state == "assertions" && len(sum.Claims) == 0:
			t.Error("no assertions")
		case state == "estimate" && *sum.Cases[3].Metrics["p50"].Value != on(state).Summary.Rows[3].Value(metric.P50).X:
			t.Errorf("p50 of %s is not the summary's", sum.Cases[3].Name)
		}
	}
}

// Prometheus' own parser reads the text, as far as both formats agree.
func TestOpenMetrics(t *testing.T) {
	for _, state := range []string{"estimate", "assertions", "invalid", "empty", "infinite"} {
		text := render(t, func(w io.Writer) error { return on(state).OpenMetrics(w) })
		body, ended := strings.CutSuffix(text, "# EOF\n")
		if !ended {
			t.Errorf("%s: the text does not end with # EOF", state)
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(body))
		if err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		if n := len(families["pushbench_run"].GetMetric()); n != 1 {
			t.Errorf("%s: %d runs", state, n)
		}
		if _, quoted := families["pushbench_result"]; quoted && state == "invalid" {
			t.Error("metrics of an invalid run are exported")
		}
		if state != "estimate" {
			continue
		}
		h := families["pushbench_delivery_latency_seconds"].GetMetric()
		if len(h) != 4 {
			t.Fatalf("%d histograms", len(h))
		}
		for i, m := range h {
			buckets := m.GetHistogram().GetBucket()
			for j := 1; j < len(buckets); j++ {
				if buckets[j].GetCumulativeCount() < buckets[j-1].GetCumulativeCount() {
					t.Errorf("histogram %d falls", i)
				}
			}
		}
	}
}

// capacity is the result of a search with three transports.
func capacity() report.Capacity {
	probe := func(load, p99 float64, met bool, why string) results.Probe {
		return results.Probe{Load: load, Held: met, Why: why, Deliveries: 20 * load, P50: p99 / 2, P99: p99, CPU: 30, Folder: "probes/x"}
	}
	return report.Capacity{Capacity: results.Capacity{
		Schema: results.Schema, Scenario: "chat", Limit: []string{"p(99)<200ms", "lost == 0"}, Axis: "rate", Within: 0.05, Host: results.Host{CPUModel: "a processor", Cores: 2},
		Found: []results.Highest{
			{Transport: "websocket", Load: 800, Beyond: 840, Why: "p(99) is 310 ms", Confirmed: 3, Probes: []results.Probe{probe(800, 120, true, ""), probe(840, 310, false, "p(99) is 310 ms")}},
			{Transport: "sse", Load: 900, Beyond: 940, Why: "the generator was late", SetupLimited: true, Confirmed: 3, Probes: []results.Probe{probe(900, 90, true, "")}},
			{Transport: "shortpoll", Beyond: 100, Why: "p(99) is 990 ms", Probes: []results.Probe{probe(100, 990, false, "p(99) is 990 ms")}},
		},
	}}
}

func TestCapacity(t *testing.T) {
	golden.Compare(t, "capacity.txt", render(t, func(w io.Writer) error { return capacity().Table(w, report.TableOptions{}) }))
	golden.Compare(t, "capacity.md", render(t, capacity().Markdown))
	golden.Compare(t, "capacity.csv", render(t, capacity().CSV))
}

// A check compares the values on this machine with the reference's.
func TestCheck(t *testing.T) {
	c := report.Check{Reference: on("assertions"), Here: on("assertions")}
	golden.Compare(t, "check.txt", render(t, func(w io.Writer) error { return c.Table(w, report.TableOptions{}) }))
	golden.Compare(t, "check.md", render(t, c.Markdown))
}
