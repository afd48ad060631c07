package main

import (
	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
)

func newAgentCommand() *cobra.Command {
	var o app.AgentCommand
	c := &cobra.Command{
		Use:   "agent",
		Short: "Take part in a run of another machine",
		Long: `Take part in a run that another machine coordinates: start servers or load generators
here, measure what they cost, and end with the run. pushbench run --agents prints the
command line.

An agent takes work only from that run, which signs it, and executes nothing but servers
and load generators of its own executable. It loads only servers that it has started
itself, and those on hosts that --allow-host names. If it hears nothing from the run for
4 seconds, it ends everything.

` + exitHelp,
		Example: "  pushbench agent --join 'tls://192.0.2.7:4222?…'\n  pushbench agent --join 'tls://192.0.2.7:4222?…' --name box5 --serve-on 192.0.2.5",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return env(c).Agent(c.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.Join, "join", "", "URL that the run printed, which contains a key for it alone")
	f.StringVar(&o.NATS, "nats", "", "instead of --join: URL of your own NATS server, or several with commas")
	f.StringVar(&o.Run, "run", "", "with --nats: public key that the run printed")
	f.StringVar(&o.Credentials, "creds", "", "with --nats: file with credentials, or with the seed of an nkey")
	f.StringVar(&o.Authority, "nats-ca", "", "with --nats: PEM file with the certificates of its authorities (default: those of the system)")
	f.StringVar(&o.Name, "name", "", "name of the agent in the run (default: the host's)")
	f.StringSliceVar(&o.Hosts, "allow-host", nil, "IP address whose servers the agent may load, in addition to its own")
	f.StringVar(&o.Address, "serve-on", "", "IP address on which its servers listen, for load generators on other machines (default: loopback)")
	f.DurationVar(&o.Within, "within", app.AgentsWait, "how long to wait for the run")
	f.BoolVar(&o.NoPin, "no-pin", false, "do not pin server and load generator to separate cores")
	f.BoolVar(&o.AllowIdle, "allow-idle", false, "allow CPU idle states")
	return c
}

// agentsFlags adds the flags of a run on other machines.
func agentsFlags(c *cobra.Command, a *app.Agents) {
	f := c.Flags()
	f.IntVar(&a.Count, "agents", 0, "number of agents on other machines that run the load generators: see pushbench help agent (default: none, all on this machine)")
	f.StringVar(&a.ServerAgent, "server-agent", "", "name of another agent, which runs the servers (default: the first agent runs them as well)")
	brokerFlags(c, a, "with --agents: ")
	f.DurationVar(&a.Within, "agents-within", app.AgentsWait, "with --agents: how long to wait for them")
}

// brokerFlags adds the flags of where agents join.
func brokerFlags(c *cobra.Command, a *app.Agents, with string) {
	f := c.Flags()
	f.StringVar(&a.Broker, "broker", app.DefaultBroker, with+"host:port where agents reach this run; the default is for agents on this machine")
	f.StringVar(&a.NATS, "nats", "", with+"URL of your own NATS server, or several with commas, instead of --broker")
	f.StringVar(&a.Credentials, "creds", "", "with --nats: file with credentials, or with the seed of an nkey")
	f.StringVar(&a.Authority, "nats-ca", "", "with --nats: PEM file with the certificates of its authorities (default: those of the system)")
}
