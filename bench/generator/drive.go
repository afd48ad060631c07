// Package generator is the load generator: it turns a scenario into sessions of simulated
// clients, publishes its schedule on time, and counts what they receive.
//
// It contains Drive, its control messages, the pacing and the measurement of its maximum rate. It
// must not depend on the trial, which starts it as a separate process.
package generator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Drive runs a load generator: it reads commands from in and writes its results to out. It returns
// when in ends, even in the middle of a trial.
func Drive(in io.Reader, out io.Writer) error {
	d := &driver{out: child.NewLineWriter(out), exceeded: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	defer d.close()
	defer d.working.Wait()
	defer d.halt()
	defer cancel()
	var executing sync.Mutex // the input may not end before Drive returns
	read := make(chan error, 1)
	go func() {
		read <- child.ReadLines(in, func(c Command) error {
			executing.Lock()
			defer executing.Unlock()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return d.execute(ctx, c)
		})
	}()
	var err error
	select {
	case err = <-read:
	case err = <-d.exceeded:
		executing.Lock()
		defer executing.Unlock()
	}
	if err != nil {
		_ = d.out.Send(Report{Failed: err.Error()}) // best effort: the run may have exited
	}
	return err
}

// A driver is the load generator of one trial.
type driver struct {
	out      *child.LineWriter
	working  sync.WaitGroup
	exceeded chan error // receives an error when the limits of another host are exceeded

	scenario   *scenarios.Scenario
	transport  scenarios.Transport
	own        []int // clients of this replica
	plan       *schedule.Schedule
	book       *record.Book
	books      []*record.Book // book, and the book of the replies
	traffic    client.Traffic
	recorders  []*record.Recorder
	awaited    []*record.Recorder // recorders, and the recorder of the replies
	sinks      []sink             // per worker: its recorder, or a sink in front of it
	engine     client.Engine
	config     client.Config
	clients    []client.Session
	backend    client.Session
	replies    *replies           // nil: clients send no replies
	shortLived *shortLivedClients // nil: no short-lived clients
	pacing     *pacing
	pacers     []*pacer
	phases     []float64 // per client, of all replicas

	goroutines int64
	closing    sync.Once
	connecting chan struct{} // closed when the clients of the last Connect are connected; nil before the first
	started    bool
	stop       chan struct{} // closed by Stop
	published  chan struct{} // closed when everything is published
}

func (d *driver) execute(ctx context.Context, c Command) error {
	if n := c.fields(); n != 1 {
		return fmt.Errorf("command sets %d fields, want exactly one", n)
	}
	if err := d.checkOrder(c); err != nil {
		return fmt.Errorf("command out of order: %w", err)
	}
	switch {
	case c.MeasureCeiling != nil:
		ceiling, err := c.MeasureCeiling.measure()
		if err != nil {
			return err
		}
		return d.out.Send(Report{Ceiling: &ceiling})
	case c.Prepare != nil:
		if err := d.prepare(c.Prepare); err != nil || c.Prepare.Limits == nil {
			return err
		}
		d.working.Go(func() { d.guard(ctx, *c.Prepare.Limits) })
		return nil
	case c.Connect != nil:
		d.connecting = make(chan struct{})
		d.working.Go(func() { d.connect(ctx, c.Connect.Clients) })
	case c.Collect != nil:
		child.CollectGarbage()
		return d.out.Send(Report{Collected: &Collected{}})
	case c.Start != nil:
		d.started = true
		for _, b := range d.books {
			b.Begin(c.Start.At) // not in measure: it must happen before any Stop
		}
		d.pacing.start = c.Start.At
		d.working.Go(func() { d.measure(ctx, c.Start.At) })
	case !closed(d.stop):
		at := clock.Now().Add(stopLead)
		d.pacing.stop(at)
		for _, b := range d.books {
			b.Stop(at)
		}
		close(d.stop)
	}
	return nil
}

// checkOrder returns an error if a command arrives out of order.
func (d *driver) checkOrder(c Command) error {
	switch {
	case c.MeasureCeiling != nil && d.plan == nil:
		return nil
	case c.MeasureCeiling != nil:
		return errors.New("measure_ceiling must be the first command")
	case c.Prepare == nil && d.plan == nil:
		return errors.New("prepare must be the first command")
	case c.Prepare != nil && d.plan != nil, c.Start != nil && d.started,
		c.Connect != nil && d.connecting != nil && (!closed(d.connecting) || d.connected()):
		return errors.New("duplicate command")
	case c.Start != nil && !d.connected():
		return errors.New("start requires connected clients")
	case c.Collect != nil && (!closed(d.connecting) || d.started): // nil before Connect: never closed
		return errors.New("collect requires connected clients, before start")
	case c.Stop != nil && !d.started:
		return errors.New("stop requires start")
	default:
		return nil
	}
}

// connected reports whether all clients are connected.
func (d *driver) connected() bool { return closed(d.connecting) && len(d.clients) == len(d.own) }

// closed reports whether a channel is closed. A nil channel is not.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// halt ends the publishing.
func (d *driver) halt() {
	if d.pacing != nil {
		d.pacing.halt()
	}
}

func (d *driver) prepare(p *Prepare) error {
	s, err := scenarios.Read("scenario", strings.NewReader(p.Scenario))
	if err != nil {
		return err
	}
	d.scenario, d.transport = s, scenarios.Transport(p.Transport)
	if _, known := transports.Find(d.transport); !known {
		return fmt.Errorf("unknown transport %q", p.Transport)
	}
	if d.config, err = d.clientConfig(p); err != nil {
		return err
	}
	plan := schedule.New(s, p.Repetition)
	d.config.Payloads = payloads(plan, p.Run)
	if d.engine, err = engines.New(p.Engine, d.config); err != nil {
		return err
	}
	d.setPlan(plan, p)
	if s.Replies.Size > 0 {
		d.replies = newReplies(d, d.config, p.Run)
		d.books, d.awaited = append(d.books, d.replies.book), append(d.awaited, d.replies.recorder)
	}
	if s.ShortLived.Rate > 0 {
		d.shortLived = newShortLivedClients(d, p.Repetition)
	}
	return d.out.Send(Report{Prepared: &Prepared{}})
}

// payloads finds the payloads of a plan in what a target sends.
func payloads(plan *schedule.Schedule, run uint32) *payload.Scanner {
	return payload.NewScanner(run, func(index uint32) int {
		if int(index) >= len(plan.Messages) {
			return 0
		}
		return max(int(plan.Messages[index].Size), payload.Min)
	})
}

// setPlan sets the driver's plan and creates everything that depends on it, except the clients.
func (d *driver) setPlan(plan *schedule.Schedule, p *Prepare) {
	d.plan = plan
	d.stop, d.published = make(chan struct{}), make(chan struct{})
	d.own = nil
	for c := p.Replica; c < d.scenario.Sessions(); c += d.scenario.Servers {
		d.own = append(d.own, c)
	}
	d.book = record.NewBook(d.plan, d.scenario, d.transport, p.Run)
	d.books = []*record.Book{d.book}
	d.phases = phases(d.scenario, p.Repetition)
	d.recorders = make([]*record.Recorder, d.engine.Workers())
	for w := range d.recorders {
		var clients []int
		for _, c := range d.own {
			if d.worker(int32(c)) == w {
				clients = append(clients, c)
			}
		}
		d.recorders[w] = record.NewRecorder(d.book, clients)
	}
	d.awaited = slices.Clone(d.recorders)
	d.sinks = sinks(d.recorders, p.Discard)
	d.pacing = &pacing{plan: d.plan, run: p.Run, session: d.session, cut: d.cut, done: func() { close(d.published) }}
	d.pacers = d.pacing.pacers(len(d.recorders), d.worker)
}

// cut ends the plan before the message with this index, and before the reply to it.
func (d *driver) cut(index int) {
	for _, b := range d.books {
		b.Cut(index)
	}
}

// phases are the clients' starting points in their poll interval, independent of the number of
// servers.
func phases(s *scenarios.Scenario, repetition int) []float64 {
	random := rand.New(rand.NewPCG(s.Seed, uint64(repetition)|1<<32)) // independent of the schedule's stream
	all := make([]float64, s.Sessions())
	for c := range all {
		all[c] = random.Float64()
	}
	return all
}

// ownIndex is the index in own of one of this replica's clients.
func (d *driver) ownIndex(client int) int { return client / d.scenario.Servers }

// hasBackend reports whether a backend next to the server publishes the messages.
func hasBackend(s *scenarios.Scenario) bool { return s.Publish.By == scenarios.ByBackend }

// workers is the number of threads that serve sessions: one per core, and an additional one only
// for a backend, so that its posts do not wait for a burst of responses to the clients.
func workers(s *scenarios.Scenario) int {
	if hasBackend(s) {
		return runtime.NumCPU() + 1
	}
	return runtime.NumCPU()
}

// worker is the index of the worker that serves a publisher.
func (d *driver) worker(publisher int32) int {
	if publisher == schedule.Backend {
		return runtime.NumCPU()
	}
	return d.ownIndex(int(publisher)) % runtime.NumCPU()
}

func (d *driver) session(publisher int32) client.Session {
	if publisher == schedule.Backend {
		return d.backend
	}
	return d.clients[d.ownIndex(int(publisher))]
}

// ConnectGrace is the maximum time from the last dial until a client is ready. Later, it counts as
// failed.
const ConnectGrace = 10 * time.Second

// connect opens the next n of this replica's clients, or all for 0, at the scenario's rate over all replicas, and
// reports when all are ready.
func (d *driver) connect(ctx context.Context, n int) {
	publishes := d.plan.Publishers()
	if d.config.Dialect != nil && len(d.clients) == 0 {
		if err := client.CreateTopics(ctx, &d.config, d.plan.Topics); err != nil {
			_ = d.out.Send(Report{Failed: err.Error()}) // the run may have exited
			return
		}
	}
	began := clock.Now()
	opened := len(d.clients)
	if opened == 0 {
		d.openBackend()
		if d.replies != nil {
			d.replies.open()
		}
	}
	next := d.own[opened:]
	if n > 0 {
		next = next[:min(n, len(next))]
	}
	gap := float64(time.Second) / float64(d.scenario.Clients.ConnectRate)
	for _, c := range next {
		if !clock.Wait(ctx, began.Add(time.Duration(float64(c-opened*d.scenario.Servers)*gap))) {
			return
		}
		d.open(c, publishes[c] || d.replies != nil)
	}
	if !d.awaitReady(ctx, clock.Now().Add(ConnectGrace)) {
		return
	}
	if d.replies != nil && d.replies.recorder.Ready() == 0 { // otherwise all replies would count as lost
		_ = d.out.Send(Report{Failed: "the backend that receives the replies could not register a webhook"}) // the run may have exited
		return
	}
	d.goroutines = int64(runtime.NumGoroutine())
	connected := d.connections(began)
	close(d.connecting)                           // before the report, since Start may follow it immediately
	_ = d.out.Send(Report{Connected: &connected}) // if the run has exited, the input ends and Drive returns
}

func (d *driver) open(c int, publishes bool) {
	d.clients = append(d.clients, d.engine.Open(d.subscription(c, publishes), d.sinks[d.worker(int32(c))]))
}

// openBackend opens the session of the backend publisher, if there is one.
func (d *driver) openBackend() {
	if !hasBackend(d.scenario) {
		return
	}
	d.backend = d.engine.Open(client.Subscription{Client: schedule.Backend, Publishes: true, Worker: d.worker(schedule.Backend)}, d.sinks[d.worker(schedule.Backend)])
}

func (d *driver) subscription(c int, publishes bool) client.Subscription {
	sub := client.Subscription{
		Client:      c,
		Worker:      d.worker(int32(c)),
		Delivery:    string(d.scenario.Delivery),
		Publishes:   publishes,
		Phase:       d.phases[c],
		PublishOnly: c >= d.scenario.Clients.Count,
	}
	for _, topic := range d.plan.Subscribed[c] {
		sub.Topics = append(sub.Topics, d.plan.Topics[topic])
	}
	return sub
}

// readyPoll is the polling interval for states without a notification.
const readyPoll = 10 * time.Millisecond

// awaitReady waits until all sessions are ready or the deadline has passed. Its result is false
// only if the context ended.
func (d *driver) awaitReady(ctx context.Context, deadline clock.Instant) bool {
	all := len(d.clients)
	if d.backend != nil {
		all++
	}
	if d.replies != nil {
		all++
	}
	for clock.Now() < deadline {
		ready := 0
		for _, r := range d.awaited {
			ready += r.Ready()
		}
		if ready >= all {
			return true
		}
		if !clock.Wait(ctx, clock.Now().Add(readyPoll)) {
			return false
		}
	}
	return true
}

// connections sums up the results of connecting.
func (d *driver) connections(began clock.Instant) results.Connect {
	sum := results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}}
	last := began
	for _, r := range d.recorders {
		c, ready := r.Connect()
		last = max(last, ready)
		MergeConnect(&sum, c)
	}
	sum.Took = last.Sub(began)
	sum.Dials = d.traffic.Snapshot().Dials
	sum.PublishOnly = int64(d.scenario.PublishOnly()) // all on one server, see validateRoles in package scenarios
	subscribers := int64(len(d.clients)) - sum.PublishOnly
	sum.Failed, sum.Clients = subscribers-sum.Clients, subscribers
	return sum
}

// measure publishes the schedule, reports an interval every second, and finally the outcome.
func (d *driver) measure(ctx context.Context, start clock.Instant) {
	for w, p := range d.pacers {
		d.engine.Pace(w, p)
	}
	span := make(chan Outcome, 1)
	d.working.Go(func() { span <- d.span(ctx, start) })
	if d.shortLived != nil {
		d.working.Go(func() { d.shortLived.connect(ctx, start) })
	}
	flight, ended := make(chan validity.InFlight, 1), make(chan struct{})
	counter := &flightCounter{plan: d.plan, book: d.book, recorders: d.recorders, subscribers: d.subscribers()}
	d.working.Go(func() { flight <- counter.count(start, ended) })
	d.report(ctx, start)
	if ctx.Err() != nil {
		close(ended)
		return
	}
	d.halt()
	<-d.published
	outcome := <-span
	d.close()
	close(ended) // after close, since deliveries until then enter the latencies
	outcome.InFlight = <-flight
	d.complete(&outcome)
	_ = d.out.Send(Report{Done: &outcome}) // the run may have exited
}

// subscribers is the number of this replica's subscribers per topic.
func (d *driver) subscribers() []int {
	subscribers := make([]int, len(d.plan.Topics))
	for _, c := range d.own {
		for _, topic := range d.plan.Subscribed[c] {
			subscribers[topic]++
		}
	}
	return subscribers
}

// span counts deliveries and traffic while the window is open.
func (d *driver) span(ctx context.Context, start clock.Instant) Outcome {
	d.until(ctx, start.Add(d.plan.Opens))
	from, before, earlier := clock.Now(), d.delivered(), d.wire()
	d.until(ctx, start.Add(d.plan.Closes))
	return Outcome{Span: clock.Now().Sub(from), Delivered: d.delivered() - before, Wire: results.Minus(d.wire(), earlier)}
}

// until waits for an instant, a stop or the end of the context.
func (d *driver) until(ctx context.Context, at clock.Instant) {
	timer := time.NewTimer(at.Sub(clock.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.stop:
	case <-ctx.Done():
	}
}

// delivered is the number of messages received so far.
func (d *driver) delivered() (n int64) {
	for _, s := range d.sinks {
		n += s.Delivered()
	}
	return n
}

// wire is the traffic so far, including the kernel's count of TCP segments.
func (d *driver) wire() results.Wire {
	w, tcp := d.traffic.Snapshot(), d.traffic.TCP()
	w.Up.Segments, w.Down.Segments = tcp.Up.Segments, tcp.Down.Segments
	return w
}

// report sends an interval every second until the trial has ended.
func (d *driver) report(ctx context.Context, start clock.Instant) {
	const second = time.Second
	from := start
	for next := start.Add(second); ; {
		ended := d.tick(ctx, start, next)
		if ctx.Err() != nil {
			return
		}
		now := min(clock.Now(), next)
		d.sendInterval(from.Sub(start)-d.plan.Opens, max(0, now.Sub(from))) // a stop can precede the start
		if ended {
			return
		}
		from, next = next, next.Add(second)
	}
}

// tick waits until next and reports whether the trial ended earlier.
func (d *driver) tick(ctx context.Context, start, next clock.Instant) (ended bool) {
	for clock.Now() < next {
		if !clock.Wait(ctx, min(next, clock.Now().Add(2*readyPoll))) || d.drained(start) {
			return true
		}
	}
	return false
}

// drained reports whether the window is over and everything was received and acknowledged, or the drain has timed out. A
// message may arrive before its publication is acknowledged.
func (d *driver) drained(start clock.Instant) bool {
	last := d.pacing.lastDue()
	now := clock.Now()
	switch {
	case now >= last.Add(time.Duration(d.scenario.Drain)):
		return true
	case now < last, !closed(d.published): // the expected messages are not yet known
		return false
	}
	for _, r := range d.awaited {
		if !r.Settled() {
			return false
		}
	}
	return !d.book.Outstanding() && (d.shortLived == nil || d.shortLived.settled())
}

func (d *driver) sendInterval(since, length time.Duration) {
	sum := results.Interval{Transport: string(d.transport), Start: since, Length: length}
	for _, r := range d.recorders {
		results.Merge(&sum, r.Take())
	}
	_ = d.out.Send(Report{Interval: &sum}) // the run may have exited
}

// close ends all sessions.
func (d *driver) close() {
	d.closing.Do(func() {
		if d.replies != nil {
			d.replies.end()
		}
		if d.shortLived != nil {
			d.shortLived.end()
		}
		var closing sync.WaitGroup
		const parallel = 64
		for first := range min(parallel, len(d.clients)) {
			closing.Go(func() {
				for c := first; c < len(d.clients); c += parallel {
					d.clients[c].Close()
				}
			})
		}
		closing.Wait()
		if d.backend != nil {
			d.backend.Close()
		}
		if d.engine != nil {
			d.engine.Close()
		}
	})
}

// complete adds the values that are final after all sessions are closed.
func (d *driver) complete(o *Outcome) {
	o.Total, o.Abandoned = d.traffic.Snapshot(), d.traffic.Abandoned.Load()
	o.Goroutines, o.Broken, o.Cut = d.goroutines, map[string]int64{}, closed(d.stop)
	o.Settings = ownSettings(d.traffic.Options())
	o.Publishes, o.Ack = d.book.Publishes()
	if d.shortLived != nil {
		o.ShortLived = d.shortLived.total()
	}
	if d.replies != nil {
		o.Replies = d.replies.total()
		o.Total.Dials += d.replies.traffic.Dials.Load()
		o.Total.Requests += d.replies.traffic.Requests.Load()
	}
	for _, r := range d.recorders {
		ledger, latency := r.Close()
		results.Merge(&o.Ledger, ledger)
		results.Merge(&o.Latency, latency)
		results.Merge(&o.Age, r.Age())
		for cause, n := range r.Broken() {
			o.Broken[cause] += n
		}
	}
	if !transports.Of(d.transport).Timed {
		o.Latency.Independent = o.Publishes.Planned
	}
	o.Age.Independent = min(o.Publishes.Planned, o.Latency.Independent) // a new age requires a message and a poll that delivers it
}
