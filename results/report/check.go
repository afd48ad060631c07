package report

import (
	"fmt"
	"io"
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
func (c Check) section() section {
	all := section{Title: "Assertions of the reference", Heading: []string{"assertion", "configuration", "reference", "here", "outcome"}}
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

// Table writes it for a terminal.
func (c Check) Table(w io.Writer, opts TableOptions) error {
	return writeTable(w, opts, []section{c.section()}, c.Sentences())
}

// Markdown writes it as GitHub Markdown.
func (c Check) Markdown(w io.Writer) error {
	return writeMarkdown(w, "Check of "+c.Here.Run.Manifest.Workload.Scenario, "", c.Sentences(), []section{c.section()})
}

// Sentences states which assertions passed and which did not, and where the reference was measured.
func (c Check) Sentences() (lines []string) {
	if m := c.Here.Run.Manifest; m.Status != results.Complete {
		lines = append(lines, fmt.Sprintf("%s: %s.", statusText(m.Status), results.Plain(m.Reason)))
	}
	lines = append(lines, c.Here.assertionSentences()...)
	ref := c.Reference.Run.Manifest
	return append(lines, fmt.Sprintf("The reference was measured on %s with %s, commit %s. Assertions compare counts, rankings and ratios, not absolute times.",
		results.Plain(ref.Host.CPUModel), some(ref.Host.Cores, "core"), commitText(ref.Tool.Commit)))
}
