package eventloop

import (
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A publication is one payload on its way up.
type publication struct {
	id    uint32
	topic string
	data  []byte
	held  time.Duration // of the connection, when it was handed to the session
}

// A backlog keeps what cannot be sent yet, and the account of why it could not.
type backlog struct {
	queue    []publication
	inFlight int // queued, being sent or unanswered
	held     client.Held
}

// put queues a publication.
func (b *backlog) put(id uint32, topic string, payload []byte, at clock.Instant) {
	b.queue = append(b.queue, publication{id: id, topic: topic, data: append([]byte(nil), payload...), held: b.held.By(at)})
}

// next takes the first of the queue.
func (b *backlog) next() (p publication, ok bool) {
	if len(b.queue) == 0 {
		return publication{}, false
	}
	p = b.queue[0]
	if b.queue = b.queue[1:]; len(b.queue) == 0 {
		b.queue = nil
	}
	return p, true
}

// drop gives up all that is queued.
func (b *backlog) drop(s *session, cause string) {
	for p, ok := b.next(); ok; p, ok = b.next() {
		s.Dropped(p.id, cause)
	}
}

// sending reports that the write of a publication begins.
func (b *backlog) sending(s *session, p *publication, now clock.Instant) {
	s.Tell(client.Event{Kind: client.Sending, ID: p.id, Waited: b.held.By(now) - p.held}, now)
}
