package record

import (
	"math/bits"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// ages is how long the subscriptions of a recorder spent at each age. Between two
// deliveries an age runs from one value to another as fast as time does: such a
// stretch is recorded by its two ends alone, whatever its length.
//
//	age  ╱|  ╱|
//	    ╱ | ╱ |╱     the time spent below x is Σ(x − start) over the starts below x,
//	   ╱  |╱  ╱      less Σ(x − end) over the ends below x
//
// So a count and a sum for each bucket of ends give the time below every bucket's
// edge to the nanosecond, and a quantile is in the right bucket.
type ages struct {
	below   ends   // 0: nothing arrives before it is due, and if it does it is not hidden
	buckets []ends // of 0 and up, see bucket
	covered time.Duration
	area    float64       // the integral of the age over covered, ns²
	oldest  time.Duration // exact
}

// ends are the starts, less the ends, of stretches in one bucket. The sums may wrap
// round: what is made of them is a time that fits, and so comes out right.
type ends struct {
	count int64
	sum   int64 // ns
}

// A bucket is 1.024 µs wide up to half a millisecond, and 1/256 to 1/512 of its
// ages beyond: a quarter of a percent at most to either side of its middle.
const (
	unitBits   = 10
	octaveBits = 8
	allBuckets = (63-unitBits-octaveBits)<<octaveBits + 1<<octaveBits
)

func newAges() ages { return ages{buckets: make([]ends, allBuckets)} }

// bucket is the index of the bucket that an age of 0 or more is in.
func bucket(age time.Duration) int {
	units := uint64(age) >> unitBits
	shift := max(0, bits.Len64(units)-octaveBits-1)
	return shift<<octaveBits + int(units>>shift)
}

// edge is the smallest age of a bucket.
func edge(bucket int) int64 {
	shift := max(0, bucket>>octaveBits-1)
	return int64(bucket-shift<<octaveBits) << (shift + unitBits)
}

// stretch adds a time in which an age ran from one value to another.
func (a *ages) stretch(from, to time.Duration) {
	a.at(from).add(1, from)
	a.at(to).add(-1, to)
	a.covered += to - from
	a.area += float64(to-from) * (float64(from) + float64(to)) / 2
	a.oldest = max(a.oldest, to)
}

func (a *ages) at(age time.Duration) *ends {
	if age < 0 {
		return &a.below
	}
	return &a.buckets[bucket(age)]
}

func (e *ends) add(n int64, age time.Duration) {
	e.count += n
	e.sum += n * int64(age)
}

// histogram has the nanoseconds spent in each bucket, at its middle.
func (a *ages) histogram() (h results.Histogram) {
	if a.covered == 0 {
		return h
	}
	open := a.below
	if early := -open.sum; early > 0 { // the time below 0
		h.RecordMany(-1, early)
	}
	spent := -open.sum
	for b, e := range a.buckets {
		open.count += e.count
		open.sum += e.sum
		upTo := edge(b+1)*open.count - open.sum
		if inside := upTo - spent; inside > 0 {
			middle := time.Duration(edge(b) + (edge(b+1)-edge(b))/2)
			h.RecordMany(middle, inside)
		}
		spent = upTo
	}
	return h
}

// renew notes that a client has come to hold a newer message of a topic than before.
func (r *Recorder) renew(l *ledger, slot int, index int32, at clock.Instant) {
	if index <= l.newest[slot] || at <= l.since[slot] {
		return // older ones make nothing fresher, and of a batch the newest counts
	}
	r.age(l, slot, at)
	l.since[slot] = at
}

// age accounts for a subscription's time from its last renewal to an instant, as far
// as it is in the window.
func (r *Recorder) age(l *ledger, slot int, until clock.Instant) {
	opens, closes := r.book.window()
	from, to := max(l.since[slot], opens), min(until, closes)
	switch newest := l.newest[slot]; {
	case from >= to:
	case newest >= 0:
		due := r.book.due(newest)
		r.ages.stretch(from.Sub(due), to.Sub(due))
	case until < closes:
		r.uncovered += to.Sub(from)
	default:
		published := min(max(r.book.firstDue(l.topics[slot]), from), to)
		r.uncovered += published.Sub(from)
		r.never += to.Sub(published)
	}
}

// Freshness closes the account of the ages: what is held is held until the window
// closes. Nothing may be delivered after it.
func (r *Recorder) Age() results.AgeOfInformation {
	r.mu.Lock()
	defer r.mu.Unlock()
	opens, closes := r.book.window()
	f := results.AgeOfInformation{}
	for _, l := range r.ledgers {
		for slot := range l.topics {
			r.age(l, slot, closes)
			l.since[slot] = max(l.since[slot], closes)
			f.Subscribed += max(0, closes.Sub(opens))
		}
	}
	f.Covered, f.Uncovered, f.Never = r.ages.covered, r.uncovered, r.never
	f.Area, f.Oldest, f.Age = r.ages.area/nsSquared, r.ages.oldest, r.ages.histogram()
	return f
}

// nsSquared are the ns² of a s².
const nsSquared = 1e18
