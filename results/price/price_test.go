package price_test

import (
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"pushbench/results/price"
)

// The amounts and prices below were computed by hand.
func TestPriceIsThatOfAHandComputedExample(t *testing.T) {
	// 1,000 clients receive 4,000 messages per second of 224 B: 896,000 B/s, and 2,628,000 seconds are a month.
	chat := price.Usage{Clients: 1000, Cores: 0.04, Memory: 24 * 1024, Egress: 4000 * 224, Requests: 50}
	prices := price.Prices{Currency: "USD", CoreMonth: 30, MemoryGBMonth: 4, EgressGB: 0.09, PerMillionRequests: 0.2, Utilisation: 0.5}
	for item, want := range map[price.Item]struct{ amount, cost float64 }{
		price.CoreMonth:          {0.08, 2.40},                  // 0.04 / 0.5 cores
		price.MemoryGBMonth:      {0.02288818359375, 0.0915527}, // 24,576,000 B / 2^30
		price.EgressGB:           {2354.688, 211.92192},         // 896,000 B/s x 2,628,000 s / 10^9
		price.PerMillionRequests: {131.4, 26.28},                // 50/s x 2,628,000 s / 10^6
	} {
		if amount, cost := prices.Amount(item, chat), prices.Cost(item, chat); !near(amount, want.amount) || !near(cost, want.cost) {
			t.Errorf("%s: %v for %v, want %v for %v", item, amount, cost, want.amount, want.cost)
		}
	}
	if got := prices.Total(chat); !near(got, 240.6934727) {
		t.Errorf("the total is %v, want 240.6934727", got)
	}
	// A tenth of the clients with a tenth of the load costs the same per 1,000 clients; memory is per client already.
	tenth := price.Usage{Clients: 100, Cores: 0.004, Memory: 24 * 1024, Egress: 400 * 224, Requests: 5}
	if got, want := prices.Total(tenth), prices.Total(chat); !near(got, want) {
		t.Errorf("per 1,000 of 100 clients the total is %v, want %v", got, want)
	}
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-6*math.Abs(want) }

func TestUnmeasuredUsageMattersOnlyIfBilled(t *testing.T) {
	use := price.Usage{Clients: 1000, Cores: 1, Memory: 0, Egress: math.NaN(), Requests: math.NaN()}
	p := price.Prices{CoreMonth: 10, Utilisation: 1}
	if got := p.Total(use); got != 10 {
		t.Errorf("egress is neither billed nor measured: the total is %v, want 10", got)
	}
	p.EgressGB = 0.01
	if got := p.Total(use); !math.IsNaN(got) {
		t.Errorf("egress is billed and not measured: the total is %v, want NaN", got)
	}
}

// The file that pushbench prices prints, which users copy, has every field.
func TestDefaultFileHasEveryField(t *testing.T) {
	text, err := os.ReadFile("default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for field := range reflect.TypeFor[price.Prices]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name != "" && name != "-" && !strings.Contains(string(text), "\n"+name+":") {
			t.Errorf("default.yaml has no %s", name)
		}
	}
}

// Every default price has a page with its date, or is marked.
func TestDefaultPricesHaveSources(t *testing.T) {
	p := price.Default()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	for _, i := range price.Items {
		s, ok := p.Source(i)
		if p.Of(i) == 0 {
			continue
		}
		if !ok {
			t.Errorf("%s has no source", i)
		}
		if s.Date > p.Date {
			t.Errorf("the page of %s is of %s, later than the file's date %s", i, s.Date, p.Date)
		}
	}
	if p.Illustrative() {
		t.Error("a default price is illustrative")
	}
	// 0.04048 and 0.004445 per hour, as the page states them, for 730 hours.
	if math.Abs(p.CoreMonth-0.04048*price.Hours) > 0.005 || math.Abs(p.MemoryGBMonth-0.004445*price.Hours) > 0.0005 {
		t.Errorf("core %v, memory %v per month do not match their prices per hour", p.CoreMonth, p.MemoryGBMonth)
	}
}

func TestOnlyBilledPricesAreIllustrative(t *testing.T) {
	p := price.Prices{CoreMonth: 1, Sources: []price.Source{{What: price.EgressGB, Illustrative: true}}}
	if p.Illustrative() {
		t.Error("egress is not billed")
	}
	p.EgressGB = 1
	if !p.Illustrative() || !p.Illustrative(price.EgressGB) || p.Illustrative(price.CoreMonth) {
		t.Error("egress alone is illustrative")
	}
}

func TestAbsentPricesAreTheDefault(t *testing.T) {
	var none *price.Prices
	for _, p := range []*price.Prices{none, {}} {
		if got := p.OrDefault(); got.CoreMonth != price.Default().CoreMonth {
			t.Errorf("got %+v, want the default", got)
		}
		if p != nil && p.Check() != nil {
			t.Error("absent prices are refused")
		}
	}
	own := &price.Prices{Currency: "EUR"}
	if got := own.OrDefault(); got.Currency != "EUR" || got.CoreMonth != 0 {
		t.Errorf("got %+v, want the prices themselves", got)
	}
}

func TestCheckRefusesImpossiblePrices(t *testing.T) {
	for want, change := range map[string]func(*price.Prices){
		"core_month: -1 is not":         func(p *price.Prices) { p.CoreMonth = -1 },
		"egress_gb: NaN is not":         func(p *price.Prices) { p.EgressGB = math.NaN() },
		"memory_gb_month: 1e+07 is not": func(p *price.Prices) { p.MemoryGBMonth = 1e7 },
		"utilisation: 0 is not":         func(p *price.Prices) { p.Utilisation = 0 },
		"date: 2026-02-30 is not":       func(p *price.Prices) { p.Date = "2026-02-30" },
		"sources[0]: has no page":       func(p *price.Prices) { p.Sources = []price.Source{{What: price.EgressGB, URL: "https://x"}} },
		"sources[0]: has a page and": func(p *price.Prices) {
			p.Sources = []price.Source{{What: price.EgressGB, Date: "x", Illustrative: true}}
		},
		"sources[0].date: 2026-13-01 is not": func(p *price.Prices) { p.Sources = []price.Source{{URL: "https://x", Date: "2026-13-01"}} },
	} {
		p := price.Default()
		change(&p)
		if err := p.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
