package results_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// aged returns an age of information with 99 % of the time at one age and 1 % at another.
func aged(young, old time.Duration) results.AgeOfInformation {
	f := results.AgeOfInformation{Subscribed: 110 * time.Second, Covered: 100 * time.Second, Uncovered: 10 * time.Second, Oldest: old, Independent: 2000}
	f.Age.RecordMany(young, int64(99*time.Second))
	f.Age.RecordMany(old, int64(time.Second))
	f.Area = 99*young.Seconds() + old.Seconds()
	return f
}

func ageOf(f results.AgeOfInformation) (mean, p99 summary.Value) {
	t := results.Trial{Age: f}
	return summary.Measure(metric.AgeMean, t), summary.Measure(metric.AgeP99, t)
}

func TestAgeMetrics(t *testing.T) {
	never, few := aged(time.Second, 2*time.Second), aged(time.Second, 2*time.Second)
	never.Never, never.Uncovered = 10*time.Second, 0
	few.Independent = 999
	for _, row := range []struct {
		name      string
		age       results.AgeOfInformation
		mean, p99 string
	}{
		{"as measured", aged(time.Second, 2*time.Second), "1,010", "1,000"},
		{"a client that never received a message", never, "1,010", "∞"},
		{"too few publishes for a p99", few, "1,010", "n/a"},
		{"an old run without ages", results.AgeOfInformation{}, "–", "–"},
		{"no message received", results.AgeOfInformation{Subscribed: time.Second, Never: time.Second, Independent: 5000}, "–", "∞"},
	} {
		if mean, p99 := ageOf(row.age); mean.String() != row.mean || p99.String() != row.p99 {
			t.Errorf("%s: mean %s, p99 %s; want %s and %s", row.name, mean, p99, row.mean, row.p99)
		}
	}
}

// The weight of a trial in the pool is its covered time.
func TestAgeIsPooledByTime(t *testing.T) {
	long, short := aged(time.Second, time.Second), aged(3*time.Second, 4*time.Second)
	short.Subscribed, short.Covered, short.Uncovered, short.Area = 10*time.Second, 10*time.Second, 0, 10*3
	short.Age = results.Histogram{}
	short.Age.RecordMany(3*time.Second, int64(10*time.Second))
	results.Merge(&long, short)
	if want := 13 * time.Second / 11; (long.Mean()-want).Abs() > 1 || long.Covered != 110*time.Second || long.Oldest != 4*time.Second || long.Independent != 4000 {
		t.Errorf("mean %v over %v, oldest %v, n %d; want %v over 110s, 4s, 4000", long.Mean(), long.Covered, long.Oldest, long.Independent, want)
	}
	if p95 := long.Age.Quantile(0.95); (p95 - 3*time.Second).Abs() > 3*time.Millisecond {
		t.Errorf("the older of the two has a tenth of the time, p95 is %v, want 3s", p95)
	}
}

// A run with an impossible age of information does not open.
func TestImpossibleAgeIsRefused(t *testing.T) {
	for want, corrupt := range map[string]func(*results.AgeOfInformation){
		"subscribed time = covered + uncovered + never does not hold": func(f *results.AgeOfInformation) { f.Subscribed++ },
		"time at each age = covered time does not hold":               func(f *results.AgeOfInformation) { f.Covered--; f.Uncovered++ },
		"age.area_s2 is negative":                                     func(f *results.AgeOfInformation) { f.Area = -1 },
		"age.never_ns is negative":                                    func(f *results.AgeOfInformation) { f.Never--; f.Uncovered++ },
		"the mean age is 1.01s, above the largest age of 1s":          func(f *results.AgeOfInformation) { f.Oldest = time.Second },
	} {
		run := tiny()
		run.Trials[0].Age = aged(time.Second, 2*time.Second)
		corrupt(&run.Trials[0].Age)
		folder, err := results.Create(t.TempDir()+"/run", run.Manifest, []byte("name: tiny\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err = folder.AppendTrial(run.Trials[0]); err == nil {
			_, err = results.Open(folder.Path())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
}

// A folder without ages opens, and one with ages is read back unchanged.
func TestAgeOnDisk(t *testing.T) {
	run := tiny()
	without, err := json.Marshal(run.Trials[0])
	if err != nil || strings.Contains(string(without), `"age"`) {
		t.Errorf("a trial without ages is written %s (%v)", without, err)
	}
	run.Trials[0].Age = aged(time.Second, 2*time.Second)
	got := open(t, finish(t, run)).Trials[0].Age
	if !got.Age.Equal(run.Trials[0].Age.Age) || got.Mean() != run.Trials[0].Age.Mean() {
		t.Errorf("read %+v, wrote %+v", got, run.Trials[0].Age)
	}
}
