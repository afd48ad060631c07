package selftest

import (
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/price"
	"pushbench/results/summary"
)

// knownPrice prices a trial of 10 s in which 1,000 clients receive 4,000 messages per second of 224 B, headers
// included, in a segment each. The server uses 0.04 cores and 24 KiB per client.
func knownPrice(*lab) ([]Result, error) {
	return priceRows(results.Trial{
		Connect: results.Connect{Clients: 1000},
		Cost: results.Cost{
			Span: 10 * time.Second, Delivered: 40_000,
			Server: results.Process{CPU: 400 * time.Millisecond},
			Wire:   results.Wire{Down: results.Direction{Bytes: 40_000 * (224 - summary.SegmentHeader), Segments: 40_000}, Requests: 500},
			Idle:   results.IdleMemory{Probes: 1, First: 300, Added: 1000, Server: results.ResidentSizes{First: 9 << 20, All: 9<<20 + 1000*24<<10}},
		},
	}), nil
}

// priceRows compare a trial's price with the values computed by hand for the trial of knownPrice.
func priceRows(t results.Trial) []Result {
	p := price.Prices{Currency: "USD", CoreMonth: 30, MemoryGBMonth: 4, EgressGB: 0.09, PerMillionRequests: 0.2, Utilisation: 0.5}
	t.Prices = &p
	use := summary.UsageOf(t)
	return []Result{
		within("rented cores: 0.04 / 50 %", "", 0.08, p.Amount(price.CoreMonth, use), 1e-9),
		within("memory: 1,000 x 24 KiB", " GB", 0.02288818359375, p.Amount(price.MemoryGBMonth, use), 1e-9),
		within("egress: 896,000 B/s x 2,628,000 s", " GB", 2354.688, p.Amount(price.EgressGB, use), 1e-6),
		within("requests: 50/s x 2,628,000 s", " million", 131.4, p.Amount(price.PerMillionRequests, use), 1e-9),
		within("price: 2.40 + 0.09155 + 211.92192 + 26.28", " USD", 240.693472734, summary.Measure(metric.Price, t).X, 1e-6),
	}
}
