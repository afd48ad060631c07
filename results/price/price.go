// Package price computes what a server costs per 1,000 clients and month from its resource use and
// the prices of a provider.
//
// It owns the prices, their default file and the formula. It must never know what a trial is:
// package summary reads the resource use from one. It imports no other package of this module, so that
// scenarios and results can share it.
package price

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
)

// Clients is the number of clients that a price is for.
const Clients = 1000

// Hours is the length of a month, as providers count it: 365 × 24 / 12.
const Hours = 730

const (
	seconds = Hours * 3600 // of a month
	gib     = 1 << 30      // bytes of a GB of memory: providers allocate binary units
	gb      = 1e9          // bytes of a GB of egress
)

// An Item is a price: what a provider bills.
type Item string

// CoreMonth is a logical CPU for a month. MemoryGBMonth is 1 GB (2³⁰ bytes) of memory for a month.
// EgressGB is 1 GB (10⁹ bytes) from a server to the internet. PerMillionRequests is a million HTTP requests.
const (
	CoreMonth          Item = "core_month"
	MemoryGBMonth      Item = "memory_gb_month"
	EgressGB           Item = "egress_gb"
	PerMillionRequests Item = "per_million_requests"
)

// Items lists the prices in the order of reports.
var Items = []Item{CoreMonth, MemoryGBMonth, EgressGB, PerMillionRequests}

// Prices are the prices of one provider in one currency, with the assumptions behind them.
type Prices struct { // the struct tags are the rules of a file: see scenarios.Rule
	Currency           string   `yaml:"currency" json:"currency" required:"true" pattern:"^[A-Z]{3}$" allowed:"a currency in three capital letters, such as USD"`                               // of all prices, in three capital letters (ISO 4217)
	CoreMonth          float64  `yaml:"core_month" json:"core_month" required:"true" min:"0" max:"1000000"`                                                                                     // a logical CPU for a month of 730 hours
	MemoryGBMonth      float64  `yaml:"memory_gb_month" json:"memory_gb_month" required:"true" min:"0" max:"1000000"`                                                                           // 1 GB of memory for a month; 0: not billed
	EgressGB           float64  `yaml:"egress_gb" json:"egress_gb" required:"true" min:"0" max:"1000000"`                                                                                       // 1 GB from a server to the internet; 0: not billed
	PerMillionRequests float64  `yaml:"per_million_requests,omitempty" json:"per_million_requests,omitempty" min:"0" max:"1000000"`                                                             // a million HTTP requests; default 0: not billed
	Utilisation        float64  `yaml:"utilisation" json:"utilisation" required:"true" min:"0.01" max:"1"`                                                                                      // assumed share of the rented CPU time that the servers use, 0.01 … 1
	Date               string   `yaml:"date" json:"date" required:"true" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" allowed:"a date such as 2026-06-17"`                                            // when these prices were valid
	Sources            []Source `yaml:"sources,omitempty" json:"sources,omitempty" items:"4" allowed:"of {what: …, url: …, date: …} or {what: …, illustrative: true}, each price at most once"` // the page that states each price; default none
	Note               string   `yaml:"note,omitempty" json:"note,omitempty"`                                                                                                                   // shown with the prices; default none
}

// A Source is the page that states a price, or the mark that no page does.
type Source struct {
	What         Item   `yaml:"what" json:"what" required:"true"`                                                                                                               // the price
	URL          string `yaml:"url,omitempty" json:"url,omitempty" pattern:"^https?://[!-~]{1,400}$" allowed:"an address that starts with https:// or http://, without spaces"` // of the page
	Date         string `yaml:"date,omitempty" json:"date,omitempty" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" allowed:"a date such as 2026-06-17"`                                // of the page
	Illustrative bool   `yaml:"illustrative,omitempty" json:"illustrative,omitempty"`                                                                                           // no page states the price: it is an example; default false
}

//go:embed default.yaml
var defaultFile []byte

// DefaultFile returns the YAML file of the default prices, comments included.
func DefaultFile() []byte { return slices.Clone(defaultFile) }

// Default returns the default prices. The caller must not change their sources.
var Default = sync.OnceValue(func() (p Prices) {
	if err := yaml.UnmarshalWithOptions(defaultFile, &p, yaml.Strict()); err != nil {
		panic(err) // an embedded file
	}
	return p
})

// OrDefault returns the prices, or the default prices if there are none.
func (p *Prices) OrDefault() Prices {
	if p == nil || p.Currency == "" {
		return Default()
	}
	return *p
}

// A Mistake is a value of Prices that is not allowed.
type Mistake struct {
	Field   string // its path, such as sources[1].url
	Value   string // "" if the message is clear without it
	Message string // completes a sentence that starts with the value
}

func (m *Mistake) Error() string { return m.Field + ": " + strings.TrimSpace(m.Value+" "+m.Message) }

// Conflict returns the first mistake that the tags of a field cannot express: a date that does not
// exist, or a source that is neither a page nor illustrative. It is nil if there is none.
func (p Prices) Conflict() *Mistake {
	if m := checkDate("date", p.Date); m != nil {
		return m
	}
	for i, s := range p.Sources {
		here := fmt.Sprintf("sources[%d]", i)
		switch page := s.URL != "" && s.Date != ""; {
		case s.Illustrative && (s.URL != "" || s.Date != ""):
			return &Mistake{here, "", "has a page and is illustrative; allowed: url and date, or illustrative: true"}
		case !s.Illustrative && !page:
			return &Mistake{here, "", "has no page; allowed: url and date, or illustrative: true"}
		case page:
			if m := checkDate(here+".date", s.Date); m != nil {
				return m
			}
		}
	}
	return nil
}

func checkDate(field, date string) *Mistake {
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return &Mistake{field, date, "is not a day of the calendar; allowed: a date such as 2026-06-17"}
	}
	return nil
}

// Check returns an error for prices that no file may have. Prices that are absent are allowed.
func (p Prices) Check() error {
	if p.Currency == "" {
		return nil
	}
	for _, i := range Items {
		if x := p.Of(i); !(x >= 0 && x <= 1e6) {
			return &Mistake{string(i), fmt.Sprint(x), "is not allowed; allowed: 0 … 1000000"}
		}
	}
	if u := p.Utilisation; !(u >= 0.01 && u <= 1) {
		return &Mistake{"utilisation", fmt.Sprint(u), "is not allowed; allowed: 0.01 … 1"}
	}
	if m := p.Conflict(); m != nil {
		return m
	}
	return nil
}

// Of returns the price of an item; 0 is not billed.
func (p Prices) Of(i Item) float64 {
	return map[Item]float64{
		CoreMonth: p.CoreMonth, MemoryGBMonth: p.MemoryGBMonth, EgressGB: p.EgressGB, PerMillionRequests: p.PerMillionRequests,
	}[i]
}

// Billed lists the prices above 0.
func (p Prices) Billed() (items []Item) {
	for _, i := range Items {
		if p.Of(i) > 0 {
			items = append(items, i)
		}
	}
	return items
}

// Source returns the source of a price; ok is false if the file has none.
func (p Prices) Source(i Item) (s Source, ok bool) {
	at := slices.IndexFunc(p.Sources, func(s Source) bool { return s.What == i })
	if at < 0 {
		return Source{}, false
	}
	return p.Sources[at], true
}

// Illustrative reports whether a billed price, or without arguments any of them, is an example that no page states.
func (p Prices) Illustrative(items ...Item) bool {
	return slices.ContainsFunc(p.Billed(), func(i Item) bool {
		s, _ := p.Source(i)
		return s.Illustrative && (len(items) == 0 || slices.Contains(items, i))
	})
}

// Usage is the resource use of the servers at a load. NaN is not measured.
type Usage struct {
	Clients  float64 // that are connected
	Cores    float64 // mean number of busy logical CPUs
	Memory   float64 // bytes per client
	Egress   float64 // bytes per second to the clients, with IP headers
	Requests float64 // HTTP requests per second
}

// Amount returns how much of an item is billed per 1,000 clients and month: rented cores, GB of memory, GB of
// egress, or millions of requests. It assumes that resource use is proportional to the number of clients.
func (p Prices) Amount(i Item, u Usage) float64 {
	share := Clients / u.Clients
	switch i {
	case CoreMonth:
		return u.Cores / p.Utilisation * share
	case MemoryGBMonth:
		return u.Memory * Clients / gib
	case EgressGB:
		return u.Egress * seconds * share / gb
	case PerMillionRequests:
		return u.Requests * seconds * share / 1e6
	}
	return math.NaN()
}

// Cost returns the price of an item's amount: 0 if it is not billed, measured or not.
func (p Prices) Cost(i Item, u Usage) float64 {
	if p.Of(i) == 0 {
		return 0
	}
	return p.Of(i) * p.Amount(i, u)
}

// Total returns the price of all items per 1,000 clients and month. It is NaN if a billed one was not
// measured.
func (p Prices) Total(u Usage) (sum float64) {
	for _, i := range Items {
		sum += p.Cost(i, u)
	}
	return sum
}
