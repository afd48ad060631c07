package generator

import (
	"sync/atomic"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/schedule"
)

// A pacing passes every message of a schedule to its publisher's session when it is due. It is
// open-loop: due instants do not depend on the behaviour of the server.
type pacing struct {
	plan    *schedule.Schedule
	run     uint32
	session func(publisher int32) client.Session
	cut     func(index int) // called with the first message after a stop; once per pacer
	done    func()          // called when the last pacer is done

	start  clock.Instant // of the warm-up; set before the first pacer begins
	active atomic.Int64  // pacers that are not done
	stopAt atomic.Int64  // clock.Instant: messages due by then are still published; 0: no stop
	halted atomic.Bool
}

// stop ends the publishing after the messages that are due by an instant. Only the first stop counts.
func (p *pacing) stop(at clock.Instant) { p.stopAt.CompareAndSwap(0, int64(at)) }

// lastDue is the time after which no message becomes due: the window's end, or an earlier stop.
func (p *pacing) lastDue() clock.Instant {
	closes := p.start.Add(p.plan.Closes)
	if stop := clock.Instant(p.stopAt.Load()); stop != 0 {
		return min(stop, closes)
	}
	return closes
}

// halt ends the publishing immediately. Messages that are not published count as dropped.
func (p *pacing) halt() { p.halted.Store(true) }

// pacers divides the plan among n workers by publisher.
func (p *pacing) pacers(n int, worker func(publisher int32) int) []*pacer {
	all := make([]*pacer, n)
	for w := range all {
		all[w] = &pacer{pacing: p}
	}
	for i, m := range p.plan.Messages {
		w := worker(m.Publisher)
		all[w].share = append(all[w].share, int32(i))
	}
	p.active.Store(int64(n))
	return all
}

// A pacer is one worker's share of a pacing: a client.Feed.
type pacer struct {
	*pacing
	share []int32 // indexes of the messages to publish, in due order
	ready bool    // data is the payload of the first message
	data  []byte
	ended bool
}

// Next returns the due instant of the next message, unless the publishing has ended.
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
	if !p.ready { // in advance, so that creating the payload delays no publication
		p.data = payload.Append(p.data[:0], p.run, uint32(index), int(p.plan.Messages[index].Size))
		p.ready = true
	}
	return due, true
}

func (p *pacer) end() (clock.Instant, bool) {
	p.ended = true
	if p.active.Add(-1) == 0 {
		p.done()
	}
	return 0, false
}

// Take removes the next message and returns it.
func (p *pacer) Take() client.Publication {
	index := p.share[0]
	p.share, p.ready = p.share[1:], false
	m := p.plan.Messages[index]
	return client.Publication{Session: p.session(m.Publisher), ID: uint32(index), Topic: p.plan.Topics[m.Topic], Payload: p.data}
}

// stopLead is the time by which a stop is set in advance, so that every pacer sees it before it
// takes effect.
const stopLead = 10 * time.Millisecond
