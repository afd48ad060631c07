package app

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pushbench/bench/supervise"
	"pushbench/bench/target"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/servers/foreign"
)

// TargetsFolder has a folder with the target file of each server that pushbench ships a target for.
const TargetsFolder = "servers/foreign"

// targetFile is the name of a target file in its folder.
const targetFile = "target.yaml"

// loadTargets reads the target files of --target and makes the scenario compare them.
func (o *Options) loadTargets(s *scenarios.Scenario) error {
	if len(o.Targets) == 0 {
		if len(s.Sweep.Target) > 0 {
			return Usagef("sweep.target: names servers whose target files are not given; give them with --target")
		}
		return nil
	}
	s.Targets, s.Sweep.Target = map[scenarios.TargetName]*scenarios.Target{}, nil
	for _, name := range o.Targets {
		if name == string(scenarios.ReferenceTarget) {
			s.Sweep.Target = append(s.Sweep.Target, scenarios.ReferenceTarget)
			continue
		}
		t, err := loadTarget("--target", name)
		if err != nil {
			return err
		}
		if s.Targets[t.Name] != nil {
			return Usagef("--target: two files have the name %s; give each target a name of its own, or compare two versions of one server with --baseline", t.Name)
		}
		if err := fits("--target", s, t); err != nil {
			return err
		}
		s.Targets[t.Name], s.Sweep.Target = t, append(s.Sweep.Target, t.Name)
	}
	if len(s.Configurations()) == 0 {
		return Usagef("--target: no server has one of the transports %s; choose others with --transports", s.Transports)
	}
	return o.Baseline.pair(s)
}

// Servers returns the names of the servers under test; none: those of this executable.
func (o *Options) Servers() (names []scenarios.TargetName, err error) {
	for _, name := range o.Targets {
		if name == string(scenarios.ReferenceTarget) {
			names = append(names, scenarios.ReferenceTarget)
			continue
		}
		t, err := loadTarget("--target", name)
		if err != nil {
			return nil, err
		}
		names = append(names, t.Name)
	}
	return names, nil
}

// loadTarget reads the target file with a path, or that of a server in TargetsFolder. Errors begin with the flag or the
// command that names it. Only --target takes pushbench's own servers, too.
func loadTarget(from, name string) (*scenarios.Target, error) {
	path := name
	if !strings.ContainsAny(name, "/.") {
		path = filepath.Join(TargetsFolder, name, targetFile)
		if _, err := os.Stat(path); err != nil {
			names := shippedTargets()
			if from != "--target" {
				names = names[1:]
			}
			if slices.Contains(foreign.Names(), name) {
				return nil, Usagef("%s: no folder %s here, which has target %q; allowed: run this in a checkout of pushbench, or the path of a target file", from, TargetsFolder, name)
			}
			names = append(names, "the path of a target file")
			return nil, Usagef("%s: no target %q; allowed: %s", from, name, strings.Join(names, ", "))
		}
	}
	t, err := scenarios.LoadTarget(path)
	if err != nil {
		return nil, err
	}
	if t.Name == scenarios.ReferenceTarget {
		return nil, Usagef("%s: name: %s is the name of pushbench's own servers; give the target another name", path, t.Name)
	}
	if variable, unset := t.Start.Unset(os.LookupEnv); unset {
		return nil, Usagef("%s: start uses the environment variable %s, which is not set; set it before the run", path, variable)
	}
	return t, t.ReadLogins()
}

// shippedTargets lists the names that --target takes.
func shippedTargets() []string {
	names := []string{string(scenarios.ReferenceTarget)}
	found, _ := filepath.Glob(filepath.Join(TargetsFolder, "*", targetFile)) // the pattern is valid
	for _, path := range found {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	return names
}

// fits returns an error if a target cannot be measured with a scenario.
func fits(flag string, s *scenarios.Scenario, t *scenarios.Target) error {
	refuse := func(why, allowed string) error {
		return Usagef("%s: %s cannot be measured with scenario %s: %s; allowed: %s", flag, t.Name, s.Name, why, allowed)
	}
	switch {
	case s.Delivery == scenarios.Latest:
		return refuse("delivery: latest requires a protocol that replaces messages", "scenarios with delivery: every")
	case s.Replies.Size > 0:
		return refuse("replies require the webhooks of pushbench's servers", "scenarios without replies")
	case s.Secured():
		return refuse("network.tls is a setting of pushbench's servers", "scenarios without TLS; a target has TLS if its url is https://host:port")
	case s.Network.Link == scenarios.PacketLink:
		return refuse("network namespaces are not supported", "network.link: stream")
	case t.Remote() && (s.Network != (scenarios.Network{Link: scenarios.StreamLink}) || len(s.Sweep.RTT) > 0):
		return refuse("it is on another host, and an emulated network would be added to the real one", "scenarios without network")
	case t.Running() && s.Servers > 1:
		return refuse(fmt.Sprintf("%d servers share the clients, and its url is one server", s.Servers), "servers: 1")
	case s.Headers.Response > 0:
		return refuse("headers.response is a setting of pushbench's servers", "scenarios without it")
	}
	if n := len(t.Logins); t.LoginFile != "" && n < s.Sessions() {
		return refuse(fmt.Sprintf("login_file has %d lines for %d clients", n, s.Sessions()), "a line per client, or fewer clients")
	}
	for _, transport := range s.Transports {
		if !t.Offers(transport) {
			continue
		}
		d, err := target.Compile(t, transport, os.LookupEnv)
		switch {
		case err != nil:
			return Usagef("%s: %w", flag, err)
		case s.Topics.PerClient > 1 && d.OneTopic():
			return refuse(fmt.Sprintf("each client subscribes to %d topics, and the path of %s has one", s.Topics.PerClient, transport), "{topics} in the path or the body, or topics.per_client: 1")
		case !d.Posts() && (s.Publish.By != scenarios.ByClients || !d.PublishesInFrames()):
			return refuse(fmt.Sprintf("messages are published by POST with %s, and publish.post is missing", transport), "a target with publish.post")
		}
	}
	return nil
}

// Supervised is the argument vector of a process that runs the server of a target.
func Supervised(self string, t *scenarios.Target) []string {
	return []string{self, "supervise", t.Path, "--address", t.Address}
}

// A version is a target, and which side of a run with a baseline it is.
type version struct {
	*scenarios.Target
	side results.Side
}

func (v version) String() string { return strings.TrimSpace(fmt.Sprintf("%s %s", v.side, v.Name)) }

// versions lists the targets of a scenario, after that of the baseline.
func versions(s *scenarios.Scenario, b *Baseline) (all []version) {
	var head results.Side
	if b != nil && b.target != nil {
		all, head = append(all, version{b.target, results.BaselineSide}), results.HeadSide
	}
	for _, name := range s.Sweep.Target {
		if t := s.Targets[name]; t != nil {
			all = append(all, version{t, head})
		}
	}
	return all
}

// admitTargets prepares the servers of a run's targets and tries each over the transports that the scenario uses.
func (s *Session) admitTargets(scenario *scenarios.Scenario, b *Baseline) error {
	for _, v := range versions(scenario, b) {
		if err := s.prepareTarget(s.Drain, v); err != nil {
			return cmp.Or(s.Interrupted(), err)
		}
		for _, transport := range scenario.Transports {
			if !v.Offers(transport) {
				continue
			}
			if err := s.admit(v, transport, scenario.LargestPayload()); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepareTarget builds the server of a target, or finds the one that is running already.
func (e Env) prepareTarget(ctx context.Context, v version) error {
	if v.URL != "" {
		return e.locate(ctx, v.Target)
	}
	if err := installed(v.Target); err != nil {
		return err
	}
	if len(v.Start.Build) > 0 {
		fmt.Fprintf(e.Err, "%s: building\n", v)
	}
	if err := supervise.Build(ctx, v.Target); err != nil {
		return &Error{Refused, fmt.Errorf("%s: %w", v, err)}
	}
	return nil
}
