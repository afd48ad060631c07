package eventloop

import (
	"pushbench/bench/client"
	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
)

// A socket publishes in the session's own WebSocket.
type socket struct {
	session *session
	ponging bool // a pong waits to be written
	backlog
}

func (k *socket) dial(clock.Instant) {} // the session does

func (k *socket) publish(id uint32, topic string, payload []byte) {
	s := k.session
	now := clock.Now()
	switch {
	case s.phase != streaming:
		s.Dropped(id, client.CauseOffline)
	case k.inFlight >= s.Config.InFlight:
		s.Dropped(id, client.CauseInFlight)
	case len(s.out) > 0:
		k.inFlight++
		k.put(id, topic, payload, now)
	default:
		k.inFlight++
		k.send(&publication{id: id, topic: topic, data: payload, held: k.held.By(now)})
	}
}

// send writes one publication as one frame.
func (k *socket) send(p *publication) {
	s := k.session
	frame := s.PublishFrame(&s.loop.out, p.id, p.topic, p.data)
	now := clock.Now()
	k.sending(s, p, now)
	if err := s.write(frame); err != nil {
		k.inFlight--
		s.NotSent(p.id, err, now)
		s.fail(err, now)
		return
	}
	if len(s.out) > 0 {
		k.held.Hold(now)
	}
}

// Control writes a control frame.
func (k *socket) Control(opcode byte, body []byte) error {
	s := k.session
	if opcode == wire.OpPong && k.ponging {
		return nil // one that is not written yet answers for this as well (RFC 6455, section 5.5.3)
	}
	err := s.write(s.ControlFrame(&s.loop.out, opcode, body))
	waits := len(s.out) > 0
	if waits && !k.held.Now() {
		k.held.Hold(clock.Now()) // what is published now waits for the connection
	}
	if opcode == wire.OpPong {
		k.ponging = waits
	}
	return err
}

// Answered makes room for one more publication.
func (k *socket) Answered() { k.inFlight = max(0, k.inFlight-1) }

func (k *socket) flushed(at clock.Instant) {
	k.held.Release(at)
	k.ponging = false
	for s := k.session; len(s.out) == 0 && s.phase == streaming; {
		p, ok := k.next()
		if !ok {
			return
		}
		k.send(&p)
	}
}

// offline gives up all that was queued, and all hope of answers.
func (k *socket) offline(at clock.Instant) {
	k.drop(k.session, client.CauseOffline)
	k.inFlight, k.ponging = 0, false
	k.held.Release(at)
}

func (k *socket) shut() { k.drop(k.session, client.CauseClosed) }
