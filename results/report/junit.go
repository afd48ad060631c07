package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// JUnit is a run as a test report for CI systems: whether the run is complete, each validity check, and
// each assertion. A failed assertion is a failure; an undecided one is an error, because nothing was
// tested.
func (r *Report) JUnit() junit.Testsuites {
	m := r.Run.Manifest
	all := junit.Testsuites{Name: "pushbench " + results.Plain(m.Workload.Scenario)}
	setup := suite(all.Name+": test setup", m)
	status := testcase(setup, "the run is COMPLETE", m.Ended.Sub(m.Started))
	if m.Status != results.Complete {
		status.Failure = &junit.Result{Message: fmt.Sprintf("%s: %s", statusText(m.Status), results.Plain(m.Reason)), Type: string(m.Status)}
	}
	setup.AddTestcase(status)
	for _, check := range checkNames(r.Run.Trials) {
		setup.AddTestcase(r.checkTestcase(setup, check))
	}
	all.AddSuite(setup)
	if len(r.Assertions) == 0 {
		return all
	}
	assertions := suite(all.Name+": assertions", m)
	for _, a := range r.Assertions {
		tc, evidence := testcase(assertions, assertionText(a), 0), evidenceOf(a)
		switch a.Outcome {
		case compare.Failed:
			tc.Failure = &junit.Result{Message: "failed: " + evidence, Type: "assertion"}
		case compare.Undecided:
			tc.Error = &junit.Result{Message: "undecided: " + evidence, Type: "assertion"}
		default:
			tc.SystemOut = &junit.Output{Data: evidence}
		}
		assertions.AddTestcase(tc)
	}
	all.AddSuite(assertions)
	return all
}

func suite(name string, m results.Manifest) junit.Testsuite {
	s := junit.Testsuite{Name: name, Time: seconds(m.Ended.Sub(m.Started))}
	s.SetTimestamp(m.Started)
	return s
}

func testcase(of junit.Testsuite, name string, took time.Duration) junit.Testcase {
	return junit.Testcase{Classname: of.Name, Name: name, Time: seconds(took)}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d).Seconds()) }

// checkTestcase is a validity check: it passes if the check passed in every trial that was not repeated.
func (r *Report) checkTestcase(of junit.Testsuite, name string) junit.Testcase {
	tc := testcase(of, "validity check: "+results.Plain(name), 0)
	var failed, repeated []string
	for _, t := range r.Run.Trials {
		for _, check := range t.FailedChecks() {
			text := results.Plain(t.Name() + ": " + check.Detail)
			i := slices.IndexFunc(r.Summary.Excluded, func(e summary.Excluded) bool { return e.Trial == t.Name() })
			switch {
			case check.Name != name:
			case i >= 0 && r.Summary.Excluded[i].Repeated:
				repeated = append(repeated, "repeated: "+text)
			default:
				failed = append(failed, text)
			}
		}
	}
	if len(failed) > 0 {
		tc.Failure = &junit.Result{Message: failed[0], Type: "validity check", Data: strings.Join(failed, "\n")}
	}
	if len(repeated) > 0 {
		tc.SystemOut = &junit.Output{Data: strings.Join(repeated, "\n")}
	}
	return tc
}

// JUnit is a comparison as a test report for CI systems: a test case for each declared metric of each
// configuration. A regression is a failure, an inconclusive comparison an error.
func (c *Comparison) JUnit() junit.Testsuites {
	m := c.Runs[1].Manifest
	s := suite("pushbench "+results.Plain(m.Workload.Scenario)+": B against A", m)
	worse, undecided := c.Analysis.Regressions(), c.Analysis.Unresolved()
	for _, d := range c.Analysis.Family {
		tc := testcase(s, fmt.Sprintf("%s, %s", results.Plain(compare.ConfigurationOf(d)), metric.ByName(d.Metric).Title), 0)
		text := verdictText(d.Verdict) + ": " + changed(d)
		switch {
		case among(worse, d):
			tc.Failure = &junit.Result{Message: "worse: " + changed(d), Type: "comparison"}
		case among(undecided, d):
			switch {
			case d.Verdict == compare.Incomparable:
				text = verdictText(d.Verdict) + ": " + remarks(d)
			case c.Analysis.Withheld != "":
				text = "no verdict: " + c.Analysis.Withheld
			}
			tc.Error = &junit.Result{Message: text, Type: "comparison"}
		default:
			tc.SystemOut = &junit.Output{Data: text}
		}
		s.AddTestcase(tc)
	}
	all := junit.Testsuites{Name: s.Name}
	all.AddSuite(s)
	return all
}
