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

func (r *Report) count(o compare.Outcome) (n int) {
	for _, a := range r.Assertions {
		if a.Outcome == o {
			n++
		}
	}
	return n
}

// assertionSentences counts the assertions that passed, and names the others.
func (r *Report) assertionSentences() []Paragraph {
	if len(r.Assertions) == 0 {
		return nil
	}
	passed := fmt.Sprintf("%d of %d", r.count(compare.Passed), len(r.Assertions))
	if r.count(compare.Passed) == len(r.Assertions) {
		passed = "all " + metric.Count(int64(len(r.Assertions)))
	}
	lines := []string{fmt.Sprintf("Assertions: %s passed, counted per configuration.", passed)}
	if n := r.Summary.ValidRepetitions; 0 < n && n < compare.SignTestRepetitions {
		lines = append(lines, fmt.Sprintf("A sign test needs %d repetitions. With fewer, all must agree, and the outcome is an indication.", compare.SignTestRepetitions))
	}
	return text(append(lines, r.unmet()...)...)
}

// unmet has a sentence per assertion that failed or is undecided. Many that are undecided for the same reason, such as
// after an interruption, share one.
func (r *Report) unmet() (all []string) {
	const many = 4
	alike, listed := map[string]int{}, map[string]bool{} // undecided assertions by reason
	for _, a := range r.Assertions {
		if a.Outcome == compare.Undecided {
			alike[evidenceOf(a)]++
		}
	}
	for _, a := range r.Assertions {
		evidence := evidenceOf(a)
		switch n := alike[evidence]; {
		case a.Outcome == compare.Passed:
		case a.Outcome == compare.Failed || n < many:
			all = append(all, fmt.Sprintf("%s: %s: %s.", strings.ToUpper(string(a.Outcome)), assertionText(a), evidence))
		case !listed[evidence]:
			all = append(all, fmt.Sprintf("%s: %s: %s.", strings.ToUpper(string(a.Outcome)), some(n, "assertion"), evidence))
			listed[evidence] = true
		}
	}
	return all
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
		text = Measured(a) + ", " + text
	}
	return text
}

// ratioPrefix precedes a ratio of two values.
const ratioPrefix = "ratio "

// Measured is the measured side of an assertion: a value, or its ratio to another value. With too few
// observations for a percentile, it is the maximum.
func Measured(a compare.AssertionResult) string {
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
		Note: "Measured: the median of the repetitions; for == and !=, the value that differs most. Ratio: the left value divided by the other configuration's value, without the factor. " +
			"A sign test with an error probability of one in sixteen decides each assertion. " +
			"With up to six repetitions, all must agree; with fewer than four, the outcome is an indication. With seven to nine, one may differ. One violation fails an equality.",
		Columns: columns("assertion", "configuration", "outcome", "measured", "repetitions"),
	}
	for _, a := range r.Assertions {
		repetitions := fmt.Sprintf("%d of %d", a.Passed, a.Repetitions)
		if a.Repetitions == 0 {
			repetitions = a.Why
		}
		all.add(a.Assertion.Text, results.Label(a.Configuration), string(a.Outcome), Measured(a), repetitions)
	}
	return all
}

// meets is whether a row meets every requirement.
func (r *Report) meets(row summary.Row) compare.Outcome {
	outcome := compare.Passed
	for _, q := range r.Requirements {
		if q.Configuration == row.Name && q.Outcome != compare.Passed && outcome != compare.Failed {
			outcome = q.Outcome
		}
	}
	return outcome
}

// headroom is the ratio between the limit and the measured value of a requirement: 2 if the value could
// double. ok is false for an equality, and for a comparison of two configurations.
func headroom(q compare.AssertionResult) (ratio float64, ok bool) {
	a, v := q.Assertion, q.Measured
	if a.OtherConfiguration != "" || v.Known != summary.Shown || v.X <= 0 || a.Bound <= 0 {
		return 0, false
	}
	switch a.Op {
	case "<", "<=":
		return a.Bound / v.X, true
	case ">", ">=":
		return v.X / a.Bound, true
	default:
		return 0, false
	}
}

// requirementsSection has a row per configuration and a column per requirement. It is brief if every
// configuration meets all of them.
func (r *Report) requirementsSection() Section {
	all := Section{Title: "Requirements", Detail: Wide, Columns: columns(results.Capital(r.subject()))}
	notes := []string{"✓ met, ✗ not met, ? undecided. In brackets: the headroom, which is the ratio between limit and value."}
	required := r.Run.Manifest.Requirements
	if len(required) == 0 {
		return all
	}
	for _, row := range r.measured() {
		values := []any{heading(row.Name)}
		for _, q := range required {
			i := slices.IndexFunc(r.Requirements, func(o compare.AssertionResult) bool { return o.Configuration == row.Name && o.Assertion.Text == q.Text })
			if i < 0 { // it is a requirement of another configuration
				values = append(values, "")
				continue
			}
			found := r.Requirements[i]
			values = append(values, requirementCell(row, found))
			if found.Outcome != compare.Passed {
				all.Detail = Brief
			}
			if found.Outcome == compare.Undecided {
				notes = append(notes, fmt.Sprintf("Undecided: %s %s: %s.", prose(row.Name), results.Plain(q.Text), results.Plain(found.Why)))
			}
		}
		all.add(values...)
	}
	for _, q := range required {
		all.Columns = append(all.Columns, Column{Title: results.Plain(q.Text)})
	}
	all.Note = strings.Join(notes, "\n")
	all.Shown = r.Run.Manifest.Status != results.Invalid && len(all.Rows) <= maxShown
	return all
}

// requirementCell is the outcome of a requirement with the measured value and the headroom: "✓ 11 ms (2.1×)".
func requirementCell(row summary.Row, q compare.AssertionResult) Cell {
	mark, tone := signUndecided, Tone("")
	switch q.Outcome {
	case compare.Passed:
		mark, tone = signMet, Good
	case compare.Failed:
		mark, tone = signUnmet, Bad
	}
	text := mark + " " + measuredIn(row, q)
	if times, ok := headroom(q); ok {
		text += " (" + ratio(times) + "×)"
	}
	return Cell{text, tone}
}

// measuredIn is the measured side of a requirement as in the table of results: the median, rounded to the noise, or the
// number of messages of all repetitions.
func measuredIn(row summary.Row, q compare.AssertionResult) string {
	m, ok := metric.Find(q.Assertion.Metric)
	if !ok || q.AtMost || q.Assertion.OtherConfiguration != "" {
		return Measured(q)
	}
	if m.Counted() {
		return row.Value(m.Name).String()
	}
	return roundedWithUnit(row, m)
}
