package generator

import (
	"sync/atomic"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/schedule"
)

// A pacing hands every message of a schedule to its publisher's session when it
// is due. It is open-loop: nothing that a server does or fails to do moves a due instant.
type pacing struct {
	plan    *schedule.Schedule
	run     uint32
	session func(publisher int32) client.Session
	cut     func(index int) // told the first message that a stop left out; once by each pacer
	done    func()          // told when the last pacer is done

	start  clock.Instant // of the warm-up; set before the first pacer begins
	going  atomic.Int64  // pacers that are not done
	stopAt atomic.Int64  // clock.Instant: what is due by then is still published; 0: all is
	halted atomic.Bool
}

// stop ends the publishing with what is due by an instant. The first stop counts.
func (p *pacing) stop(at clock.Instant) { p.stopAt.CompareAndSwap(0, int64(at)) }

// ends is when nothing more becomes due: when the window closes, or at a stop before.
func (p *pacing) ends() clock.Instant {
	closes := p.start.Add(p.plan.Closes)
	if stop := clock.Instant(p.stopAt.Load()); stop != 0 {
		return min(stop, closes)
	}
	return closes
}

// halt ends the publishing, whatever is due. What is not published counts as dropped.
func (p *pacing) halt() { p.halted.Store(true) }

// pacers divides the plan among n workers, by who publishes for whom.
func (p *pacing) pacers(n int, worker func(publisher int32) int) []*pacer {
	all := make([]*pacer, n)
	for w := range all {
		all[w] = &pacer{pacing: p}
	}
	for i, m := range p.plan.Messages {
		w := worker(m.Publisher)
		all[w].share = append(all[w].share, int32(i))
	}
	p.going.Store(int64(n))
	return all
}

// A pacer is one worker's share of a pacing: a client.Feed.
type pacer struct {
	*pacing
	share []int32 // indexes of messages, in due order; what is published is gone
	ready bool    // the payload of the first is made
	data  []byte
	ended bool
}

// Next is when the next message is due, unless the publishing has ended.
func (p *pacer) Next() (due clock.Instant, ok bool) {
	switch {
	case p.ended:
		return 0, false
	case len(p.share) == 0, p.halted.Load():
		return p.end()
	}
	index := p.share[0]
	due = p.start.Add(p.plan.Messages[index].Due)
	if stop := clock.Instant(p.stopAt.Load()); stop != 0 && due > stop {
		p.cut(int(index))
		return p.end()
	}
	if !p.ready { // ahead of time, so that making it delays nothing
		p.data = payload.Append(p.data[:0], p.run, uint32(index), int(p.plan.Messages[index].Size))
		p.ready = true
	}
	return due, true
}

func (p *pacer) end() (clock.Instant, bool) {
	p.ended = true
	if p.going.Add(-1) == 0 {
		p.done()
	}
	return 0, false
}

// Take takes the message that is next.
func (p *pacer) Take() client.Publication {
	index := p.share[0]
	p.share, p.ready = p.share[1:], false
	m := p.plan.Messages[index]
	return client.Publication{Session: p.session(m.Publisher), ID: uint32(index), Topic: p.plan.Topics[m.Topic], Payload: p.data}
}

// stopLead is how far ahead a stop is set, so that no pacer has gone past it
// before it hears of it.
const stopLead = 10 * time.Millisecond
