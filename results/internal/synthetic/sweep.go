package synthetic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/scenarios/transports"
)

// Sweep makes a complete run of every transport with each stack and flush window.
// A list of one is not swept. Without a flush window WebSocket pays for every
// write; net/http costs 40 % more, and a poll on it three times as much.
func Sweep(blocks int, window time.Duration, stacks []string, flushes []time.Duration) *results.Run {
	return once(fmt.Sprint("sweep ", blocks, window, stacks, flushes), func() *results.Run { return sweep(blocks, window, stacks, flushes) })
}

func sweep(blocks int, window time.Duration, stacks []string, flushes []time.Duration) *results.Run {
	r := &results.Run{Path: "results/runs/swept", Manifest: manifest(blocks, window)}
	m := &r.Manifest
	m.Library, m.Workload.BatchingDelay = strings.Join(stacks, ", "), map[string]time.Duration{}
	m.Configurations = cases(m.Transports, stacks, flushes)
	var order []string
	for _, c := range m.Configurations {
		order = append(order, c.Name)
	}
	m.Orders = slices.Repeat([][]string{order}, blocks)
	measure(r, 1, 0.01, func(t *results.Trial, c results.Configuration) model {
		t.Configuration, t.Library, t.BatchingDelay = c.Name, c.Library, c.BatchingDelay
		return modelOf(c)
	})
	return r
}

func cases(names, stacks []string, flushes []time.Duration) []results.Configuration {
	var all []results.Configuration
	for _, t := range names {
		for _, stack := range stacks {
			for i, flush := range flushes {
				if !transports.Of(t).Batches && i > 0 {
					continue
				}
				c := results.Configuration{Name: t, Transport: t, Library: stack}
				if len(stacks) > 1 {
					c.Name += " library=" + stack
				}
				if c.BatchingDelay = flush; !transports.Of(t).Batches {
					c.BatchingDelay = 0
				} else if len(flushes) > 1 {
					c.Name += " batching_delay=" + flush.String()
				}
				all = append(all, c)
			}
		}
	}
	return all
}

// modelOf is the transport's model with what the case does to it.
func modelOf(c results.Configuration) model {
	m := models[c.Transport]
	if c.Library == "nethttp" {
		m.server = m.server * 7 / 5
		if m.polls {
			m.server *= 3
		}
	}
	writes := m.batch
	if c.BatchingDelay > 0 {
		m.batch = math.Max(m.batch, 1+rate*c.BatchingDelay.Seconds())
		wait := m.wait
		m.wait = func(r *rand.Rand) time.Duration { return wait(r) + time.Duration(r.Float64()*float64(c.BatchingDelay)) }
	}
	if c.Transport == transports.WebSocket {
		m.server = time.Duration(float64(3*m.server) * writes / m.batch)
	}
	return m
}
