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

// Outcome is what the run says of all its assertions together: broken if one is, else
// undecided if one is, else that they hold. Without assertions, or where the test setup failed,
// it is "".
func (r *Report) Outcome() compare.Outcome {
	for _, o := range []compare.Outcome{compare.Failed, compare.Undecided, compare.Passed} {
		if slices.ContainsFunc(r.Assertions, func(f compare.AssertionResult) bool { return f.Outcome == o }) {
			return o
		}
	}
	return ""
}

// claimSentences count the assertions that hold, and name those that do not.
func (r *Report) claimSentences() []string {
	if len(r.Assertions) == 0 {
		return nil
	}
	said := []string{""}
	for _, f := range r.Assertions {
		if f.Outcome != compare.Passed {
			said = append(said, fmt.Sprintf("%s: %s: %s.", strings.ToUpper(string(f.Outcome)), claimed(f), found(f)))
		}
	}
	hold := fmt.Sprintf("%d of %d", len(r.Assertions)-len(said)+1, len(r.Assertions))
	if len(said) == 1 {
		hold = "all " + metric.Count(int64(len(r.Assertions)))
	}
	said[0] = fmt.Sprintf("Claims: %s hold, each transport by itself.", hold)
	return said
}

// claimed is the assertion, with the configuration it was held against where it names none.
func claimed(f compare.AssertionResult) string {
	text := results.Plain(f.Assertion.Text)
	if f.Assertion.Configuration == "" {
		text = f.Configuration + " " + text
	}
	return text
}

// found is what was measured of it, and in how many blocks it holds or why it is undecided.
func found(f compare.AssertionResult) string {
	said := f.Why
	if said == "" {
		said = fmt.Sprintf("in %d of %s", f.Passed, some(f.Of, "block"))
	}
	if f.Measured.Known == summary.Shown || f.Measured.Known == summary.Infinite {
		said = measuredOf(f) + ", " + said
	}
	return said
}

// measuredOf is what was measured of an assertion: a value, or how many times another it is. With
// too few observations for a percentile, it is the maximum.
func measuredOf(f compare.AssertionResult) string {
	if f.Assertion.OtherConfiguration != "" {
		return withUnit(f.Measured, "times")
	}
	m, _ := metric.Find(f.Assertion.Metric)
	said := withUnit(f.Measured, m.Unit)
	if f.AtMost {
		said = "at most " + said
	}
	return said
}

func (r *Report) claimsSection() section {
	all := section{
		Title: "Claims: what the scenario said that a run must find",
		Note: "Measured: the median of the blocks, for a ratio how many times the other figure it is. A claim holds, or is broken, where as many blocks say so as a coin would in one run of sixteen " +
			"(all of four to six, all but one of seven to nine); equality is broken by one block.",
		Heading: []string{"claim", "of", "outcome", "measured", "blocks"},
	}
	for _, f := range r.Assertions {
		blocks := fmt.Sprintf("%d of %d", f.Passed, f.Of)
		if f.Of == 0 {
			blocks = f.Why
		}
		all.add(f.Assertion.Text, f.Configuration, f.Outcome, measuredOf(f), blocks)
	}
	return all
}

// met says which transports meet the declared requirements, and why the others were not
// found to.
func (r *Report) met() []string {
	needs := r.Run.Manifest.Requirements
	if len(needs) == 0 {
		return nil
	}
	var asked, meeting, failing []string
	for _, n := range needs {
		asked = append(asked, results.Plain(n.Text))
	}
	for _, row := range r.Summary.Rows {
		outcome, missed := r.meets(row)
		if outcome == compare.Passed {
			meeting = append(meeting, row.Name)
		}
		failing = append(failing, missed...)
	}
	why := strings.Join(failing, "; ")
	if len(meeting) == 0 {
		return []string{fmt.Sprintf("Needs: none was found to meet %s: %s.", list(asked), why)}
	}
	if why != "" {
		why = " (" + why + ")"
	}
	return []string{fmt.Sprintf("Needs: %s %s %s%s.", list(meeting), map[bool]string{true: "meets", false: "meet"}[len(meeting) == 1], list(asked), why)}
}

// meets says whether a row meets every requirement, and which ones it was not found to meet.
func (r *Report) meets(row summary.Row) (outcome compare.Outcome, missed []string) {
	outcome = compare.Passed
	for _, f := range r.Requirements {
		if f.Configuration != row.Name || f.Outcome == compare.Passed {
			continue
		}
		said := "%s misses %s: %s"
		if f.Outcome == compare.Undecided {
			said = "whether %s meets %s is open: %s"
		}
		if outcome != compare.Failed {
			outcome = f.Outcome
		}
		missed = append(missed, fmt.Sprintf(said, row.Name, results.Plain(f.Assertion.Text), found(f)))
	}
	return outcome, missed
}
