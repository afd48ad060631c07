package main

import (
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
)

// The contract holds whatever lies between: a distance, one that varies, and a
// thin line.
func TestConformanceThroughALink(t *testing.T) {
	for name, link := range map[string]client.Link{
		"10 ms":              {RTT: 10 * time.Millisecond},
		"4 ms and jitter":    {RTT: 4 * time.Millisecond, Jitter: 4 * time.Millisecond, Seed: 1},
		"5 MB a second only": {Rate: 5e6},
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Transport) {
				clienttest.Run(t, through(link, newEngine), startInProcess)
			})
		})
	}
}

// through puts a link before the clients of an engine.
func through(link client.Link, newEngine func(client.Config) client.Transport) func(client.Config) client.Transport {
	return func(c client.Config) client.Transport {
		c.Link = link
		return newEngine(c)
	}
}
