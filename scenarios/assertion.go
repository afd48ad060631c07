package scenarios

import (
	"fmt"

	"github.com/goccy/go-yaml"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// ParseAssertion reads an assertion or a requirement. Its errors complete a sentence.
func ParseAssertion(text string) (metric.Assertion, error) {
	return grammar().Assertion(metric.CurrentNames(text))
}

func grammar() metric.Grammar {
	return metric.Grammar{Transports: transports.Names[string](nil), Hint: didYouMean}
}

// asAssertion rejects a text that is no assertion.
func asAssertion(text string) error {
	if _, err := ParseAssertion(text); err != nil {
		return fmt.Errorf("is not valid: %w", err)
	}
	return nil
}

// asValue rejects a text that is not a configuration and a metric.
func asValue(text string) error {
	if _, _, err := grammar().Value(text); err != nil {
		return fmt.Errorf("does not name a value of a run: %w", err)
	}
	return nil
}

// fromText reads an assertion for the YAML library.
func fromText(a *metric.Assertion, written []byte) (err error) {
	var text string
	if err = yaml.Unmarshal(written, &text); err == nil {
		*a, err = ParseAssertion(text)
	}
	return err
}

// resolve splits the names of the values to compare with published ones into configuration and metric.
func resolve(p *metric.Published) {
	for i := range p.Values {
		f := &p.Values[i]
		f.Configuration, f.Metric, _ = grammar().Value(string(f.Value)) // checked when they were read
		f.OverConfiguration, f.OverMetric, _ = grammar().Value(string(f.Over))
	}
}

// Unmeasured returns the assertions about configurations that are not measured.
func (s *Scenario) Unmeasured(configurations []Configuration) (missing []metric.Assertion) {
	measured := map[string]bool{"": true}
	for _, c := range configurations {
		measured[c.Name()] = true
	}
	for _, a := range s.Assertions {
		if !measured[a.Configuration] || !measured[a.OtherConfiguration] {
			missing = append(missing, a)
		}
	}
	return missing
}
