package client

import (
	"bytes"
	"time"

	"pushbench/bench/clock"
)

// An Outgoing is one accepted publication.
type Outgoing struct {
	ID         uint32
	Topic      string
	Payload    []byte
	busyBefore time.Duration // the backlog's busyTime when the publication was accepted
}

// A Backlog queues the publications that a connection cannot send yet, and measures how
// long the connection was busy. The zero value belongs to a free connection. A Backlog
// does not lock.
type Backlog struct {
	queue     []Outgoing
	inFlight  int           // queued, being sent or without an outcome
	busyTime  time.Duration // how long the connection was busy in total, except since busySince
	busySince clock.Instant // when it became busy; 0 while it is free
}

// Accept accepts a publication unless limit publications are in flight. The caller sends
// or queues it.
func (b *Backlog) Accept(id uint32, topic string, payload []byte, limit int, at clock.Instant) (p Outgoing, ok bool) {
	if b.inFlight >= limit {
		return Outgoing{}, false
	}
	b.inFlight++
	return Outgoing{id, topic, payload, b.busyUntil(at)}, true
}

// Queue appends a publication, with a copy of its payload.
func (b *Backlog) Queue(p Outgoing) {
	p.Payload = bytes.Clone(p.Payload)
	b.queue = append(b.queue, p)
}

// QueueFirst queues a publication ahead of all others.
func (b *Backlog) QueueFirst(p Outgoing) {
	p.Payload = bytes.Clone(p.Payload)
	b.queue = append([]Outgoing{p}, b.queue...)
}

// Next removes and returns the first queued publication.
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

// TakeAll removes and returns all queued publications.
func (b *Backlog) TakeAll() []Outgoing {
	all := b.queue
	b.queue = nil
	return all
}

// Completed notes the outcome of one publication, which makes room for another.
// AbandonSent may have been called before.
func (b *Backlog) Completed() { b.inFlight = max(0, b.inFlight-1) }

// AbandonSent stops waiting for the outcomes of publications sent on a closed connection.
func (b *Backlog) AbandonSent() { b.inFlight = len(b.queue) }

// Waited returns how long the connection was busy since a publication was accepted. It
// excludes time in which the connection was free and the generator was late.
func (b *Backlog) Waited(p *Outgoing, at clock.Instant) time.Duration {
	return b.busyUntil(at) - p.busyBefore
}

func (b *Backlog) busyUntil(at clock.Instant) time.Duration {
	if b.busySince == 0 {
		return b.busyTime
	}
	return b.busyTime + max(0, at.Sub(b.busySince))
}

// Busy reports whether the connection cannot send.
func (b *Backlog) Busy() bool { return b.busySince != 0 }

// SetBusy notes that the connection cannot send from an instant on.
func (b *Backlog) SetBusy(at clock.Instant) { b.busyTime, b.busySince = b.busyUntil(at), at }

// SetFree notes that the connection can send from an instant on.
func (b *Backlog) SetFree(at clock.Instant) { b.busyTime, b.busySince = b.busyUntil(at), 0 }
