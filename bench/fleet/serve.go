package fleet

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"pushbench/bench/agent"
	"pushbench/bench/clock"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/results"
)

// An Agent takes part in one run.
type Agent struct {
	Join    Join
	Name    string
	Tool    results.Tool
	Steps   agent.Agent                                     // what it does on this machine
	Examine func(context.Context) ([]host.Diagnosis, error) // see host.Examination
	Lock    func() (unlock func(), err error)               // takes the lock of the machine
	Say     func(string)                                    // callback for what happens; must not block
	Within  time.Duration                                   // how long to wait for the run to begin
	Hosts   []string                                        // whose servers it may load, in addition to its own

	id        string
	conn      *nats.Conn
	step      atomic.Value // string: name of the current step
	delivered atomic.Int64
	heard     atomic.Int64 // clock.Instant of the coordinator's last sign of life
	cancel    atomic.Pointer[context.CancelCauseFunc]
	work      chan *nats.Msg
	last      atomic.Pointer[answer] // to the last step that was begun
	left      chan struct{}
	leave     sync.Once // closes left
	foreign   sync.Once // says that a message was ignored
	unlock    func()    // gives the lock of the machine back; nil: it is not taken
	progress  progress
	files     int64    // file limit of the machine; 0: unknown
	servers   []string // addresses of the servers of the trial
	link      int      // descriptor of their network namespace; 0: none
}

// An answer is what an agent responds to a step. The request comes again if the response was lost.
type answer struct {
	to       string
	response *response // nil: the step is in progress
}

// Errors that end an agent.
var (
	errCanceled = errors.New("the run was interrupted")
	ErrRefused  = errors.New("the run does not take this agent")
	ErrAlone    = errors.New("no sign of life from the coordinator")
)

// Serve joins the run and performs its steps until it ends. If the coordinator shows no sign of life, Serve ends what runs
// here and returns ErrAlone.
func (a *Agent) Serve(ctx context.Context) error {
	a.id, a.work, a.left = rand.Text(), make(chan *nats.Msg, 1), make(chan struct{})
	a.step.Store("")
	ctx, refuse := context.WithCancelCause(ctx)
	defer refuse(nil)
	complain := a.Join.complain(a.Say)
	hopeless := func(_ *nats.Conn, err error) { // no further attempt can succeed
		if err != nil {
			complain(err)
		}
		if errors.Is(err, errCertificate) {
			refuse(fmt.Errorf("the NATS server %s is not that of the run: %w", a.Join.Servers(), err))
		}
	}
	c, err := a.Join.connect(a.Name, a.Say, nats.ReconnectErrHandler(hopeless), nats.ReconnectHandler(func(*nats.Conn) { a.Say("connected again to the NATS server") }),
		nats.DisconnectErrHandler(func(c *nats.Conn, _ error) {
			time.AfterFunc(helloWait, func() { // at the end of a run, its broker ends as well
				if !a.ended() && c.IsReconnecting() {
					a.Say("the NATS server does not respond")
				}
			})
		}))
	if err != nil {
		return err
	}
	defer c.Close()
	a.conn = c
	orders, err := newVerifier(a.Join.Run)
	if err != nil {
		return err
	}
	signs, err := newVerifier(a.Join.Run)
	if err != nil {
		return err
	}
	if _, err := c.Subscribe(toSubject(a.Join.Run, a.id+".*"), func(m *nats.Msg) { a.receive(orders, m) }); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if _, err := c.Subscribe(coordinatorSubject(a.Join.Run), func(m *nats.Msg) {
		if signs.verify(m) == nil {
			a.heard.Store(int64(clock.Now()))
		}
	}); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if err := a.join(ctx); err != nil {
		return err
	}
	a.heard.Store(int64(clock.Now()))
	return a.perform(ctx)
}

// join greets until the run admits the agent.
func (a *Agent) join(ctx context.Context) error {
	facts, err := a.Steps.Describe(ctx)
	if err != nil {
		return err
	}
	a.files = facts.Host.FileLimit
	greeting, err := json.Marshal(hello{Agent: a.id, Name: a.Name, Tool: a.Tool, Facts: facts})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.Within, fmt.Errorf("no run has begun within %v at the NATS server %s", a.Within, a.Join.Servers()))
	defer cancel()
	for {
		asked, done := context.WithTimeout(ctx, helloWait)
		m, err := a.conn.RequestWithContext(asked, helloSubject(a.Join.Run), greeting)
		done()
		var w welcome
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case a.ended():
			return nil
		case a.conn.IsClosed():
			return a.Join.closed(a.conn)
		case err != nil || json.Unmarshal(m.Data, &w) != nil: // not yet there, or the connection is lost
			if err := sleep(ctx, helloWait/4); err != nil {
				return err
			}
		case w.Refused != "":
			return fmt.Errorf("%w: %s", ErrRefused, results.Plain(w.Refused))
		case w.Admitted:
			return nil
		}
	}
}

// ended reports whether the run has ended.
func (a *Agent) ended() bool {
	select {
	case <-a.left:
		return true
	default:
		return false
	}
}

// receive takes a message of the coordinator. Steps wait for the one before; the rest is done at once.
func (a *Agent) receive(v *verifier, m *nats.Msg) {
	received := clock.Now()
	if v.verify(m) != nil {
		a.foreign.Do(func() { a.Say("a message was ignored that the run's coordinator did not send, or sent before") })
		return
	}
	a.heard.Store(int64(received))
	switch step(m.Subject) {
	case stepClock:
		_ = respond(a.conn, m.Reply, response{Received: received, Sent: clock.Now()}) // the coordinator asks again
	case stepStop:
		a.Steps.Stop()
	case stepCancel:
		if cancel := a.cancel.Load(); cancel != nil {
			(*cancel)(errCanceled)
		}
	case stepLeave:
		a.leave.Do(func() { close(a.left) })
	default:
		if last := a.last.Load(); last != nil && last.to == m.Reply {
			if last.response != nil {
				_ = respond(a.conn, m.Reply, *last.response) // the coordinator asks again
			}
			return
		}
		select {
		case a.work <- m:
		default:
			_ = respond(a.conn, m.Reply, response{Failed: "the agent is busy with another step"})
		}
	}
}

// perform performs steps until the run ends.
func (a *Agent) perform(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go a.watch(ctx, cancel)
	defer func() {
		_, ended := a.Steps.EndTrial(0)
		err = errors.Join(err, ended, a.finish())
	}()
	for {
		select {
		case m := <-a.work:
			if last := a.last.Load(); last != nil && last.to == m.Reply {
				continue // received twice before it began
			}
			a.last.Store(&answer{to: m.Reply})
			one, done := context.WithCancelCause(ctx)
			a.cancel.Store(&done)
			a.step.Store(step(m.Subject))
			r, err := a.do(one, step(m.Subject), m.Data)
			if err != nil {
				r = response{Failed: err.Error()}
			}
			a.last.Store(&answer{m.Reply, &r})
			done(nil)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := respond(a.conn, m.Reply, r); err != nil {
				a.Say(err.Error())
			}
			a.step.Store("") // a beat that says so arrives after the response
		case <-a.left:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// watch sends signs of life, and ends the work when the coordinator sends none.
func (a *Agent) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		encoded, err := json.Marshal(beat{Step: a.step.Load().(string), Delivered: a.delivered.Load()}) //nolint:forcetypeassert // only strings are stored
		if err == nil {
			_ = a.conn.Publish(fromSubject(a.Join.Run, a.id), encoded) // sent again in a second
		}
		if silent := clock.Now().Sub(clock.Instant(a.heard.Load())); silent > silence {
			cancel(fmt.Errorf("%w for %v: everything here was ended", ErrAlone, clock.Round(silent)))
			return
		}
	}
}

// begin begins a run. Of several agents on one machine, one takes its lock and monitors its cores for all of them.
func (a *Agent) begin(ctx context.Context, shares bool) (condition string, err error) {
	if shares {
		return "", nil
	}
	if a.unlock, err = a.Lock(); err != nil {
		return "", err
	}
	return a.Steps.Begin(ctx)
}

// finish ends what begin began, if it did.
func (a *Agent) finish() error {
	if a.unlock != nil {
		a.unlock()
		a.unlock = nil
	}
	return a.Steps.Finish()
}

// do performs one step.
func (a *Agent) do(ctx context.Context, name string, data []byte) (r response, err error) {
	var q request
	if err := decode(data, &q); err != nil {
		return r, fmt.Errorf("read a request: %w", err)
	}
	j, err := a.check(name, q)
	if err != nil {
		return r, err
	}
	defer func() { a.progress.note(name, err) }()
	switch name {
	case "Describe":
		var f agent.Facts
		f, err = a.Steps.Describe(ctx)
		r.Facts = &f
	case "Examine":
		r.Found, err = a.Examine(ctx)
	case "Begin":
		r.Text, err = a.begin(ctx, q.Shares)
	case "Finish":
		err = a.finish()
	case "Ceiling":
		r.Number, err = a.Steps.Ceiling(ctx, j.Scenario, q.Duration)
	case "IdleStalls":
		r.Text, err = a.Steps.IdleStalls(ctx)
	case "IdleMemory":
		var m results.IdleMemory
		m, err = a.Steps.IdleMemory(ctx, j, q.Clients)
		r.IdleProbe = &m
	case "StartServers":
		var s agent.Started
		s, err = a.Steps.StartServers(ctx, j)
		a.link = s.Link
		for _, one := range s.Servers {
			a.servers = append(a.servers, one.Address)
		}
		r.Started = &s
	case "StartGenerators":
		r.Memory, err = a.Steps.StartGenerators(ctx, j, q.Prepare)
	case "Lap":
		var u agent.Used
		u, err = a.Steps.Lap(ctx)
		r.Used = &u
	case "Connect":
		r.Connected, err = a.Steps.Connect(ctx, q.Duration)
	case "Idle":
		var i agent.Idle
		i, err = a.Steps.Idle(ctx, q.Duration)
		r.Idle = &i
	case "Measure":
		before := a.conn.Stats()
		r.Measured, err = a.Steps.Measure(ctx, q.Window, func(i results.Interval) error {
			a.delivered.Add(i.Delivered)
			r.Intervals = append(r.Intervals, i)
			return nil
		})
		after := a.conn.Stats()
		r.Bytes = int64(after.InBytes + after.OutBytes - before.InBytes - before.OutBytes)
	case "Audit":
		var x agent.Audit
		x, err = a.Steps.Audit(ctx, q.Dials)
		r.Audit = &x
	case "EndTrial":
		var e agent.Ended
		a.servers, a.link = nil, 0
		e, err = a.Steps.EndTrial(q.Duration)
		r.Ended = &e
	default:
		err = fmt.Errorf("unknown step %.40q: the coordinator is another version of pushbench", name)
	}
	return r, err
}

// allowed refuses load on anything but the servers that the agent has started in the trial, and those on hosts that it may
// load.
func (a *Agent) allowed(all []generator.Prepare) error {
	for _, p := range all {
		host, _, err := net.SplitHostPort(p.Target)
		if err != nil || p.Protocol != "" || p.BackendNamespace != 0 && p.BackendNamespace != a.link || !slices.Contains(a.servers, p.Target) && !slices.Contains(a.Hosts, host) {
			return fmt.Errorf("load on %q is not allowed by this agent; allowed: the servers that it starts itself, and hosts that --allow-host names", p.Target)
		}
	}
	return nil
}
