package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/goccy/go-yaml"

	"pushbench/results/metric"
)

// YAML writes s with every field, defaults included. Read gives back an equal
// Scenario, and the same Scenario always gives the same bytes.
func (s *Scenario) YAML() []byte {
	data, err := yaml.MarshalWithOptions(s, yaml.CustomMarshaler(inQuotes), yaml.CustomMarshaler(asText), yaml.CustomMarshaler(asWords))
	if err != nil {
		panic(err) // a Scenario is plain data, and no unit fails to be written
	}
	return data
}

// inQuotes writes text in double quotes, always: left to itself, the library
// writes "? a" as a complex key. Go's escapes are all YAML's as well.
func inQuotes(text string) ([]byte, error) { return []byte(strconv.Quote(text)), nil }

// A word is a text that is written without quotes where YAML reads it as a text.
type word string

func asText(a metric.Assertion) ([]byte, error) { return yaml.Marshal(word(a.Text)) }

func asWords(names []string) ([]byte, error) {
	words := make([]word, len(names))
	for i, name := range names {
		words[i] = word(name)
	}
	return yaml.Marshal(words)
}

// Hash is the SHA-256 of YAML in hex. It says that two runs asked the same
// question, however their files were laid out.
func (s *Scenario) Hash() string {
	sum := sha256.Sum256(s.YAML())
	return hex.EncodeToString(sum[:])
}
