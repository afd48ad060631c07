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

// flightEvery is the least time from one sample to the next, and the range of the random
// time that is added to it: at a fixed period the sampler could keep step with a publisher.
// Together they are what Go's scheduler leaves a thread, see count.
const flightEvery = 5 * time.Millisecond

// punctual is the largest lateness at which a sample is still of the instant it was taken at.
const punctual = 100 * time.Microsecond

// A flightCounter takes the samples.
//
// A sample's instant is fixed beforehand. When the sampler runs late, perhaps because much
// is in flight whose delivery it had to wait for, the count of that moment is not the count
// of the instant. But deliveries only add up, so any two readings bracket what was
// delivered between them:
//
//	reading ──────┬───────── instant ─────────┬────── reading
//	      last.delivered  ≤  delivered  ≤  delivered
//
// and what was due is known for any instant. The sample is the middle of the bracket, and
// half its width is added to Blur with the weight that the sample has in Mean. So Mean is at
// most Blur from what a sampler that is never late finds at the same instants, for any
// stall of any length. (Delivered here means recorded. What a worker had read but not
// recorded when the whole process stalled, one read at most, is seen as in flight until
// after the stall.)
type flightCounter struct {
	plan      *schedule.Schedule
	book      *record.Book
	recorders []*record.Recorder
	owed      []int // per topic: how many of these recorders' clients a message is for

	start   clock.Instant // of the warm-up
	random  *rand.Rand
	planned clock.Instant // of the next sample
	last    reading
	before  int64 // delivered by the reading before the last

	next     int           // index of the first message that was not due at the last sample
	due      int64         // pairs due before it
	instant  time.Duration // when the last of them were due
	together float64       // how many of them were due at that instant
	squares  float64       // see Flight

	samples, late int
	gap           time.Duration // see Flight
	at            clock.Instant // of the last sample; at first the window's opening, when nothing is due
	middle        float64       // pairs in flight at it
	doubt         float64       // largest error of middle
	area          float64       // pairs × ns so far
	variation     float64       // sum of the squares of each stretch's largest change × length
	blur          float64       // pairs × ns: largest error of area
}

// A reading is how many pairs were delivered at some instant between two.
type reading struct {
	from, to  clock.Instant
	delivered int64
}

// begin sets the counter to the window's opening, when nothing is due or delivered.
func (f *flightCounter) begin(start clock.Instant) {
	f.start, f.random = start, rand.New(rand.NewPCG(uint64(start), 1))
	f.at = f.opens()
	f.last = reading{from: f.at, to: f.at}
	f.planned = f.at.Add(f.apart())
}

func (f *flightCounter) opens() clock.Instant { return f.start.Add(f.plan.Opens) }

// apart is the random part of the time between two samples.
func (f *flightCounter) apart() time.Duration {
	return time.Duration(f.random.Int64N(int64(flightEvery)))
}

// count samples from the window's opening until done is closed, when nothing may be
// delivered any more. It has a thread of its own that the kernel wakes ahead of others: a
// sampler that waits for the busy to be idle would see only the idle. Go's scheduler makes
// it one of those if it has kept its place for 10 ms when the scheduler looks, so it gives
// that up of its own accord, after each reading: when it is too early to be late for the next.
func (f *flightCounter) count(start clock.Instant, done <-chan struct{}) validity.Flight {
	runtime.LockOSThread() // never unlocked, so that the thread ends with its priority
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

// take takes all samples whose instants have passed. The first reading since an instant
// says most of it: a later one would have more deliveries in it.
func (f *flightCounter) take(r reading) {
	for f.planned <= r.from {
		f.sample(r)
	}
	if r.delivered > f.last.delivered {
		f.gap = max(f.gap, r.to.Sub(f.last.from))
	}
	f.before, f.last = f.last.delivered, r
}

// sample takes one sample, from the first reading since its instant.
func (f *flightCounter) sample(r reading) {
	at, least := r.to, r.delivered
	if r.to.Sub(f.planned) > punctual {
		f.late++
		at, least = f.planned, f.last.delivered
		if f.last.to > at { // it may have been read after the instant
			least = f.before
		}
	}
	f.dueBy(at)
	f.add(at, float64(max(0, f.due-r.delivered)), float64(f.due-least))
	f.planned = at.Add(flightEvery + f.apart())
}

// end takes the last reading, after which nothing is delivered, and sums up.
func (f *flightCounter) end(r reading) validity.Flight {
	if r.to <= f.opens() {
		return validity.Flight{}
	}
	f.take(r)
	f.dueBy(r.to)
	left := float64(f.due - r.delivered)
	f.add(r.to, left, left)
	return f.flight(f.at.Sub(f.opens()))
}

// dueBy counts what is due by an instant.
func (f *flightCounter) dueBy(at clock.Instant) {
	for f.next < len(f.plan.Messages) && f.start.Add(f.plan.Messages[f.next].Due) <= at {
		if f.book.Counts(uint32(f.next)) {
			m := f.plan.Messages[f.next]
			f.owe(f.owed[m.Topic], m.Due)
		}
		f.next++
	}
}

// owe counts the pairs of a message in as due.
func (f *flightCounter) owe(pairs int, due time.Duration) {
	if due != f.instant {
		f.instant, f.together = due, 0
	}
	n := float64(pairs)
	f.squares += n * (n + 2*f.together) // (together + n)² - together²
	f.together += n
	f.due += int64(pairs)
}

// add adds a sample of which only bounds may be known. Between two samples the number in
// flight is taken to change evenly.
func (f *flightCounter) add(at clock.Instant, least, most float64) {
	middle, doubt := (least+most)/2, (most-least)/2
	length := float64(at.Sub(f.at))
	change := (math.Abs(middle-f.middle) + doubt + f.doubt) * length // no less than a punctual sampler's
	f.area += (f.middle + middle) / 2 * length
	f.blur += (f.doubt + doubt) / 2 * length
	f.variation += change * change
	f.samples, f.at, f.middle, f.doubt = f.samples+1, at, middle, doubt
}

func (f *flightCounter) flight(span time.Duration) validity.Flight {
	if f.samples == 0 || span <= 0 {
		return validity.Flight{}
	}
	over := float64(span)
	found := validity.Flight{
		Mean: f.area / over, Error: math.Sqrt(f.variation/2) / over, Blur: f.blur / over,
		Squares: f.squares, Samples: f.samples, Late: f.late, Gap: f.gap, Span: span,
	}
	for _, r := range f.recorders {
		found.Missing += r.Missing(f.at)
	}
	return found
}

// mergeFlights adds up what the generators counted, of which each stopped when its own
// clients were closed. It is empty if one of them did not count: the latencies are of all.
func mergeFlights(all []validity.Flight) (sum validity.Flight) {
	for _, f := range all {
		if f.Samples == 0 {
			return validity.Flight{}
		}
		sum.Span = max(sum.Span, f.Span)
		sum.Samples += f.Samples
		sum.Late += f.Late
		sum.Gap = max(sum.Gap, f.Gap)
		sum.Squares += f.Squares // each has samples of its own, so that variances add up
		sum.Missing += f.Missing
	}
	var variance float64
	for _, f := range all {
		share := float64(f.Span) / float64(sum.Span)
		sum.Mean += f.Mean * share
		sum.Blur += f.Blur * share
		variance += f.Error * share * f.Error * share
	}
	sum.Error = math.Sqrt(variance)
	return sum
}
