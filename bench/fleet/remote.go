package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"pushbench/bench/agent"
	"pushbench/bench/clock"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/results"
	"pushbench/scenarios"
)

// A Remote is an agent on another machine, as its coordinator sees it.
type Remote struct {
	Name   string
	Tool   results.Tool
	Facts  agent.Facts
	Shares bool // another agent of the run is on the same machine, which it monitors

	started int // load generators of the trial

	fleet  *Fleet
	id     string
	heard  atomic.Int64 // clock.Instant of the last sign of life
	step   atomic.Value // string: step in progress according to the last beat
	offset Offset       // at the last window
}

// noResponders is the status of a message that comes back because it had no recipient.
const noResponders = "503"

// mostRepeats is how often a request is sent again while the agent shows signs of life, but performs no step.
const mostRepeats = 10

// call performs a step of the agent and waits for its response, as long as the agent shows signs of life. If the context ends,
// so does the step. NATS loses messages that a server has when it ends: if the agent is not in the step, the request is sent
// again, and the agent repeats its response if it has performed the step.
func (r *Remote) call(ctx context.Context, step string, q request) (*response, error) {
	c := r.fleet.conn
	inbox := c.NewInbox()
	in := make(chan *nats.Msg, mostPieces)
	sub, err := c.ChanSubscribe(inbox, in)
	if err != nil {
		return nil, r.named(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection may be closed
	r.heard.Store(int64(clock.Now()))
	r.step.Store(step) // until a beat says otherwise
	repeats := 0
	send := make(chan struct{}, 1)
	again := func() {
		select {
		case send <- struct{}{}:
		default:
		}
	}
	again()
	check := time.NewTicker(beatEvery)
	defer check.Stop()
	var response assembly
	canceled := ctx.Done()
	for {
		select {
		case <-send:
			if err := r.fleet.send(toSubject(r.fleet.key.Public, r.id+"."+step), inbox, q); err != nil {
				return nil, r.named(err)
			}
		case m := <-in:
			if m.Header.Get("Status") == noResponders { // the agent has lost its connection for a moment, or for good
				time.AfterFunc(helloWait/4, again)
				continue
			}
			r.heard.Store(int64(clock.Now()))
			whole, err := response.add(m)
			switch {
			case err != nil:
				return nil, r.named(err)
			case whole != nil && whole.Failed != "":
				return nil, r.named(errors.New(results.Plain(whole.Failed)))
			case whole != nil:
				whole.Text = results.Plain(whole.Text)
				return whole, r.believe(whole)
			}
		case <-check.C:
			if canceled == nil { // it may have been lost
				_ = r.fleet.send(toSubject(r.fleet.key.Public, r.id+"."+stepCancel), "", request{})
			}
			if silent := clock.Now().Sub(clock.Instant(r.heard.Load())); silent > silence {
				return nil, r.named(fmt.Errorf("no sign of life for %v: its process or machine has stopped, or the network between has", clock.Round(silent)))
			}
			if r.step.Load() != "" {
				continue
			}
			if repeats++; repeats > mostRepeats {
				return nil, r.named(fmt.Errorf("no response to %d requests of the step %s, although it shows signs of life: the NATS servers lose messages", mostRepeats, step))
			}
			again()
		case <-canceled:
			canceled = nil // the step ends with the context's error, and then the response arrives
			if err := r.fleet.send(toSubject(r.fleet.key.Public, r.id+"."+stepCancel), "", request{}); err != nil {
				return nil, context.Cause(ctx)
			}
		}
	}
}

// errImpossible is the error of a response that no agent of this build sends.
var errImpossible = errors.New("impossible data")

// complete checks that each load generator of the trial has a result.
func (r *Remote) complete(n int) error {
	if n != r.started {
		return r.named(fmt.Errorf("%w: results of %d load generators, want %d", errImpossible, n, r.started))
	}
	return nil
}

// believe checks that a response can be true: what follows relies on it, and a run must not keep what it cannot read again.
func (r *Remote) believe(got *response) error {
	err := results.Possible(*got)
	if got.Measured != nil {
		for _, o := range got.Measured.Outcomes {
			if err = cmp.Or(err, possibleOutcome(o)); err != nil {
				break
			}
		}
	}
	for _, i := range got.Intervals {
		err = cmp.Or(err, i.Check())
	}
	if err != nil {
		return r.named(fmt.Errorf("%w: %w", errImpossible, err))
	}
	return nil
}

// possibleOutcome checks that the counts of a load generator are possible and add up.
func possibleOutcome(o *generator.Outcome) error {
	if o == nil {
		return errors.New("a load generator without an outcome")
	}
	if err := results.Possible(*o); err != nil {
		return err
	}
	sums := results.Trial{Publishes: o.Publishes, Ledger: o.Ledger, Latency: o.Latency, Age: o.Age, Replies: o.Replies, ShortLived: o.ShortLived}
	for _, i := range sums.Identities() {
		if !i.Holds() {
			return errors.New(i.String())
		}
	}
	return nil
}

// named names the agent of an error.
func (r *Remote) named(err error) error { return fmt.Errorf("agent %s: %w", r.Name, err) }

// Clock measures the offset of the agent's clock.
func (r *Remote) Clock(ctx context.Context) (Offset, error) {
	return measureOffset(ctx, func(ctx context.Context) (x exchange, err error) {
		x.sent = clock.Now()
		got, err := r.call(ctx, stepClock, request{})
		if err != nil {
			return x, err
		}
		x.returned, x.received, x.answered = clock.Now(), got.Received, got.Sent
		return x, nil
	})
}

// Examine checks whether the agent's machine is suitable for benchmarking.
func (r *Remote) Examine(ctx context.Context) ([]host.Diagnosis, error) {
	got, err := r.call(ctx, "Examine", request{})
	if err != nil {
		return nil, err
	}
	return got.Found, nil
}

// Describe implements agent.Agent.
func (r *Remote) Describe(ctx context.Context) (agent.Facts, error) {
	got, err := r.call(ctx, "Describe", request{})
	if err != nil || got.Facts == nil {
		return r.Facts, r.missing(err)
	}
	return *got.Facts, nil
}

// missing is the error of a step that failed, or whose response lacks its result.
func (r *Remote) missing(err error) error {
	if err == nil {
		err = r.named(errors.New("a response without a result"))
	}
	return err
}

// Begin implements agent.Agent.
func (r *Remote) Begin(ctx context.Context) (condition string, err error) {
	got, err := r.call(ctx, "Begin", request{Shares: r.Shares})
	if err != nil {
		return "", err
	}
	return got.Text, nil
}

// Ceiling implements agent.Agent.
func (r *Remote) Ceiling(ctx context.Context, s *scenarios.Scenario, during time.Duration) (float64, error) {
	got, err := r.call(ctx, "Ceiling", request{Job: encodeJob(agent.Job{Scenario: s}), Duration: during})
	if err == nil && got.Number <= 0 {
		err = r.named(fmt.Errorf("%w: a ceiling of %v", errImpossible, got.Number))
	}
	if err != nil {
		return 0, err
	}
	return got.Number, nil
}

// IdleStalls implements agent.Agent.
func (r *Remote) IdleStalls(ctx context.Context) (string, error) {
	got, err := r.call(ctx, "IdleStalls", request{})
	if err != nil {
		return "", err
	}
	return got.Text, nil
}

// IdleMemory implements agent.Agent.
func (r *Remote) IdleMemory(ctx context.Context, j agent.Job, clients agent.IdleClients) (results.IdleMemory, error) {
	got, err := r.call(ctx, "IdleMemory", request{Job: encodeJob(j), Clients: clients})
	if err != nil || got.IdleProbe == nil {
		return results.IdleMemory{}, r.missing(err)
	}
	return *got.IdleProbe, nil
}

// Finish implements agent.Agent.
func (r *Remote) Finish() error {
	_, err := r.call(context.Background(), "Finish", request{})
	return err
}

// StartServers implements agent.Agent.
func (r *Remote) StartServers(ctx context.Context, j agent.Job) (agent.Started, error) {
	got, err := r.call(ctx, "StartServers", request{Job: encodeJob(j)})
	if err != nil || got.Started == nil {
		return agent.Started{}, r.missing(err)
	}
	if n := len(got.Started.Servers); n != j.Scenario.Servers {
		return agent.Started{}, r.named(fmt.Errorf("%w: %d servers, want %d", errImpossible, n, j.Scenario.Servers))
	}
	return *got.Started, nil
}

// StartGenerators implements agent.Agent.
func (r *Remote) StartGenerators(ctx context.Context, j agent.Job, all []generator.Prepare) (int64, error) {
	r.started = len(all)
	got, err := r.call(ctx, "StartGenerators", request{Job: encodeJob(j), Prepare: all})
	if err != nil {
		return 0, err
	}
	return got.Memory, nil
}

// Lap implements agent.Agent.
func (r *Remote) Lap(ctx context.Context) (agent.Used, error) {
	got, err := r.call(ctx, "Lap", request{})
	if err != nil || got.Used == nil {
		return agent.Used{}, r.missing(err)
	}
	return *got.Used, nil
}

// Connect implements agent.Agent.
func (r *Remote) Connect(ctx context.Context, within time.Duration) ([]results.Connect, error) {
	got, err := r.call(ctx, "Connect", request{Duration: within})
	if err != nil {
		return nil, err
	}
	return got.Connected, r.complete(len(got.Connected))
}

// Idle implements agent.Agent.
func (r *Remote) Idle(ctx context.Context, during time.Duration) (agent.Idle, error) {
	got, err := r.call(ctx, "Idle", request{Duration: during})
	if err != nil || got.Idle == nil {
		return agent.Idle{}, r.missing(err)
	}
	r.offset, err = r.Clock(ctx) // for the window, which is next
	return *got.Idle, err
}

// Measure implements agent.Agent. Intervals arrive after the end: within a window, nothing but signs of life crosses the
// network.
func (r *Remote) Measure(ctx context.Context, w agent.Window, each func(results.Interval) error) (*agent.Measured, error) {
	got, err := r.call(ctx, "Measure", request{Window: agent.Window{Start: r.offset.to(w.Start), Opens: r.offset.to(w.Opens), Closes: r.offset.to(w.Closes)}})
	if err != nil || got.Measured == nil {
		return nil, r.missing(err)
	}
	if err := r.complete(len(got.Measured.Outcomes)); err != nil {
		return nil, err
	}
	got.Measured.Control = &agent.Control{Name: r.Name, Offset: r.offset.Value, Bound: r.offset.Bound, Bytes: got.Bytes}
	for i := range got.Measured.Stalls {
		s := &got.Measured.Stalls[i]
		s.Ended = r.offset.from(s.Ended)
	}
	for _, i := range got.Intervals {
		if err := each(i); err != nil {
			return nil, err
		}
	}
	return got.Measured, nil
}

// Stop implements agent.Agent.
func (r *Remote) Stop() {
	_ = r.fleet.send(toSubject(r.fleet.key.Public, r.id+"."+stepStop), "", request{}) // Measure reports a lost connection
}

// Audit implements agent.Agent.
func (r *Remote) Audit(ctx context.Context, dials []int64) (agent.Audit, error) {
	got, err := r.call(ctx, "Audit", request{Dials: dials})
	if err != nil || got.Audit == nil {
		return agent.Audit{}, r.missing(err)
	}
	return *got.Audit, nil
}

// EndTrial implements agent.Agent.
func (r *Remote) EndTrial(grace time.Duration) (agent.Ended, error) {
	got, err := r.call(context.Background(), "EndTrial", request{Duration: grace})
	if err != nil || got.Ended == nil {
		return agent.Ended{}, r.missing(err)
	}
	return *got.Ended, nil
}
