package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/bench/consent"
	"pushbench/bench/supervise"
	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Hosts are the hosts, other than this machine, that the user allows load to.
type Hosts struct {
	Allowed []string // exactly as in the url of a target file
	Limits  HostLoad
}

// A HostLoad is the load that a run sends to another host, or the highest that it may send.
type HostLoad struct {
	Connections int            // at the same time
	ConnectRate scenarios.Rate // of new connections
	MessageRate scenarios.Rate // of messages and polls, in both directions
}

// DefaultHostLimits allow the scenario chat, and protect another host from a mistake in a scenario.
var DefaultHostLimits = HostLoad{Connections: 2000, ConnectRate: 2000, MessageRate: 10_000}

func (l HostLoad) sentence() string {
	return fmt.Sprintf("%s connections, %s new connections per second, %s messages per second",
		metric.Number(float64(l.Connections)), metric.Number(float64(l.ConnectRate)), metric.Number(float64(l.MessageRate)))
}

// upTo names the limits; verify has none, as it opens a few connections.
func (l HostLoad) upTo() string {
	if l == (HostLoad{}) {
		return ""
	}
	return ", up to " + l.sentence()
}

// String implements pflag.Value.
func (l *HostLoad) String() string {
	return fmt.Sprintf("connections=%d,connects=%s,messages=%s", l.Connections, l.ConnectRate, l.MessageRate)
}

// Type implements pflag.Value.
func (l *HostLoad) Type() string { return "limits" }

// Set implements pflag.Value: it changes the limits that the text names.
func (l *HostLoad) Set(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(item, "=")
		var err error
		switch name {
		case "connections":
			l.Connections, err = strconv.Atoi(value)
		case "connects":
			err = l.ConnectRate.UnmarshalText([]byte(value))
		case "messages":
			err = l.MessageRate.UnmarshalText([]byte(value))
		default:
			err = strconv.ErrSyntax
		}
		if err != nil || l.Connections < 1 || l.ConnectRate <= 0 || l.MessageRate <= 0 {
			return strconv.ErrSyntax // the command describes the syntax
		}
	}
	return nil
}

// allows refuses a host that no target has, and load above the limits for other hosts.
func (h Hosts) allows(s *scenarios.Scenario) error {
	var remote []string
	for _, name := range s.Sweep.Target {
		if t := s.Targets[name]; t != nil && t.Remote() {
			remote = append(remote, t.Host())
		}
	}
	if err := h.used(remote); err != nil || len(remote) == 0 {
		return err
	}
	for _, c := range s.Configurations() {
		if t := s.TargetOf(c); t == nil || !t.Remote() {
			continue
		}
		if load := hostLoad(s.For(c), c.Transport); load.Connections > h.Limits.Connections || load.ConnectRate > h.Limits.ConnectRate || load.MessageRate > h.Limits.MessageRate {
			return Usagef("%s: the load is %s; limits for other hosts: %s; use a smaller load, or raise them with --host-limits", c.Name(), load.sentence(), h.Limits.sentence())
		}
	}
	return nil
}

// used refuses an allowed host that is not one of the hosts of targets.
func (h Hosts) used(remote []string) error {
	for _, host := range h.Allowed {
		if !slices.Contains(remote, host) {
			allowed := "only with a target whose url names another host"
			if len(remote) > 0 {
				allowed = strings.Join(remote, ", ")
			}
			return Usagef("--allow-host: no target has the host %q in its url; allowed: %s", host, allowed)
		}
	}
	return nil
}

// hostLoad is the load of a scenario on its servers, over one transport.
func hostLoad(s *scenarios.Scenario, t scenarios.Transport) HostLoad {
	perClient, _ := connections(s)
	load := HostLoad{
		Connections: s.Clients.Count*perClient + s.PublishOnly(),
		ConnectRate: s.Clients.ConnectRate + s.ShortLived.Rate,
		MessageRate: s.Publish.Rate + s.Upstream.Rate + scenarios.Rate(s.DeliveryRate()),
	}
	traits, polls := transports.Of(t), scenarios.Rate(0)
	switch {
	case traits.Timed:
		polls = scenarios.Rate(float64(s.Clients.Count) / time.Duration(s.ShortPoll.Interval).Seconds())
		load.MessageRate += polls
	case traits.Holds:
		polls = scenarios.Rate(s.DeliveryRate())
	}
	if traits.Timed && s.ShortPoll.NewConnection || traits.Holds && s.LongPoll.NewConnection {
		load.ConnectRate += polls
	}
	return load
}

// locate finds the address of a running server, if load may go to it.
func (e Env) locate(ctx context.Context, t *scenarios.Target) (err error) {
	if t.Address, err = consent.Admit(ctx, t, e.Hosts.Allowed); err != nil {
		return &Error{Refused, fmt.Errorf("%s: %w", t.Name, err)}
	}
	if _, _, err := supervise.Bill(t, t.Address); err != nil {
		return &Error{Refused, fmt.Errorf("%s: %w", t.Name, err)}
	}
	if t.Remote() {
		_, err = fmt.Fprintf(e.Err, "%s: load goes to %s (%s), which allows it%s\n", t.Name, t.Host(), t.Address, e.Hosts.Limits.upTo())
	}
	return err
}
