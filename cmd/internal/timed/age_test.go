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

// ageScenario has fifty clients with one topic each, with ten messages per second.
const ageScenario = `version: 1
name: age
clients: {count: 50}
topics: {count: 50}
publish: {by: backend, rate: 500/s, arrivals: poisson}
payload: {size: 64B}
shortpoll: {interval: 200ms}
warmup: 1s
window: 3s
drain: 10s
delivery: `

// The age of information must agree with the closed forms, over every transport, both with
// every message and with only the latest. The forms assume no delay: the latency of the slowest
// delivery of the same trial beyond its poll is added to the tolerance, so that a busy
// machine does not cause a failure.
func TestAgesAgreeWithTheClosedForms(t *testing.T) {
	// A load generator's threads keep their Ps while they sleep. A generator process has
	// spare ones for that; here the server needs additional ones.
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
				o := driveTrial(t, ageScenario+string(delivery)+"\n", transport)
				if o.Ledger.Lost != 0 || o.Age.Never != 0 {
					t.Errorf("%d messages lost, %v without an age", o.Ledger.Lost, o.Age.Never)
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

// driveTrial runs a trial whose server and load generator are both in this process.
func driveTrial(t *testing.T, scenario string, transport scenarios.Transport) generator.Outcome {
	t.Helper()
	server := inprocess.Start(t, inprocess.Server{Transport: string(transport), Library: wire.Reference})
	in, commands := io.Pipe()
	out, reports := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := generator.Drive(in, reports)
		reports.Close()
		ended <- err
	}()
	defer func() {
		out.Close()
		commands.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	encoder := json.NewEncoder(commands)
	messages := bufio.NewScanner(out)
	messages.Buffer(nil, 16<<20)
	send := func(o generator.Command) { _ = encoder.Encode(o) } // if the generator has ended, the scan below ends
	send(generator.Command{Prepare: &generator.Prepare{
		Scenario: scenario, Transport: string(transport), Target: server.Addr,
		Repetition: 1, Run: 7, Engine: engines.Names()[0],
	}})
	for messages.Scan() {
		var m generator.Report
		if err := json.Unmarshal(messages.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		switch {
		case m.Failed != "":
			t.Fatal(m.Failed)
		case m.Prepared != nil:
			send(generator.Command{Connect: &generator.Connect{}})
		case m.Connected != nil:
			send(generator.Command{Start: &generator.Start{At: monotonic.Now().Add(100 * time.Millisecond)}})
		case m.Done != nil:
			for _, identity := range (results.Trial{Age: m.Done.Age}).Identities() {
				if !identity.Holds() {
					t.Error(identity)
				}
			}
			return *m.Done
		}
	}
	t.Fatalf("the load generator ended without a result: %v", messages.Err())
	return generator.Outcome{}
}
