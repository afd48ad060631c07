package scenarios

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/goccy/go-yaml"
)

// YAML writes s with every field, defaults included. Read gives back an equal
// Scenario, and the same Scenario always gives the same bytes.
func (s *Scenario) YAML() []byte {
	data, err := yaml.Marshal(s)
	if err != nil {
		panic(err) // a Scenario is plain data, and no unit fails to be written
	}
	return data
}

// Hash is the SHA-256 of YAML in hex. It says that two runs asked the same
// question, however their files were laid out.
func (s *Scenario) Hash() string {
	sum := sha256.Sum256(s.YAML())
	return hex.EncodeToString(sum[:])
}
