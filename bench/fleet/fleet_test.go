package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/clock"
	"pushbench/bench/generator"
	"pushbench/bench/generator/generatortest"
	"pushbench/results"
	"pushbench/scenarios"
)

// stubSteps is an agent without processes.
type stubSteps struct {
	agent.Agent
	facts    agent.Facts
	measure  func(ctx context.Context, stopped <-chan struct{}, each func(results.Interval) error) (*agent.Measured, error)
	window   agent.Window
	stopped  chan struct{}
	mu       sync.Mutex
	ended    bool
	finished bool
}

func (s *stubSteps) Describe(context.Context) (agent.Facts, error) { return s.facts, nil }
func (s *stubSteps) Begin(context.Context) (string, error)         { return "condition", nil }
func (s *stubSteps) Idle(context.Context, time.Duration) (agent.Idle, error) {
	return agent.Idle{Goroutines: 7}, nil
}

func (s *stubSteps) StartServers(_ context.Context, j agent.Job) (agent.Started, error) {
	return agent.Started{Servers: []agent.ServerInfo{{Address: "127.0.0.1:80", Settings: j.Scenario.Name}}}, nil
}

func (s *stubSteps) StartGenerators(context.Context, agent.Job, []generator.Prepare) (int64, error) {
	return 9, nil
}

func (s *stubSteps) Connect(context.Context, time.Duration) ([]results.Connect, error) {
	return []results.Connect{{Clients: 1}}, nil
}

func (s *stubSteps) Audit(context.Context, []int64) (agent.Audit, error) { return agent.Audit{}, nil }

func (s *stubSteps) Measure(ctx context.Context, w agent.Window, each func(results.Interval) error) (*agent.Measured, error) {
	s.window = w
	return s.measure(ctx, s.stopped, each)
}
func (s *stubSteps) Stop() { close(s.stopped) }

func (s *stubSteps) EndTrial(time.Duration) (agent.Ended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return agent.Ended{}, nil
}

func (s *stubSteps) Finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finished = true
	return nil
}

// A joined agent and what it said.
type joined struct {
	steps *stubSteps
	said  chan string
	done  chan error
}

// startAgent starts an agent in this process.
func startAgent(t *testing.T, ctx context.Context, j Join, name string) *joined {
	t.Helper()
	one := &joined{steps: &stubSteps{stopped: make(chan struct{}), facts: agent.Facts{Host: results.Host{FileLimit: 1000}}}, said: make(chan string, 100), done: make(chan error, 1)}
	a := &Agent{Join: j, Name: name, Steps: one.steps, Say: func(what string) { one.said <- what }, Lock: func() (func(), error) { return func() {}, nil }, Within: time.Minute}
	go func() { one.done <- a.Serve(ctx) }()
	return one
}

func newRun(t *testing.T) (*Key, *Broker) {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := StartBroker(key, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.End() })
	return key, b
}

func testJob(t *testing.T) agent.Job {
	t.Helper()
	s, err := scenarios.Read("test", strings.NewReader(fmt.Sprintf(generatortest.PollScenario, "clients")))
	if err != nil {
		t.Fatal(err)
	}
	return agent.Job{Scenario: s, Measured: s.Configurations()[0]}
}

// prepared is the command for the load generator of the test's job.
func prepared(t *testing.T, target string) []generator.Prepare {
	return []generator.Prepare{testJob(t).Prepare(agent.ServerInfo{Address: target})}
}

// toMeasure performs the steps before Measure.
func toMeasure(t *testing.T, r *Remote) {
	t.Helper()
	_, err := r.Begin(t.Context())
	if err == nil {
		_, err = r.StartServers(t.Context(), testJob(t))
	}
	if err == nil {
		_, err = r.StartGenerators(t.Context(), testJob(t), prepared(t, "127.0.0.1:80"))
	}
	if err == nil {
		_, err = r.Connect(t.Context(), time.Second)
	}
	if err == nil {
		_, err = r.Idle(t.Context(), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func inAnHour() agent.Window {
	at := clock.Now().Add(time.Hour)
	return agent.Window{Start: at, Opens: at, Closes: at}
}

// gathered gathers agents that have been started.
func gathered(t *testing.T, key *Key, b *Broker, n int) *Fleet {
	t.Helper()
	f, err := b.Gather(t.Context(), key, Options{Agents: n, Within: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A run's steps reach the agent, with their input, and their results come back, in pieces if they are large.
func TestStepsOfARemoteAgent(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	one := startAgent(t, t.Context(), b.Join(), "box")
	f := gathered(t, key, b, 1)
	r := f.Agents[0]
	if condition, err := r.Begin(t.Context()); err != nil || condition != "condition" {
		t.Errorf("begin: %q, %v", condition, err)
	}
	started, err := r.StartServers(t.Context(), testJob(t))
	if err != nil || len(started.Servers) != 1 || started.Servers[0].Settings != "test" {
		t.Fatalf("servers: %+v, %v", started, err)
	}
	const elsewhere = `agent box: load on "192.0.2.1:80" is not allowed by this agent; allowed: the servers that it starts itself, and hosts that --allow-host names`
	if _, err := r.StartGenerators(t.Context(), testJob(t), prepared(t, "192.0.2.1:80")); err == nil || err.Error() != elsewhere {
		t.Errorf("generators: %v, want %s", err, elsewhere)
	}
	if memory, err := r.StartGenerators(t.Context(), testJob(t), prepared(t, "127.0.0.1:80")); err != nil || memory != 9 {
		t.Errorf("generators: %d, %v", memory, err)
	}
	if connected, err := r.Connect(t.Context(), time.Second); err != nil || len(connected) != 1 {
		t.Errorf("connected: %+v, %v", connected, err)
	}
	if idle, err := r.Idle(t.Context(), 0); err != nil || idle.Goroutines != 7 {
		t.Errorf("idle: %+v, %v", idle, err)
	}
	if r.offset.Bound <= 0 || r.offset.Value.Abs() > r.offset.Bound {
		t.Errorf("offset %+v of one clock, want 0 within the bound", r.offset)
	}
	large := strings.Repeat("x", 3*pieceSize)
	one.steps.measure = func(_ context.Context, _ <-chan struct{}, each func(results.Interval) error) (*agent.Measured, error) {
		return &agent.Measured{Outcomes: []*generator.Outcome{{Settings: map[string]string{"large": large}}}}, errors.Join(each(results.Interval{Delivered: 3}), each(results.Interval{Delivered: 4}))
	}
	if _, err := r.Measure(t.Context(), agent.Window{Start: clock.Now().Add(-time.Second), Opens: clock.Now(), Closes: clock.Now()}, nil); err == nil || !strings.Contains(err.Error(), "too late") {
		t.Errorf("a start in the past: %v", err)
	}
	start := clock.Now().Add(time.Hour)
	var delivered []int64
	m, err := r.Measure(t.Context(), agent.Window{Start: start, Opens: start.Add(1), Closes: start.Add(2)}, func(i results.Interval) error {
		delivered = append(delivered, i.Delivered)
		return nil
	})
	if err != nil || m.Outcomes[0].Settings["large"] != large || !slices.Equal(delivered, []int64{3, 4}) {
		t.Errorf("measured %v intervals, %v", delivered, err)
	}
	if off := one.steps.window.Start.Sub(start); off.Abs() > r.offset.Bound {
		t.Errorf("the start is %v off", off)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := <-one.done; err != nil || !one.steps.ended || !one.steps.finished {
		t.Errorf("the agent ended with %v, trial ended %v, run finished %v", err, one.steps.ended, one.steps.finished)
	}
}

// Ctrl-C reaches a step in progress: once, it drains, twice, it ends.
func TestStepInProgressIsStoppedAndCanceled(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	one := startAgent(t, t.Context(), b.Join(), "box")
	f := gathered(t, key, b, 1)
	r, stopped := f.Agents[0], make(chan struct{})
	toMeasure(t, r)
	one.steps.measure = func(ctx context.Context, stop <-chan struct{}, _ func(results.Interval) error) (*agent.Measured, error) {
		<-stop
		close(stopped)
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error)
	go func() {
		_, err := r.Measure(ctx, inAnHour(), nil)
		failed <- err
	}()
	r.Stop()
	<-stopped
	cancel()
	if err := <-failed; err == nil || err.Error() != "agent box: the run was interrupted" {
		t.Errorf("got %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	<-one.done
}

// The broker may come after the agents, and many agents may join at the same time.
func TestManyAgentsJoinBeforeTheBroker(t *testing.T) {
	t.Parallel()
	const agents = 135
	key, b := newRun(t)
	j := b.Join()
	b.End()
	var all []*joined
	for i := range agents {
		all = append(all, startAgent(t, t.Context(), j, fmt.Sprintf("box%d", i)))
	}
	address := strings.TrimPrefix(j.Broker, "tls://")
	if err := b.listen(address); err != nil {
		t.Fatal(err)
	}
	f := gathered(t, key, b, agents)
	names := map[string]bool{}
	for _, r := range f.Agents {
		names[r.Name] = true
	}
	if len(names) != agents {
		t.Errorf("%d agents", len(names))
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, one := range all {
		if err := <-one.done; err != nil {
			t.Error(err)
		}
	}
}

func TestAgentsThatARunDoesNotTake(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	another := errors.New("it has another build, 1f2e")
	refused := make(chan string, 10)
	gathering, taken := make(chan error, 1), make(chan struct{})
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		_, err := b.Gather(ctx, key, Options{
			Agents: 2, Within: time.Minute,
			Admit: func(tool results.Tool, _ agent.Facts) error {
				if tool.Commit != "" {
					return another
				}
				return nil
			},
			Joined:  func(*Remote) { close(taken) },
			Refused: func(name string, why error) { refused <- name + ": " + why.Error() },
		})
		gathering <- err
	}()
	first := startAgent(t, t.Context(), b.Join(), "box")
	<-taken
	other := &Agent{Join: b.Join(), Name: "old", Tool: results.Tool{Commit: "1f2e"}, Steps: first.steps, Say: func(string) {}, Within: time.Minute}
	if err := other.Serve(t.Context()); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), another.Error()) {
		t.Errorf("another build: %v", err)
	}
	if got := <-refused; got != "old: "+another.Error() {
		t.Errorf("refused %s", got)
	}
	cancel(errors.New("interrupted"))
	if err := <-gathering; err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("gathering ended with %v", err)
	}
	<-first.done
}

// An agent whose coordinator has gone ends what it does.
func TestAgentWithoutACoordinatorEndsTheLoad(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	one := startAgent(t, t.Context(), b.Join(), "box")
	f := gathered(t, key, b, 1)
	toMeasure(t, f.Agents[0])
	measuring := make(chan struct{})
	one.steps.measure = func(ctx context.Context, _ <-chan struct{}, _ func(results.Interval) error) (*agent.Measured, error) {
		close(measuring)
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	go func() {
		_, _ = f.Agents[0].Measure(t.Context(), inAnHour(), nil)
	}()
	<-measuring
	f.conn.Close() // as by kill -9
	if err := <-one.done; !errors.Is(err, ErrAlone) || !one.steps.ended || !one.steps.finished {
		t.Errorf("the agent ended with %v, trial ended %v, run finished %v", err, one.steps.ended, one.steps.finished)
	}
	close(f.ending)
	f.beating.Wait()
}

// An agent that shows no sign of life ends the step.
func TestSilentAgentIsNamed(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	ctx, kill := context.WithCancel(t.Context())
	one := startAgent(t, ctx, b.Join(), "box")
	f := gathered(t, key, b, 1)
	kill()
	<-one.done
	if _, err := f.Agents[0].Begin(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "agent box: no sign of life for ") {
		t.Errorf("got %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestMissingAgentsAreCounted(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	_, err := b.Gather(t.Context(), key, Options{Agents: 2, Within: time.Millisecond})
	if err == nil || err.Error() != "0 of 2 agents have joined within 1ms" {
		t.Errorf("got %v", err)
	}
}
