package client

import (
	"sync"
	"time"

	"pushbench/bench/clock"
)

// FeedCheck is the longest time between two calls of Feed.Next, which reports the feed's end.
const FeedCheck = 100 * time.Millisecond

// PaceByGoroutine starts a goroutine, in the group wait, that publishes the publications
// of a feed when they are due: see clock.Sharpen.
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
