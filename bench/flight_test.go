package bench

import (
	"math"
	"testing"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// What was counted in flight is allowed to differ by 2 %, or by chance where few
// samples leave more to it.
func TestLittleAllowsForChance(t *testing.T) {
	e := Sound()
	e.Flight.Mean = 0.105
	if passed, detail := little(e); passed {
		t.Errorf("3 %% more than rate × mean latency passes: %s", detail)
	}
	e.Flight.Error = 0.002
	if passed, detail := little(e); !passed {
		t.Errorf("3 %% more, of which chance explains as much, refused: %s", detail)
	}
	e.Flight.Error, e.Trial.Status = 0, results.Partial
	if passed, _ := little(e); !passed {
		t.Error("a trial that was cut short is judged")
	}
}

// Stays that are shorter than samples are apart may go unseen: 20 messages, each in flight
// to 50 clients for 1 ms, of which none or two are seen by samples 5 ms apart.
func TestLittleAllowsForWhatNoSampleFellOn(t *testing.T) {
	e := Sound()
	e.Trial.Publishes.Planned, e.Trial.Ledger.Owed = 20, 1000
	var latency results.Histogram
	for range 1000 {
		latency.Record(time.Millisecond)
	}
	e.Trial.Latency.Histogram = latency
	for seen, want := range map[int]bool{0: true, 4: true, 8: true, 20: false} {
		e.Flight = Flight{Mean: float64(seen) * 50 * 0.005 / 10, Samples: 2000, Span: 10 * time.Second}
		if passed, detail := little(e); passed != want {
			t.Errorf("%d messages seen: passes %v: %s", seen, passed, detail)
		}
	}
}

// A staircase of known area, and the error of independent samples of noise.
func TestFlightCounts(t *testing.T) {
	var f flightCounter
	for i := range 1000 {
		f.add(float64(3+4*(i%2)), clock.Instant(i+1)) // 3, 7, 3, …: differences of 4, as of noise of 4/√2
	}
	got := f.flight(1000)
	if want := 4 / math.Sqrt2 / math.Sqrt(1000); math.Abs(got.Error-want) > 0.01*want || math.Abs(got.Mean-5) > 0.01 || got.Samples != 1000 {
		t.Errorf("got %+v, want a mean of 5 ± %.4f of 1000", got, want)
	}
	if none := (&flightCounter{}).flight(time.Second); none != (Flight{}) {
		t.Errorf("without samples: %+v", none)
	}
}

// However late a sample comes, it stands for the time that has passed.
func TestLateSamplesStandForTheTimeThatPassed(t *testing.T) {
	var f flightCounter
	f.add(10, 10) // from 0 to 10 on the way up
	f.add(10, 90)
	f.add(0, 100)
	if got, want := f.flight(100).Mean, 9.0; got != want {
		t.Errorf("got %g, want %g", got, want)
	}
}
