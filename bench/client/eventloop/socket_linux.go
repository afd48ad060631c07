package eventloop

import (
	"errors"

	"pushbench/bench/client"
	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
)

// A socket publishes on the session's WebSocket.
type socket struct {
	session    *session
	pongQueued bool // a pong is queued to be written
	queued     int  // bytes of other texts that are queued with it
	client.Backlog
}

func (k *socket) dial(clock.Instant) {} // the session dials

func (k *socket) publish(id uint32, topic string, payload []byte) {
	s := k.session
	if s.phase != streaming {
		s.Dropped(id, client.CauseOffline)
		return
	}
	switch p, ok := k.Accept(id, topic, payload, s.Config.InFlight, clock.Now()); {
	case !ok:
		s.Dropped(id, client.CauseInFlight)
	case len(s.out) > 0:
		k.Queue(p)
	default:
		k.send(&p)
	}
}

// send writes one publication as one frame.
func (k *socket) send(p *client.Outgoing) {
	s := k.session
	frame := s.PublishFrame(&s.loop.out, p.ID, p.Topic, p.Payload)
	now := clock.Now()
	s.Sending(p.ID, k.Waited(p, now), now)
	if err := s.write(frame); err != nil {
		k.Completed()
		s.NotSent(p.ID, err, now)
		s.fail(err, now)
		return
	}
	if s.Unacknowledged() {
		k.Completed()
	}
	if len(s.out) > 0 {
		k.SetBusy(now)
	}
}

// Opened does nothing: loop.mu is locked until the phase is streaming, so no publication
// is between Connected and that.
func (k *socket) Opened() {}

// maxQueued bounds what a server that does not read can make a client queue, in bytes.
const maxQueued = 64 << 10

var errUnread = errors.New("server does not read what it requests")

// Control writes a control frame, or a text of a target's protocol.
func (k *socket) Control(opcode byte, body []byte) error {
	s := k.session
	if opcode == wire.OpPong && k.pongQueued {
		return nil // the queued pong responds to this ping too (RFC 6455, section 5.5.3)
	}
	if k.queued > maxQueued {
		return errUnread
	}
	err := s.write(s.ControlFrame(&s.loop.out, opcode, body))
	waits := len(s.out) > 0
	if waits {
		k.queued += len(body)
	}
	if waits && !k.Busy() {
		k.SetBusy(clock.Now()) // publications wait for the connection from now on
	}
	if opcode == wire.OpPong {
		k.pongQueued = waits
	}
	return err
}

func (k *socket) flushed(at clock.Instant) {
	k.SetFree(at)
	k.pongQueued, k.queued = false, 0
	for s := k.session; len(s.out) == 0 && s.phase == streaming; {
		p, ok := k.Next()
		if !ok {
			return
		}
		k.send(&p)
	}
}

// offline drops all queued publications and stops waiting for outcomes.
func (k *socket) offline(at clock.Instant) {
	k.session.dropQueued(&k.Backlog, client.CauseOffline)
	k.AbandonSent()
	k.pongQueued, k.queued = false, 0
	k.SetFree(at)
}

func (k *socket) stop() { k.session.dropQueued(&k.Backlog, client.CauseClosed) }
