package client

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"

	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// A poller asks for what is new, in short polling every so often, in long
// polling again as soon as it is answered.
type poller struct {
	*session
	line   *line
	header fasthttp.RequestHeader
	uri    []byte
	beat   beat
}

// serve polls until a poll fails.
func (p *poller) serve(ctx context.Context) error {
	requestHeader(&p.header, fasthttp.MethodGet, p.engine.Target)
	defer func() { p.hangUp() }()
	p.beat.start(clock.Now(), p.sub.Phase)
	for {
		if err := p.poll(ctx); err != nil {
			return err
		}
		if p.engine.Transport == scenarios.ShortPoll && !p.wait(ctx) {
			return ctx.Err()
		}
	}
}

// poll asks once, on a connection of its own if so configured.
func (p *poller) poll(ctx context.Context) error {
	if p.line == nil {
		if err := p.open(ctx); err != nil {
			return err
		}
	}
	p.uri = p.appendPoll(p.uri[:0])
	p.header.SetRequestURIBytes(p.uri)
	if p.engine.NewConnection {
		p.header.SetConnectionClose()
	}
	p.traffic.Polls.Add(1)
	if err := p.line.send(&p.header, nil); err != nil {
		return err
	}
	status, err := p.line.receive()
	if err != nil {
		return err
	}
	p.answered(p.line.conn, p.line.wired(), p.line.headerAt)
	if err := p.receivePoll(status, p.line.response.Body(), clock.Now()); err != nil {
		return err
	}
	if p.engine.NewConnection || p.line.response.ConnectionClose() {
		p.hangUp()
	}
	return nil
}

func (p *poller) open(ctx context.Context) (err error) {
	if p.line, err = openLine(ctx, p.engine, &p.over); err != nil {
		p.line = nil
		return err
	}
	p.line.head = p.head()
	if p.stages.TCP == 0 {
		p.opened(p.line.conn)
	}
	return nil
}

func (p *poller) hangUp() {
	if p.line != nil {
		p.line.close()
		p.line = nil
	}
}

// wait waits for the next poll.
func (p *poller) wait(ctx context.Context) bool {
	now := clock.Now()
	var next clock.Instant
	if p.engine.Pacing == scenarios.FixedDelay {
		next = now.Add(p.engine.Interval)
	} else {
		next = p.beat.next(now)
	}
	return pause(ctx, next.Sub(now))
}

// A beat is the grid of a client that polls at a fixed rate: the instants first + k·every.
type beat struct {
	first clock.Instant
	every time.Duration
}

// start lays the grid so that its phase lies the given share of an interval after now.
func (b *beat) start(now clock.Instant, phase float64) {
	b.first = now.Add(time.Duration(phase * float64(b.every)))
}

// next is the first instant of the grid after now: polls that an answer came
// too late for are left out, never sent in a burst.
func (b *beat) next(now clock.Instant) clock.Instant {
	if now < b.first {
		return b.first
	}
	return b.first.Add((now.Sub(b.first)/b.every + 1) * b.every)
}
