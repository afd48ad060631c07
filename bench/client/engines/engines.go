// Package engines is the table of the engines that simulated clients run on: the features
// of each, and which of them a run may use.
//
// It owns the names of engines. It must never know how one works.
package engines

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/bench/client"
	"pushbench/bench/client/eventloop"
	"pushbench/bench/client/goroutine"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Names of engines.
const (
	EventLoop = "events"
	Goroutine = "goroutines"
)

// An engine is an entry of the table. Event loops cost less CPU and publish more punctually;
// goroutines run on every system.
type engine struct {
	name      string
	supported func() bool // on this system
	open      func(client.Config) (client.Engine, error)
	tls       bool
	serves    func(transports.Transport) bool
}

// table lists the engines, the best first.
var table = []engine{
	{
		name: EventLoop, supported: eventloop.Supported, open: eventloop.New,
		serves: func(t transports.Transport) bool { return t.EventLoops },
	},
	{
		name: Goroutine, supported: func() bool { return true }, tls: true,
		serves: func(transports.Transport) bool { return true },
		open:   func(c client.Config) (client.Engine, error) { return goroutine.New(c), nil },
	},
}

// unsupported describes a feature that a run requires and the engine does not have, if any.
func (e *engine) unsupported(of []scenarios.Transport, secured bool) string {
	switch {
	case secured && !e.tls:
		return "does not support TLS"
	case slices.ContainsFunc(of, func(t scenarios.Transport) bool { return !e.serves(transports.Of(t)) }):
		return "does not receive webhooks"
	default:
		return ""
	}
}

// supported returns the engines that run on this system.
func supported() []engine {
	return slices.DeleteFunc(slices.Clone(table), func(e engine) bool { return !e.supported() })
}

// Names lists the engines that run on this system, the best first.
func Names() []string { return names(supported()) }

func names(all []engine) (names []string) {
	for _, e := range all {
		names = append(names, e.name)
	}
	return names
}

// Choose returns the engine with a name, or the best if the name is empty, for a run of
// these transports, with or without TLS.
func Choose(name string, of []scenarios.Transport, secured bool) (string, error) {
	e, err := choose(name, of, secured)
	return e.name, err
}

func choose(name string, of []scenarios.Transport, secured bool) (engine, error) {
	all := supported()
	able := slices.DeleteFunc(slices.Clone(all), func(e engine) bool { return e.unsupported(of, secured) != "" })
	if name == "" {
		return able[0], nil
	}
	i := slices.IndexFunc(all, func(e engine) bool { return e.name == name })
	if i < 0 {
		return engine{}, fmt.Errorf("%q is not one of %s", name, strings.Join(names(all), ", "))
	}
	if reason := all[i].unsupported(of, secured); reason != "" {
		return engine{}, fmt.Errorf("%s %s, which this scenario uses; allowed: %s", name, reason, strings.Join(names(able), ", "))
	}
	return all[i], nil
}

// New returns the engine with a name.
func New(name string, config client.Config) (client.Engine, error) {
	e, err := choose(name, []scenarios.Transport{config.Transport}, config.TLS != nil)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return e.open(config)
}
