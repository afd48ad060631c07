package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
)

// A Check states which assertions of a reference pass on this machine. The reference's own values are shown
// for comparison and decide nothing: assertions compare counts, rankings and ratios.
type Check struct {
	Reference, Here *Report
}

// section has a row per assertion and configuration that was checked.
func (c Check) section() Section {
	all := Section{Title: "Assertions of the reference", Columns: []Column{
		{Title: "assertion"}, {Title: "configuration"}, {Title: "reference", Detail: Wide}, {Title: "here"}, {Title: "outcome"},
	}}
	for _, a := range c.Here.Assertions {
		was, outcome := "–", string(a.Outcome)
		if i := slices.IndexFunc(c.Reference.Assertions, func(o compare.AssertionResult) bool {
			return o.Assertion.Text == a.Assertion.Text && o.Configuration == a.Configuration
		}); i >= 0 {
			was = Measured(c.Reference.Assertions[i])
		}
		if a.Outcome != compare.Passed {
			outcome = strings.ToUpper(outcome)
		}
		all.add(a.Assertion.Text, results.Label(a.Configuration), was, Measured(a), outcome)
	}
	return all
}

// Document is the content of the check. An outcome needs no badge unless it is undecided.
func (c Check) Document() Document {
	m, ref := c.Here.Run.Manifest, c.Reference.Run.Manifest
	d := Document{Title: "Check of " + results.Plain(m.Workload.Scenario), Basis: c.Here.basisText(), Sections: []Section{c.section()}}
	passed := fmt.Sprintf("%d of %s", c.Here.count(compare.Passed), some(len(c.Here.Assertions), "assertion"))
	answer := Paragraph{}
	switch {
	case m.Status != results.Complete:
		d.Badge, answer = string(m.Status), c.Here.answer()[0]
	case c.Here.count(compare.Failed) > 0:
		answer.Text = fmt.Sprintf("Not reproduced: %s passed, %d failed.", passed, c.Here.count(compare.Failed))
	case c.Here.count(compare.Undecided) > 0:
		d.Badge, answer.Text = inconclusive, fmt.Sprintf("Inconclusive: %s passed, the others are undecided.", passed)
	case len(c.Here.Assertions) == 0:
		answer.Text = "No assertions: the reference has nothing to check."
	default:
		answer.Text = fmt.Sprintf("Reproduced: %s passed.", passed)
	}
	answer.Items = append(append(answer.Items, c.Here.unmet()...), fmt.Sprintf("Reference: %s with %s, commit %s.", results.Plain(ref.Host.CPUModel), some(ref.Host.Cores, "core"), commitText(ref.Tool.Commit)),
		"Assertions compare counts, rankings and ratios, not absolute times.", scope(m))
	d.Headline = []Paragraph{answer}
	return d
}
