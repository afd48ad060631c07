package report_test

import (
	"encoding/json"
	"math"
	"testing"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/price"
	"pushbench/results/report"
)

// priced has prices of its own: requests are billed, memory is not, and egress is illustrative. SSE's segments were not
// counted, and WebSocket used TLS.
func priced(r *results.Run) {
	m := &r.Manifest
	m.Prices = price.Prices{
		Currency: "EUR", CoreMonth: 4.5, EgressGB: 0.001, PerMillionRequests: 0.2, Utilisation: 0.25, Date: "2026-05-01",
		Sources: []price.Source{{What: price.EgressGB, Illustrative: true}, {What: price.CoreMonth, URL: "http://example.com/<b>", Date: "2026-04-30"}},
		Note:    "a rented server *",
	}
	m.Configurations = m.AllConfigurations()
	m.Configurations[3].TLS = true
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Transport == "sse" {
			t.Cost.Wire.Down.Segments = 0
		}
	}
}

// summary.json has the assumptions, and amounts and costs that add up.
func TestJSONHasPrices(t *testing.T) {
	var got struct {
		Prices struct {
			Assumptions    price.Prices
			Illustrative   bool
			Configurations []struct {
				Name  string
				Price struct{ Value *float64 }
				Items map[price.Item]struct{ Amount, Cost struct{ Value *float64 } }
			}
		}
	}
	if err := json.Unmarshal([]byte(render(t, on("priced").JSON)), &got); err != nil {
		t.Fatal(err)
	}
	p := got.Prices
	if p.Assumptions.Currency != "EUR" || !p.Illustrative || len(p.Configurations) != 4 {
		t.Fatalf("got %+v", p)
	}
	for _, c := range p.Configurations {
		if c.Name == "sse" {
			if c.Price.Value != nil || c.Items[price.EgressGB].Cost.Value != nil || c.Items[price.CoreMonth].Cost.Value == nil {
				t.Errorf("SSE's egress was not measured: got %+v", c)
			}
			continue
		}
		sum := 0.0
		for _, item := range c.Items {
			sum += *item.Cost.Value
		}
		if math.Abs(sum-*c.Price.Value) > 0.01*sum { // medians need not add up exactly
			t.Errorf("%s: the items cost %v, the price is %v", c.Name, sum, *c.Price.Value)
		}
	}
}

// A comparison of two runs compares servers: the prices of both are those of the second run.
func TestComparisonUsesOnePriceList(t *testing.T) {
	a, b := *twelve(), *twelve()
	a.Manifest.Prices = price.Default()
	a.Manifest.Prices.EgressGB *= 2
	b.Manifest.Prices = price.Default()
	b.Manifest.Compare = results.Declared{Primary: []string{metric.Price}, Margin: 0.05}
	a.Manifest.Compare = b.Manifest.Compare
	c, err := report.Compare(&a, &b)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range c.Analysis.Family {
		if d.Metric != metric.Price || d.Ratio != 1 {
			t.Errorf("%s of %s: ratio %v, want 1", d.Metric, d.Names[0], d.Ratio)
		}
	}
	if a.Manifest.Prices.EgressGB != 2*b.Manifest.Prices.EgressGB {
		t.Error("the run itself is changed")
	}
}
