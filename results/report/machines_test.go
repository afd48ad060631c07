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

// A list of tests is what a CI system can read of a run.
func TestJUnit(t *testing.T) {
	for _, state := range []string{"claims", "invalid", "void"} {
		text, err := xml.MarshalIndent(on(state).JUnit(), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "junit-"+state+".xml", string(text)+"\n")
	}
	a, b := turns(12, func(b *results.Run) { slower(b, "websocket", 8*time.Millisecond, 0.10) })
	text, err := xml.MarshalIndent(compared(t, a, b).JUnit(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "<failure"); n != 2 {
		t.Errorf("%d failures, want those of p50 and p99:\n%s", n, text)
	}
}

// JSON is read back by who knows nothing of us: no infinity, no NaN.
func TestJSON(t *testing.T) {
	for _, state := range []string{"estimate", "verdict", "infinite", "invalid", "empty", "claims"} {
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
			t.Error("nothing is infinite in a run that lost much")
		case state == "claims" && len(sum.Claims) == 0:
			t.Error("no claims")
		case state == "estimate" && *sum.Cases[3].Metrics["p50"].Value != on(state).Summary.Rows[3].Value(metric.P50).X:
			t.Errorf("p50 of %s is not the summary's", sum.Cases[3].Name)
		}
	}
}

// OpenMetrics as Prometheus' own parser reads the text that both formats share.
func TestOpenMetrics(t *testing.T) {
	for _, state := range []string{"estimate", "claims", "invalid", "empty", "infinite"} {
		text := render(t, func(w io.Writer) error { return on(state).OpenMetrics(w) })
		body, ended := strings.CutSuffix(text, "# EOF\n")
		if !ended {
			t.Errorf("%s: it does not end in # EOF", state)
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
			t.Error("figures of an invalid run are exported")
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

// capacity is what a search of two transports could have found.
func capacity() report.Capacity {
	probe := func(load, p99 float64, held bool, why string) results.Probe {
		return results.Probe{Load: load, Held: held, Why: why, Deliveries: 20 * load, P50: p99 / 2, P99: p99, CPU: 30, Folder: "probes/x"}
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

// A check sets what holds here beside what the reference's machine had.
func TestCheck(t *testing.T) {
	c := report.Check{Reference: on("claims"), Here: on("claims")}
	golden.Compare(t, "check.txt", render(t, func(w io.Writer) error { return c.Table(w, report.TableOptions{}) }))
	golden.Compare(t, "check.md", render(t, c.Markdown))
}
