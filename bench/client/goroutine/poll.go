package goroutine

import (
	"context"

	"pushbench/bench/clock"
)

// A poller polls: with short polling at intervals, with long polling as soon as a response
// arrives.
type poller struct {
	*session
	conn *conn // nil: the next poll opens one
}

// serve polls until a poll fails.
func (p *poller) serve(ctx context.Context) error {
	defer p.closeConn()
	for {
		if err := p.poll(ctx); err != nil {
			return err
		}
		if next, waits := p.NextPoll(clock.Now()); waits && !clock.Wait(ctx, next) {
			return ctx.Err()
		}
	}
}

// poll polls once, on a new connection if so configured.
func (p *poller) poll(ctx context.Context) (err error) {
	if p.conn == nil {
		if p.conn, err = p.open(ctx); err != nil {
			return err
		}
	}
	if err := p.sendRequest(p.conn); err != nil {
		return err
	}
	if p.Closes {
		p.closeConn()
	}
	return nil
}

func (p *poller) closeConn() {
	if p.conn != nil {
		p.conn.close()
		p.conn = nil
	}
}
