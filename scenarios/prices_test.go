package scenarios

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbench/results/price"
)

// ownPrices is the shortest price file.
const ownPrices = `currency: EUR
core_month: 4
memory_gb_month: 0
egress_gb: 0.001
utilisation: 0.3
date: 2026-05-01
`

func TestReadPricesKeepsValues(t *testing.T) {
	got, err := ReadPrices("mine.yaml", strings.NewReader(ownPrices+`per_million_requests: 0.20
sources:
- {what: egress_gb, illustrative: true}
- {what: core_month, url: "https://example.com/a?b=c#d", date: 2026-04-30}
note: >
  two
  lines
`))
	want := price.Prices{
		Currency: "EUR", CoreMonth: 4, EgressGB: 0.001, PerMillionRequests: 0.2, Utilisation: 0.3, Date: "2026-05-01",
		Sources: []price.Source{{What: price.EgressGB, Illustrative: true}, {What: price.CoreMonth, URL: "https://example.com/a?b=c#d", Date: "2026-04-30"}},
		Note:    "two lines",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

// The strict reader and the decoder of package price agree on the default file.
func TestReadPricesReadsTheDefaultFile(t *testing.T) {
	got, err := ReadPrices("default.yaml", bytes.NewReader(price.DefaultFile()))
	if diff := cmp.Diff(price.Default(), got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestReadPricesRefusesMistakes(t *testing.T) {
	for name, c := range map[string]struct{ old, now, want string }{
		"unknown field":   {"core_month", "core_mont", "2:1: core_mont: no such field; allowed: currency, core_month, memory_gb_month, egress_gb, per_million_requests, utilisation, date, sources, note; did you mean `core_month`?"},
		"missing":         {"utilisation: 0.3\n", "", "1:1: utilisation: is missing; allowed: a number, 0.01 … 1"},
		"negative":        {"core_month: 4", "core_month: -4", `2:13: core_month: value "-4" is not allowed; allowed: a number, 0 … 1000000`},
		"with a currency": {"core_month: 4", "core_month: 4 EUR", `2:13: core_month: value "4 EUR" is not allowed; allowed: a number, 0 … 1000000`},
		"in quotes":       {"core_month: 4", "core_month: '4'", "2:13: core_month: value \"4\" is not allowed; allowed: a number, 0 … 1000000; write it without quotes"},
		"infinite":        {"core_month: 4", "core_month: .inf", `2:13: core_month: value ".inf" is not allowed; allowed: a number, 0 … 1000000`},
		"no utilisation":  {"0.3", "0", `5:14: utilisation: value "0" is not allowed; allowed: a number, 0.01 … 1`},
		"as a percentage": {"0.3", "30%", `5:14: utilisation: value "30%" is not allowed; allowed: a number, 0.01 … 1`},
		"currency":        {"EUR", "€", `1:11: currency: value "€" is not allowed; allowed: a currency in three capital letters, such as USD`},
		"date":            {"2026-05-01", "1 May 2026", `6:7: date: value "1 May 2026" is not allowed; allowed: a date such as 2026-06-17`},
		"no such day":     {"2026-05-01", "2026-05-32", `6:7: date: value "2026-05-32" is not a day of the calendar; allowed: a date such as 2026-06-17`},
		"twice":           {"utilisation", "core_month: 5\nutilisation", "5:1: core_month: is given twice, first in line 2; allowed: once"},
		"no page":         {"date: 2026-05-01\n", "date: 2026-05-01\nsources:\n- what: egress_gb\n", "8:3: sources[0]: has no page; allowed: url and date, or illustrative: true"},
		"no date of page": {"date: 2026-05-01\n", "date: 2026-05-01\nsources: [{what: egress_gb, url: 'https://a'}]\n", "7:12: sources[0]: has no page; allowed: url and date, or illustrative: true"},
		"both":            {"date: 2026-05-01\n", "date: 2026-05-01\nsources:\n- {what: egress_gb, url: 'https://a', illustrative: true}\n", "8:4: sources[0]: has a page and is illustrative; allowed: url and date, or illustrative: true"},
		"two sources":     {"date: 2026-05-01\n", "date: 2026-05-01\nsources:\n- {what: egress_gb, illustrative: true}\n- {what: egress_gb, illustrative: true}\n", "9:4: sources[1]: this mapping is not allowed; allowed: each once, but egress_gb is in the list already"},
		"what":            {"date: 2026-05-01\n", "date: 2026-05-01\nsources:\n- {what: disk, illustrative: true}\n", `8:10: sources[0].what: value "disk" is not allowed; allowed: core_month, memory_gb_month, egress_gb, per_million_requests`},
		"script":          {"date: 2026-05-01\n", "date: 2026-05-01\nsources:\n- {what: egress_gb, url: 'javascript:x', date: 2026-01-01}\n", `8:26: sources[0].url: value "javascript:x" is not allowed; allowed: an address that starts with https:// or http://, without spaces`},
		"empty":           {ownPrices, "# nothing\n", " has no content; allowed: a YAML mapping that starts with currency:"},
		"a scenario's":    {ownPrices, "prices:\n  currency: EUR\n", "1:1: prices: no such field; allowed: currency, core_month, memory_gb_month, egress_gb, per_million_requests, utilisation, date, sources, note"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPrices("mine.yaml", strings.NewReader(strings.Replace(ownPrices, c.old, c.now, 1)))
			wantError(t, err, "mine.yaml:"+c.want)
		})
	}
}

func TestScenarioHasPrices(t *testing.T) {
	nested := "prices:\n  " + strings.ReplaceAll(strings.TrimSpace(ownPrices), "\n", "\n  ") + "\n"
	s := read(t, small+nested)
	if s.Prices.CoreMonth != 4 || s.Prices.Currency != "EUR" {
		t.Errorf("got %+v", s.Prices)
	}
	checkRoundTrip(t, s)
	if got, want := s.Hash(), read(t, small).Hash(); got != want {
		t.Errorf("prices change the hash of the measured scenario: %s and %s", got, want)
	}
	_, err := Read("small.yaml", strings.NewReader(small+strings.Replace(nested, "05-01", "05-41", 1)))
	wantError(t, err, `small.yaml:17:9: prices.date: value "2026-05-41" is not a day of the calendar; allowed: a date such as 2026-06-17`)
	_, err = Read("small.yaml", strings.NewReader(small+"prices:\n  currency: EUR\n"))
	wantError(t, err, "small.yaml:12:3: prices.core_month: is missing; allowed: a number, 0 … 1000000")
}

func TestLoadPrices(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(path, []byte(ownPrices), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := LoadPrices(path); err != nil || p.Currency != "EUR" {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err := LoadPrices("nothing.yaml")
	wantError(t, err, "nothing.yaml: does not exist; allowed: a file such as the output of pushbench prices")
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not wrap os.ErrNotExist", err)
	}
	_, err = LoadPrices(dir)
	wantError(t, err, dir+": is a directory; allowed: a regular file")
}

// FuzzReadPrices checks that the reader does not panic, that an error is one sentence with a position, and
// that prices that it accepts are finite.
func FuzzReadPrices(f *testing.F) {
	f.Add([]byte(ownPrices))
	f.Add(price.DefaultFile())
	f.Add([]byte(ownPrices + "sources:\n- {what: egress_gb, illustrative: true}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPrices("fuzz.yaml", bytes.NewReader(data))
		if err != nil {
			checkSentence(t, err)
			return
		}
		if err := p.Check(); err != nil || p.Currency == "" {
			t.Errorf("accepts %+v: %v", p, err)
		}
	})
}
