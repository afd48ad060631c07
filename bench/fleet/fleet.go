package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"pushbench/bench/agent"
	"pushbench/bench/clock"
	"pushbench/results"
)

// A Fleet is the agents of a run, as the coordinator sees them.
type Fleet struct {
	Agents []*Remote

	key     *Key
	conn    *nats.Conn
	ending  chan struct{} // closed by Close
	beating sync.WaitGroup

	sending  sync.Mutex // held while sending, so that sequences are sent in order
	sequence uint64

	mu       sync.Mutex // guards Agents and known until Gather returns
	known    map[string]*Remote
	gathered chan struct{} // closed when the last agent is admitted
}

// Options configure how agents are gathered.
type Options struct {
	Agents  int                                   // number of agents
	Within  time.Duration                         // how long to wait for them
	Admit   func(results.Tool, agent.Facts) error // returns why the run does not take an agent, or nil
	Joined  func(*Remote)                         // optional callback for each agent; must not block
	Refused func(name string, why error)          // optional callback for each agent that is not taken; must not block
	Say     func(string)                          // optional callback for the state of the user's own NATS servers; must not block
}

// send sends a signed message.
func (f *Fleet) send(subject, inbox string, q request) error {
	encoded, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode a request: %w", err)
	}
	if most := int(f.conn.MaxPayload()) - 1<<10; len(encoded) > most {
		return fmt.Errorf("a request of %d bytes is too large for the NATS server; allowed: %d", len(encoded), most)
	}
	f.sending.Lock()
	defer f.sending.Unlock()
	f.sequence++
	m, err := f.key.signed(subject, f.sequence, encoded)
	if err != nil {
		return err
	}
	m.Reply = inbox
	if err := f.conn.PublishMsg(m); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	return nil
}

// Gather waits for agents at a broker of the run.
func (b *Broker) Gather(ctx context.Context, key *Key, o Options) (*Fleet, error) {
	c, err := b.connect()
	if err != nil {
		return nil, err
	}
	return gather(ctx, c, key, o)
}

// Gather waits for agents at the user's own NATS servers.
func Gather(ctx context.Context, j Join, key *Key, o Options) (*Fleet, error) {
	say := o.Say
	if say == nil {
		say = func(string) {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c, err := j.connect("coordinator", say, nats.ClosedHandler(func(c *nats.Conn) { cancel(j.closed(c)) }))
	if err != nil {
		return nil, err
	}
	return gather(ctx, c, key, o)
}

func gather(ctx context.Context, c *nats.Conn, key *Key, o Options) (*Fleet, error) {
	f := &Fleet{key: key, conn: c, ending: make(chan struct{}), known: map[string]*Remote{}, gathered: make(chan struct{})}
	if _, err := c.Subscribe(fromSubject(key.Public, "*"), f.hear); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := c.Subscribe(helloSubject(key.Public), func(m *nats.Msg) { f.greet(m, o) }); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.beating.Go(f.beat)
	ctx, cancel := context.WithTimeoutCause(ctx, o.Within, errTooFew)
	defer cancel()
	select {
	case <-f.gathered:
		return f, nil
	case <-ctx.Done():
		err := context.Cause(ctx)
		f.mu.Lock()
		n := len(f.Agents)
		f.mu.Unlock()
		if errors.Is(err, errTooFew) {
			err = fmt.Errorf("%d of %d agents have joined within %v", n, o.Agents, o.Within)
			if !c.IsConnected() {
				err = fmt.Errorf("%w: there is no connection to the NATS server", err)
			}
		}
		return nil, errors.Join(err, f.Close())
	}
}

var errTooFew = errors.New("too few agents")

// beat sends signs of life, without which agents end the load.
func (f *Fleet) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		_ = f.send(coordinatorSubject(f.key.Public), "", request{}) // a lost connection is noticed by the agents, and by the next step
		select {
		case <-tick.C:
		case <-f.ending:
			return
		}
	}
}

// hear notes a sign of life of an agent.
func (f *Fleet) hear(m *nats.Msg) {
	f.mu.Lock()
	r := f.known[step(m.Subject)]
	f.mu.Unlock()
	var b beat
	if r != nil && json.Unmarshal(m.Data, &b) == nil {
		r.heard.Store(int64(clock.Now()))
		r.step.Store(b.Step)
	}
}

// agentID matches what distinguishes agents: a part of a subject.
var agentID = regexp.MustCompile(`^[0-9A-Z]{1,64}$`)

// agentName matches the names of agents. Those of hosts are among them.
var agentName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)

// CheckName refuses a name that could change how it is shown.
func CheckName(name string) error {
	if !agentName.MatchString(name) {
		return fmt.Errorf("the name %q of an agent is not allowed; allowed: 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first", shown(name))
	}
	return nil
}

// shown is a text of an agent in a message: one line of no more than 200 bytes.
func shown(text string) string { return results.Plain(text[:min(len(text), 200)]) }

// greet admits an agent or refuses it.
func (f *Fleet) greet(m *nats.Msg, o Options) {
	var h hello
	if json.Unmarshal(m.Data, &h) != nil || !agentID.MatchString(h.Agent) {
		return
	}
	var w welcome
	if err := f.join(h, o); err != nil {
		w.Refused = err.Error()
		if o.Refused != nil {
			o.Refused(shown(h.Name), err)
		}
	} else {
		w.Admitted = true
	}
	if encoded, err := json.Marshal(w); err == nil {
		_ = m.Respond(encoded) // the agent asks again
	}
}

// join admits an agent once, however often it asks.
func (f *Fleet) join(h hello, o Options) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known[h.Agent] != nil {
		return nil
	}
	if err := CheckName(h.Name); err != nil {
		return err
	}
	if len(f.Agents) == o.Agents {
		return fmt.Errorf("the run has its %d agents", o.Agents)
	}
	for _, r := range f.Agents {
		if r.Name == h.Name {
			return fmt.Errorf("another agent has the name %s; give each its own by --name", h.Name)
		}
	}
	if o.Admit != nil {
		if err := o.Admit(h.Tool, h.Facts); err != nil {
			return err
		}
	}
	r := &Remote{Name: h.Name, Tool: h.Tool, Facts: h.Facts, fleet: f, id: h.Agent}
	f.known[h.Agent] = r
	f.Agents = append(f.Agents, r)
	if o.Joined != nil {
		o.Joined(r)
	}
	if len(f.Agents) == o.Agents {
		close(f.gathered)
	}
	return nil
}

// Close ends the run of the agents.
func (f *Fleet) Close() error {
	close(f.ending)
	f.beating.Wait()
	f.mu.Lock()
	all := f.Agents
	f.mu.Unlock()
	var failed error
	for _, r := range all {
		failed = errors.Join(failed, f.send(toSubject(f.key.Public, r.id+"."+stepLeave), "", request{}))
	}
	if len(all) > 0 {
		if err := f.conn.FlushTimeout(silence); failed == nil && err != nil {
			failed = fmt.Errorf("announce the end of the run to its agents: %w", err)
		}
	}
	f.conn.Close()
	return failed
}
