package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Outcome is the outcome of all assertions together: failed if one failed, otherwise undecided if one is
// undecided, otherwise passed. It is "" without assertions, and if the test setup failed.
func (r *Report) Outcome() compare.Outcome {
	for _, o := range []compare.Outcome{compare.Failed, compare.Undecided, compare.Passed} {
		if slices.ContainsFunc(r.Assertions, func(a compare.AssertionResult) bool { return a.Outcome == o }) {
			return o
		}
	}
	return ""
}

// assertionSentences counts the assertions that passed, and names the others.
func (r *Report) assertionSentences() []Paragraph {
	if len(r.Assertions) == 0 {
		return nil
	}
	var others []string
	for _, a := range r.Assertions {
		if a.Outcome != compare.Passed {
			others = append(others, fmt.Sprintf("%s: %s: %s.", strings.ToUpper(string(a.Outcome)), assertionText(a), evidenceOf(a)))
		}
	}
	passed := fmt.Sprintf("%d of %d", len(r.Assertions)-len(others), len(r.Assertions))
	if len(others) == 0 {
		passed = "all " + metric.Count(int64(len(r.Assertions)))
	}
	return text(append([]string{fmt.Sprintf("Assertions: %s passed, counted per configuration.", passed)}, others...)...)
}

// assertionText is the assertion, with the configuration that was checked if the assertion names none.
func assertionText(a compare.AssertionResult) string {
	text := results.Plain(a.Assertion.Text)
	if a.Assertion.Configuration == "" {
		text = a.Configuration + " " + text
	}
	return text
}

// evidenceOf is the measured value, and in how many repetitions the assertion passes or why it is
// undecided.
func evidenceOf(a compare.AssertionResult) string {
	text := a.Why
	if text == "" {
		text = fmt.Sprintf("in %d of %s", a.Passed, some(a.Repetitions, "repetition"))
	}
	if a.Measured.Known == summary.Shown || a.Measured.Known == summary.Infinite {
		text = measuredOf(a) + ", " + text
	}
	return text
}

// ratioPrefix precedes a ratio of two values.
const ratioPrefix = "ratio "

// measuredOf is the measured side of an assertion: a value, or its ratio to another value. With too few
// observations for a percentile, it is the maximum.
func measuredOf(a compare.AssertionResult) string {
	if a.Assertion.OtherConfiguration != "" {
		if a.Measured.Known == summary.Shown {
			return ratioPrefix + a.Measured.String()
		}
		return a.Measured.String()
	}
	m, _ := metric.Find(a.Assertion.Metric)
	text := withUnit(a.Measured, m.Unit)
	if a.AtMost {
		text = "at most " + text
	}
	return text
}

func (r *Report) assertionsSection() Section {
	all := Section{
		Title:  "Assertions of the scenario",
		Detail: Wide,
		Note: "Measured: the median of the repetitions. Ratio: the left value divided by the other configuration's value, without the factor. " +
			"A sign test with an error probability of one in sixteen decides each assertion. " +
			"With four to six repetitions, all must agree. With seven to nine, one may differ. One violation fails an equality.",
		Columns: columns("assertion", "configuration", "outcome", "measured", "repetitions"),
	}
	for _, a := range r.Assertions {
		repetitions := fmt.Sprintf("%d of %d", a.Passed, a.Repetitions)
		if a.Repetitions == 0 {
			repetitions = a.Why
		}
		all.add(a.Assertion.Text, a.Configuration, string(a.Outcome), measuredOf(a), repetitions)
	}
	return all
}

// requirementSentences names the transports that meet the declared requirements, and why the others were
// not found to meet them.
func (r *Report) requirementSentences() []Paragraph {
	var required, meeting, missed []string
	for _, q := range r.Run.Manifest.Requirements {
		required = append(required, results.Plain(q.Text))
	}
	if len(required) == 0 {
		return nil
	}
	for _, row := range r.Summary.Rows {
		outcome, missing := r.meets(row)
		if outcome == compare.Passed {
			meeting = append(meeting, prose(row.Name))
		}
		missed = append(missed, missing...)
	}
	sentence := fmt.Sprintf("Requirements: no transport was found to meet %s", list(required))
	if len(meeting) > 0 {
		sentence = fmt.Sprintf("Requirements: %s %s %s", list(meeting), map[bool]string{true: "meets", false: "meet"}[len(meeting) == 1], list(required))
	}
	if len(missed) > 0 {
		return []Paragraph{{sentence + ". Not met or undecided:", missed}}
	}
	return text(sentence + ".")
}

// meets is whether a row meets every requirement, and an entry per requirement that it was not found to
// meet.
func (r *Report) meets(row summary.Row) (outcome compare.Outcome, missing []string) {
	outcome = compare.Passed
	for _, q := range r.Requirements {
		if q.Configuration != row.Name || q.Outcome == compare.Passed {
			continue
		}
		state := "not met"
		if q.Outcome == compare.Undecided {
			state = "undecided"
		}
		if outcome != compare.Failed {
			outcome = q.Outcome
		}
		missing = append(missing, fmt.Sprintf("%s: %s %s: %s", state, prose(row.Name), results.Plain(q.Assertion.Text), evidenceOf(q)))
	}
	return outcome, missing
}
