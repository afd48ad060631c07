package scenarios

import (
	"fmt"

	"github.com/goccy/go-yaml"

	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// ParseAssertion reads a claim or a need. Its errors complete a sentence.
func ParseAssertion(text string) (metric.Assertion, error) {
	return grammar().Assertion(metric.CurrentNames(text))
}

func grammar() metric.Grammar {
	return metric.Grammar{Transports: transports.Names[string](nil), Hint: didYouMean}
}

// asAssertion refuses a text that is no claim or need.
func asAssertion(text string) error {
	if _, err := ParseAssertion(text); err != nil {
		return fmt.Errorf("cannot be held against a run: %w", err)
	}
	return nil
}

// asValue refuses a text that is no configuration and metric.
func asValue(text string) error {
	if _, _, err := grammar().Value(text); err != nil {
		return fmt.Errorf("cannot be found in a run: %w", err)
	}
	return nil
}

// fromText is how the YAML library reads an assertion.
func fromText(a *metric.Assertion, written []byte) (err error) {
	var text string
	if err = yaml.Unmarshal(written, &text); err == nil {
		*a, err = ParseAssertion(text)
	}
	return err
}

// resolve takes the values of a run that stand beside published figures apart.
func resolve(p *metric.Published) {
	for i := range p.Values {
		f := &p.Values[i]
		f.Configuration, f.Metric, _ = grammar().Value(string(f.Value)) // they were checked as they were read
		f.OverConfiguration, f.OverMetric, _ = grammar().Value(string(f.Over))
	}
}

// Unmeasured are the claims that name none of the cases that a block measures.
func (s *Scenario) Unmeasured(cases []Configuration) (missing []metric.Assertion) {
	measured := map[string]bool{"": true}
	for _, c := range cases {
		measured[c.Name()] = true
	}
	for _, a := range s.Assertions {
		if !measured[a.Configuration] || !measured[a.OtherConfiguration] {
			missing = append(missing, a)
		}
	}
	return missing
}
