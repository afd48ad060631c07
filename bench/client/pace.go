package client

import (
	"sync"
	"time"

	"pushbench/bench/clock"
)

// FeedCheck is how long a feed may go without a call that shows whether it has ended.
const FeedCheck = 100 * time.Millisecond

// PaceByGoroutine publishes what a feed gives, when it is due, in a goroutine that wait
// waits for: see clock.Sharpen.
func PaceByGoroutine(wait *sync.WaitGroup, feed Feed) {
	wait.Go(func() {
		clock.Sharpen()
		for {
			due, ok := feed.Next()
			now := clock.Now()
			switch {
			case !ok:
				return
			case due > now:
				clock.SleepUntil(min(due, now.Add(FeedCheck)))
			default:
				p := feed.Take()
				p.Session.Publish(p.ID, p.Topic, p.Payload)
			}
		}
	})
}
