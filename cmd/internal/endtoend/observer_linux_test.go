package endtoend

import (
	"strings"
	"testing"

	"pushbench/bench/agent"
	"pushbench/bench/client/engines"
	"pushbench/bench/trial"
	"pushbench/scenarios"
)

// observed is a small chat: 10 rooms of 20 clients, 10,000 deliveries per second.
const observed = `version: 1
name: observed
clients: {count: 200, connect_rate: 2000/s}
topics: {count: 10, per_client: 1, spread: even}
publish: {by: clients, rate: 500/s, arrivals: poisson}
payload: {size: 128B}
shortpoll: {interval: 200ms}
idle: 0s
warmup: 300ms
window: 700ms
drain: 300ms
`

// BenchmarkObserverEffect measures the cost of recording for the server and the load generator.
// An operation is a pair of trials, one that records and one that does not. The
// metrics are medians over the pairs, so use many pairs (-benchtime 20x) on an
// otherwise idle machine.
func BenchmarkObserverEffect(b *testing.B) {
	s, err := scenarios.Read("observed", strings.NewReader(observed))
	if err != nil {
		b.Fatal(err)
	}
	one := &agent.Local{Machine: agent.Machine{
		Drive: []string{pushbench, "drive"},
		Idle:  []string{pushbench, "prevent-idle"},
		Serve: func(j agent.Job, _ string) []string {
			return []string{pushbench, "serve", string(j.Measured.Transport), "--control", "--listen", "127.0.0.1:0"}
		},
	}}
	one.Pin()
	setup := &trial.Setup{Engine: engines.Names()[0], Servers: one, Generators: []agent.Agent{one}}
	for _, transport := range scenarios.Transports {
		b.Run(string(transport), func(b *testing.B) {
			effect, err := observe(b.Context(), setup, s, transport, b.N)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(0, "ns/op") // the duration of a pair has no meaning
			b.ReportMetric(effect.Server, "server-µs/msg")
			b.ReportMetric(effect.ServerChange, "server-change-%")
			b.ReportMetric(effect.GeneratorBare, "bare-generator-µs/msg")
			b.ReportMetric(effect.Generator, "generator-µs/msg")
			b.ReportMetric(effect.GeneratorChange, "generator-change-%")
		})
	}
}
