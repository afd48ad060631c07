package report

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/price"
)

// billed has the name of each price in the tables, the heading of its amounts, and what one unit is.
var billed = map[price.Item]struct{ name, amounts, per string }{
	price.CoreMonth:          {"CPU", "cores", "core and month"},
	price.MemoryGBMonth:      {"memory", "GB memory", "GB and month"},
	price.EgressGB:           {"egress", "GB egress", "GB"},
	price.PerMillionRequests: {"requests", "million requests", "million requests"},
}

// prices are those of the run, with texts that are safe to print.
func (r *Report) prices() price.Prices {
	p := r.Run.Manifest.Prices.OrDefault()
	p.Currency, p.Date, p.Note = results.Plain(p.Currency), results.Plain(p.Date), results.Plain(p.Note)
	return p
}

// priceSection has the price of each configuration, item by item, and always the assumptions behind it.
func (r *Report) priceSection() Section {
	p := r.prices()
	all := Section{Title: "Price per 1,000 clients and month", Detail: Wide, Note: strings.Join(r.priceNotes(), "\n"), Columns: columns(r.subject(), "total "+p.Currency+marked(p))}
	items := p.Billed()
	for _, i := range items {
		all.Columns = append(all.Columns, columns(billed[i].name+marked(p, i))...)
	}
	for _, i := range items {
		all.Columns = append(all.Columns, columns(billed[i].amounts)...)
	}
	for _, row := range r.measured() {
		total := row.Typical(metric.Price).String()
		if over, ok := row.Range(metric.Price); ok {
			total += " (" + between(over) + ")"
		}
		costs, amounts := []any{row.Label(), total}, []any{}
		for _, i := range items {
			amount, cost := row.Bill(i)
			costs, amounts = append(costs, cost), append(amounts, amount)
		}
		all.add(append(costs, amounts...)...)
	}
	return all
}

// sourcesSection has each billed price with the page that states it.
func (r *Report) sourcesSection() Section {
	p := r.prices()
	all := Section{
		Title:   "Prices and their sources",
		Detail:  Full,
		Note:    "Prices of " + p.Date + ". " + results.Capital(p.Note),
		Columns: columns("price", p.Currency, "per", "source", "date of the source"),
	}
	for _, i := range p.Billed() {
		s, _ := p.Source(i)
		page := strings.TrimPrefix(s.URL, "https://") // a page of a report contains no address that a browser could load
		switch {
		case s.Illustrative:
			page = "illustrative"
		case page == "":
			page = "none given"
		}
		all.add(billed[i].name, exactly(p.Of(i)), billed[i].per, page, s.Date)
	}
	all.add("utilisation", percent(p.Utilisation), "", "assumption", "")
	return all
}

// marked is the mark of a price that no page states, or without items of a sum with such a price.
func marked(p price.Prices, items ...price.Item) string {
	if p.Illustrative(items...) {
		return " (illustrative)"
	}
	return ""
}

// exactly formats a price with all its digits.
func exactly(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// priceNotes are the assumptions of the prices in short, and what they leave out.
func (r *Report) priceNotes() []string {
	p := r.prices()
	var prices []string
	for _, i := range p.Billed() {
		prices = append(prices, fmt.Sprintf("%s: %s %s per %s%s.", results.Capital(billed[i].name), exactly(p.Of(i)), p.Currency, billed[i].per, marked(p, i)))
	}
	egress := "Egress: bytes from server to clients, with TCP/IP headers. "
	if p.EgressGB == 0 {
		egress = "Egress is not billed. "
	}
	secured := "TLS was not measured, so its bytes and CPU are missing."
	if slices.ContainsFunc(r.Run.Manifest.AllConfigurations(), func(c results.Configuration) bool { return c.TLS }) {
		secured = "TLS is included in the configurations with it."
	}
	return []string{
		strings.Join(prices, " ") + " Medians of the repetitions; in brackets their range.",
		fmt.Sprintf("Prices of %s%s.", p.Date, from(p)),
		fmt.Sprintf("Assumed: the servers use %s of the rented CPU time. The load lasts all month (%d hours) and grows with the clients.", percent(p.Utilisation), price.Hours),
		egress + secured,
		"Not counted: memory without clients, connecting before the window, the operating system, load balancers, free quotas, discounts and taxes.",
	}
}

// from lists the sites of the sources: ", from example.com".
func from(p price.Prices) string {
	var sites []string
	for _, i := range p.Billed() {
		s, _ := p.Source(i)
		page, err := url.Parse(s.URL)
		if err != nil || page.Host == "" {
			continue
		}
		site := results.Plain(strings.TrimPrefix(page.Host, "www."))
		if !slices.Contains(sites, site) {
			sites = append(sites, site)
		}
	}
	if len(sites) == 0 {
		return ", without a source"
	}
	return ", from " + strings.Join(sites, " and ")
}
