package app

import (
	"context"
	"fmt"
	"net"
	"os"

	"pushbench/bench/agent"
	"pushbench/bench/lab"
	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/scenarios/transports"
)

// Setup has an agent that starts servers and load generators as child processes of this executable.
func (o Options) Setup(ctx context.Context) (*trial.Setup, error) {
	m, err := o.machine()
	if err != nil {
		return nil, err
	}
	return o.setup(ctx, &agent.Local{Machine: m})
}

// setup is the test setup with an agent.
func (o Options) setup(ctx context.Context, a agent.Agent) (*trial.Setup, error) {
	facts, err := a.Describe(ctx)
	return &trial.Setup{Servers: a, Generators: []agent.Agent{a}, Facts: facts, Engine: o.Engine, Quick: o.Quick, Inject: o.Inject}, err
}

func (o Options) machine() (m agent.Machine, err error) {
	self, err := os.Executable()
	if err != nil {
		return m, fmt.Errorf("find this executable: %w", err)
	}
	m = agent.Machine{Drive: []string{self, "drive"}, Link: []string{self, "link"}, Serve: o.serve(self), Watch: o.Watch}
	if !o.AllowIdle {
		m.Idle = []string{self, "prevent-idle"}
	}
	if o.NoPin {
		m.Pinning.Note = "turned off"
	} else {
		m.Pin()
	}
	return m, nil
}

// serve returns the command line of the server of a job on a host.
func (o Options) serve(self string) func(j agent.Job, host string) []string {
	return func(j agent.Job, host string) []string {
		c, s := j.Measured, j.Scenario
		if t := s.TargetOf(c); t != nil {
			return Supervised(self, t)
		}
		argv := append([]string{self, "serve", string(c.Transport), "--control", "--listen", net.JoinHostPort(host, "0")}, c.ServeFlags()...)
		if host != "127.0.0.1" { // the address of a namespace without other processes
			argv = append(argv, "--listen-anywhere")
		}
		if size := s.Headers.Response; size > 0 {
			argv = append(argv, "--response-header-bytes", fmt.Sprint(int64(size)))
		}
		if transports.Of(c.Transport).ServerDials || s.Replies.Size > 0 {
			argv = append(argv, "--webhooks-to", webhookNetwork(host))
		}
		if j.Inject != "" {
			argv = append(argv, "--inject", j.Inject)
		}
		if j.Side == results.BaselineSide {
			argv = o.Baseline.Flags(argv)
			argv[0] = o.Baseline.Executable
		}
		return argv
	}
}

// webhookNetwork is the network to which a server may send webhooks: clients and a backend.
func webhookNetwork(host string) string {
	if host == "127.0.0.1" {
		return "127.0.0.0/8"
	}
	return lab.Outer().String()
}
