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
	all := Section{Title: "Assertions of the reference", Columns: columns("assertion", "configuration", "reference", "here", "outcome")}
	for _, a := range c.Here.Assertions {
		was, outcome := "–", string(a.Outcome)
		if i := slices.IndexFunc(c.Reference.Assertions, func(o compare.AssertionResult) bool {
			return o.Assertion.Text == a.Assertion.Text && o.Configuration == a.Configuration
		}); i >= 0 {
			was = measuredOf(c.Reference.Assertions[i])
		}
		if a.Outcome != compare.Passed {
			outcome = strings.ToUpper(outcome)
		}
		all.add(a.Assertion.Text, a.Configuration, was, measuredOf(a), outcome)
	}
	return all
}

// Document is the content of the check.
func (c Check) Document() Document {
	ref := c.Reference.Run.Manifest
	d := Document{Title: "Check of " + results.Plain(c.Here.Run.Manifest.Workload.Scenario), Badge: c.Here.Badge(), Basis: c.Here.basisText(), Sections: []Section{c.section()}}
	if m := c.Here.Run.Manifest; m.Status != results.Complete {
		d.Headline = text(fmt.Sprintf("%s: %s.", statusText(m.Status), results.Plain(m.Reason)))
	}
	d.Headline = append(d.Headline, c.Here.assertionSentences()...)
	d.Headline = append(d.Headline, text(fmt.Sprintf("The reference was measured on %s with %s, commit %s. Assertions compare counts, rankings and ratios, not absolute times.",
		results.Plain(ref.Host.CPUModel), some(ref.Host.Cores, "core"), commitText(ref.Tool.Commit)))...)
	return d
}
