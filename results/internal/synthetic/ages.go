package synthetic

import (
	"math/rand/v2"
	"time"

	"pushbench/results"
)

// ages draws how old what the clients hold is: what the newest message took, and how far
// its successor has come. It has random numbers of its own, which no other figure shares.
func ages(m model, random *rand.Rand, window time.Duration) results.AgeOfInformation {
	const draws = 2000
	f := results.AgeOfInformation{
		Subscribed: clients * window, Covered: clients * window,
		Independent: min(publishes(window), m.cycles(window)),
	}
	share := f.Covered / draws
	for range draws {
		age := delay + m.wait(random) + time.Duration(random.ExpFloat64()*float64(time.Second)/rate)
		f.Age.RecordMany(age, int64(share))
		f.Area += age.Seconds() * share.Seconds()
		f.Oldest = max(f.Oldest, age)
	}
	return f
}
