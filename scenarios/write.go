package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/printer"

	"pushbench/results/metric"
	"pushbench/results/price"
)

// YAML returns s with every field, defaults included. Reading it yields an equal Scenario, and equal
// Scenarios yield the same bytes.
func (s *Scenario) YAML() []byte {
	return printed(s.tree())
}

// tree returns the YAML of s as a tree.
func (s *Scenario) tree() ast.Node {
	// This cannot fail: a Scenario is plain data.
	return must(yaml.ValueToNode(s, yaml.CustomMarshaler(inQuotes), yaml.CustomMarshaler(asText), yaml.CustomMarshaler(asWords)))
}

func printed(n ast.Node) []byte {
	var p printer.Printer
	return p.PrintNode(n)
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

// Hash is the SHA-256 of YAML in hex. Two runs with the same hash measured the same
// scenario, whatever the layout of their files. It is taken with the deprecated names, so that
// it equals the hash in run folders from before the fields were renamed, with the comparisons that were the
// default then, and without prices and cost, which affect no measurement.
func (s *Scenario) Hash() string {
	measured := *s
	measured.Prices, measured.Cost = price.Prices{}, ""
	if s.Compare.Primary == nil {
		measured.Compare.Primary = []string{metric.P50, metric.P99, metric.ServerCPUPerMessage}
	}
	tree := measured.tree()
	rules().former(tree)
	sum := sha256.Sum256(printed(tree))
	return hex.EncodeToString(sum[:])
}
