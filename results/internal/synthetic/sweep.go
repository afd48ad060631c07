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

// Sweep generates a complete run of every transport with each library and batching delay. A list of one is
// not swept. Without a batching delay WebSocket pays for every write. net/http costs 40 % more, and a poll
// on it three times as much.
func Sweep(repetitions int, window time.Duration, libraries []string, delays []time.Duration) *results.Run {
	return once(fmt.Sprint("sweep ", repetitions, window, libraries, delays), func() *results.Run { return sweep(repetitions, window, libraries, delays) })
}

func sweep(repetitions int, window time.Duration, libraries []string, delays []time.Duration) *results.Run {
	r := &results.Run{Path: "results/runs/swept", Manifest: manifest(repetitions, window)}
	m := &r.Manifest
	m.Library, m.Workload.BatchingDelay = strings.Join(libraries, ", "), map[string]time.Duration{}
	m.Configurations = configurations(m.Transports, libraries, delays)
	var order []string
	for _, c := range m.Configurations {
		order = append(order, c.Name)
	}
	m.Orders = slices.Repeat([][]string{order}, repetitions)
	measure(r, 1, 0.01, func(t *results.Trial, c results.Configuration) model {
		t.Configuration, t.Library, t.BatchingDelay = c.Name, c.Library, c.BatchingDelay
		return modelOf(c)
	})
	return r
}

// Targets generates a complete run of several servers. The first is pushbench's net/http, which costs more.
func Targets(repetitions int, window time.Duration, names ...string) *results.Run {
	r := Sweep(repetitions, window, append([]string{"nethttp"}, names[1:]...), []time.Duration{0})
	rename := func(name string) string {
		return strings.ReplaceAll(strings.ReplaceAll(name, " library=nethttp", " target="+names[0]), " library=", " target=")
	}
	m := &r.Manifest
	m.Library = "reference"
	for i := range m.Configurations {
		c := &m.Configurations[i]
		c.Name, c.Library = rename(c.Name), "reference"
		_, c.Target, _ = strings.Cut(c.Name, " target=")
	}
	for _, order := range m.Orders {
		for i := range order {
			order[i] = rename(order[i])
		}
	}
	for i := range r.Trials {
		r.Trials[i].Configuration, r.Trials[i].Library = rename(r.Trials[i].Configuration), "reference"
	}
	for i := range r.Intervals {
		r.Intervals[i].Configuration = rename(r.Intervals[i].Configuration)
	}
	return r
}

func configurations(names, libraries []string, delays []time.Duration) []results.Configuration {
	var all []results.Configuration
	for _, t := range names {
		for _, library := range libraries {
			for i, batchingDelay := range delays {
				if !transports.Of(t).Batches && i > 0 {
					continue
				}
				c := results.Configuration{Name: t, Transport: t, Library: library}
				if len(libraries) > 1 {
					c.Name += " library=" + library
				}
				if c.BatchingDelay = batchingDelay; !transports.Of(t).Batches {
					c.BatchingDelay = 0
				} else if len(delays) > 1 {
					c.Name += " batching_delay=" + batchingDelay.String()
				}
				all = append(all, c)
			}
		}
	}
	return all
}

// modelOf is the transport's model with the effect of the configuration's library and batching delay.
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
