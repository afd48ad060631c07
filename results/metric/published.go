package metric

import "fmt"

// Published lists values that others have published on the same question.
type Published struct { // the struct tags are the rules of a scenario file: see scenarios.Rule
	Source  string           `yaml:"source" json:"source" required:"true"`       // authors, title, venue and year
	Missing string           `yaml:"missing,omitempty" json:"missing,omitempty"` // parts of the source that were not available, or are not quoted here
	Values  []PublishedValue `yaml:"values" was:"figures" json:"values" required:"true" items:"64" allowed:"of {what: …, printed: …, value: …}, each once"`
}

// A PublishedValue is one published value and the value of a run to compare it with: that of a
// configuration, or its ratio to another, times a factor.
type PublishedValue struct {
	What    string `yaml:"what" json:"what" required:"true"`                  // what it describes
	Printed string `yaml:"printed" was:"says" json:"printed" required:"true"` // as printed in the source

	Value             ValueName `yaml:"value" was:"figure" json:"-" required:"true"` // of a run: a configuration and a metric, as in "longpoll rtt=100ms avg"
	Over              ValueName `yaml:"over,omitempty" json:"-"`                     // divisor of value; default none
	Configuration     string    `yaml:"-" json:"configuration"`                      // of value
	Metric            string    `yaml:"-" json:"metric"`                             // of value
	OverConfiguration string    `yaml:"-" json:"over_configuration,omitempty"`       // of the divisor; absent without one
	OverMetric        string    `yaml:"-" json:"over_metric,omitempty"`              // of the divisor

	Times     float64 `yaml:"times,omitempty" json:"times" min:"0.000001" max:"1000000000"` // factor; default 1
	Unit      string  `yaml:"unit,omitempty" json:"unit,omitempty"`                         // of the result
	Predicted string  `yaml:"predicted,omitempty" json:"predicted,omitempty"`               // calculated by the author of the scenario; default the prediction of the run, if any
}

// A ValueName names a value of a run: a configuration and a metric, as in "longpoll rtt=100ms avg".
type ValueName string

// Check returns an error if a value has an unknown metric.
func (p Published) Check() error {
	for _, f := range p.Values {
		for _, name := range []string{f.Metric, f.OverMetric} {
			if _, ok := Find(name); name != "" && !ok {
				return fmt.Errorf("published value %q: unknown metric %q", f.What, name)
			}
		}
	}
	return nil
}
