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
	cut     func(index int) // told the first message that a stop left out

	stopAt atomic.Int64 // clock.Instant: what is due by then is still published; 0: all is
	halted atomic.Bool
}

// stop ends the publishing with what is due by now. The first stop counts.
func (p *pacer) stop(now clock.Instant) { p.stopAt.CompareAndSwap(0, int64(now)) }

// ends is when nothing more becomes due: when the window closes, or at a stop before.
func (p *pacer) ends(start clock.Instant) clock.Instant {
	closes := start.Add(p.plan.Closes)
	if stop := clock.Instant(p.stopAt.Load()); stop != 0 {
		return min(stop, closes)
	}
	return closes
}

// halt ends the publishing, whatever is due. What is not published counts as dropped.
func (p *pacer) halt() { p.halted.Store(true) }

// pace works through the schedule, counted from start. It needs a goroutine of its own: see clock.Sharpen.
func (p *pacer) pace(start clock.Instant) {
	clock.Sharpen()
	var data []byte
	for i, m := range p.plan.Messages {
		// Made ahead of time, so that making it delays nothing.
		data = payload.Append(data[:0], p.run, uint32(i), int(m.Size))
		switch p.await(start.Add(m.Due)) {
		case stopped:
			p.cut(i)
			return
		case halted:
			return
		}
		p.session(m.Publisher).Publish(uint32(i), p.plan.Topics[m.Topic], data)
	}
}

// stopCheck is how long a pacer may sleep without looking whether it should stop.
const stopCheck = 100 * time.Millisecond

// How a pacer's wait for a due instant ends.
type wait int

const (
	due wait = iota
	stopped
	halted
)

// await waits for a due instant, unless the pacing ends before.
func (p *pacer) await(at clock.Instant) wait {
	for next := clock.Now().Add(stopCheck); next < at; next = next.Add(stopCheck) {
		if w := p.look(at); w != due {
			return w
		}
		clock.SleepUntil(next)
	}
	clock.SleepUntil(at)
	return p.look(at)
}

// look says whether what is due at an instant is to be published.
func (p *pacer) look(at clock.Instant) wait {
	stop := clock.Instant(p.stopAt.Load())
	switch {
	case p.halted.Load():
		return halted
	case stop != 0 && at > stop:
		return stopped
	default:
		return due
	}
}
