package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/printer"

	"pushbench/results/metric"
	"pushbench/results/price"
)

// YAML returns s with every field, defaults included. Reading it yields an equal Scenario, and equal
// Scenarios yield the same bytes.
func (s *Scenario) YAML() []byte {
	// This cannot fail: a Scenario is plain data.
	tree := must(yaml.ValueToNode(s, yaml.CustomMarshaler(inQuotes), yaml.CustomMarshaler(asText), yaml.CustomMarshaler(asWords)))
	var p printer.Printer
	return p.PrintNode(tree)
}

// inQuotes always writes text in double quotes: the library alone would write "? a" as a complex key.
// All escapes of Go are valid in YAML.
func inQuotes(text string) ([]byte, error) { return []byte(strconv.Quote(text)), nil }

// A word is a text that is written without quotes if YAML reads it as a text.
type word string

func asText(a metric.Assertion) ([]byte, error) { return yaml.Marshal(word(a.Text)) }

func asWords(names []string) ([]byte, error) {
	words := make([]word, len(names))
	for i, name := range names {
		words[i] = word(name)
	}
	return yaml.Marshal(words)
}

// Hash is the SHA-256 of YAML in hex. Two runs with the same hash measured the same scenario,
// whatever the layout of their files. Prices and cost are left out, as they affect no measurement.
func (s *Scenario) Hash() string {
	measured := *s
	measured.Prices, measured.Cost = price.Prices{}, ""
	sum := sha256.Sum256(measured.YAML())
	return hex.EncodeToString(sum[:])
}
