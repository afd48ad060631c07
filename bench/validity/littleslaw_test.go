package validity

import (
	"testing"
	"time"

	"pushbench/results"
)

// What was counted in flight is allowed to differ by 2 %, or by chance where few
// samples leave more to it.
func TestLittleAllowsForChance(t *testing.T) {
	e := ValidEvidence()
	e.Flight.Mean = 0.105
	if passed, detail := Little(e); passed {
		t.Errorf("3 %% more than rate × mean latency passes: %s", detail)
	}
	e.Flight.Error = 0.002
	if passed, detail := Little(e); !passed {
		t.Errorf("3 %% more, of which chance explains as much, refused: %s", detail)
	}
	e.Flight.Error, e.Trial.Status = 0, results.Partial
	if passed, _ := Little(e); !passed {
		t.Error("a trial that was cut short is judged")
	}
}

// Stays that are shorter than samples are apart may go unseen: 20 messages, each in flight
// to 50 clients for 1 ms, of which none or two are seen by samples 5 ms apart.
func TestLittleAllowsForWhatNoSampleFellOn(t *testing.T) {
	e := ValidEvidence()
	var latency results.Histogram
	for range 1000 {
		latency.Record(time.Millisecond)
	}
	e.Trial.Latency.Histogram = latency
	for seen, want := range map[int]bool{0: true, 4: true, 8: true, 20: false} {
		e.Flight = Flight{Mean: float64(seen) * 50 * 0.005 / 10, Squares: 20 * 50 * 50, Samples: 2000, Span: 10 * time.Second}
		if passed, detail := Little(e); passed != want {
			t.Errorf("%d messages seen: passes %v: %s", seen, passed, detail)
		}
	}
}

// A burst is seen whole or not at all: of 300 bursts of 8 messages to 4, which stay for 0.55 ms,
// samples 10 ms apart fall on 16 or 17, and on 8 or 24 now and then.
func TestLittleAllowsForBursts(t *testing.T) {
	e := ValidEvidence()
	var latency results.Histogram
	latency.RecordMany(550*time.Microsecond, 9600)
	e.Trial.Latency.Histogram = latency
	for seen, want := range map[int]bool{2: false, 8: true, 16: true, 24: true, 31: false} {
		e.Flight = Flight{Mean: float64(seen) * 32 * 0.010 / 8, Error: 0.01, Squares: 300 * 32 * 32, Samples: 800, Span: 8 * time.Second}
		if passed, detail := Little(e); passed != want {
			t.Errorf("%d bursts seen: passes %v: %s", seen, passed, detail)
		}
	}
}
