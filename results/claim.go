package results

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// A Claim is what was said, before anything was measured, that a run must find: a
// figure of a case, or of every case, against a bound or against a multiple of a
// figure of another case.
type Claim struct {
	Text   string `json:"text"` // as it was written
	Case   string `json:"case,omitempty"`
	Figure string `json:"figure"` // see FigureByName
	Op     string `json:"op"`     // one of < <= > >= == !=

	Bound       float64 `json:"bound,omitempty"` // in the figure's unit
	Times       float64 `json:"times,omitempty"` // of the other figure, in place of Bound, where OtherCase is set
	OtherCase   string  `json:"other_case,omitempty"`
	OtherFigure string  `json:"other_figure,omitempty"`
}

// claimOps are what a claim may compare by.
var claimOps = []string{"<", "<=", ">", ">=", "==", "!="}

// check refuses what nobody can judge.
func (c Claim) check() error {
	names := []string{c.Figure}
	if c.OtherCase != "" {
		names = append(names, c.OtherFigure)
	}
	for _, name := range names {
		if _, ok := FigureByName(name); !ok {
			return fmt.Errorf("claim %q: no figure is called %q", c.Text, name)
		}
	}
	if !slices.Contains(claimOps, c.Op) {
		return fmt.Errorf("claim %q: it compares by %q", c.Text, c.Op)
	}
	return nil
}

// percentile is a figure such as p(99), age_p(95), ack_p(50), answer_p(99) or connect_p(99.9).
var percentile = regexp.MustCompile(`^(age_|ack_|answer_|connect_)?p\(([0-9]+(?:\.[0-9]+)?)\)$`)

// FigureByName finds a metric, or makes that of any percentile: "p(95)" of the delivery
// latency, "age_p(95)", "ack_p(95)", "answer_p(95)", "connect_p(95)".
func FigureByName(name string) (m Metric, ok bool) {
	for _, m := range Metrics {
		if m.Name == name {
			return m, true
		}
	}
	found := percentile.FindStringSubmatch(name)
	if found == nil {
		return Metric{}, false
	}
	percent, err := strconv.ParseFloat(found[2], 64)
	if err != nil || percent <= 0 || percent >= 100 {
		return Metric{}, false
	}
	q := percent / 100
	m = Metric{Name: name, Unit: "ms", Better: Lower}
	switch found[1] {
	case "age_":
		m.Title, m.of = "age", AgeQuantile(q)
	case "ack_":
		m.Title, m.of = "acknowledgement", quantile(ackLatency, q)
	case "answer_":
		m.Title, m.of = "round trip", answered(quantile(answerLatency, q))
	case "connect_":
		m.Title, m.of = "connect", StageQuantile("ready", q)
	default:
		m.Title, m.of = "latency", quantile(deliveryLatency, q)
	}
	m.Title += " p" + found[2]
	return m, true
}
