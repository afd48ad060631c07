package app

import (
	"fmt"
	"net"
	"os"

	"pushbench/bench/lab"
	"pushbench/bench/trial"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Setup starts servers and load generators as child processes of this executable.
func (o Options) Setup(s *scenarios.Scenario) (*trial.Setup, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	setup := &trial.Setup{
		Drive:  []string{self, "drive"},
		Engine: o.Engine,
		Quick:  o.Quick,
		Link:   []string{self, "link"},
		Serve:  o.serve(self, s),
	}
	if !o.AllowIdle {
		setup.Idle = []string{self, "prevent-idle"}
	}
	if o.NoPin {
		setup.Pinning.Note = "turned off"
	} else {
		setup.Pin()
	}
	return setup, nil
}

// serve returns the command line of the server of a configuration on a host.
func (o Options) serve(self string, s *scenarios.Scenario) func(c scenarios.Configuration, host string) []string {
	return func(c scenarios.Configuration, host string) []string {
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
		if o.Inject != "" {
			argv = append(argv, "--inject", o.Inject)
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
