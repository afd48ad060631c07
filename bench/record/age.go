package record

import (
	"math/bits"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// ages accumulates how long a recorder's subscriptions were at each age. Between two deliveries an
// age grows linearly from one value to another. Such a ramp is recorded by its start and end, so
// that the work does not depend on its length.
//
//	age  ╱|  ╱|
//	    ╱ | ╱ |╱     the time spent below x is Σ(x − start) over the starts below x,
//	   ╱  |╱  ╱      minus Σ(x − end) over the ends below x
//
// A count and a sum per bucket of starts and ends therefore give the time below every bucket's
// edge to the nanosecond, and a quantile is in the correct bucket.
type ages struct {
	below   bounds   // ages below 0: a message before its due instant is an error, which must remain visible
	buckets []bounds // ages of 0 and more, see bucket
	covered time.Duration
	area    float64       // integral of the age over covered, ns²
	oldest  time.Duration // exact
}

// bounds are the starts minus the ends of the ramps in one bucket. The sums may overflow: the times
// calculated from them fit, so modular arithmetic gives the correct result.
type bounds struct {
	count int64
	sum   int64 // ns
}

// A bucket is 1.024 µs wide up to 0.5 ms. Beyond, its width is 1/512 to 1/256 of its ages, so that
// its middle differs from any of them by at most 0.25 %.
const (
	unitBits   = 10
	octaveBits = 8
	allBuckets = (63-unitBits-octaveBits)<<octaveBits + 1<<octaveBits
)

func newAges() ages { return ages{buckets: make([]bounds, allBuckets)} }

// bucket is the index of the bucket of an age of 0 or more.
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

// ramp adds a time in which an age grew from one value to another.
func (a *ages) ramp(from, to time.Duration) {
	a.at(from).add(1, from)
	a.at(to).add(-1, to)
	a.covered += to - from
	a.area += float64(to-from) * (float64(from) + float64(to)) / 2
	a.oldest = max(a.oldest, to)
}

func (a *ages) at(age time.Duration) *bounds {
	if age < 0 {
		return &a.below
	}
	return &a.buckets[bucket(age)]
}

func (b *bounds) add(n int64, age time.Duration) {
	b.count += n
	b.sum += n * int64(age)
}

// histogram returns the nanoseconds spent in each bucket, at its middle.
func (a *ages) histogram() (h results.Histogram) {
	if a.covered == 0 {
		return h
	}
	open := a.below
	if early := -open.sum; early > 0 { // the time below 0
		h.RecordMany(-1, early)
	}
	below := -open.sum
	for i, b := range a.buckets {
		open.count += b.count
		open.sum += b.sum
		upTo := edge(i+1)*open.count - open.sum
		if inside := upTo - below; inside > 0 {
			middle := time.Duration(edge(i) + (edge(i+1)-edge(i))/2)
			h.RecordMany(middle, inside)
		}
		below = upTo
	}
	return h
}

// renew records that a client received a newer message of a topic than before.
func (r *Recorder) renew(l *ledger, slot int, index int32, at clock.Instant) {
	if index <= l.newest[slot] || at <= l.since[slot] {
		return // an older message does not lower the age; in a batch only the newest does
	}
	r.age(l, slot, at)
	l.since[slot] = at
}

// age adds a subscription's time from its last renewal to an instant, limited to the window.
func (r *Recorder) age(l *ledger, slot int, until clock.Instant) {
	opens, closes := r.book.window()
	from, to := max(l.since[slot], opens), min(until, closes)
	switch newest := l.newest[slot]; {
	case from >= to:
	case newest >= 0:
		due := r.book.due(newest)
		r.ages.ramp(from.Sub(due), to.Sub(due))
	case until < closes:
		r.uncovered += to.Sub(from)
	default:
		published := min(max(r.book.firstDue(l.topics[slot]), from), to)
		r.uncovered += published.Sub(from)
		r.never += to.Sub(published)
	}
}

// Age completes the account of the ages: each client's newest messages remain the newest until the
// window closes. Nothing may be delivered after Age.
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

// nsSquared is the number of ns² per s².
const nsSquared = 1e18
