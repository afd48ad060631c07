package bench

import (
	"math"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/results"
	"pushbench/scenarios"
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
	var latency results.Histogram
	for range 1000 {
		latency.Record(time.Millisecond)
	}
	e.Trial.Latency.Histogram = latency
	for seen, want := range map[int]bool{0: true, 4: true, 8: true, 20: false} {
		e.Flight = Flight{Mean: float64(seen) * 50 * 0.005 / 10, Squares: 20 * 50 * 50, Samples: 2000, Span: 10 * time.Second}
		if passed, detail := little(e); passed != want {
			t.Errorf("%d messages seen: passes %v: %s", seen, passed, detail)
		}
	}
}

// A burst is seen whole or not at all: of 300 bursts of 8 messages to 4, which stay for 0.55 ms,
// samples 10 ms apart fall on 16 or 17, and on 8 or 24 now and then.
func TestLittleAllowsForBursts(t *testing.T) {
	e := Sound()
	var latency results.Histogram
	latency.RecordMany(550*time.Microsecond, 9600)
	e.Trial.Latency.Histogram = latency
	for seen, want := range map[int]bool{2: false, 8: true, 16: true, 24: true, 31: false} {
		e.Flight = Flight{Mean: float64(seen) * 32 * 0.010 / 8, Error: 0.01, Squares: 300 * 32 * 32, Samples: 800, Span: 8 * time.Second}
		if passed, detail := little(e); passed != want {
			t.Errorf("%d bursts seen: passes %v: %s", seen, passed, detail)
		}
	}
}

// What is due at one instant is in flight together, of whatever topic; what is not is not.
func TestFlightCountsWhatIsDueAtOnce(t *testing.T) {
	var f flightCounter
	for _, m := range []struct {
		pairs int
		due   time.Duration
	}{{4, 0}, {4, 0}, {1, 0}, {3, 7}, {2, 9}, {2, 9}} {
		f.owe(m.pairs, m.due)
	}
	if want := 9.*9 + 3*3 + 4*4; f.squares != want || f.due != 16 {
		t.Errorf("squares %v of %d pairs, want %v of 16", f.squares, f.due, want)
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

// A sample that comes late does not take what was delivered meanwhile for what was there to see.
func TestALateSampleIsTheMiddleOfWhatItMayHaveMissed(t *testing.T) {
	const run, each = 7, 5 * time.Millisecond
	s := &scenarios.Scenario{
		Clients: scenarios.Clients{Count: 1}, Topics: scenarios.Topics{Count: 1, PerClient: 1, Spread: scenarios.Even},
		Publish: scenarios.Publish{By: scenarios.ByBackend}, Delivery: scenarios.Every, Servers: 1, Window: scenarios.Duration(time.Second),
	}
	var messages []schedule.Message
	for i := range 10 {
		messages = append(messages, schedule.Message{Due: time.Duration(i) * each, Publisher: schedule.Backend, Size: 64})
	}
	plan := schedule.Of(s, messages)
	book := record.NewBook(plan, s, scenarios.SSE, run)
	start := clock.Now().Add(-time.Second)
	book.Begin(start)
	recorder := record.NewRecorder(book, []int{0})
	for i := range uint32(4) {
		recorder.Deliver(0, &client.Batch{Messages: []client.Message{{Topic: []byte("t0000"), Seq: uint64(i) + 1, Data: payload.Append(nil, run, i, 64)}}}, clock.Now())
	}
	f := &flightCounter{plan: plan, book: book, recorders: []*record.Recorder{recorder}, owed: []int{1}, at: start}
	f.sample(start, start.Add(5*each)) // 6 are due by then, and of 0 to 4 nobody knows whether they were delivered
	if f.last != 4 || f.at != start.Add(5*each) || f.blur != 2*float64(5*each) {
		t.Errorf("in flight %v at %v, off by as much as %v; want 4 at %v, the middle of 2 to 6, off by 2 for %v", f.last, f.at.Sub(start), f.blur, 5*each, 5*each)
	}
	f.sample(start, start.Add(6*each)) // what was delivered by the last is known
	if f.last != 3 || f.blur != 2*float64(5*each) {
		t.Errorf("in flight %v, off by %v in all; want 3, and no more off than before", f.last, f.blur)
	}
}
