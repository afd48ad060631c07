package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// clients are so many, in strata of their phase or place, that their mean is that of all.
const clients = 1000

// A looker asks at random instants how old what is held is: it knows nothing of
// sawtooths, uniforms or exponentials, only of when a message was due and came.
type looker struct {
	due, came []float64 // ascending, both
	ages      []float64
}

// look asks n times between from and to.
func (l *looker) look(random *rand.Rand, n int, from, to float64) {
	for range n {
		at := from + random.Float64()*(to-from)
		held, _ := slices.BinarySearch(l.came, at) // of equal ones the first: an instant too early, once in a while
		if held > 0 {
			l.ages = append(l.ages, at-l.due[held-1])
		}
	}
}

func (l *looker) mean() float64 {
	sum := 0.0
	for _, a := range l.ages {
		sum += a
	}
	return sum / float64(len(l.ages))
}

// dueTimes are those of a topic: Poisson, or at a period.
func dueTimes(random *rand.Rand, a Age, n int) []float64 {
	if a.Rate > 0 {
		return poissonTimes(random, a.Rate, n)
	}
	times := make([]float64, n)
	for i := range times {
		times[i] = (float64(i) + 0.5) * a.Period
	}
	return times
}

// Polls at a fixed rate, of many clients with a phase each.
func TestAgeUnderPolling(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for _, a := range []Age{
		{0.01, 1, 4, 0}, {0.05, 1, 0.3, 0}, {0, 0.2, 20, 0}, {0.01, 1, 200, 0}, // Poisson
		{0.01, 1, 0, 0.25}, {0.01, 1, 0, 1}, {0, 0.3, 0, 0.7}, {0.2, 0.01, 0, 1}, {0.01, 1, 0, 0.003}, // periodic
	} {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			l := looker{}
			for client := range clients {
				due := dueTimes(random, a, 300+int(4*a.Spread/a.gap()))
				last := due[len(due)-1]
				phase := a.Spread * (float64(client) + random.Float64()) / clients
				l.due, l.came = l.due[:0], l.came[:0]
				for _, at := range due {
					answered := phase + math.Ceil((at-phase)/a.Spread)*a.Spread
					l.due, l.came = append(l.due, at), append(l.came, answered+a.Delay)
				}
				l.look(random, 150, last/2, last)
			}
			checkAge(t, a, &l)
		})
	}
}

// One writer serves the subscribers one after another: which place a client has, it keeps.
func TestAgeUnderPush(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for _, a := range []Age{{0.05, 0, 3, 0}, {0.001, 0.015, 20, 0}, {0.02, 0, 0, 0.25}, {0.001, 0.04, 0, 0.1}} {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			l := looker{}
			for client := range clients {
				due := dueTimes(random, a, 300+int(4*a.Spread/a.gap()))
				last := due[len(due)-1]
				place := a.Spread * (float64(client) + random.Float64()) / clients
				l.due, l.came = due, l.came[:0]
				for _, at := range due {
					l.came = append(l.came, at+a.Delay+place)
				}
				l.look(random, 150, last/2, last)
			}
			checkAge(t, a, &l)
		})
	}
}

func checkAge(t *testing.T, a Age, l *looker) {
	t.Helper()
	near(t, "mean age", a.Mean(), l.mean(), 0.01)
	for _, q := range []float64{0.5, 0.9, 0.99} {
		near(t, fmt.Sprintf("age quantile %g", q), a.Quantile(q), quantile(l.ages, q), 0.015)
	}
}

// The limits that can be read off: quantiles of a single uniform and of an exponential alone.
func TestAgeWithoutSpread(t *testing.T) {
	near(t, "Poisson push", 0.05+math.Log(100)/3, Age{Delay: 0.05, Rate: 3}.Quantile(0.99), 1e-12)
	near(t, "periodic push", 0.05+0.99*0.25, Age{Delay: 0.05, Period: 0.25}.Quantile(0.99), 1e-12)
	near(t, "periodic polling", 2-math.Sqrt(0.02), Age{Spread: 1, Period: 1}.Quantile(0.99), 1e-12)
}

// Polls of several topics that are parked until any has a message.
func TestAgeUnderLongPolling(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	for _, c := range []struct {
		d, rate float64
		topics  int
		rearm   float64
	}{{0.05, 2, 1, 0.1}, {0.05, 10, 1, 0.1}, {0, 4, 1, 0.001}, {0.01, 1, 4, 0.3}, {0.05, 8, 3, 0.1}, {0.02, 0.5, 8, 0.04}} {
		times := poissonTimes(random, c.rate*float64(c.topics), 200_000)
		var due, came []float64 // of topic 0
		for i, parked := 0, 0.0; i < len(times); {
			leaves := max(times[i], parked)
			for ; i < len(times) && times[i] <= leaves; i++ {
				if random.IntN(c.topics) == 0 {
					due, came = append(due, times[i]), append(came, leaves+c.d)
				}
			}
			parked = leaves + c.rearm
		}
		l := looker{due: due, came: came}
		l.look(random, 200_000, due[10], due[len(due)-1])
		near(t, fmt.Sprintf("mean age %+v", c), LongPollAge(c.d, c.rate, float64(c.topics), c.rearm), l.mean(), 0.02)
	}
	near(t, "no re-arming: a push", LongPollAge(0.05, 3, 2, 0), Age{Delay: 0.05, Rate: 3}.Mean(), 1e-12)
	near(t, "always late: polls of R", LongPollAge(0.05, 300, 1, 1), Age{Delay: 0.05, Spread: 1, Rate: 300}.Mean(), 1e-3)
}
