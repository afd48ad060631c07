package client

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/scenarios"
)

// Names of engines.
const (
	EventLoops = "events"
	Goroutine  = "goroutines"
)

// Engines names what this system has, the best first: event loops cost less and
// publish more punctually, goroutines run everywhere and share no code with them
// that reads or writes a byte.
func Engines() []string {
	if hasEvents() {
		return []string{EventLoops, Goroutine}
	}
	return []string{Goroutine}
}

// New returns an engine by its name.
func New(name string, config Config) (Transport, error) {
	switch {
	case !slices.Contains(Engines(), name):
		return nil, fmt.Errorf("engine %q: this system has %s", name, strings.Join(Engines(), " and "))
	case name == EventLoops && config.TLS != nil:
		return nil, fmt.Errorf("engine %q speaks no TLS: %s does", name, Goroutine)
	case name == EventLoops && config.Transport == scenarios.Webhook:
		return nil, fmt.Errorf("engine %q receives no webhooks: %s does", name, Goroutine)
	case name == EventLoops:
		return Events(config)
	default:
		return Goroutines(config), nil
	}
}
