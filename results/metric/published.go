package metric

import "fmt"

// Published is what others have published of the same question. The tags beside the names are
// the rules of a scenario file: see scenarios.Rule.
type Published struct {
	Source  string           `yaml:"source" json:"source" required:"true"`       // who, where and when
	Missing string           `yaml:"missing,omitempty" json:"missing,omitempty"` // what of it was not available, or is not said here
	Values  []PublishedValue `yaml:"figures" json:"figures" required:"true" items:"64" allowed:"of {what: …, says: …, figure: …}, each once"`
}

// A PublishedFigure is one of its figures, and which value of a run stands beside it: that of
// a configuration, or its ratio to another, times a number.
type PublishedValue struct {
	What    string `yaml:"what" json:"what" required:"true"` // it is of
	Printed string `yaml:"says" json:"says" required:"true"` // as it is printed there

	Value             ValueName `yaml:"figure" json:"-" required:"true"` // of a run: a configuration and a metric, as in "longpoll rtt=100ms avg"
	Over              ValueName `yaml:"over,omitempty" json:"-"`         // by which that is divided; default nothing
	Configuration     string    `yaml:"-" json:"case"`                   // of figure
	Metric            string    `yaml:"-" json:"metric"`
	OverConfiguration string    `yaml:"-" json:"over_case,omitempty"` // of over; left out where nothing divides
	OverMetric        string    `yaml:"-" json:"over_metric,omitempty"`

	Times     float64 `yaml:"times,omitempty" json:"times" min:"0.000001" max:"1000000000"` // it is multiplied by that; default 1
	Unit      string  `yaml:"unit,omitempty" json:"unit,omitempty"`                         // of what comes out
	Predicted string  `yaml:"predicted,omitempty" json:"predicted,omitempty"`               // by arithmetic that the scenario's author did; default what a run predicts, if it does
}

// Words name a value of a run: a configuration and a metric, as in "longpoll rtt=100ms avg".
type ValueName string

// Check refuses what no run can have.
func (p Published) Check() error {
	for _, f := range p.Values {
		for _, name := range []string{f.Metric, f.OverMetric} {
			if _, ok := Find(name); name != "" && !ok {
				return fmt.Errorf("published figure %q: no metric is called %q", f.What, name)
			}
		}
	}
	return nil
}
