package results_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbench/results"
	"pushbench/results/internal/golden"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// version1 is a complete run with every kind of name that format version 1 wrote differently, and
// with the earlier names of axes. It was written by the commit f0783e1.
const version1 = "testdata/version1"

// The expected values were printed by the last build that wrote version 1, and change only with the
// definition of a metric. Prices and memory are left out: they have tests of their own.
func TestVersion1HasTheSameValues(t *testing.T) {
	run := open(t, version1)
	if len(run.Warnings) > 0 {
		t.Errorf("warnings %q, want none: the checksums are those of version 1", run.Warnings)
	}
	var got strings.Builder
	for _, row := range summary.Of(run).Rows {
		for _, m := range metric.All {
			v := row.Value(m.Name)
			if v.Known == summary.NotShown || m.Name == metric.Price || strings.Contains(m.Name, "_memory_") {
				continue
			}
			text := v.String()
			if v.Known == summary.Shown {
				text = strconv.FormatFloat(v.X, 'g', -1, 64)
			}
			p, _ := row.Predicted(m.Name)
			fmt.Fprintf(&got, "%s %s = %s, predicted %v\n", row.Name, m.Name, text, p.Value)
		}
	}
	golden.Compare(t, "version1.txt", got.String())
}

// Everything with a former name has its current one.
func TestVersion1HasCurrentNames(t *testing.T) {
	run := open(t, version1)
	m, trial := run.Manifest, run.Trials[0]
	got := []any{
		m.Repetitions, m.Library, len(m.Baseline), m.Pinning.Requested, m.Host.Stalls != "", m.Workload.PollTimeout, m.Compare.Primary,
		m.Configurations[0].Name, m.Configurations[0].Library, m.Orders[0][0], slices.Sorted(maps.Keys(m.Workload.BatchingDelay))[0], slices.Sorted(maps.Keys(m.Servers))[0],
		m.Assertions[1].Text, m.Assertions[1].Configuration, m.Assertions[1].Metric, m.Assertions[1].OtherConfiguration, m.Assertions[1].OtherMetric,
		len(m.Requirements), m.Published.Values[0].Printed, m.Published.Values[0].Configuration, m.Published.Values[0].OverConfiguration,
		trial.Repetition, strings.Contains(trial.Configuration, " batching_delay="), trial.Library, trial.Ledger.Expected > 0, trial.Ledger.Delivered > 0, trial.Age.Covered > 0,
		trial.Replies.Ledger.Expected > 0, trial.ShortLived.Started > 0, trial.Connect.Stages["response"].Count() > 0, trial.Settings["server library"],
		slices.ContainsFunc(trial.Checks, func(c results.ValidityCheck) bool { return c.Name == "generator below its maximum" }),
		slices.ContainsFunc(run.Trials, func(t results.Trial) bool { return t.Attempt == 1 }), slices.ContainsFunc(run.Intervals, func(i results.Interval) bool { return i.Attempt == 1 }),
	}
	want := `[1 reference 1 true true 25s [p50 reply_p50] longpoll batching_delay=0s reference longpoll batching_delay=0s longpoll batching_delay=0s longpoll batching_delay=0s ` +
		`sse batching_delay=0s reply p(50) < 100 * longpoll batching_delay=0s sse batching_delay=0s reply_p(50) longpoll batching_delay=0s reply_p(50) ` +
		`2 1 ms sse batching_delay=0s sse batching_delay=5ms 1 true reference true true true true true true reference true true true]`
	if diff := cmp.Diff(want, fmt.Sprint(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// sameNumbers compares the numbers of the sealed values of a file with those of the values read. A
// zero may be absent.
func sameNumbers[T any](t *testing.T, file string, sealed [][]byte, read []T) {
	t.Helper()
	if len(sealed) != len(read) {
		t.Fatalf("%s: %d values, read %d", file, len(sealed), len(read))
	}
	for i := range sealed {
		if diff := cmp.Diff(numbers(t, sealed[i]), numbers(t, []byte(asJSON(t, read[i])))); diff != "" {
			t.Errorf("%s, value %d: -file +read:\n%s", file, i+1, diff)
		}
	}
}

// numbers counts the numbers of a JSON text, except zeros.
func numbers(t *testing.T, text []byte) map[json.Number]int {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	found := map[json.Number]int{}
	for {
		token, err := decoder.Token()
		if err != nil {
			return found
		}
		if n, ok := token.(json.Number); ok && n != "0" {
			found[n]++
		}
	}
}

// references lists the committed runs.
func references(t *testing.T) (dirs []string) {
	t.Helper()
	manifests, err := filepath.Glob("reference/*/manifest.json")
	if err != nil || len(manifests) == 0 {
		t.Fatalf("%v, %v", manifests, err)
	}
	for _, manifest := range manifests {
		dirs = append(dirs, filepath.Dir(manifest))
	}
	return dirs
}

// rewritten writes a run in the current format, and returns its folder.
func rewritten(t *testing.T, dir string) string {
	t.Helper()
	run := open(t, dir)
	run.Manifest.Schema = results.Schema
	return finish(t, run)
}

func TestVersion1IsWrittenInTheCurrentFormat(t *testing.T) {
	dir := rewritten(t, version1)
	if text := string(read(t, dir, "manifest.json")); !strings.Contains(text, `"schema": 2,`) || strings.Contains(text, `"blocks"`) {
		t.Errorf("not of format version 2:\n%.200s", text)
	}
	want := open(t, version1)
	want.Manifest.Schema = results.Schema
	same(t, open(t, dir), want)
}

// values returns the values of a file: one, or one per line.
func values(t *testing.T, path, of string) (all [][]byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if of == "manifest" {
		return [][]byte{text}
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		all = append(all, bytes.Clone(lines.Bytes()))
	}
	if lines.Err() != nil || len(all) == 0 {
		t.Fatalf("%s: %d lines, %v", path, len(all), lines.Err())
	}
	return all
}
