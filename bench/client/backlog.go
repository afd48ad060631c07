package client

import (
	"bytes"
	"time"

	"pushbench/bench/clock"
)

// An Outgoing is one publication on its way up.
type Outgoing struct {
	ID         uint32
	Topic      string
	Payload    []byte
	busyBefore time.Duration // of the connection, when the publication was accepted
}

// A Backlog keeps the publications that a connection cannot send yet, and the account of
// how long it could not. Its zero value is that of a connection that is free. Whoever
// shares one locks it.
type Backlog struct {
	queue     []Outgoing
	inFlight  int           // queued, being sent or unanswered
	busyTime  time.Duration // how long the connection was not free to send, in all
	busySince clock.Instant // since when it is not; 0 while it is
}

// Accept takes a publication in, unless as many as the limit are in flight. It is to be
// sent or queued.
func (b *Backlog) Accept(id uint32, topic string, payload []byte, limit int, at clock.Instant) (p Outgoing, ok bool) {
	if b.inFlight >= limit {
		return Outgoing{}, false
	}
	b.inFlight++
	return Outgoing{id, topic, payload, b.busyUntil(at)}, true
}

// Queue keeps a publication, with a payload of its own.
func (b *Backlog) Queue(p Outgoing) {
	p.Payload = bytes.Clone(p.Payload)
	b.queue = append(b.queue, p)
}

// QueueFirst queues a publication before all others.
func (b *Backlog) QueueFirst(p Outgoing) {
	p.Payload = bytes.Clone(p.Payload)
	b.queue = append([]Outgoing{p}, b.queue...)
}

// Next takes the first of the queue.
func (b *Backlog) Next() (p Outgoing, ok bool) {
	if len(b.queue) == 0 {
		return Outgoing{}, false
	}
	p = b.queue[0]
	if b.queue = b.queue[1:]; len(b.queue) == 0 {
		b.queue = nil
	}
	return p, true
}

// Empty reports whether nothing is queued.
func (b *Backlog) Empty() bool { return len(b.queue) == 0 }

// Idle reports whether nothing is in flight.
func (b *Backlog) Idle() bool { return b.inFlight == 0 }

// TakeAll empties the queue.
func (b *Backlog) TakeAll() []Outgoing {
	all := b.queue
	b.queue = nil
	return all
}

// Answered makes room for one more publication. Forget may have come before.
func (b *Backlog) Completed() { b.inFlight = max(0, b.inFlight-1) }

// Forget gives up all hope of answers to what was sent on a connection that is gone.
func (b *Backlog) AbandonSent() { b.inFlight = len(b.queue) }

// Waited is how much of the time since a publication was accepted the connection was not
// free. Time in which it was free and we did nothing is not among it: that is our lateness.
func (b *Backlog) Waited(p *Outgoing, at clock.Instant) time.Duration {
	return b.busyUntil(at) - p.busyBefore
}

func (b *Backlog) busyUntil(at clock.Instant) time.Duration {
	if b.busySince == 0 {
		return b.busyTime
	}
	return b.busyTime + max(0, at.Sub(b.busySince))
}

// Held reports whether the connection is not free.
func (b *Backlog) Busy() bool { return b.busySince != 0 }

// Hold notes that the connection is not free to send from an instant on.
func (b *Backlog) SetBusy(at clock.Instant) { b.busyTime, b.busySince = b.busyUntil(at), at }

// Release notes that the connection is free from an instant on.
func (b *Backlog) SetFree(at clock.Instant) { b.busyTime, b.busySince = b.busyUntil(at), 0 }
