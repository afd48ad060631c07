//go:build nightly

package timed

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"runtime"
	"testing"
	"time"

	"pushbench/bench/client/engines"
	monotonic "pushbench/bench/clock"
	"pushbench/bench/generator"
	"pushbench/bench/model"
	"pushbench/cmd/internal/inprocess"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// Fifty clients with a topic each, of ten messages a second.
const freshness = `version: 1
name: freshness
clients: {count: 50}
topics: {count: 50}
publish: {by: backend, rate: 500/s, arrivals: poisson}
payload: {size: 64B}
shortpoll: {interval: 200ms}
warmup: 1s
window: 3s
drain: 10s
delivery: `

// How old what clients hold is agrees with the closed forms, over every transport and
// with every message as with only the latest. The forms know no delay: what the slowest
// delivery of the same trial took beyond its poll is allowed on top, so that a busy
// machine is not taken for an error.
func TestAgesAgreeWithTheClosedForms(t *testing.T) {
	// A generator's threads keep their Ps while they sleep. In a process of its own it is
	// given some to spare; here the server needs its own beside them.
	const spare = 4
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + spare))
	const interval, rate, messages = 0.2, 10.0, 1500
	forms := map[scenarios.Transport]model.Age{
		transports.ShortPoll: {Spread: interval, Rate: rate},
		transports.LongPoll:  {Rate: rate}, transports.SSE: {Rate: rate}, transports.WebSocket: {Rate: rate},
	}
	for transport, form := range forms {
		for _, delivery := range []scenarios.Delivery{scenarios.Every, scenarios.Latest} {
			t.Run(string(transport)+" "+string(delivery), func(t *testing.T) {
				o := driveTrial(t, freshness+string(delivery)+"\n", transport)
				if o.Ledger.Lost != 0 || o.Age.Never != 0 {
					t.Errorf("%d lost, %v never held", o.Ledger.Lost, o.Age.Never)
				}
				// The age of a Poisson process is correlated with itself by e^(−λt): over n
				// messages its mean has a standard deviation of √(2/n)/λ.
				want, got := form.Mean(), o.Age.Mean().Seconds()
				slack := 4*math.Sqrt(2.0/messages)/rate + max(0.002, want/100)
				slowest := max(0, o.Latency.Histogram.Max().Seconds()-form.Spread)
				if got < want-slack || got > want+slack+slowest {
					t.Errorf("mean age %.4f s, want %.4f ± %.4f and at most %.4f for delays", got, want, slack, slowest)
				}
			})
		}
	}
}

// driveTrial is a trial whose server and generator are both in this process.
func driveTrial(t *testing.T, scenario string, transport scenarios.Transport) generator.Outcome {
	t.Helper()
	server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference})
	in, orders := io.Pipe()
	out, reports := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := generator.Drive(in, reports)
		reports.Close()
		ended <- err
	}()
	defer func() {
		out.Close()
		orders.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	say := json.NewEncoder(orders)
	heard := bufio.NewScanner(out)
	heard.Buffer(nil, 16<<20)
	ask := func(o generator.Command) { _ = say.Encode(o) } // a generator that is gone says so by its silence
	ask(generator.Command{Prepare: &generator.Prepare{
		Scenario: scenario, Transport: string(transport), Target: server.Addr,
		Repetition: 1, Run: 7, Engine: engines.Names()[0],
	}})
	for heard.Scan() {
		var m generator.Message
		if err := json.Unmarshal(heard.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		switch {
		case m.Failed != "":
			t.Fatal(m.Failed)
		case m.Prepared != nil:
			ask(generator.Command{Connect: &generator.Connect{}})
		case m.Connected != nil:
			ask(generator.Command{Start: &generator.Start{At: monotonic.Now().Add(100 * time.Millisecond)}})
		case m.Done != nil:
			for _, identity := range (results.Trial{Age: m.Done.Age}).Identities() {
				if !identity.Holds() {
					t.Error(identity)
				}
			}
			return *m.Done
		}
	}
	t.Fatalf("the generator went silent: %v", heard.Err())
	return generator.Outcome{}
}
