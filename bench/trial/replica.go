package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/cost"
	"pushbench/bench/generator"
	"pushbench/bench/validity"
	"pushbench/results"
)

// A replica is a server of a trial and the generator that is its clients. Most trials
// have one; a process may hold only so many descriptors, so large ones need several.
// What is published is posted to each.
type replica struct {
	server    *child.Process
	generator *child.Process
	probe     *probe
	settings  string // of the server, in one line
	known     string // the server's certificate, if it has one

	messages chan generator.Message
	heard    error // why there are no more messages; set before messages is closed

	before serverStats // when all clients were connected
	after  serverStats
	done   *generator.Outcome // nil until the generator said so
}

func (r *replica) startServer(ctx context.Context, argv []string, options child.Options) (err error) {
	server, g, err := child.StartServer(ctx, argv, options)
	if err != nil {
		return err
	}
	ctx, release := child.EndsWith(ctx, server)
	defer release()
	r.server, r.settings, r.known = server, g.Settings, g.Certificate
	r.probe = newProbe(g.Listening, g.TLS, options.Inside)
	_, err = r.probe.get(ctx, "/v1/healthz")
	return child.Cause(ctx, err)
}

func (r *replica) startGenerator(argv []string, options child.Options) (err error) {
	if r.generator, err = child.Start(child.Generator, argv, options); err != nil {
		return err
	}
	r.messages = make(chan generator.Message, 16)
	go func() {
		defer close(r.messages)
		r.heard = child.ReadLines(r.generator.Stdout, func(m generator.Message) error {
			r.messages <- m
			return nil
		})
	}()
	return nil
}

// answer waits for what the generator says next.
func (r *replica) answer(ctx context.Context, within time.Duration) (generator.Message, error) {
	select {
	case m, ok := <-r.messages:
		if !ok {
			return m, r.silence()
		}
		if m.Failed != "" {
			return m, generatorError(m.Failed)
		}
		return m, nil
	case <-time.After(within):
		return generator.Message{}, fmt.Errorf("generator did not answer within %v", within)
	case <-ctx.Done():
		return generator.Message{}, context.Cause(ctx)
	}
}

// silence says why the generator says nothing more: what it said last, or how it ended.
func (r *replica) silence() error {
	if r.heard != nil {
		return generatorError(r.heard.Error())
	}
	select {
	case <-r.generator.Ended:
		return errors.New(r.generator.ExitReason())
	case <-time.After(child.EndWait):
		return generatorError("it closed its output")
	}
}

// follows takes what the generator says next of a trial under way: what a second
// brought, or nil when it is done.
func (r *replica) follows(ctx context.Context) (*results.Interval, error) {
	m, err := r.answer(ctx, child.AnswerWait)
	if err != nil {
		return nil, err
	}
	switch {
	case m.Done != nil:
		r.done = m.Done
	case m.Interval == nil:
		return nil, generatorError("it spoke out of turn")
	}
	return m.Interval, nil
}

// endGenerator ends the generator, if it was ever started. That it had ended before is
// known to who waited for it.
func (r *replica) endGenerator(grace time.Duration) error {
	if r.generator == nil {
		return nil
	}
	go func() { // takes what it still says, so that it can end, and so that who reads it can
		for range r.messages {
		}
	}()
	return r.generator.EndQuietly(grace)
}

func (r *replica) endServer(grace time.Duration) error {
	if r.server == nil {
		return nil
	}
	r.probe.http.CloseIdleConnections()
	return r.server.EndQuietly(grace)
}

// processes are a trial's processes of one role.
type processes []*child.Process

func (t *Trial) servers() (all processes) {
	for _, r := range t.replicas {
		all = append(all, r.server)
	}
	return all
}

func (t *Trial) generators() (all processes) {
	for _, r := range t.replicas {
		all = append(all, r.generator)
	}
	return all
}

// memory is what all of them hold, by one of the readings of cost.
func (all processes) memory(read func(pid int) (int64, error)) (sum int64, err error) {
	for _, p := range all {
		bytes, err := read(p.PID())
		if err != nil {
			return 0, err
		}
		if bytes == 0 { // not shown here
			return 0, nil
		}
		sum += bytes
	}
	return sum, nil
}

func (all processes) usage() (used []cost.Usage, err error) {
	for _, p := range all {
		u, err := cost.Read(p.PID())
		if err != nil {
			return nil, err
		}
		used = append(used, u)
	}
	return used, nil
}

// spend puts what they used between two readings into a role's share.
func spend(role *results.Process, from, to []cost.Usage) {
	role.Processes = len(to)
	for i := range to {
		u := to[i].Minus(from[i])
		role.CPU += u.CPU
		role.User += u.User
		role.System += u.System
		role.ContextSwitches += u.ContextSwitches
	}
}

// spent is the CPU time of all between two readings.
func spent(from, to []cost.Usage) (s results.CPUTime) {
	var p results.Process
	spend(&p, from, to)
	return results.CPUTime{CPU: p.CPU, User: p.User, System: p.System}
}

// affinity is the cores of the first that has not got what was asked, or of any. It is
// empty where the system does not show it; nothing was asked there either.
func (all processes) affinity(asked []int) (got []int) {
	for _, p := range all {
		got, _ = cost.Affinity(p.PID())
		if !validity.Granted(asked, got) {
			break
		}
	}
	return got
}

// errGenerator wraps what a generator says of itself.
var errGenerator = errors.New("generator failed")

func generatorError(words string) error { return fmt.Errorf("%w: %s", errGenerator, words) }
