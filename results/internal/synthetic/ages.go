package synthetic

import (
	"math/rand/v2"
	"time"

	"pushbench/results"
)

// ages draws the age of information: the latency of the newest message plus the time since it was
// delivered. It has a separate random stream, so that no other value depends on it.
func ages(m model, random *rand.Rand, window time.Duration) results.AgeOfInformation {
	const draws = 2000
	age := results.AgeOfInformation{
		Subscribed: clients * window, Covered: clients * window,
		Independent: min(publishes(window), m.cycles(window)),
	}
	share := age.Covered / draws
	for range draws {
		drawn := delay + m.wait(random) + time.Duration(random.ExpFloat64()*float64(time.Second)/rate)
		age.Age.RecordMany(drawn, int64(share))
		age.Area += drawn.Seconds() * share.Seconds()
		age.Oldest = max(age.Oldest, drawn)
	}
	return age
}
