package generator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Messages due at the same instant count as one burst, on any topics.
func TestFlightCombinesSimultaneousMessages(t *testing.T) {
	var f flightCounter
	for _, m := range []struct {
		pairs int
		due   time.Duration
	}{{4, 0}, {4, 0}, {1, 0}, {3, 7}, {2, 9}, {2, 9}} {
		f.addDue(m.pairs, m.due)
	}
	if want := 9.*9 + 3*3 + 4*4; f.squares != want || f.due != 16 {
		t.Errorf("squares %v of %d pairs, want %v of 16", f.squares, f.due, want)
	}
}

// A step function of known area, with the standard error of independent samples of noise.
func TestFlightCounterReportsMeanAndError(t *testing.T) {
	var f flightCounter
	for i := range 1000 {
		n := float64(3 + 4*(i%2))
		f.add(clock.Instant(i+1), n, n) // 3, 7, 3, …: differences of 4, like noise with a deviation of 4/√2
	}
	got := f.result(1000)
	if want := 4 / math.Sqrt2 / math.Sqrt(1000); math.Abs(got.Error-want) > 0.01*want || math.Abs(got.Mean-5) > 0.01 || got.Samples != 1000 || got.MaxError != 0 {
		t.Errorf("got %+v, want a mean of 5 ± %.4f of 1000", got, want)
	}
	if none := (&flightCounter{}).result(time.Second); none != (validity.InFlight{}) {
		t.Errorf("without samples: %+v", none)
	}
}

// A sample is weighted by the time since the previous one, however late it is.
func TestSamplesAreWeightedByElapsedTime(t *testing.T) {
	var f flightCounter
	f.add(10, 10, 10) // linear from 0 to 10
	f.add(90, 10, 10)
	f.add(100, 0, 0)
	if got, want := f.result(100).Mean, 9.0; got != want {
		t.Errorf("got %g, want %g", got, want)
	}
}

// The error of a sample has the same weight as the sample.
func TestMaxErrorIsTheMaximumErrorOfTheMean(t *testing.T) {
	bounds := [][2]float64{{2, 8}, {5, 5}, {0, 4}, {3, 3}}
	mean := func(bound func(bounds [2]float64) (least, most float64)) validity.InFlight {
		var f flightCounter
		for i, b := range bounds {
			least, most := bound(b)
			f.add(clock.Instant(10*(i+1)), least, most)
		}
		return f.result(40)
	}
	found := mean(func(b [2]float64) (float64, float64) { return b[0], b[1] })
	least := mean(func(b [2]float64) (float64, float64) { return b[0], b[0] })
	most := mean(func(b [2]float64) (float64, float64) { return b[1], b[1] })
	if found.Mean-found.MaxError != least.Mean || found.Mean+found.MaxError != most.Mean {
		t.Errorf("%g ± %g, want %g to %g", found.Mean, found.MaxError, least.Mean, most.Mean)
	}
	if found.Error < max(least.Error, most.Error) {
		t.Errorf("standard error %g, that of the bounds %g and %g", found.Error, least.Error, most.Error)
	}
}

// The bounds of a late sample are the deliveries before its instant and the deliveries now.
func TestLateSampleIsTheMidpointOfItsBounds(t *testing.T) {
	const each = 5 * time.Millisecond
	set := newPairSet(1, time.Second)
	for i := range 10 {
		set.send(time.Duration(i)*each, 0)
	}
	plan, book := set.plan()
	recorder := record.NewRecorder(book, []int{0})
	for i := range uint32(4) {
		recorder.Deliver(0, &client.Batch{Messages: []client.Message{{Topic: []byte("t0000"), Data: payload.Append(nil, pairsRun, i, 64)}}}, clock.Now())
	}
	f := &flightCounter{plan: plan, book: book, recorders: []*record.Recorder{recorder}, subscribers: []int{1}}
	f.begin(pairsStart)
	delivered := f.read().delivered
	if delivered != 4 {
		t.Fatalf("%d delivered, want 4", delivered)
	}
	at := func(instants float64) clock.Instant { return pairsStart.Add(time.Duration(instants * float64(each))) }
	f.planned = at(5)
	f.take(reading{from: at(5.5), to: at(5.5), delivered: delivered}) // 6 were due, 0 to 4 of them delivered
	if f.midpoint != 4 || f.maxError != 2 || f.at != at(5) || f.late != 1 {
		t.Errorf("in flight %v ± %v at %v, late %d; want 4 ± 2 at %v, the midpoint of 2 to 6", f.midpoint, f.maxError, f.at.Sub(pairsStart), f.late, 5*each)
	}
	f.planned = at(6)
	f.take(reading{from: at(6.5), to: at(6.5), delivered: delivered}) // the previous reading shows that none was delivered since
	if f.midpoint != 3 || f.maxError != 0 {
		t.Errorf("in flight %v ± %v, want 3 exactly", f.midpoint, f.maxError)
	}
	f.planned = at(6.4)
	f.take(reading{from: at(7), to: at(7), delivered: 5}) // its instant precedes the last reading: only the one before that is a bound
	if f.midpoint != 2.5 || f.maxError != 0.5 {
		t.Errorf("in flight %v ± %v, want 2.5 ± 0.5", f.midpoint, f.maxError)
	}
	f.planned = at(7.1)
	f.take(reading{from: at(7.1), to: at(8), delivered: 5}) // began in time, but was interrupted
	f.planned = at(7.5)
	f.take(reading{from: at(8.5), to: at(8.5), delivered: 7}) // during the last reading, which is therefore no bound
	if f.midpoint != 2 || f.maxError != 1 || f.maxGap != time.Duration(5.5*float64(each)) {
		t.Errorf("in flight %v ± %v, longest gap %v; want 2 ± 1, %v", f.midpoint, f.maxError, f.maxGap, time.Duration(5.5*float64(each)))
	}
}

// Messages of the warm-up are delivered, but they are never in flight in the window.
func TestFlightCountsOnlyMessagesOfTheWindow(t *testing.T) {
	set := newPairSet(1, time.Second)
	set.send(0, 0)
	set.send(5*time.Millisecond, 0)
	plan, book := set.plan()
	plan.Opens = 3 * time.Millisecond
	recorder := record.NewRecorder(book, []int{0})
	for i := range uint32(2) {
		recorder.Deliver(0, &client.Batch{Messages: []client.Message{{Topic: []byte("t0000"), Data: payload.Append(nil, pairsRun, i, 64)}}}, clock.Now())
	}
	f := &flightCounter{plan: plan, book: book, recorders: []*record.Recorder{recorder}, subscribers: []int{1}}
	if got := f.read().delivered; got != 1 || recorder.Delivered() != 2 {
		t.Errorf("%d of %d messages are counted, want the one of the window", got, recorder.Delivered())
	}
}

// A pairSet is a set of due and delivered pairs, so that the true number in flight is known.
type pairSet struct {
	clients  int
	window   time.Duration
	messages []schedule.Message
	pairs    []pair // in order of due
}

// A pair is one message to one client. Times are relative to the window's opening.
type pair struct{ due, delivered time.Duration }

const (
	never      = time.Duration(math.MaxInt64)
	pairsRun   = 7
	pairsStart = clock.Instant(time.Hour)
)

func newPairSet(clients int, window time.Duration) *pairSet {
	return &pairSet{clients: clients, window: window}
}

// send adds a message that is delivered to every client, after the given latencies.
func (set *pairSet) send(due time.Duration, latencies ...time.Duration) {
	set.messages = append(set.messages, schedule.Message{Due: due, Publisher: schedule.Backend, Size: 64})
	for _, latency := range latencies {
		if latency == never {
			set.pairs = append(set.pairs, pair{due, never})
		} else {
			set.pairs = append(set.pairs, pair{due, due + latency})
		}
	}
}

// freeze delays deliveries within a time interval until its end, where they arrive in a burst.
func (set *pairSet) freeze(from, to time.Duration) {
	burst := to
	for i := range set.pairs {
		if p := &set.pairs[i]; p.delivered >= from && p.delivered < to {
			burst += 20 * time.Microsecond
			p.delivered = burst
		}
	}
}

func (set *pairSet) plan() (*schedule.Schedule, *record.Book) {
	s := &scenarios.Scenario{
		Clients: scenarios.Clients{Count: set.clients}, Topics: scenarios.Topics{Count: 1, PerClient: 1, Spread: scenarios.Even},
		Publish: scenarios.Publish{By: scenarios.ByBackend}, Delivery: scenarios.Every, Servers: 1, Window: scenarios.Duration(set.window),
	}
	plan := schedule.Of(s, set.messages)
	book := record.NewBook(plan, s, transports.SSE, pairsRun)
	book.Begin(pairsStart)
	return plan, book
}

// deliveredBy returns a function that counts the pairs delivered by an instant.
func (set *pairSet) deliveredBy() func(at clock.Instant) int64 {
	var sorted []clock.Instant
	for _, p := range set.pairs {
		if p.delivered != never {
			sorted = append(sorted, pairsStart.Add(p.delivered))
		}
	}
	slices.Sort(sorted)
	return func(at clock.Instant) int64 {
		n, _ := slices.BinarySearch(sorted, at+1)
		return int64(n)
	}
}

// inFlight is the number of pairs in flight at an instant.
func (set *pairSet) inFlight(at clock.Instant) (n int64) {
	for _, p := range set.pairs {
		if pairsStart.Add(p.due) <= at && (p.delivered == never || pairsStart.Add(p.delivered) > at) {
			n++
		}
	}
	return n
}

// end is the time of the last delivery, or the window's end if that is later.
func (set *pairSet) end() time.Duration {
	end := set.window
	for _, p := range set.pairs {
		if p.delivered != never {
			end = max(end, p.delivered)
		}
	}
	return end
}

// missing is the total time from due to end of the pairs that are never delivered.
func (set *pairSet) missing(end time.Duration) (sum time.Duration) {
	for _, p := range set.pairs {
		if p.delivered == never {
			sum += end - p.due
		}
	}
	return sum
}

// evidence is the evidence of a trial that records the latencies returned by recorded.
func (set *pairSet) evidence(f validity.InFlight, recorded func(i int, latency time.Duration) time.Duration) validity.Evidence {
	e := validity.ValidEvidence()
	var latency results.Histogram
	for i, p := range set.pairs {
		if p.delivered != never {
			latency.Record(recorded(i, p.delivered-p.due))
		}
	}
	e.InFlight, e.Trial.Latency.Histogram = f, latency
	return e
}

func correct(_ int, latency time.Duration) time.Duration { return latency }

// sampled returns the result of a counter on the pairs until end. runs returns when the
// reading for a planned instant actually begins and ends; each is called after every sample. A
// second counter, without the calls of each, must have the same result.
func (set *pairSet) sampled(end time.Duration, runs func(planned clock.Instant) (from, to clock.Instant), each func(f *flightCounter, late bool)) validity.InFlight {
	plan, book := set.plan()
	f, second := &flightCounter{plan: plan, book: book, subscribers: []int{set.clients}}, &flightCounter{plan: plan, book: book, subscribers: []int{set.clients}}
	f.begin(pairsStart)
	second.begin(pairsStart)
	take := func(r reading) {
		for f.planned <= r.from {
			late := f.late
			f.sample(r)
			each(f, f.late > late)
		}
		f.take(r)
	}
	last, deliveredBy := pairsStart.Add(end), set.deliveredBy()
	for {
		from, to := runs(f.planned)
		if to >= last {
			break
		}
		r := reading{from, to, deliveredBy(from + (to-from)/2)}
		take(r)
		second.take(r)
	}
	r := reading{last, last, deliveredBy(last)}
	take(r)
	found := f.end(r)
	each(f, false)
	if same := second.end(r); same != found {
		panic(fmt.Sprintf("%+v and %+v of the same readings", found, same))
	}
	found.Missing = set.missing(end)
	return found
}

func unobserved(*flightCounter, bool) {}

// frozenPairs is 500 messages per second to 2 clients for 3 s. The clients' process is frozen for
// one second.
func frozenPairs(from time.Duration) *pairSet {
	const every, latency = 2 * time.Millisecond, 500 * time.Microsecond
	set := newPairSet(2, 3*time.Second)
	for due := time.Duration(0); due < set.window; due += every {
		set.send(due, latency, latency)
	}
	set.freeze(from, from+time.Second)
	return set
}

// The check passes after a freeze of the load generator, whether the sampler resumes before, during
// or after the delivery of the backlog.
func TestLittlesLawPassesAfterAFreeze(t *testing.T) {
	for _, from := range []time.Duration{0, time.Second, 2 * time.Second} {
		set := frozenPairs(from)
		wakes := pairsStart.Add(from + time.Second)
		for _, after := range []time.Duration{10 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond} {
			runs := func(planned clock.Instant) (from, to clock.Instant) {
				if planned >= wakes.Add(-time.Second) && planned < wakes.Add(after) {
					return wakes.Add(after), wakes.Add(after)
				}
				return planned, planned
			}
			found := set.sampled(set.end()+80*time.Millisecond, runs, unobserved)
			passed, detail := validity.CheckLittlesLaw(set.evidence(found, correct))
			notApplied := after >= 10*time.Millisecond // half or all of the backlog is delivered: the bounds are wide
			if !passed || strings.HasPrefix(detail, "not applied: no reading for up to 1.0") != notApplied {
				t.Errorf("frozen at %v, sampling resumes %v after: passed %v: %s", from, after, passed, detail)
			}
			if found.Late < 120 || notApplied && found.MaxGap < time.Second || found.MaxGap > 1100*time.Millisecond {
				t.Errorf("frozen at %v, sampling resumes %v after: %+v", from, after, found)
			}
		}
	}
}

// Late samples widen the tolerance only by the number of pairs that they could have missed.
func TestLittlesLawRefusesUnexplainedDifference(t *testing.T) {
	e := validity.ValidEvidence()
	e.InFlight.MaxError, e.InFlight.MaxGap, e.InFlight.Late = 0.06, time.Second, 130
	if passed, detail := validity.CheckLittlesLaw(e); !passed || !strings.HasPrefix(detail, "not applied: no reading for up to 1s") {
		t.Errorf("passed %v, %q; want it not applied", passed, detail)
	}
	e.InFlight.Mean = 0.2
	if passed, detail := validity.CheckLittlesLaw(e); passed || strings.Contains(detail, "not applied") {
		t.Errorf("passed %v, %q; want it refused", passed, detail)
	}
}

// randomPairs has messages at random instants with exponential latencies. Some pairs are never
// delivered.
func randomPairs(random *rand.Rand, messages, clients int, mean time.Duration, lost float64) *pairSet {
	set := newPairSet(clients, 2*time.Second)
	dues := make([]time.Duration, messages)
	for i := range dues {
		dues[i] = time.Duration(random.Int64N(int64(set.window)))
	}
	slices.Sort(dues)
	for _, due := range dues {
		latencies := make([]time.Duration, clients)
		for c := range latencies {
			if latencies[c] = 1 + time.Duration(random.ExpFloat64()*float64(mean)); random.Float64() < lost {
				latencies[c] = never
			}
		}
		set.send(due, latencies...)
	}
	return set
}

// A stall is a time interval, relative to the window's opening, in which the sampler does not run.
type stall struct{ from, to time.Duration }

// withStalls returns a function for the start and end of a sampler's readings. Each reading has a
// delay and a length, both extended by stalls.
func withStalls(stalls []stall, delay, length func() time.Duration) func(planned clock.Instant) (from, to clock.Instant) {
	now := pairsStart
	after := func(d time.Duration) clock.Instant {
		now = now.Add(d)
		for _, s := range stalls {
			if now >= pairsStart.Add(s.from) && now < pairsStart.Add(s.to) {
				now = pairsStart.Add(s.to)
			}
		}
		return now
	}
	return func(planned clock.Instant) (from, to clock.Instant) {
		now = max(now, planned)
		from = after(delay())
		return from, after(length())
	}
}

// For any timing of the sampler: a late sample is within its bounds, and the mean differs by at
// most MaxError from that of a punctual sampler at the same instants. The check therefore passes
// whenever it passes with the punctual sampler.
func TestStallsDoNotFailTheCheck(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 3))
		mean := time.Duration(math.Exp(rapid.Float64Range(math.Log(1e5), math.Log(3e8)).Draw(rt, "log of mean latency, ns")))
		set := randomPairs(random, rapid.IntRange(0, 200).Draw(rt, "messages"), rapid.IntRange(1, 4).Draw(rt, "clients"), mean, rapid.SampledFrom([]float64{0, 0, 0.1, 1}).Draw(rt, "lost"))
		var stalls []stall
		at := time.Duration(0)
		for range rapid.IntRange(0, 4).Draw(rt, "stalls") {
			at += time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(rt, "runs for"))
			s := stall{from: at, to: at + time.Duration(rapid.Int64Range(1, int64(1500*time.Millisecond)).Draw(rt, "stalls for"))}
			if rapid.Bool().Draw(rt, "with the whole process") {
				set.freeze(s.from, s.to)
			}
			stalls, at = append(stalls, s), s.to
		}
		end := max(set.end(), at) + time.Duration(rapid.Int64Range(0, int64(30*time.Millisecond)).Draw(rt, "closing"))
		delays := rapid.SampledFrom([]time.Duration{1, 50 * time.Microsecond, 200 * time.Microsecond, 20 * time.Millisecond}).Draw(rt, "delay")
		lengths := rapid.SampledFrom([]time.Duration{1, 50 * time.Microsecond, 20 * time.Millisecond}).Draw(rt, "length")
		runs := withStalls(stalls,
			func() time.Duration { return time.Duration(random.Int64N(int64(delays))) },
			func() time.Duration { return time.Duration(random.Int64N(int64(lengths))) })

		var punctual flightCounter
		punctual.at = pairsStart
		found := set.sampled(end, runs, func(f *flightCounter, late bool) {
			truth := float64(set.inFlight(f.at))
			switch {
			case late && math.Abs(truth-f.midpoint) > f.maxError:
				rt.Fatalf("in flight %g ± %g at %v, true value %g", f.midpoint, f.maxError, f.at.Sub(pairsStart), truth)
			case !late && (f.maxError != 0 || f.midpoint < truth):
				rt.Fatalf("in flight %g ± %g in a punctual sample at %v, true value %g", f.midpoint, f.maxError, f.at.Sub(pairsStart), truth)
			case !late: // the count at the sample's own instant
				truth = f.midpoint
			}
			punctual.add(f.at, truth, truth)
			punctual.squares = f.squares
		})
		same := punctual.result(found.Span)
		same.Missing = found.Missing
		const rounding = 1e-9
		if math.Abs(found.Mean-same.Mean) > found.MaxError+rounding || found.Error < same.Error-rounding || found.Squares != same.Squares || found.Samples != same.Samples {
			rt.Errorf("got %+v, want a mean within MaxError of %+v", found, same)
		}
		if passes, _ := validity.CheckLittlesLaw(set.evidence(same, correct)); passes {
			if passed, detail := validity.CheckLittlesLaw(set.evidence(found, correct)); !passed {
				rt.Errorf("the check fails, but passes with a punctual sampler: %s", detail)
			}
		}
	})
}

// Correct latencies pass, with and without stalls. Understated latencies fail: every fifth is halved.
func TestLittlesLawDetectsUnderstatedLatencies(t *testing.T) {
	halved := func(i int, latency time.Duration) time.Duration {
		if i%5 == 0 {
			return latency / 2
		}
		return latency
	}
	punctual := func(planned clock.Instant) (from, to clock.Instant) { return planned, planned }
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 5))
		set := randomPairs(random, 300, 2, time.Duration(50+random.Int64N(150))*time.Millisecond, 0)
		found := set.sampled(set.end(), punctual, unobserved)
		if passed, detail := validity.CheckLittlesLaw(set.evidence(found, correct)); !passed {
			t.Errorf("seed %d: refused: %s", seed, detail)
		}
		if passed, detail := validity.CheckLittlesLaw(set.evidence(found, halved)); passed {
			t.Errorf("seed %d: understated latencies pass: %s", seed, detail)
		}
		from := time.Duration(random.Int64N(int64(time.Second)))
		stalled := []stall{{from, from + time.Duration(random.Int64N(int64(time.Second)))}}
		set.freeze(stalled[0].from, stalled[0].to)
		instant := func() time.Duration { return 0 }
		found = set.sampled(set.end(), withStalls(stalled, instant, instant), unobserved)
		if passed, detail := validity.CheckLittlesLaw(set.evidence(found, correct)); !passed || found.MaxError > found.Mean/10 {
			t.Errorf("seed %d, frozen: passed %v, %+v: %s", seed, passed, found, detail)
		}
		if passed, detail := validity.CheckLittlesLaw(set.evidence(found, halved)); passed {
			t.Errorf("seed %d, frozen: understated latencies pass: %s", seed, detail)
		}
	}
}

// If one load generator has no samples, there is no merged count, since the latencies are those of
// all.
func TestMergeFlightsRequiresSamplesOfAll(t *testing.T) {
	if got := mergeFlights([]validity.InFlight{{Mean: 3, Samples: 100, Span: time.Second}, {}}); got != (validity.InFlight{}) {
		t.Errorf("got %+v, want none", got)
	}
}
