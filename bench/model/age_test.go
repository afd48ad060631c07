package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// clients is the number of clients. They are stratified by phase or position, so that their
// mean is close to the true mean.
const clients = 1000

// An ageSampler samples the age at random times. It knows no distribution, only when each
// message was due and received.
type ageSampler struct {
	due, received []float64 // both ascending
	ages          []float64
}

// sample takes n samples between from and to.
func (l *ageSampler) sample(random *rand.Rand, n int, from, to float64) {
	for range n {
		at := from + random.Float64()*(to-from)
		held, _ := slices.BinarySearch(l.received, at) // the first of equal values: slightly too early, rarely
		if held > 0 {
			l.ages = append(l.ages, at-l.due[held-1])
		}
	}
}

func (l *ageSampler) mean() float64 {
	sum := 0.0
	for _, a := range l.ages {
		sum += a
	}
	return sum / float64(len(l.ages))
}

// dueInstants returns the due instants of a topic, Poisson or periodic.
func dueInstants(random *rand.Rand, a Age, n int) []float64 {
	if a.Rate > 0 {
		return poissonTimes(random, a.Rate, n)
	}
	times := make([]float64, n)
	for i := range times {
		times[i] = (float64(i) + 0.5) * a.Period
	}
	return times
}

// Many clients poll at a fixed rate, each with a different phase.
func TestAgeUnderPollingAgreesWithSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for _, a := range []Age{
		{0.01, 1, 4, 0}, {0.05, 1, 0.3, 0}, {0, 0.2, 20, 0}, {0.01, 1, 200, 0}, // Poisson
		{0.01, 1, 0, 0.25}, {0.01, 1, 0, 1}, {0, 0.3, 0, 0.7}, {0.2, 0.01, 0, 1}, {0.01, 1, 0, 0.003}, // periodic
	} {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			l := ageSampler{}
			for client := range clients {
				due := dueInstants(random, a, 300+int(4*a.Spread/a.meanGap()))
				last := due[len(due)-1]
				phase := a.Spread * (float64(client) + random.Float64()) / clients
				l.due, l.received = l.due[:0], l.received[:0]
				for _, at := range due {
					response := phase + math.Ceil((at-phase)/a.Spread)*a.Spread
					l.due, l.received = append(l.due, at), append(l.received, response+a.Delay)
				}
				l.sample(random, 150, last/2, last)
			}
			checkAge(t, a, &l)
		})
	}
}

// One writer serves the subscribers one after another; each client keeps its position.
func TestAgeUnderPushAgreesWithSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for _, a := range []Age{{0.05, 0, 3, 0}, {0.001, 0.015, 20, 0}, {0.02, 0, 0, 0.25}, {0.001, 0.04, 0, 0.1}} {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			l := ageSampler{}
			for client := range clients {
				due := dueInstants(random, a, 300+int(4*a.Spread/a.meanGap()))
				last := due[len(due)-1]
				position := a.Spread * (float64(client) + random.Float64()) / clients
				l.due, l.received = due, l.received[:0]
				for _, at := range due {
					l.received = append(l.received, at+a.Delay+position)
				}
				l.sample(random, 150, last/2, last)
			}
			checkAge(t, a, &l)
		})
	}
}

func checkAge(t *testing.T, a Age, l *ageSampler) {
	t.Helper()
	near(t, "mean age", a.Mean(), l.mean(), 0.01)
	for _, q := range []float64{0.5, 0.9, 0.99} {
		near(t, fmt.Sprintf("age quantile %g", q), a.Quantile(q), quantile(l.ages, q), 0.015)
	}
}

// Without a spread, the quantiles are those of a uniform or an exponential alone.
func TestAgeWithoutSpreadIsUniformOrExponential(t *testing.T) {
	near(t, "Poisson push", 0.05+math.Log(100)/3, Age{Delay: 0.05, Rate: 3}.Quantile(0.99), 1e-12)
	near(t, "periodic push", 0.05+0.99*0.25, Age{Delay: 0.05, Period: 0.25}.Quantile(0.99), 1e-12)
	near(t, "periodic polling", 2-math.Sqrt(0.02), Age{Spread: 1, Period: 1}.Quantile(0.99), 1e-12)
}

// A poll of several topics is parked until any of them has a message.
func TestAgeUnderLongPollingAgreesWithSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	for _, c := range []struct {
		d, rate float64
		topics  int
		gap     float64
	}{{0.05, 2, 1, 0.1}, {0.05, 10, 1, 0.1}, {0, 4, 1, 0.001}, {0.01, 1, 4, 0.3}, {0.05, 8, 3, 0.1}, {0.02, 0.5, 8, 0.04}} {
		times := poissonTimes(random, c.rate*float64(c.topics), 200_000)
		var due, received []float64 // of topic 0
		for i, parked := 0, 0.0; i < len(times); {
			sent := max(times[i], parked)
			for ; i < len(times) && times[i] <= sent; i++ {
				if random.IntN(c.topics) == 0 {
					due, received = append(due, times[i]), append(received, sent+c.d)
				}
			}
			parked = sent + c.gap
		}
		l := ageSampler{due: due, received: received}
		l.sample(random, 200_000, due[10], due[len(due)-1])
		near(t, fmt.Sprintf("mean age %+v", c), LongPollAge(c.d, c.rate, float64(c.topics), c.gap), l.mean(), 0.02)
	}
	near(t, "no re-poll gap: a push", LongPollAge(0.05, 3, 2, 0), Age{Delay: 0.05, Rate: 3}.Mean(), 1e-12)
	near(t, "polls always late: polling every R", LongPollAge(0.05, 300, 1, 1), Age{Delay: 0.05, Spread: 1, Rate: 300}.Mean(), 1e-3)
}
