package report_test

import (
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// HdrHistogram's tools read the log. Each tag has the values of its configuration's pool, those of invalid
// trials have tags of their own, and nothing is counted twice.
func TestIntervalLogIsStandard(t *testing.T) {
	r := on("many-invalid")
	log := hdrhistogram.NewHistogramLogReader(strings.NewReader(render(t, r.IntervalLog)))
	first, err := log.NextIntervalHistogram()
	if err != nil || first == nil || first.Tag() != "" || first.TotalCount() != 0 {
		t.Fatalf("the first line is %v (%v), want an empty one without a tag", first, err)
	}
	counts := map[string]int64{}
	for n, want := range r.Run.Intervals {
		got, err := log.NextIntervalHistogram()
		if err != nil || got == nil {
			t.Fatalf("interval %d: %v, %v", n, got, err)
		}
		counts[got.Tag()] += got.TotalCount()
		at := r.Run.Manifest.Started.Add(want.At).UnixMilli()
		if strings.TrimPrefix(got.Tag(), "excluded:") != want.Transport || got.TotalCount() != want.Counted || got.StartTimeMs() != at || got.EndTimeMs()-at != want.Length.Milliseconds() {
			t.Errorf("interval %d: tag %s, %d values, from %d to %d ms; want %s, %d, from %d for %v",
				n, got.Tag(), got.TotalCount(), got.StartTimeMs(), got.EndTimeMs(), want.Transport, want.Counted, at, want.Length)
		}
	}
	if more, err := log.NextIntervalHistogram(); more != nil || err != nil {
		t.Errorf("after the last interval: %v, %v", more, err)
	}
	for _, row := range r.Summary.Rows {
		if got, want := counts[row.Key()], row.Pooled.Latency.Histogram.Count(); got != want || want == 0 {
			t.Errorf("tag %s has %d values, want the %d of the pool", row.Key(), got, want)
		}
		if counts["excluded:"+row.Key()] == 0 {
			t.Errorf("the repetitions with an invalid trial are missing for %s", row.Key())
		}
	}
}

func TestIntervalLogOfARunWithoutIntervals(t *testing.T) {
	text := render(t, on("empty").IntervalLog)
	if n := strings.Count(text, "\n"); n != 6 {
		t.Errorf("%d lines, want a header of five and one without a tag:\n%s", n, text)
	}
}
