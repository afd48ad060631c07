package report_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"pushbench/results"
	"pushbench/results/internal/golden"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// JSON has no infinity and no NaN, which other programs cannot read.
func TestJSON(t *testing.T) {
	for _, state := range []string{"estimate", "verdict", "infinite", "invalid", "empty", "assertions"} {
		text := render(t, func(w io.Writer) error { return on(state).JSON(w) })
		var sum struct {
			Badge          string
			Configurations []struct {
				Name    string
				Metrics map[string]struct {
					Value    *float64
					Infinite bool
				}
			}
			Assertions []struct{ Outcome string }
		}
		if err := json.Unmarshal([]byte(text), &sum); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		switch {
		case sum.Badge != on(state).Badge():
			t.Errorf("%s: badge %q", state, sum.Badge)
		case state == "infinite" && !strings.Contains(text, `"infinite": true`):
			t.Error("no value is infinite in a run that lost messages")
		case state == "assertions" && len(sum.Assertions) == 0:
			t.Error("no assertions")
		case state == "estimate" && *sum.Configurations[3].Metrics["p50"].Value != on(state).Summary.Rows[3].Typical(metric.P50).X:
			t.Errorf("p50 of %s is not the median of the repetitions", sum.Configurations[3].Name)
		}
	}
}

// sampleLine is a value in OpenMetrics text, with its timestamp in seconds.
var sampleLine = regexp.MustCompile(`(?m)^(pushbench_\w+\{.*\} \S+) (\S+)$`)

// parser is Prometheus' own. It reads the older text format only: see olderText.
var parser = expfmt.NewTextParser(model.UTF8Validation)

// olderText removes the end mark of OpenMetrics text and writes its timestamps in milliseconds. It also checks
// what `promtool check metrics` does.
func olderText(t *testing.T, text string) io.Reader {
	t.Helper()
	body, ended := strings.CutSuffix(text, "# EOF\n")
	if !ended {
		t.Error("the text does not end with # EOF")
	}
	body = sampleLine.ReplaceAllStringFunc(body, func(line string) string {
		found := sampleLine.FindStringSubmatch(line)
		at, err := strconv.ParseFloat(found[2], 64)
		if err != nil {
			t.Errorf("%v in %q", err, line)
		}
		return fmt.Sprintf("%s %d", found[1], int64(math.Round(at*1000)))
	})
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promtool would report %v, %v", problems, err)
	}
	return strings.NewReader(body)
}

func TestOpenMetrics(t *testing.T) {
	for _, state := range []string{"estimate", "assertions", "invalid", "empty", "infinite", "partial"} {
		text := render(t, func(w io.Writer) error { return on(state).OpenMetrics(w) })
		all, err := parser.TextToMetricFamilies(olderText(t, text))
		if err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		if n := len(all["pushbench_run"].GetMetric()); n != 1 {
			t.Errorf("%s: %d runs", state, n)
		}
		if _, quoted := all["pushbench_result"]; quoted && state == "invalid" {
			t.Error("metrics of an invalid run are exported")
		}
		if n := len(all["pushbench_assertion"].GetMetric()); state == "assertions" && n != 8 { // one of four configurations, four of one
			t.Errorf("%d outcomes of assertions", n)
		}
		ended := on(state).Run.Manifest.Ended.UnixMilli()
		for name, family := range all {
			for _, m := range family.GetMetric() {
				if m.GetTimestampMs() != ended {
					t.Errorf("%s: %s has the timestamp %d, want %d, the end of the run", state, name, m.GetTimestampMs(), ended)
				}
				var labels []string
				for _, l := range m.GetLabel() {
					labels = append(labels, l.GetName())
				}
				for _, want := range report.MetricLabels {
					if name != "pushbench_run" && !slices.Contains(labels, want) {
						t.Errorf("%s: %s has no label %s", state, name, want)
					}
				}
			}
		}
		if state != "estimate" {
			continue
		}
		h := all["pushbench_delivery_latency_seconds"].GetMetric()
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

// A query names a bound by its text.
func TestBucketBoundsAreShortDecimals(t *testing.T) {
	text := render(t, func(w io.Writer) error { return on("estimate").OpenMetrics(w) })
	bounds := regexp.MustCompile(`le="([^"]*)"`).FindAllStringSubmatch(text, -1)
	if len(bounds) == 0 || !strings.Contains(text, `le="1e-05"`) || !strings.Contains(text, `le="0.001"`) {
		t.Error("no bucket for 10 µs or for 1 ms")
	}
	for _, b := range bounds {
		if digits := regexp.MustCompile(`e.*|^0\.0*|[.]`).ReplaceAllString(b[1], ""); b[1] != "+Inf" && len(strings.TrimRight(digits, "0")) > 2 {
			t.Errorf("the bound %s has more than two digits", b[1])
		}
	}
}

// A baseline's run ends with the run that it was measured with: only a label distinguishes their values.
func TestMetricsOfABaselineHaveTheirOwnLabel(t *testing.T) {
	own, baseline := `servers="`+report.OwnServers+`"`, `servers="`+report.BaselineServers+`"`
	for side, want := range map[results.Side]string{"": baseline, results.BaselineSide: baseline, results.HeadSide: own} { // earlier folders have no side
		run := changed(func(r *results.Run) { r.Manifest.Served.SHA256, r.Manifest.Side = "ab", side })
		for line := range strings.Lines(render(t, report.New(run).OpenMetrics)) {
			if line[0] != '#' && !strings.Contains(line, want) {
				t.Errorf("side %q is not marked with %s: %s", side, want, line)
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
	golden.Compare(t, "capacity.txt", render(t, func(w io.Writer) error { return capacity().Document().Terminal(w, report.TableOptions{}) }))
	golden.Compare(t, "capacity.md", render(t, capacity().Document().Markdown))
	golden.Compare(t, "capacity.csv", render(t, capacity().CSV))
}

// A check compares the values on this machine with the reference's.
func TestCheck(t *testing.T) {
	c := report.Check{Reference: on("assertions"), Here: on("assertions")}
	golden.Compare(t, "check.txt", render(t, func(w io.Writer) error { return c.Document().Terminal(w, report.TableOptions{}) }))
	golden.Compare(t, "check.md", render(t, c.Document().Markdown))
}
