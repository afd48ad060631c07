package generator

import (
	"fmt"
	"testing"

	"pushbench/bench/clock"
	"pushbench/bench/generator/generatortest"
)

// A discarding sink receives messages by the same requests, but records nothing.
func TestDiscardingSinkRecordsNothing(t *testing.T) {
	scenario := fmt.Sprintf(generatortest.PollScenario, "clients") + "drain: 200ms\n"
	g := startGeneratorOf(t, scenario, func(p *Prepare) { p.Discard = true })
	if c := g.connect(); c.Clients != 5 || c.Failed != 0 {
		t.Errorf("connected %d, failed %d; want 5 and 0", c.Clients, c.Failed)
	}
	g.send(Command{Start: &Start{At: clock.Now()}})
	o, _ := g.outcome()
	g.end()
	if o.Delivered == 0 || o.Wire.Down.Payload == 0 {
		t.Errorf("%d messages delivered, %d bytes of payload; want some", o.Delivered, o.Wire.Down.Payload)
	}
	if o.Ledger.Received != 0 || o.Latency.Histogram.Count() != 0 || o.Publishes.Sent != 0 {
		t.Errorf("recorded %d received messages, %d latencies, %d publishes; want none", o.Ledger.Received, o.Latency.Histogram.Count(), o.Publishes.Sent)
	}
}
