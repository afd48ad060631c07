package validity

import (
	"testing"
	"time"

	"pushbench/results"
)

// The count may differ by 2 %, or by 3.3 standard errors of the samples if that is more.
func TestLittlesLawToleratesSamplingError(t *testing.T) {
	e := ValidEvidence()
	e.InFlight.Mean = 0.105
	if passed, detail := CheckLittlesLaw(e); passed {
		t.Errorf("3 %% more than rate × mean latency passes: %s", detail)
	}
	e.InFlight.Error = 0.002
	if passed, detail := CheckLittlesLaw(e); !passed {
		t.Errorf("3 %% more, within the allowed sampling error, fails: %s", detail)
	}
	e.InFlight.Error, e.Trial.Status = 0, results.Partial
	if passed, _ := CheckLittlesLaw(e); !passed {
		t.Error("the check fails on a trial that was cut short")
	}
}

// Samples can miss a message that is in flight for less time than lies between two samples. Of 20
// messages, each in flight for 1 ms, samples 5 ms apart see four on average, sometimes none or eight.
func TestLittlesLawToleratesMissedMessages(t *testing.T) {
	e := ValidEvidence()
	var latency results.Histogram
	for range 1000 {
		latency.Record(time.Millisecond)
	}
	e.Trial.Latency.Histogram = latency
	for seen, want := range map[int]bool{0: true, 4: true, 8: true, 20: false} {
		e.InFlight = InFlight{Mean: float64(seen) * 50 * 0.005 / 10, Squares: 20 * 50 * 50, Samples: 2000, Span: 10 * time.Second}
		if passed, detail := CheckLittlesLaw(e); passed != want {
			t.Errorf("%d messages seen: passed %v, want %v: %s", seen, passed, want, detail)
		}
	}
}

// A sample sees a whole burst or nothing of it: of 300 bursts of 8 messages to 4 clients, in
// flight for 0.55 ms, samples 10 ms apart see 16 or 17 on average, sometimes 8 or 24.
func TestLittlesLawToleratesBursts(t *testing.T) {
	e := ValidEvidence()
	var latency results.Histogram
	latency.RecordMany(550*time.Microsecond, 9600)
	e.Trial.Latency.Histogram = latency
	for seen, want := range map[int]bool{2: false, 8: true, 16: true, 24: true, 31: false} {
		e.InFlight = InFlight{Mean: float64(seen) * 32 * 0.010 / 8, Error: 0.01, Squares: 300 * 32 * 32, Samples: 800, Span: 8 * time.Second}
		if passed, detail := CheckLittlesLaw(e); passed != want {
			t.Errorf("%d bursts seen: passed %v, want %v: %s", seen, passed, want, detail)
		}
	}
}
