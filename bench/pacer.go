package bench

import (
	"sync/atomic"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/schedule"
)

// A pacer hands every message of a schedule to its publisher's session when it
// is due. It is open-loop: nothing that a server does or fails to do moves a due instant.
type pacer struct {
	plan    *schedule.Schedule
	run     uint32
	session func(publisher int32) client.Session
	stopped atomic.Bool
}

// pace works through the schedule, counted from start. It needs a goroutine of its own: see clock.Sharpen.
func (p *pacer) pace(start clock.Instant) {
	clock.Sharpen()
	var data []byte
	for i, m := range p.plan.Messages {
		// Made ahead of time, so that making it delays nothing.
		data = payload.Append(data[:0], p.run, uint32(i), int(m.Size))
		if !p.await(start.Add(m.Due)) {
			return
		}
		p.session(m.Publisher).Publish(uint32(i), p.plan.Topics[m.Topic], data)
	}
}

// stopCheck is how long a pacer may sleep without looking whether it should stop.
const stopCheck = 100 * time.Millisecond

// await waits for a due instant and says whether the pacing still goes on.
func (p *pacer) await(due clock.Instant) bool {
	for next := clock.Now().Add(stopCheck); next < due; next = next.Add(stopCheck) {
		if p.stopped.Load() {
			return false
		}
		clock.SleepUntil(next)
	}
	clock.SleepUntil(due)
	return !p.stopped.Load()
}
