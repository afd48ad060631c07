package generator

import (
	"math"
	"math/rand/v2"
	"runtime"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/bench/validity"
)

// flightEvery is the minimum time between two samples, and also the range of the random time that
// is added to it: with a fixed period the sampler could synchronize with a publisher. Their sum is
// at most 10 ms, after which Go's scheduler preempts a goroutine: see count.
const flightEvery = 5 * time.Millisecond

// punctual is the maximum lateness of a sample that counts as taken at its planned instant.
const punctual = 100 * time.Microsecond

// A flightCounter samples the number of pairs in flight.
//
// The instant of a sample is planned in advance. If the sampler runs late, possibly because it
// had to wait for the delivery of what is in flight, the count at that moment differs from the
// count at the planned instant. But the number of deliveries never decreases, so two readings are
// bounds of the deliveries at any instant between them:
//
//	reading ──────┬───────── instant ─────────┬────── reading
//	      last.delivered  ≤  delivered  ≤  delivered
//
// The number of pairs due is known for any instant. The sample is the midpoint of the bounds, and
// half their distance is added to MaxError with the sample's weight in Mean. Mean therefore differs by
// at most MaxError from the mean of a sampler that is never late, at the same instants, for stalls of
// any length. (Delivered means recorded here. Messages that a worker had read but not recorded
// when the whole process stalled, at most one read, count as in flight until after the stall.)
type flightCounter struct {
	plan      *schedule.Schedule
	book      *record.Book
	recorders []*record.Recorder

	subscribers []int // per topic: clients of these recorders that subscribe to it

	start   clock.Instant // of the warm-up
	random  *rand.Rand
	planned clock.Instant // of the next sample
	last    reading
	before  int64 // delivered by the reading before the last

	next         int           // index of the first message that was not due at the last sample
	due          int64         // pairs due before it
	instant      time.Duration // due instant of the last of them
	simultaneous float64       // pairs due at that instant
	squares      float64       // see validity.InFlight

	samples, late int
	maxGap        time.Duration // see validity.InFlight
	at            clock.Instant // of the last sample; initially the window's opening, when nothing is due
	midpoint      float64       // pairs in flight at that sample
	maxError      float64       // maximum error of midpoint
	area          float64       // pairs × ns so far
	variation     float64       // sum over samples of (maximum change × length)²
	areaError     float64       // pairs × ns: maximum error of area
}

// A reading is the number of pairs delivered at some instant between from and to.
type reading struct {
	from, to  clock.Instant
	delivered int64
}

// begin sets the counter to the window's opening, when nothing is due and nothing is delivered.
func (f *flightCounter) begin(start clock.Instant) {
	f.start, f.random = start, rand.New(rand.NewPCG(uint64(start), 1))
	f.at = f.opens()
	f.last = reading{from: f.at, to: f.at}
	f.planned = f.at.Add(f.jitter())
}

func (f *flightCounter) opens() clock.Instant { return f.start.Add(f.plan.Opens) }

// jitter is the random part of the time between two samples.
func (f *flightCounter) jitter() time.Duration {
	return time.Duration(f.random.Int64N(int64(flightEvery)))
}

// count samples from the window's opening until done is closed; after that, nothing may be
// delivered. It runs on a dedicated thread that the kernel schedules before others: a sampler that
// waits until other threads are idle would sample only idle periods. Go's scheduler preempts a
// goroutine that has run for 10 ms, so count yields voluntarily after each reading, when the next
// sample is not yet due.
func (f *flightCounter) count(start clock.Instant, done <-chan struct{}) validity.InFlight {
	runtime.LockOSThread() // never unlocked: the thread, with its priority, ends with the goroutine
	clock.Sharpen()
	f.begin(start)
	timer := time.NewTimer(f.opens().Sub(clock.Now()))
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	for {
		select {
		case <-done:
			return f.end(f.read())
		default:
		}
		clock.SleepUntil(f.planned)
		f.take(f.read())
		runtime.Gosched()
	}
}

func (f *flightCounter) read() (r reading) {
	r.from = clock.Now()
	for _, recorder := range f.recorders {
		r.delivered += recorder.Unique()
	}
	r.to = clock.Now()
	return r
}

// take takes all samples whose instants have passed. The first reading after an instant gives the
// tightest bound, since later ones include more deliveries.
func (f *flightCounter) take(r reading) {
	for f.planned <= r.from {
		f.sample(r)
	}
	if r.delivered > f.last.delivered {
		f.maxGap = max(f.maxGap, r.to.Sub(f.last.from))
	}
	f.before, f.last = f.last.delivered, r
}

// sample takes one sample, from the first reading after its instant.
func (f *flightCounter) sample(r reading) {
	at, fewestDelivered := r.to, r.delivered
	if r.to.Sub(f.planned) > punctual {
		f.late++
		at, fewestDelivered = f.planned, f.last.delivered
		if f.last.to > at { // it may have been read after the instant
			fewestDelivered = f.before
		}
	}
	f.dueBy(at)
	f.add(at, float64(max(0, f.due-r.delivered)), float64(f.due-fewestDelivered))
	f.planned = at.Add(flightEvery + f.jitter())
}

// end takes the last reading, after which nothing is delivered, and returns the result.
func (f *flightCounter) end(r reading) validity.InFlight {
	if r.to <= f.opens() {
		return validity.InFlight{}
	}
	f.take(r)
	f.dueBy(r.to)
	left := float64(f.due - r.delivered)
	f.add(r.to, left, left)
	return f.result(f.at.Sub(f.opens()))
}

// dueBy counts the pairs due by an instant.
func (f *flightCounter) dueBy(at clock.Instant) {
	for f.next < len(f.plan.Messages) && f.start.Add(f.plan.Messages[f.next].Due) <= at {
		if f.book.Counts(uint32(f.next)) {
			m := f.plan.Messages[f.next]
			f.addDue(f.subscribers[m.Topic], m.Due)
		}
		f.next++
	}
}

// addDue adds the pairs of a message that is due.
func (f *flightCounter) addDue(pairs int, due time.Duration) {
	if due != f.instant {
		f.instant, f.simultaneous = due, 0
	}
	n := float64(pairs)
	f.squares += n * (n + 2*f.simultaneous) // (simultaneous + n)² - simultaneous²
	f.simultaneous += n
	f.due += int64(pairs)
}

// add adds a sample, given as its bounds. Between two samples the number in flight is assumed to
// change linearly.
func (f *flightCounter) add(at clock.Instant, least, most float64) {
	midpoint, maxError := (least+most)/2, (most-least)/2
	length := float64(at.Sub(f.at))
	// never below the change that a punctual sampler would see
	change := (math.Abs(midpoint-f.midpoint) + maxError + f.maxError) * length
	f.area += (f.midpoint + midpoint) / 2 * length
	f.areaError += (f.maxError + maxError) / 2 * length
	f.variation += change * change
	f.samples, f.at, f.midpoint, f.maxError = f.samples+1, at, midpoint, maxError
}

func (f *flightCounter) result(span time.Duration) validity.InFlight {
	if f.samples == 0 || span <= 0 {
		return validity.InFlight{}
	}
	over := float64(span)
	flight := validity.InFlight{
		Mean: f.area / over, Error: math.Sqrt(f.variation/2) / over, MaxError: f.areaError / over,
		Squares: f.squares, Samples: f.samples, Late: f.late, MaxGap: f.maxGap, Span: span,
	}
	for _, r := range f.recorders {
		flight.Missing += r.Missing(f.at)
	}
	return flight
}

// mergeFlights adds up the counts of the load generators. Each stopped counting when its own
// clients were closed. The sum is empty if one of them has no samples, since the latencies are
// those of all load generators.
func mergeFlights(all []validity.InFlight) (sum validity.InFlight) {
	for _, f := range all {
		if f.Samples == 0 {
			return validity.InFlight{}
		}
		sum.Span = max(sum.Span, f.Span)
		sum.Samples += f.Samples
		sum.Late += f.Late
		sum.MaxGap = max(sum.MaxGap, f.MaxGap)
		sum.Squares += f.Squares // the samples are independent, so variances add up
		sum.Missing += f.Missing
	}
	var variance float64
	for _, f := range all {
		share := float64(f.Span) / float64(sum.Span)
		sum.Mean += f.Mean * share
		sum.MaxError += f.MaxError * share
		variance += f.Error * share * f.Error * share
	}
	sum.Error = math.Sqrt(variance)
	return sum
}
