package synthetic

import (
	"fmt"
	"math"
	"math/rand/v2"
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
	m.Stack, m.Orders, m.Workload.Flush = strings.Join(stacks, ", "), nil, map[string]time.Duration{}
	m.Cases = cases(m.Transports, stacks, flushes)
	random := rand.New(rand.NewPCG(m.Seed, 1))
	began := time.Duration(0)
	for block := 1; block <= blocks; block++ {
		var order []string
		for position, c := range m.Cases {
			t := trial{model: modelOf(c), random: random, window: window, factor: 1 + 0.01*random.NormFloat64()}
			done := t.run(c.Transport)
			done.Case, done.Stack, done.Flush = c.Name, c.Stack, c.Flush
			done.Block, done.Position, done.Started = block, position+1, started.Add(began)
			r.Trials = append(r.Trials, done)
			for _, i := range t.intervals(block, c.Transport, began+3*time.Second) {
				i.Case = c.Name
				r.Intervals = append(r.Intervals, i)
			}
			began += done.Took
			order = append(order, c.Name)
		}
		m.Orders = append(m.Orders, order)
	}
	m.Ended = started.Add(began)
	return r
}

func cases(names, stacks []string, flushes []time.Duration) []results.Case {
	var all []results.Case
	for _, t := range names {
		for _, stack := range stacks {
			for i, flush := range flushes {
				if !transports.Of(t).Flushes && i > 0 {
					continue
				}
				c := results.Case{Name: t, Transport: t, Stack: stack}
				if len(stacks) > 1 {
					c.Name += " stack=" + stack
				}
				if c.Flush = flush; !transports.Of(t).Flushes {
					c.Flush = 0
				} else if len(flushes) > 1 {
					c.Name += " flush=" + flush.String()
				}
				all = append(all, c)
			}
		}
	}
	return all
}

// modelOf is the transport's model with what the case does to it.
func modelOf(c results.Case) model {
	m := models[c.Transport]
	if c.Stack == "nethttp" {
		m.server = m.server * 7 / 5
		if m.polls {
			m.server *= 3
		}
	}
	writes := m.batch
	if c.Flush > 0 {
		m.batch = math.Max(m.batch, 1+rate*c.Flush.Seconds())
		wait := m.wait
		m.wait = func(r *rand.Rand) time.Duration { return wait(r) + time.Duration(r.Float64()*float64(c.Flush)) }
	}
	if c.Transport == transports.WebSocket {
		m.server = time.Duration(float64(3*m.server) * writes / m.batch)
	}
	return m
}
