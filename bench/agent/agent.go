// Package agent runs one machine's part of the trials of a run: it starts servers and load generators there, measures what
// they cost, and ends them.
//
// It contains everything that touches a process, and the memory probe. It must not depend on the trial, which plans what
// each agent does and judges what all of them measured.
package agent

import (
	"context"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/generator"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// An Agent runs one machine's part of a run. Begin comes before all but Describe, and Finish last. The steps of a trial come in the order from
// StartServers or StartGenerators to Audit, and EndTrial follows any of them, also one that failed; only Stop may be called during Measure. An
// error is a failure of the test setup or an exit of a process, never slowness.
type Agent interface {
	// Describe describes the machine.
	Describe(ctx context.Context) (Facts, error)
	// Begin prepares the machine for a run: its cores do not idle, and their stalls are monitored. It returns the condition
	// under which latencies are measured there.
	Begin(ctx context.Context) (condition string, err error)
	// Ceiling measures for some time the maximum rate of a load generator with a no-op transport, per second.
	Ceiling(ctx context.Context, s *scenarios.Scenario, during time.Duration) (float64, error)
	// IdleStalls describes the stalls of the cores while nothing is measured; empty without any.
	IdleStalls(ctx context.Context) (string, error)
	// IdleMemory measures the memory of idle clients: see Local.IdleMemory.
	IdleMemory(ctx context.Context, j Job, clients IdleClients) (results.IdleMemory, error)
	// Finish ends what Begin began.
	Finish() error

	// StartServers starts the servers of a trial. Only one agent of a trial does.
	StartServers(ctx context.Context, j Job) (Started, error)
	// StartGenerators starts a load generator for each command, which it prepares with it. It returns their memory.
	StartGenerators(ctx context.Context, j Job, all []generator.Prepare) (memory int64, err error)
	// Lap returns what the processes have used since its previous call in the trial.
	Lap(ctx context.Context) (Used, error)
	// Connect connects all clients within some time. It returns the results of the load generators.
	Connect(ctx context.Context, within time.Duration) ([]results.Connect, error)
	// Idle waits while the clients are idle, and then reads what they cost.
	Idle(ctx context.Context, during time.Duration) (Idle, error)
	// Measure publishes through warm-up and window and waits for the drain. each is called with the intervals of this
	// agent's load generators.
	Measure(ctx context.Context, w Window, each func(results.Interval) error) (*Measured, error)
	// Stop ends the publishing: messages due by now are drained.
	Stop()
	// Audit reads the processes' counters before they end. dials are the connections that the clients of each server made.
	Audit(ctx context.Context, dials []int64) (Audit, error)
	// EndTrial ends all processes, load generators first.
	EndTrial(grace time.Duration) (Ended, error)
}

// Facts describe the machine of an agent.
type Facts struct {
	Host     results.Host
	NotShown []string // values that the system does not report
	Pinning  results.Pinning
	BootID   string // the same for two agents that share a kernel; empty: unknown
}

// A Job is what an agent must know of a trial.
type Job struct {
	Scenario *scenarios.Scenario // for the configuration only
	Measured scenarios.Configuration
	Side     results.Side // whose servers: those of a baseline, or of the run
	Engine   string       // of the clients: see engines.Names
	Inject   string       // faults of the servers, in the grammar of serve --inject
	Attempt  int          // attempts before this one

	HostLimits generator.Limits // for a target on another host
}

// Started describes servers that have started.
type Started struct {
	Servers  []ServerInfo
	Settings map[string]string // of the machine
	Memory   int64             // of the servers, in bytes
	Link     int               // descriptor of the servers' network namespace in load generators that this agent starts; 0: none
}

// A ServerInfo describes a server.
type ServerInfo struct {
	Address     string // host:port
	Authority   string // host:port that requests name; empty: the address
	Certificate string // PEM; empty without TLS
	Settings    string // in one line
}

// Used is the CPU time of the processes of each role.
type Used struct{ Servers, Generators, Link, Own results.Process }

// Add adds what the processes of another agent have used.
func (u *Used) Add(other Used) {
	AddProcess(&u.Servers, other.Servers)
	AddProcess(&u.Generators, other.Generators)
	AddProcess(&u.Link, other.Link)
	AddProcess(&u.Own, other.Own)
}

// AddProcess adds what other processes of a role used.
func AddProcess(role *results.Process, used results.Process) {
	role.Processes += used.Processes
	role.CPU += used.CPU
	role.User += used.User
	role.System += used.System
	role.ContextSwitches += used.ContextSwitches
}

// Idle is what idle clients cost.
type Idle struct {
	Goroutines int64             // of the servers
	Settings   map[string]string // of the servers
	Servers    int64             // memory, in bytes
	Generators int64
}

// A Window says when the messages of a trial are due, by the clock of the agent's machine.
type Window struct {
	Start  clock.Instant // of the warm-up
	Opens  clock.Instant
	Closes clock.Instant
}

// Measured is what an agent measured from the warm-up to the end of the drain.
type Measured struct {
	Outcomes       []*generator.Outcome // of the load generators, in their order
	Used           Used                 // in the window
	Stalls         validity.Stalls      // in the window
	Throttled      int64                // times in the window that the cgroup's CPU quota was exhausted
	ThrottledShown bool
	User           time.Duration // user time in the window of all processes on Cores
	Cores          []int         // of servers and load generators; empty: it is unknown what else runs on them
	GeneratorCores int           // cores that load generators may use
	Machine        string        // see Facts.BootID
	Control        *Control      // nil: the agent is in the process of the run
	Took           time.Duration // from the first reading of the processes' CPU time to the last
}

// A Control describes the connection between a run and an agent on another machine.
type Control struct {
	Name   string        // of the agent
	Offset time.Duration // its clock − that of the run
	Bound  time.Duration // the largest error of Offset
	Bytes  int64         // exchanged from the start to the end of Measure
}

// Add adds what another agent measured, except what is per machine.
func (m *Measured) Add(other *Measured) {
	m.Outcomes = append(m.Outcomes, other.Outcomes...)
	m.Used.Add(other.Used)
	m.Stalls = append(m.Stalls, other.Stalls...)
	m.Throttled += other.Throttled
	m.ThrottledShown = m.ThrottledShown || other.ThrottledShown
	m.Took = max(m.Took, other.Took)
}

// An Audit is what the processes counted by the end of the drain.
type Audit struct {
	Servers    ServerStats
	Probes     int64 // connections of the probes
	RepollGap  time.Duration
	Overflows  int64 // of listen queues in the trial: see host.ListenOverflows
	Forwarding int   // port-forwarding rules of the router

	ServerMemory, GeneratorMemory int64      // at most, in bytes
	ServerCores, GeneratorCores   Assignment // to which processes are pinned
}

// An Assignment is the cores that processes were to be pinned to, and those that they have: see validity.Granted.
type Assignment struct {
	Requested, Got []int
	Number         int // of cores that they may use
}

// Ended is what is known after the end of a trial.
type Ended struct {
	Link   *results.Link // report of the emulated link; nil: there is none
	Pauses validity.Pauses
}
