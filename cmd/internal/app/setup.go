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

// Rig starts servers and generators as children: this same executable in its other roles.
func (o Options) Setup(s *scenarios.Scenario) (*trial.Setup, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	rig := &trial.Setup{
		Drive:  []string{self, "drive"},
		Engine: o.Engine,
		Quick:  o.Quick,
		Link:   []string{self, "link"},
		Serve: func(c scenarios.Configuration, host string) []string {
			argv := append([]string{self, "serve", string(c.Transport), "--control", "--listen", net.JoinHostPort(host, "0")}, c.ServeFlags()...)
			if host != "127.0.0.1" { // an address of a namespace that no other process is in
				argv = append(argv, "--listen-anywhere")
			}
			if answer := s.Headers.Response; answer > 0 {
				argv = append(argv, "--response-header-bytes", fmt.Sprint(int64(answer)))
			}
			if transports.Of(c.Transport).ServerDials || s.Replies.Size > 0 {
				argv = append(argv, "--webhooks-to", hooked(host))
			}
			if o.Inject != "" {
				argv = append(argv, "--inject", o.Inject)
			}
			return argv
		},
	}
	if !o.AllowIdle {
		rig.Idle = []string{self, "awake"}
	}
	if o.NoPin {
		rig.Pinning.Note = "not asked for"
	} else {
		rig.Pin()
	}
	return rig, nil
}

// hooked is where a server may post to: clients, and a backend beside it.
func hooked(host string) string {
	if host == "127.0.0.1" {
		return "127.0.0.0/8"
	}
	return lab.Outer().String()
}
