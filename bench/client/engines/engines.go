// Package engines is the table of the engines that simulated clients run on: what each
// can do, and which of them a run may use.
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

// An engine is one of the table. Event loops cost less and publish more punctually;
// goroutines run everywhere.
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

// lacks says what an engine does not have of what a run needs, if anything.
func (e *engine) lacks(of []scenarios.Transport, secured bool) string {
	switch {
	case secured && !e.tls:
		return "speaks no TLS"
	case slices.ContainsFunc(of, func(t scenarios.Transport) bool { return !e.serves(transports.Of(t)) }):
		return "receives no webhooks"
	default:
		return ""
	}
}

// supported are the engines that this system has.
func supported() (found []engine) {
	for _, e := range table {
		if e.supported() {
			found = append(found, e)
		}
	}
	return found
}

// Names lists the engines that this system has, the best first.
func Names() (names []string) {
	for _, e := range supported() {
		names = append(names, e.name)
	}
	return names
}

// able lists the engines that a run of these transports can use, with TLS or without.
func able(of []scenarios.Transport, secured bool) (names []string) {
	for _, e := range supported() {
		if e.lacks(of, secured) == "" {
			names = append(names, e.name)
		}
	}
	return names
}

// find returns an engine by its name.
func find(name string) (e engine, ok bool) {
	all := supported()
	i := slices.IndexFunc(all, func(e engine) bool { return e.name == name })
	if i < 0 {
		return engine{}, false
	}
	return all[i], true
}

// Choose returns the engine of a name, or the best if the name is empty, for a run of
// these transports, with TLS or without.
func Choose(name string, of []scenarios.Transport, secured bool) (string, error) {
	able := able(of, secured)
	if name == "" {
		return able[0], nil
	}
	e, ok := find(name)
	if !ok {
		return "", fmt.Errorf("%q is not one of %s", name, strings.Join(Names(), ", "))
	}
	if lacks := e.lacks(of, secured); lacks != "" {
		return "", fmt.Errorf("%s %s, which this scenario has; allowed: %s", name, lacks, strings.Join(able, ", "))
	}
	return name, nil
}

// New returns an engine by its name.
func New(name string, config client.Config) (client.Engine, error) {
	e, ok := find(name)
	if !ok {
		return nil, fmt.Errorf("engine %q: this system has %s", name, strings.Join(Names(), " and "))
	}
	of, secured := []scenarios.Transport{config.Transport}, config.TLS != nil
	if lacks := e.lacks(of, secured); lacks != "" {
		return nil, fmt.Errorf("engine %q %s: %s does", name, lacks, able(of, secured)[0])
	}
	return e.open(config)
}
