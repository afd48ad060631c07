package goroutine

import (
	"context"

	"pushbench/bench/clock"
)

// A poller asks for what is new, in short polling every so often, in long
// polling again as soon as it is answered.
type poller struct {
	*session
	conn *conn // nil: the next poll opens one
}

// serve polls until a poll fails.
func (p *poller) serve(ctx context.Context) error {
	defer p.hangUp()
	for {
		if err := p.poll(ctx); err != nil {
			return err
		}
		if next, waits := p.NextPoll(clock.Now()); waits && !clock.Wait(ctx, next) {
			return ctx.Err()
		}
	}
}

// poll asks once, on a connection of its own if so configured.
func (p *poller) poll(ctx context.Context) (err error) {
	if p.conn == nil {
		if p.conn, err = p.open(ctx); err != nil {
			return err
		}
	}
	if err := p.ask(p.conn); err != nil {
		return err
	}
	if p.Closes {
		p.hangUp()
	}
	return nil
}

func (p *poller) hangUp() {
	if p.conn != nil {
		p.conn.close()
		p.conn = nil
	}
}
