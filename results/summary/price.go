package summary

import (
	"math"

	"pushbench/results"
	"pushbench/results/price"
)

// UsageOf returns the resource use of a trial's servers in its window. Its clients are all that are connected,
// publish-only clients included, as in the memory per client. Its egress is what the clients receive,
// TLS included, with IP and TCP headers.
func UsageOf(t results.Trial) price.Usage {
	c := t.Connect
	down, span := t.Cost.Wire.Down, t.Cost.Span.Seconds()
	bytes := math.NaN()
	if down.Segments != 0 {
		bytes = float64(down.Bytes + SegmentHeader*down.Segments + HandshakeOptions/2*t.Cost.Wire.Dials)
	}
	return price.Usage{
		Clients:  float64(c.Clients-c.Failed+c.PublishOnly) / float64(max(1, t.Pooled)),
		Cores:    orNaN(cores(serverCPU)(t)),
		Memory:   orNaN(idleMemory(serverPerClient)(t)) * 1024,
		Egress:   bytes / span,
		Requests: float64(t.Cost.Wire.Requests) / span,
	}
}

// orNaN returns NaN for a value that was not measured.
func orNaN(v Value) float64 {
	if v.Known != Shown {
		return math.NaN()
	}
	return v.X
}

// Amount returns a value that is not shown unless x is a finite number.
func Amount(x float64) Value { return ifShown(!math.IsNaN(x) && !math.IsInf(x, 0), Value{X: x}) }

// Bill returns how much of an item the configuration uses per 1,000 clients and month, and its price: medians of
// the repetitions.
func (r Row) Bill(i price.Item) (amount, cost Value) {
	var amounts, costs []float64
	for _, t := range r.Trials {
		p, u := t.Prices.OrDefault(), UsageOf(t)
		amounts, costs = append(amounts, p.Amount(i, u)), append(costs, p.Cost(i, u))
	}
	return Amount(Median(amounts)), Amount(Median(costs))
}
