package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
)

// A Check says which assertions of a reference hold on this machine. What the reference's
// machine measured stands beside it to be read, and decides nothing: an assertion is about
// counts, orders and ratios.
type Check struct {
	Reference, Here *Report
}

// section has a row per assertion and configuration that it was held against.
func (c Check) section() section {
	all := section{Title: "Claims of the reference", Heading: []string{"claim", "of", "reference", "here", "outcome"}}
	for _, f := range c.Here.Assertions {
		was, outcome := "–", string(f.Outcome)
		if i := slices.IndexFunc(c.Reference.Assertions, func(o compare.AssertionResult) bool {
			return o.Assertion.Text == f.Assertion.Text && o.Configuration == f.Configuration
		}); i >= 0 {
			was = measuredOf(c.Reference.Assertions[i])
		}
		if f.Outcome != compare.Passed {
			outcome = strings.ToUpper(outcome)
		}
		all.add(f.Assertion.Text, f.Configuration, was, measuredOf(f), outcome)
	}
	return all
}

// Table writes it for a terminal.
func (c Check) Table(w io.Writer, opts TableOptions) error {
	return writeTable(w, opts, []section{c.section()}, c.Sentences())
}

// Markdown writes it as GitHub renders it.
func (c Check) Markdown(w io.Writer) error {
	return writeMarkdown(w, "Check of "+c.Here.Run.Manifest.Workload.Scenario, "", c.Sentences(), []section{c.section()})
}

// Sentences say what holds, what does not, and where the reference was measured.
func (c Check) Sentences() (said []string) {
	if m := c.Here.Run.Manifest; m.Status != results.Complete {
		said = append(said, fmt.Sprintf("%s: %s.", m.Status, results.Plain(m.Reason)))
	}
	said = append(said, c.Here.claimSentences()...)
	ref := c.Reference.Run.Manifest
	return append(said, fmt.Sprintf("The reference was measured on %s with %s, commit %s. Its times are that machine's, and are no claim.",
		results.Plain(ref.Host.CPUModel), some(ref.Host.Cores, "core"), results.Plain(ref.Tool.Commit[:min(12, len(ref.Tool.Commit))])))
}
