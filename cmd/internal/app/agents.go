package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/clock"
	"pushbench/bench/fleet"
	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Agents say which agents on other machines measure. The zero value is this process alone.
type Agents struct {
	Count       int           // agents with load generators; 0: none
	ServerAgent string        // name of another agent, which starts the servers; empty: the first of the others
	Broker      string        // host:port where agents reach the run
	NATS        string        // URL of the user's own NATS server; empty: the run starts one at Broker
	Credentials string        // file for NATS
	Authority   string        // file with the authorities of NATS
	Within      time.Duration // how long to wait for the agents
}

// Defaults of agents.
const (
	DefaultBroker = "127.0.0.1:0"
	AgentsWait    = 10 * time.Minute
)

// remoteLead is the time from the start command until the warm-up begins: the command has to arrive before.
const remoteLead = time.Second

// check refuses what agents cannot do.
func (a Agents) check(s *scenarios.Scenario, o Options) error {
	webhooks := slices.ContainsFunc(s.Transports, func(t scenarios.Transport) bool { return transports.Of(t).ServerDials })
	switch {
	case a.Count == 0 && (a.ServerAgent != "" || a.NATS != "" || a.Credentials != "" || a.Authority != ""):
		return Usagef("--server-agent, --nats, --creds and --nats-ca need --agents")
	case a.Count == 0:
		return nil
	case a.Count < 0:
		return Usagef("--agents: %d is not allowed; allowed: 1 or more", a.Count)
	case !a.complete():
		return errWithoutNATS
	case a.Count > fleet.MostAgents:
		return Usagef("--agents: %d is not allowed; allowed: at most %d", a.Count, fleet.MostAgents)
	case o.Baseline != nil:
		return Usagef("--baseline: agents have one build; allowed without --agents")
	case o.HasTarget():
		return Usagef("--target: agents measure the servers of pushbench; allowed without --agents")
	case o.NoPin || o.AllowIdle:
		return Usagef("--no-pin and --allow-idle belong to a machine: give them to pushbench agent")
	case o.ServersGiven && s.Servers < a.Count:
		return Usagef("--servers: %d for %d agents; allowed: at least one for each", s.Servers, a.Count)
	case a.Count > 1 && s.ClientsPublish():
		return Usagef("--agents: %d, but in %s clients publish, which one server has to deliver to all; allowed: 1, with --server-agent for the server", a.Count, s.Name)
	case a.separate() && (s.Network.Link == scenarios.PacketLink || webhooks || s.Replies.Size > 0 || s.Secured()):
		return Usagef("--agents: servers and clients on several machines have no emulated packets, webhooks, replies or TLS; allowed: one agent, which has both")
	}
	return nil
}

// errWithoutNATS is the error of agents that are not complete.
var errWithoutNATS = Usagef("--creds and --nats-ca need --nats")

// complete reports whether files for NATS come with its URL.
func (a Agents) complete() bool { return a.NATS != "" || a.Credentials == "" && a.Authority == "" }

// join is the run at the user's own NATS.
func (a Agents) join(run string) fleet.Join {
	return fleet.Join{Broker: a.NATS, Run: run, Credentials: a.Credentials, Authority: a.Authority}
}

// separate reports whether some load generator is not on the servers' machine.
func (a Agents) separate() bool { return a.Count > 1 || a.ServerAgent != "" }

// gather waits for the agents and returns the test setup with them.
func (s *Session) gather(scenario *scenarios.Scenario, o Options) (*trial.Setup, error) {
	total := o.Agents.Count
	if o.Agents.ServerAgent != "" {
		total++
	}
	f, err := s.await(total, o.Agents)
	if err != nil {
		return nil, err
	}
	return s.place(f, scenario, o)
}

// await waits for agents, which are released at the end of the session.
func (s *Session) await(total int, a Agents) (*fleet.Fleet, error) {
	key, err := fleet.NewKey()
	if err != nil {
		return nil, err
	}
	own := s.Tool()
	options := fleet.Options{
		Agents: total, Within: a.Within,
		Admit: func(tool results.Tool, _ agent.Facts) error {
			if tool.SHA256 != own.SHA256 {
				return fmt.Errorf("it has another build, %s, and the run has %s: use one executable", buildOf(tool), buildOf(own))
			}
			return nil
		},
		Joined: func(r *fleet.Remote) {
			s.say(fmt.Sprintf("agent %s joined: %s, %d cores", r.Name, results.Plain(r.Facts.Host.OS+" "+r.Facts.Host.Kernel), r.Facts.Host.Cores))
		},
		Refused: func(name string, why error) { s.say(fmt.Sprintf("agent %s was not taken: %v", name, why)) },
		Say:     s.say,
	}
	var f *fleet.Fleet
	if a.NATS != "" {
		join := a.join(key.Public)
		if err := join.CheckServers(); err != nil {
			return nil, Usagef("--nats: %w", err)
		}
		s.invite(total, fmt.Sprintf("--nats '%s' --run %s", join.Servers(), key.Public))
		f, err = fleet.Gather(s.Drain, join, key, options)
	} else {
		broker, failed := fleet.StartBroker(key, a.Broker)
		if failed != nil {
			return nil, Usagef("--broker: %w", failed)
		}
		s.atEnd = append(s.atEnd, broker.End)
		s.invite(total, fmt.Sprintf("--join '%s'", broker.Join()))
		f, err = broker.Gather(s.Drain, key, options)
	}
	if s.Drain.Err() != nil {
		return nil, errInterrupted
	}
	if err != nil {
		return nil, &Error{Invalid, err}
	}
	s.atEnd = append(s.atEnd, func() {
		if err := f.Close(); err != nil {
			s.say(err.Error())
		}
	})
	return f, nil
}

// buildOf names a build.
func buildOf(t results.Tool) string { return fmt.Sprintf("%s (SHA-256 %.12s)", t.Version, t.SHA256) }

// place assigns servers and load generators to the agents.
func (s *Session) place(f *fleet.Fleet, scenario *scenarios.Scenario, o Options) (*trial.Setup, error) {
	servers, generators := f.Agents[0], slices.Clone(f.Agents)
	if name := o.Agents.ServerAgent; name != "" {
		i := slices.IndexFunc(generators, func(r *fleet.Remote) bool { return r.Name == name })
		if i < 0 {
			return nil, Usagef("--server-agent: no agent has the name %s; the run has %s", name, namesOf(generators))
		}
		servers = generators[i]
		generators = slices.Delete(generators, i, i+1)
	}
	if err := s.fitAgents(scenario, f.Agents, len(generators), o.ServersGiven); err != nil {
		return nil, err
	}
	setup := &trial.Setup{
		Servers: servers, Facts: servers.Facts, Engine: o.Engine, Quick: o.Quick, Inject: o.Inject, Lead: remoteLead,
		Placement: []string{placement(servers, generators)},
	}
	var bound time.Duration
	for _, r := range f.Agents {
		offset, err := r.Clock(s.abort)
		if err != nil {
			return nil, &Error{Invalid, err}
		}
		bound = max(bound, offset.Bound)
	}
	setup.Placement = append(setup.Placement, fmt.Sprintf("every latency is between two readings of one machine's clock; all agents start within %v of each other, the largest error of the offsets between their clocks", clock.Round(2*bound)))
	for _, r := range f.Agents {
		if differ := agent.Differences(servers.Facts.Host, r.Facts.Host); len(differ) > 0 {
			setup.Placement = append(setup.Placement, fmt.Sprintf("the machines of agents %s and %s differ in %s", servers.Name, r.Name, strings.Join(differ, ", ")))
		}
	}
	known := map[string]bool{}
	for _, r := range f.Agents {
		r.Shares = known[r.Facts.BootID]
		known[r.Facts.BootID] = r.Facts.BootID != ""
	}
	for _, r := range generators {
		setup.Generators = append(setup.Generators, r)
	}
	return setup, nil
}

// placement describes what runs where.
func placement(servers *fleet.Remote, generators []*fleet.Remote) string {
	switch {
	case slices.Contains(generators, servers) && len(generators) == 1:
		return fmt.Sprintf("servers and load generators run on agent %s", servers.Name)
	case slices.ContainsFunc(generators, func(r *fleet.Remote) bool { return r.Facts.BootID == servers.Facts.BootID }):
		return fmt.Sprintf("servers run on agent %s, load generators on %s: separate processes, but some share a kernel, so that the cost of the servers contains work for their clients", servers.Name, namesOf(generators))
	default:
		return fmt.Sprintf("servers run alone on the machine of agent %s, load generators on %s", servers.Name, namesOf(generators))
	}
}

// namesOf lists agents.
func namesOf(all []*fleet.Remote) string {
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
}

// fitAgents sets the number of servers so that each agent has a load generator and no process exceeds its limits.
func (s *Session) fitAgents(scenario *scenarios.Scenario, all []*fleet.Remote, generators int, given bool) error {
	least := roomOfAgent(all[0])
	for _, r := range all[1:] {
		least.files = min(least.files, roomOfAgent(r).files)
	}
	if !given {
		scenario.Servers = max(scenario.Servers, generators)
		if perClient, _ := connections(scenario); serverShare(scenario) > least.clients(perClient, scenario.PublishOnly()) {
			enough := ceilDiv(scenario.MostClients(), max(1, least.clients(perClient, scenario.PublishOnly())))
			scenario.Servers = ceilDiv(enough, generators) * generators
		}
		if err := scenario.Check(); err != nil {
			return Usagef("with %d servers for %d agents: %w", scenario.Servers, generators, err)
		}
	}
	return s.fit(scenario, least, true)
}

// roomOfAgent is the resources of a process of an agent. Its ports are checked there.
func roomOfAgent(r *fleet.Remote) room {
	const ports = 28_232 / 2 // half of Linux's default range: see localPorts
	return room{files: uint64(max(0, r.Facts.Host.FileLimit)), ports: ports}
}

// invite prints how agents join.
func (e Env) invite(agents int, flags string) {
	what := "an agent. On its machine"
	if agents > 1 {
		what = fmt.Sprintf("%d agents. On each machine", agents)
	}
	e.say(fmt.Sprintf("waiting for %s, run:\n  pushbench agent %s", what, flags))
}

// say prints a line about agents.
func (e Env) say(text string) {
	fmt.Fprintf(e.Err, "pushbench: %s\n", text)
}

// An AgentCommand is the command line of an agent.
type AgentCommand struct {
	Join, NATS, Credentials, Authority, Run string

	Name      string
	Hosts     []string // whose servers it may load
	Address   string   // on which its servers listen; empty: loopback
	Within    time.Duration
	NoPin     bool
	AllowIdle bool
}

// Agent takes part in a run until it ends.
func (e Env) Agent(ctx context.Context, o AgentCommand) error {
	join, err := o.join()
	if err != nil {
		return err
	}
	if o.Address != "" && net.ParseIP(o.Address) == nil {
		return Usagef("--serve-on: %q is not an IP address", o.Address)
	}
	if o.Name == "" {
		if o.Name, err = os.Hostname(); err != nil {
			return Usagef("--name is needed, as the system reports no host name: %w", err)
		}
	}
	if err := fleet.CheckName(o.Name); err != nil {
		return Usagef("--name: %w", err)
	}
	if err := join.Check(); err != nil {
		return Usagef("--run: %w", err)
	}
	if err := join.CheckServers(); err != nil {
		return Usagef("--nats: %w", err)
	}
	machine, err := Options{NoPin: o.NoPin, AllowIdle: o.AllowIdle}.machine()
	if err != nil {
		return err
	}
	machine.Host = o.Address
	ctx, stop := signal.NotifyContext(ctx, EndSignals()...)
	defer stop()
	one := &fleet.Agent{
		Join: join, Name: o.Name, Tool: e.Tool(), Steps: &agent.Local{Machine: machine}, Examine: Examine, Lock: lockMachine,
		Say: func(what string) { e.say(what) }, Within: o.Within, Hosts: o.Hosts,
	}
	e.say(fmt.Sprintf("agent %s waits for the run at %s", o.Name, join.Servers()))
	switch err := one.Serve(ctx); {
	case err == nil:
		e.say("the run has ended")
		return nil
	case ctx.Err() != nil:
		return errInterrupted
	case errors.Is(err, fleet.ErrRefused):
		return &Error{Refused, err}
	default:
		return &Error{Invalid, err}
	}
}

// join is the run that the command line names.
func (o AgentCommand) join() (j fleet.Join, err error) {
	switch own := o.NATS != "" || o.Run != "" || o.Credentials != "" || o.Authority != ""; {
	case o.Join != "" && own:
		return j, Usagef("--join names a run alone; allowed without it: --nats and --run")
	case o.Join != "":
		if j, err = fleet.ParseJoin(strings.TrimSpace(o.Join)); err != nil {
			return j, Usagef("--join: %w; copy its line, in quotes", err)
		}
		return j, nil
	case o.NATS == "" || o.Run == "":
		return j, Usagef("an agent needs --join, or --nats and --run, as pushbench run --agents prints them")
	}
	return Agents{NATS: o.NATS, Credentials: o.Credentials, Authority: o.Authority}.join(o.Run), nil
}
