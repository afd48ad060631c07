// Package generator is the load generator: it turns a scenario into sessions of simulated
// clients, publishes its schedule on time, and counts what they receive.
//
// It owns Drive, the control messages that it obeys, the pacing and its own ceiling. It must
// not know the trial, which starts it as a process of its own.
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
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Drive is a generator: it does what the orders on in say and tells on out what
// came of it. It returns when in ends, whatever is under way by then.
func Drive(in io.Reader, out io.Writer) error {
	d := &driver{out: child.NewLineWriter(out)}
	ctx, cancel := context.WithCancel(context.Background())
	defer d.close()
	defer d.working.Wait()
	defer d.halt()
	defer cancel()
	return child.ReadLines(in, func(o Order) error {
		if err := d.obey(ctx, o); err != nil {
			_ = d.out.Send(Message{Failed: err.Error()}) // the run may be gone: then there is no reader
			return err
		}
		return nil
	})
}

// A driver is one trial's generator.
type driver struct {
	out     *child.LineWriter
	working sync.WaitGroup

	scenario  *scenarios.Scenario
	transport scenarios.Transport
	own       []int // our replica's clients
	plan      *schedule.Schedule
	book      *record.Book
	books     []*record.Book // book, and that of the answers
	traffic   client.Traffic
	recorders []*record.Recorder
	awaited   []*record.Recorder // recorders, and that of the answers
	sinks     []sink             // of the workers: their recorders, or what stands before them
	engine    client.Engine
	clients   []client.Session
	backend   client.Session
	answers   *answers  // nil: clients send no answers
	visitors  *visitors // nil: there are none
	pacing    *pacing
	pacers    []*pacer
	phases    []float64 // per client of all replicas

	goroutines int64
	closing    sync.Once
	connecting chan struct{} // closed when all clients are connected; nil before Connect
	started    bool
	stop       chan struct{} // closed by Stop
	paced      chan struct{} // closed when all is published
}

func (d *driver) obey(ctx context.Context, o Order) error {
	if said := o.fields(); said != 1 {
		return fmt.Errorf("control message says %d things, not one", said)
	}
	if err := d.inOrder(o); err != nil {
		return fmt.Errorf("control message out of order: %w", err)
	}
	switch {
	case o.Gauge != nil:
		gauged, err := o.Gauge.gauge()
		if err != nil {
			return err
		}
		return d.out.Send(Message{Gauged: &gauged})
	case o.Prepare != nil:
		return d.prepare(o.Prepare)
	case o.Connect != nil:
		d.connecting = make(chan struct{})
		d.working.Go(func() { d.connect(ctx) })
	case o.Start != nil:
		d.started = true
		for _, b := range d.books {
			b.Begin(o.Start.At) // here, so that no Stop can overtake it
		}
		d.pacing.start = o.Start.At
		d.working.Go(func() { d.measure(ctx, o.Start.At) })
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

// inOrder says what an order has come before, if it has.
func (d *driver) inOrder(o Order) error {
	switch {
	case o.Gauge != nil && d.plan == nil:
		return nil
	case o.Gauge != nil:
		return errors.New("a ceiling is found before anything else")
	case o.Prepare == nil && d.plan == nil:
		return errors.New("prepare comes first")
	case o.Prepare != nil && d.plan != nil, o.Connect != nil && d.connecting != nil, o.Start != nil && d.started:
		return errors.New("it came before")
	case o.Start != nil && !closed(d.connecting): // nil before Connect: never
		return errors.New("start comes after the clients are connected")
	case o.Stop != nil && !d.started:
		return errors.New("stop comes after start")
	default:
		return nil
	}
}

// closed reports whether a channel is; none is not.
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
	config, err := d.config(p)
	if err != nil {
		return err
	}
	if d.engine, err = engines.New(p.Engine, config); err != nil {
		return err
	}
	d.equip(schedule.New(s, p.Repetition), p)
	if s.Replies.Size > 0 {
		d.answers = newAnswers(d, config, p.Run)
		d.books, d.awaited = append(d.books, d.answers.book), append(d.awaited, d.answers.recorder)
	}
	if s.ShortLived.Rate > 0 {
		d.visitors = newVisitors(d, p.Repetition)
	}
	return d.out.Send(Message{Prepared: &Prepared{}})
}

// equip gives the driver its plan, and everything that a plan needs but clients.
func (d *driver) equip(plan *schedule.Schedule, p *Prepare) {
	d.plan = plan
	d.stop, d.paced = make(chan struct{}), make(chan struct{})
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
	d.pacing = &pacing{plan: d.plan, run: p.Run, session: d.session, cut: d.cut, done: func() { close(d.paced) }}
	d.pacers = d.pacing.pacers(len(d.recorders), d.worker)
}

// cut ends the plan before a message, and its answer.
func (d *driver) cut(index int) {
	for _, b := range d.books {
		b.Cut(index)
	}
}

// phases are where in its poll interval each client begins: the same, however many
// servers share the clients.
func phases(s *scenarios.Scenario, block int) []float64 {
	random := rand.New(rand.NewPCG(s.Seed, uint64(block)|1<<32)) // apart from the schedule's
	all := make([]float64, s.Sessions())
	for c := range all {
		all[c] = random.Float64()
	}
	return all
}

// place is where one of our clients stands in own.
func (d *driver) place(client int) int { return client / d.scenario.Servers }

// backed says whether a publisher stands beside the server.
func backed(s *scenarios.Scenario) bool { return s.Publish.By == scenarios.ByBackend }

// workers is how many threads serve sessions: one for each core, and the last for a
// backend alone, whose posts are not to wait for a thousand answers that come at once.
func workers(s *scenarios.Scenario) int {
	if backed(s) {
		return runtime.NumCPU() + 1
	}
	return runtime.NumCPU()
}

// worker is who serves a publisher.
func (d *driver) worker(publisher int32) int {
	if publisher == schedule.Backend {
		return runtime.NumCPU()
	}
	return d.place(int(publisher)) % runtime.NumCPU()
}

func (d *driver) session(publisher int32) client.Session {
	if publisher == schedule.Backend {
		return d.backend
	}
	return d.clients[d.place(int(publisher))]
}

// ConnectGrace is how long after the last dial a client may take to be ready
// before it counts as failed.
const ConnectGrace = 10 * time.Second

// connect opens our clients, which take their turns at the scenario's rate among those
// of all replicas, and tells when all are ready.
func (d *driver) connect(ctx context.Context) {
	publishes := d.plan.Publishers()
	begun := clock.Now()
	d.openBackend()
	if d.answers != nil {
		d.answers.open()
	}
	gap := float64(time.Second) / float64(d.scenario.Clients.ConnectRate)
	for _, c := range d.own {
		if !clock.Wait(ctx, begun.Add(time.Duration(float64(c)*gap))) {
			return
		}
		d.open(c, publishes[c] || d.answers != nil)
	}
	if !d.awaitReady(ctx, clock.Now().Add(ConnectGrace)) {
		return
	}
	if d.answers != nil && d.answers.recorder.Ready() == 0 { // else every answer would seem to be lost
		_ = d.out.Send(Message{Failed: "the backend that is to hear the answers could not register a webhook"}) // as below
		return
	}
	d.goroutines = int64(runtime.NumGoroutine())
	connected := d.connections(begun)
	close(d.connecting)                            // before it is told: Start may be the answer
	_ = d.out.Send(Message{Connected: &connected}) // a run that is gone ends us through our input
}

func (d *driver) open(c int, publishes bool) {
	d.clients = append(d.clients, d.engine.Open(d.subscription(c, publishes), d.sinks[d.worker(int32(c))]))
}

// openBackend opens the publisher that stands beside the server, if there is one.
func (d *driver) openBackend() {
	if !backed(d.scenario) {
		return
	}
	d.backend = d.engine.Open(client.Subscription{Client: schedule.Backend, Publishes: true, Worker: d.worker(schedule.Backend)}, d.sinks[d.worker(schedule.Backend)])
}

func (d *driver) subscription(c int, publishes bool) client.Subscription {
	sub := client.Subscription{
		Client:    c,
		Worker:    d.worker(int32(c)),
		Delivery:  string(d.scenario.Delivery),
		Publishes: publishes,
		Phase:     d.phases[c],
		Reports:   c >= d.scenario.Clients.Count,
	}
	for _, topic := range d.plan.Subscribed[c] {
		sub.Topics = append(sub.Topics, d.plan.Topics[topic])
	}
	return sub
}

// readyPoll is how often a state that no event announces is looked at.
const readyPoll = 10 * time.Millisecond

func (d *driver) awaitReady(ctx context.Context, deadline clock.Instant) bool {
	all := len(d.own)
	if d.backend != nil {
		all++
	}
	if d.answers != nil {
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

// connections sums up what connecting took.
func (d *driver) connections(begun clock.Instant) results.Connect {
	sum := results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}}
	last := begun
	for _, r := range d.recorders {
		c, ready := r.Connect()
		last = max(last, ready)
		MergeConnect(&sum, c)
	}
	sum.Took = last.Sub(begun)
	sum.Dials = d.traffic.Snapshot().Dials
	sum.PublishOnly = int64(d.scenario.PublishOnly()) // of whom one server has all, see the agreements of scenarios
	subscribers := int64(len(d.own)) - sum.PublishOnly
	sum.Failed, sum.Clients = subscribers-sum.Clients, subscribers
	return sum
}

// measure publishes the schedule, tells every second what came, and in the end all of it.
func (d *driver) measure(ctx context.Context, start clock.Instant) {
	for w, p := range d.pacers {
		d.engine.Pace(w, p)
	}
	spanned := make(chan Outcome, 1)
	d.working.Go(func() { spanned <- d.span(ctx, start) })
	if d.visitors != nil {
		d.working.Go(func() { d.visitors.come(ctx, start) })
	}
	counted, ended := make(chan validity.Flight, 1), make(chan struct{})
	counter := &flightCounter{plan: d.plan, book: d.book, recorders: d.recorders, owed: d.owed()}
	d.working.Go(func() { counted <- counter.count(start, ended) })
	d.report(ctx, start)
	if ctx.Err() != nil {
		close(ended)
		return
	}
	d.halt()
	<-d.paced
	outcome := <-spanned
	d.close()
	close(ended) // not before: what is still delivered enters the latencies
	outcome.Flight = <-counted
	d.complete(&outcome)
	_ = d.out.Send(Message{Done: &outcome}) // as above
}

// owed is how many of our clients a message of each topic is for.
func (d *driver) owed() []int {
	owed := make([]int, len(d.plan.Topics))
	for _, c := range d.own {
		for _, topic := range d.plan.Subscribed[c] {
			owed[topic]++
		}
	}
	return owed
}

// span counts what comes from when the window opens to when it closes.
func (d *driver) span(ctx context.Context, start clock.Instant) Outcome {
	d.until(ctx, start.Add(d.plan.Opens))
	from, before, earlier := clock.Now(), d.delivered(), d.wire()
	d.until(ctx, start.Add(d.plan.Closes))
	return Outcome{Span: clock.Now().Sub(from), Delivered: d.delivered() - before, Wire: results.Minus(d.wire(), earlier)}
}

// until waits for an instant, a stop or the end.
func (d *driver) until(ctx context.Context, at clock.Instant) {
	timer := time.NewTimer(at.Sub(clock.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.stop:
	case <-ctx.Done():
	}
}

// delivered is how many messages were received so far.
func (d *driver) delivered() (n int64) {
	for _, s := range d.sinks {
		n += s.Delivered()
	}
	return n
}

// wire is what was counted so far, the segments of the kernel's TCP included.
func (d *driver) wire() results.Wire {
	w, tcp := d.traffic.Snapshot(), d.traffic.TCP()
	w.Up.Segments, w.Down.Segments = tcp.Up.Segments, tcp.Down.Segments
	return w
}

// report tells every second what came, until nothing more can be hoped for.
func (d *driver) report(ctx context.Context, start clock.Instant) {
	const second = time.Second
	from := start
	for next := start.Add(second); ; {
		ended := d.tick(ctx, start, next)
		if ctx.Err() != nil {
			return
		}
		now := min(clock.Now(), next)
		d.tell(from.Sub(start)-d.plan.Opens, max(0, now.Sub(from))) // a stop can come before the start
		if ended {
			return
		}
		from, next = next, next.Add(second)
	}
}

// tick waits until next, and says whether the trial ended before.
func (d *driver) tick(ctx context.Context, start, next clock.Instant) (ended bool) {
	for clock.Now() < next {
		if !clock.Wait(ctx, min(next, clock.Now().Add(2*readyPoll))) || d.drained(start) {
			return true
		}
	}
	return false
}

// drained says whether the window is over and all came, or the drain's time is up.
func (d *driver) drained(start clock.Instant) bool {
	ends := d.pacing.ends()
	now := clock.Now()
	switch {
	case now >= ends.Add(time.Duration(d.scenario.Drain)):
		return true
	case now < ends, !closed(d.paced): // until then what is expected is not known
		return false
	}
	for _, r := range d.awaited {
		if !r.Settled() {
			return false
		}
	}
	return d.visitors == nil || d.visitors.heard()
}

func (d *driver) tell(since, length time.Duration) {
	sum := results.Interval{Transport: string(d.transport), Start: since, Length: length}
	for _, r := range d.recorders {
		results.Merge(&sum, r.Take())
	}
	_ = d.out.Send(Message{Interval: &sum}) // as above
}

// close ends all sessions.
func (d *driver) close() {
	d.closing.Do(func() {
		if d.answers != nil {
			d.answers.end()
		}
		if d.visitors != nil {
			d.visitors.end()
		}
		var closing sync.WaitGroup
		const atOnce = 64
		for first := range min(atOnce, len(d.clients)) {
			closing.Go(func() {
				for c := first; c < len(d.clients); c += atOnce {
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

// complete adds to what the window's span brought all that is known once every session is closed.
func (d *driver) complete(o *Outcome) {
	o.Total, o.Abandoned = d.traffic.Snapshot(), d.traffic.Abandoned.Load()
	o.Goroutines, o.Broken, o.Cut = d.goroutines, map[string]int64{}, closed(d.stop)
	o.Settings = ownSettings(d.traffic.Options())
	o.Publishes, o.Ack = d.book.Publishes()
	if d.visitors != nil {
		o.Visits = d.visitors.total()
	}
	if d.answers != nil {
		o.Replies = d.answers.account()
		o.Total.Dials += d.answers.traffic.Dials.Load()
		o.Total.Requests += d.answers.traffic.Requests.Load()
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
	o.Age.Independent = min(o.Publishes.Planned, o.Latency.Independent) // a client's age takes both: a message, and a poll to bring it
}
