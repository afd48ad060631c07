package results

// pool adds trials up: counts are summed and histograms merged, so that a
// metric of the pool weighs each message alike. What one trial could not show
// the pool does not show either: a sum with a hole in it would be too small.
func pool(c Case, trials []Trial) Trial {
	p := Trial{Transport: c.Transport, Case: c.Name, Stack: c.Stack, Flush: c.Flush, Status: Complete}
	for i, t := range trials {
		first := i == 0
		p.Took += t.Took
		p.Publishes.Add(t.Publishes)
		p.Ledger.Add(t.Ledger)
		p.Latency.Add(t.Latency)
		p.Ack.Add(t.Ack)
		p.Freshness.Add(t.Freshness)
		p.Answers.Add(t.Answers)
		p.Webhooks.add(t.Webhooks)
		p.Visits.Add(t.Visits)
		p.Connect.add(t.Connect, i)
		p.Cost.add(t.Cost, first)
		if t.Link != nil {
			if p.Link == nil {
				p.Link = new(Link)
			}
			p.Link.Up.add(t.Link.Up)
			p.Link.Down.add(t.Link.Down)
		}
	}
	return p
}

// Add adds another account: counts add up, and the distributions are merged.
func (p *Publishes) Add(q Publishes) {
	p.Planned += q.Planned
	p.OnTime += q.OnTime
	p.Late += q.Late
	p.Dropped += q.Dropped
	p.Sent += q.Sent
	p.Acknowledged += q.Acknowledged
	p.Failed += q.Failed
	p.Unknown += q.Unknown
	p.LateAfter = max(p.LateAfter, q.LateAfter)
	p.DroppedBy = addBy(p.DroppedBy, q.DroppedBy)
	p.FailedBy = addBy(p.FailedBy, q.FailedBy)
	p.Lateness.Merge(q.Lateness)
	p.HeldUp.Merge(q.HeldUp)
}

// Add adds another account: counts add up.
func (l *Ledger) Add(m Ledger) {
	l.Owed += m.Owed
	l.Unique += m.Unique
	l.Superseded += m.Superseded
	l.DeclaredGap += m.DeclaredGap
	l.Lost += m.Lost
	l.Received += m.Received
	l.Duplicates += m.Duplicates
	l.Unexpected += m.Unexpected
	l.Reordered += m.Reordered
	l.Corrupt += m.Corrupt
	l.LostBy = addBy(l.LostBy, m.LostBy)
}

// Add merges another distribution, bucket by bucket: percentiles are never averaged.
func (l *Latency) Add(m Latency) {
	l.Histogram.Merge(m.Histogram)
	l.Infinite += m.Infinite
	l.Independent += m.Independent
}

// add averages round trips over the trials, of which before were added already; unless
// all of them show it there is no average.
func (c *Connect) add(d Connect, before int) {
	c.Clients += d.Clients
	c.Failed += d.Failed
	c.Reporters += d.Reporters
	c.FailedBy = addBy(c.FailedBy, d.FailedBy)
	c.Took += d.Took
	c.BytesUp += d.BytesUp
	c.BytesDown += d.BytesDown
	c.Server.add(d.Server)
	c.Generator.add(d.Generator)
	if shown := before == 0 || c.RoundTrips != 0; shown && d.RoundTrips != 0 {
		c.RoundTrips += (d.RoundTrips - c.RoundTrips) / float64(before+1)
	} else {
		c.RoundTrips = 0
	}
	c.Dials += d.Dials
	if c.Stages == nil {
		c.Stages = map[string]Histogram{}
	}
	for _, stage := range Stages {
		h := c.Stages[stage]
		h.Merge(d.Stages[stage])
		c.Stages[stage] = h
	}
}

func (s *Spent) add(d Spent) {
	s.CPU += d.CPU
	s.User += d.User
	s.System += d.System
}

func (c *Cost) add(d Cost, first bool) {
	c.Span += d.Span
	c.Delivered += d.Delivered
	c.Server.add(d.Server, first)
	c.Generator.add(d.Generator, first)
	c.Link.add(d.Link, first)
	c.Wire.add(d.Wire, first)
}

func (w *LinkWay) add(v LinkWay) {
	w.Packets += v.Packets
	w.Bytes += v.Bytes
	w.Lost += v.Lost
	w.Overtook += v.Overtook
	w.Overflowed += v.Overflowed
	w.Refused += v.Refused
	w.Late.Merge(v.Late)
}

func (p *Process) add(q Process, first bool) {
	p.Processes = max(p.Processes, q.Processes)
	addShown(&p.CPU, q.CPU, first)
	addShown(&p.User, q.User, first)
	addShown(&p.System, q.System, first)
	addShown(&p.MemoryBase, q.MemoryBase, first)
	addShown(&p.MemoryIdle, q.MemoryIdle, first)
	p.MemoryPeak = max(p.MemoryPeak, q.MemoryPeak)
	p.Goroutines = max(p.Goroutines, q.Goroutines)
	p.ContextSwitches += q.ContextSwitches
}

// Add adds what crossed other connections at the same time. What one of the two could not
// show, the sum does not show either.
func (w *Wire) Add(v Wire) { w.add(v, false) }

func (w *Wire) add(v Wire, first bool) {
	w.Up.add(v.Up, first)
	w.Down.add(v.Down, first)
	w.Requests += v.Requests
	w.Polls += v.Polls
	w.EmptyAnswers += v.EmptyAnswers
	w.Batches += v.Batches
	w.Dials += v.Dials
	w.Reconnects += v.Reconnects
}

// Minus returns what crossed since an earlier reading.
func (w Wire) Minus(earlier Wire) Wire {
	return Wire{
		Up:           w.Up.minus(earlier.Up),
		Down:         w.Down.minus(earlier.Down),
		Requests:     w.Requests - earlier.Requests,
		Polls:        w.Polls - earlier.Polls,
		EmptyAnswers: w.EmptyAnswers - earlier.EmptyAnswers,
		Batches:      w.Batches - earlier.Batches,
		Dials:        w.Dials - earlier.Dials,
		Reconnects:   w.Reconnects - earlier.Reconnects,
	}
}

func (d Direction) minus(earlier Direction) Direction {
	return Direction{
		Bytes:    d.Bytes - earlier.Bytes,
		Payload:  d.Payload - earlier.Payload,
		Envelope: d.Envelope - earlier.Envelope,
		Framing:  d.Framing - earlier.Framing,
		Headers:  d.Headers - earlier.Headers,
		Segments: d.Segments - earlier.Segments,
	}
}

func (d *Direction) add(e Direction, first bool) {
	d.Bytes += e.Bytes
	d.Payload += e.Payload
	d.Envelope += e.Envelope
	d.Framing += e.Framing
	d.Headers += e.Headers
	addShown(&d.Segments, e.Segments, first)
}

// addShown adds figures of which zero means "not shown".
func addShown[T ~int64](sum *T, x T, first bool) {
	if first || (*sum != 0 && x != 0) {
		*sum += x
		return
	}
	*sum = 0
}

func addBy(sum, by map[string]int64) map[string]int64 {
	if sum == nil && len(by) > 0 {
		sum = map[string]int64{}
	}
	for cause, n := range by {
		sum[cause] += n
	}
	return sum
}
