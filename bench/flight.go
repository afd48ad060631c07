package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/results"
)

// A Flight is how many (message, subscriber) pairs were on their way, on average,
// from the window's opening until nothing more was waited for. It is counted, at
// instants of the sampler's own: due by then, less delivered by then. So it shares
// nothing with the latencies but the messages, and Little's law (1961) ties the two:
// mean in flight × span = the sum of all stays.
type Flight struct {
	Mean    float64       `json:"mean"`    // pairs
	Error   float64       `json:"error"`   // standard error of Mean, by how much successive samples differ
	Blur    float64       `json:"blur"`    // how far Mean may be off since samples were late, and so did not see what they were to
	Squares float64       `json:"squares"` // pairs due at one instant, squared, summed over the instants
	Samples int           `json:"samples"` // 0: nobody counted
	Span    time.Duration `json:"span_ns"`
	Missing time.Duration `json:"missing_ns"` // summed over pairs never delivered: due → the span's end
}

// flightEvery is how long after a sample the next one may come, at the soonest, and how far
// the random instant at which it does may lie beyond: at a fixed period it could keep step
// with a publisher. Together they are what Go's scheduler leaves a thread, see count.
const flightEvery = 5 * time.Millisecond

// A flightCounter takes the samples.
type flightCounter struct {
	plan      *schedule.Schedule
	book      *record.Book
	recorders []*record.Recorder
	owed      []int // per topic: how many of these recorders' clients a message is for

	next     int           // index of the first message that was not due at the last sample
	due      int64         // pairs due before it
	instant  time.Duration // when the last of them were due
	together float64       // how many of them were due at that instant
	squares  float64       // see Flight

	samples   int
	at        clock.Instant // of the last sample; at first the window's opening, when nothing is due
	last      float64       // pairs in flight at it
	area      float64       // pairs × ns so far
	variation float64       // sum of the squares of each stretch's change × length
	blur      float64       // pairs × ns that late samples may have missed, or seen too many
	seen      int64         // pairs delivered at the last sample
}

// count samples from the window's opening until done is closed. It has a thread of its
// own that the kernel wakes ahead of others: a sampler that waits for the busy to be
// idle would see only the idle. Go's scheduler makes it one of those if it has kept its
// place for 10 ms when the scheduler looks, so it gives that up of its own accord, after each
// sample: when it is too early to be late for the next.
func (f *flightCounter) count(start clock.Instant, done <-chan struct{}) Flight {
	runtime.LockOSThread() // never unlocked, so that the thread ends with its priority
	clock.Sharpen()
	random := rand.New(rand.NewPCG(uint64(start), 1))
	f.at = start.Add(f.plan.Opens)
	opens := f.at
	timer := time.NewTimer(opens.Sub(clock.Now()))
	defer timer.Stop()
	select {
	case <-done:
		return Flight{}
	case <-timer.C:
	}
	for stretch := opens; ; stretch = max(stretch, f.at).Add(flightEvery) {
		planned := stretch.Add(time.Duration(random.Int64N(int64(flightEvery))))
		clock.SleepUntil(planned)
		select {
		case <-done:
			return f.flight(f.at.Sub(opens))
		default:
			f.sample(start, planned)
			runtime.Gosched()
		}
	}
}

// punctual is how late a sample may be and still be of its instant.
const punctual = 100 * time.Microsecond

// sample counts once. One that is late may be so because much is in flight, whose delivery
// it had to wait for: of what was in flight when it was due it knows only that no more was
// delivered than is now, nor less than at the sample before. The middle counts, and how far
// off that may be is added up.
func (f *flightCounter) sample(start, planned clock.Instant) {
	var delivered int64
	for _, r := range f.recorders {
		delivered += r.Unique()
	}
	at := clock.Now()
	late := at.Sub(planned) > punctual
	if late {
		at = max(planned, f.at)
	}
	for f.next < len(f.plan.Messages) && start.Add(f.plan.Messages[f.next].Due) <= at {
		if f.book.Counts(uint32(f.next)) {
			m := f.plan.Messages[f.next]
			f.owe(f.owed[m.Topic], m.Due)
		}
		f.next++
	}
	now := float64(f.due - delivered)
	if late {
		least, most := float64(max(0, f.due-delivered)), float64(f.due-f.seen)
		now = (least + most) / 2
		f.blur += (most - least) / 2 * float64(at.Sub(f.at))
	}
	f.seen = delivered
	f.add(now, at)
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

// add takes a sample: between two the number is taken to change evenly.
func (f *flightCounter) add(now float64, at clock.Instant) {
	length := float64(at.Sub(f.at))
	f.area += (f.last + now) / 2 * length
	f.variation += (now - f.last) * (now - f.last) * length * length
	f.samples, f.last, f.at = f.samples+1, now, at
}

func (f *flightCounter) flight(span time.Duration) Flight {
	if f.samples == 0 || span <= 0 {
		return Flight{}
	}
	found := Flight{Mean: f.area / float64(span), Error: math.Sqrt(f.variation/2) / float64(span), Blur: f.blur / float64(span), Squares: f.squares, Samples: f.samples, Span: span}
	for _, r := range f.recorders {
		found.Missing += r.Missing(f.at)
	}
	return found
}

// mergeFlights adds up what the generators counted, of which each stopped when nothing
// more was in flight to its own clients.
func mergeFlights(all []Flight) (sum Flight) {
	for _, f := range all {
		sum.Span = max(sum.Span, f.Span)
		sum.Samples += f.Samples
		sum.Squares += f.Squares // each has samples of its own, so that variances add up
		sum.Missing += f.Missing
	}
	if sum.Span == 0 {
		return sum
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

// chance is the standard error that samples of such a trial have. What they show of it
// themselves is too little where few fell on anything, as of short stays: none may see
// any, and then seem exact. What is due to N at once, be it one message or a burst, and stays
// for τ adds N·τ to the area, of which samples Δ apart see N·Δ, or nothing: a variance of
// N²·τ·Δ, of N²·Δ² at most.
func chance(e Evidence) float64 {
	f := e.Flight
	if f.Samples == 0 || f.Span <= 0 {
		return 0
	}
	samplers := max(1, e.Trial.Cost.Generator.Processes)
	apart := float64(f.Span) * float64(samplers) / float64(f.Samples)
	stay := float64(e.Trial.Latency.Histogram.Mean())
	return math.Sqrt(f.Squares*min(stay, apart)*apart) / float64(f.Span)
}

// little: what was counted in flight is the rate times the mean latency, within 2 %,
// or within what chance explains of the samples where that is more; and what late samples
// could not see.
func little(e Evidence) (bool, string) {
	f := e.Flight
	switch {
	case f.Samples == 0:
		return true, "nobody counted"
	case e.Trial.Status == results.Partial:
		return true, "not judged: the trial was cut short"
	}
	h := e.Trial.Latency.Histogram
	stays := float64(h.Mean())*float64(h.Count()) + float64(f.Missing)
	expected := stays / float64(f.Span)
	allowed := max(expected/50, 3.3*max(f.Error, chance(e))) + f.Blur
	return math.Abs(f.Mean-expected) <= allowed,
		fmt.Sprintf("%.4g in flight by %d samples, %.4g by rate × mean latency, allowed ± %.2g", f.Mean, f.Samples, expected, allowed)
}
